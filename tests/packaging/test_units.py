"""The units of the packages (cli-and-config 10): the manager takes them."""

import pathlib
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def system(unpacked, tmp_path_factory):
    """The units and programs of the packages, and what of systemd and a shell they name."""
    root = tmp_path_factory.mktemp("system")
    shutil.copytree(unpacked, root, dirs_exist_ok=True)
    (root / "bin").symlink_to("usr/bin")
    shutil.copy("/bin/sh", root / "usr/bin/sh")
    for target in pathlib.Path("/lib/systemd/system").glob("*.target"):
        shutil.copy(target, root / "usr/lib/systemd/system")
    return root


def verify(root, unit):
    """What the manager has against a unit."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}", unit],
                          capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if "portunus" in line]
    return said or ([done.stderr] if done.returncode else [])


def test_CLI_10_the_manager_takes_the_unit(system, name):
    """As it is installed: the program that it starts must be there."""
    assert verify(system, f"{name}.service") == []


@pytest.mark.parametrize("good, bad, complaint", [
    ("/usr/bin/portunus-client", "/usr/bin/portunus-clinet", "is not executable"),
    ("PrivateTmp=yes", "PrivatTmp=yes", "'PrivatTmp' in section"),
    ("StartLimitIntervalSec=0", "StartLimitIntervalSec=often", "Failed to parse"),
])
def test_harness_the_manager_notices_a_wrong_unit(system, good, bad, complaint):
    units = system / "usr/lib/systemd/system"
    text = (units / "portunus-client.service").read_text("utf-8")
    assert good in text
    (units / "portunus-wrong.service").write_text(text.replace(good, bad, 1), "utf-8")
    assert complaint in "".join(verify(system, "portunus-wrong.service"))
