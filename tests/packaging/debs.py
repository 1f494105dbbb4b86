"""Reads Debian packages."""

import dataclasses
import functools
import io
import pathlib
import subprocess
import tarfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["portunus-server", "portunus-client", "portunus-standalone", "portunus-portal"]


def output(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, check=True,
                          timeout=120, **options).stdout


@dataclasses.dataclass(frozen=True)
class Package:
    path: pathlib.Path

    def field(self, name):
        return output("dpkg-deb", "--field", self.path, name).decode().strip()

    @functools.cached_property
    def tree(self):
        """The files and folders that it installs, as absolute paths."""
        return self.archive("--fsys-tarfile")

    @functools.cached_property
    def control(self):
        return self.archive("--ctrl-tarfile")

    def archive(self, which):
        with tarfile.open(fileobj=io.BytesIO(output("dpkg-deb", which, self.path))) as tar:
            return {member.name.lstrip("."): (member, member.isfile() and
                                              tar.extractfile(member).read())
                    for member in tar}

    def text(self, path):
        return self.tree[path][1].decode()
