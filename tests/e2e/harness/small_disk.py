"""A small disk of a test's own, which can be filled and emptied while a server runs on it."""

import contextlib
import os
import pathlib
import subprocess

import pytest

from .daemons import Daemon


class SmallDisk:
    """A file system of `size` bytes at `folder`, in a mount namespace of its own.

    Programs see it when they are started with `wrapper` before their command; the test sees it at
    `outside`. It is an overlay, whose kind the server does not refuse, on a tmpfs, whose size is a
    bound. Needs root; without, the test is skipped.
    """

    def __init__(self, lab, folder, size):
        folder.mkdir(exist_ok=True)
        mounts = ('mount -t tmpfs -o size="$1" none "$0" && mkdir "$0/upper" "$0/work" "$0/lower" '
                  '"$0/disk" && mount -t overlay none -o '
                  '"lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" "$0/disk" '
                  '&& mount --move "$0/disk" "$0"')
        isolated = ["unshare", "-m", "sh", "-c"]
        if os.geteuid() != 0 or subprocess.run([*isolated, mounts, folder, str(size)],
                                               check=False).returncode:
            pytest.skip("a disk of a test's own needs root, a mount namespace and overlays")
        # What is mounted is gone with the last process in the namespace, which is this one.
        self.holder = Daemon(lab, f"disk-{folder.name}", [
            *isolated, f"{mounts} && echo ready && exec sleep infinity", folder, str(size)])
        self.folder = folder
        self.holder.wait_ready(lambda: "ready" in self.holder.text)

    @property
    def wrapper(self):
        return ["nsenter", f"--mount=/proc/{self.holder.process.pid}/ns/mnt", "--wd=/", "--"]

    @property
    def outside(self):
        return pathlib.Path(f"/proc/{self.holder.process.pid}/root") / str(self.folder).lstrip("/")

    def fill(self):
        """Not a byte is left."""
        with open(self.outside / "filler", "ab", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x")

    def make_room(self):
        (self.outside / "filler").unlink()
