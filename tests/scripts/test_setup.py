"""scripts/setup with a package system that has all but the Portal's packages."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

SETUP = pathlib.Path(__file__).parents[2] / "scripts" / "setup"

# Everything is installed but what the folder's file `gone` names.
DPKG_QUERY = r"""#!/bin/bash
format=$2
for package in "${@:3}"; do
  grep -qx -- "$package" "$STAND_IN/gone" && continue
  case $format in
    *Version*) echo 1.12.0-1 ;;
    *) printf 'installed\n' ;;
  esac
done
"""
# Installs what the folder's file `offered` names.
APT_GET = r"""#!/bin/bash
echo "apt-get $*" >>"$STAND_IN/calls"
[[ " $* " == *" install "* ]] || exit 0
for package in "$@"; do
  package=${package%/*}
  grep -qx -- "$package" "$STAND_IN/offered" || continue
  sed -i "/^$package$/d" "$STAND_IN/gone"
done
"""
# Nothing outside the folder is touched, whoever runs the tests.
SUDO = r"""#!/bin/bash
[[ $1 == env ]] && exec "$@"
[[ $1 != tee ]] || cat >/dev/null
"""


@pytest.fixture
def machine(tmp_path):
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    (tree / "scripts").mkdir(parents=True)
    tools.mkdir()
    shutil.copy(SETUP, tree / "scripts" / "setup")
    for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", SUDO),
                       ("id", "#!/bin/sh\necho 1000\n"), ("systemctl", "#!/bin/sh\n")):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    for name in ("gone", "offered", "calls"):
        (tmp_path / name).touch()

    class Machine:
        stamp = tree / "build" / "portal-packages-failed"

        @staticmethod
        def lacks(*packages):
            (tmp_path / "gone").write_text("".join(f"{package}\n" for package in packages))

        @staticmethod
        def offers(*packages):
            (tmp_path / "offered").write_text("".join(f"{package}\n" for package in packages))

        @staticmethod
        def setup(*arguments):
            """(stdout, stderr, whether apt was asked for anything)"""
            (tmp_path / "calls").write_text("")
            done = subprocess.run(
                [tree / "scripts" / "setup", *arguments], capture_output=True, text=True, timeout=60,
                env={"PATH": f"{tools}:/usr/bin:/bin", "STAND_IN": str(tmp_path)}, check=True)
            return done.stdout, done.stderr, bool((tmp_path / "calls").read_text())

    return Machine


def test_nothing_is_missing(machine):
    out, err, asked = machine.setup()
    assert "packages are installed" in out and "Portal" not in out
    assert (err, asked) == ("", False)


def test_a_failure_for_the_portal_is_remembered_and_the_next_call_is_quick_and_quiet(machine):
    machine.lacks("libngtcp2-dev")
    out, err, asked = machine.setup()
    assert asked and "the Portal is left out" in err
    out, err, asked = machine.setup()
    assert (err, asked) == ("", False)
    assert len(out.splitlines()) == 1 and "not the Portal's" in out


def test_it_is_tried_again_on_request_after_a_day_and_in_a_clean_tree(machine):
    machine.lacks("libngtcp2-dev")
    machine.setup()
    assert machine.setup("--portal")[2]
    assert not machine.setup()[2]
    yesterday = time.time() - 25 * 3600
    os.utime(machine.stamp, (yesterday, yesterday))
    assert machine.setup()[2]
    assert not machine.setup()[2]
    shutil.rmtree(machine.stamp.parent)
    assert machine.setup()[2]


def test_once_it_can_be_had_nothing_is_remembered(machine):
    machine.lacks("libngtcp2-dev")
    machine.setup()
    machine.offers("libngtcp2-dev")
    out, err, _ = machine.setup("--portal")
    assert "done" in out and "left out" not in err
    assert "Portal" not in machine.setup()[0]
    assert not machine.stamp.exists()


def test_what_else_is_missing_is_installed_meanwhile_and_the_portal_is_not_tried(machine):
    machine.lacks("libngtcp2-dev")
    machine.setup()
    machine.lacks("libngtcp2-dev", "ccache")
    machine.offers("ccache")
    out, err, asked = machine.setup()
    assert asked and "installing 1 packages: ccache" in out and "backports" not in out
    assert err == ""
