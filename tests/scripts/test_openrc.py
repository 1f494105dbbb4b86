"""packaging/openrc (cli-and-config 11): what OpenRC would read from the scripts and settings."""

import os
import pathlib
import subprocess

import pytest

OPENRC = pathlib.Path(__file__).parents[2] / "packaging" / "openrc"
SHOW = 'set -eu; for file; do . "$file"; done; eval "set -- $command_args"; ' \
       'printf "%s\\n" "$supervisor" "$respawn_delay" "$command_user" "$command" "$@"'


def words(name, *settings):
    """Supervisor, delay, user and the command line, read as openrc-run reads them."""
    done = subprocess.run(["sh", "-c", SHOW, "sh", *settings, OPENRC / "init.d" / name],
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def settings(tmp_path):
    def write(text):
        path = tmp_path / "conf"
        path.write_text(text, "utf-8")
        return path
    return write


@pytest.mark.parametrize("name, line", [
    ("portunus-server", ["--data-dir", "/var/lib/portunus", "serve"]),
    ("portunus-client", ["--bundle", "/etc/portunus/client.bundle.json"]),
])
def test_CLI_11_openrc_starts_what_the_units_start(name, line):
    expected = ["supervise-daemon", "2", f"{name}:{name}", f"/usr/local/bin/{name}", *line]
    assert words(name, OPENRC / "conf.d" / name) == expected
    # The settings may also be missing.
    assert words(name) == expected


def test_CLI_11_openrc_takes_the_settings_of_conf_d(settings):
    conf = settings('datadir="/srv/my data"\nserver_args="--advertised-endpoint c.example:7443"\n')
    assert words("portunus-server", conf)[4:] == [
        "--data-dir", "/srv/my data", "serve", "--advertised-endpoint", "c.example:7443"]
    conf = settings('bundle="/srv/edge 1.json"\n')
    assert words("portunus-client", conf)[4:] == ["--bundle", "/srv/edge 1.json"]


SETTINGS = {"rc_ulimit": "-n 524288", "retry": "TERM/60/KILL/5", "respawn_max": "0"}


@pytest.mark.parametrize("name", ["portunus-server", "portunus-client"])
def test_CLI_11_openrc_has_the_limits_of_the_units(name):
    shown = "".join(f'printf "%s\\n" "${key}";' for key in SETTINGS)
    done = subprocess.run(["sh", "-c", f'set -eu; . "$0"; {shown}', OPENRC / "init.d" / name],
                          capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(SETTINGS.values())


def test_CLI_11_openrc_starts_no_edge_without_its_bundle(tmp_path):
    bundle = tmp_path / "edge 1.json"
    stubs = 'eerror() { echo "eerror $*"; }; checkpath() { echo "checkpath $*"; }; '

    def start_pre():
        return subprocess.run(["sh", "-c", f'{stubs} . "$0"; start_pre',
                               OPENRC / "init.d" / "portunus-client"], capture_output=True,
                              text=True, check=False, env={"bundle": str(bundle)})
    done = start_pre()
    assert done.returncode == 1 and done.stdout.startswith(f"eerror {bundle} is missing: ")
    bundle.touch()
    done = start_pre()
    assert (done.returncode, done.stdout) == (
        0, f"checkpath -f -m 0640 -o root:portunus-client {bundle}\n")


@pytest.mark.parametrize("name", ["portunus-server", "portunus-client"])
def test_CLI_11_openrc_can_execute_the_scripts(name):
    script = OPENRC / "init.d" / name
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").startswith("#!/sbin/openrc-run\n")
