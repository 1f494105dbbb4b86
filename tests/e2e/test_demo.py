"""scripts/demo, as make run starts it."""

import os
import re
import signal
import socket
import subprocess

import pytest

from harness.lab import REPOSITORY, bin_dir
from harness.ports import is_free
from harness.program import before_exec
from harness.waiting import PATIENCE, until

DEMO = REPOSITORY / "scripts" / "demo"


@pytest.fixture
def base(lab):
    """Five free ports in a row."""
    while True:
        first = lab.port()
        if all(lab.ports.claim(first + step) and is_free(first + step) for step in range(1, 5)):
            return first


@pytest.fixture
def command(lab, base):
    return [DEMO, "--bin-dir", bin_dir(), "--dir", lab.folder / "run", "--base-port", str(base)]


def processes_of(folder):
    """Programs whose command line names the folder."""
    out = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in out.splitlines()
            if str(folder) in line and line.split()[0].endswith(("-server", "-client"))]


def test_once_shows_the_path_and_leaves_nothing(lab, command):
    done = lab.run([*command, "--once"], seconds=90)
    assert done.code == 0, done.err
    token = (lab.folder / "run" / "operator.token").read_text("ascii")
    assert re.fullmatch(r"[\w-]{43}", token) and token not in done.out + done.err
    assert (lab.folder / "run" / "operator.token").stat().st_mode & 0o777 == 0o600
    assert "all intact" in done.out and "exactly these bytes" in done.out
    assert "code=" not in done.out
    assert processes_of(lab.folder) == []
    assert lab.run([*command, "--once"], seconds=90).code == 0  # again, over what was left


@pytest.mark.parametrize("offset, name", [(0, "control"), (2, "metrics"), (3, "rule")])
def test_a_busy_port_is_named(lab, base, command, offset, name):
    with socket.create_server(("127.0.0.1", base + offset)):
        done = lab.run([*command, "--once"])
    assert done.code == 1
    assert done.err.startswith(f"error: port {base + offset} ({name}) cannot be used")
    assert "--base-port" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_stopped(lab, command, number):
    log = lab.folder / "demo.out"
    with open(log, "wb") as output:
        demo = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output,
                                env=lab.environment(), preexec_fn=before_exec)
    lab.stack.callback(demo.kill)
    until(lambda: "Ctrl-C stops everything" in log.read_text("utf-8"), "the demo is up", 60)
    assert len(processes_of(lab.folder)) == 2
    demo.send_signal(number)
    assert demo.wait(30 * PATIENCE) == 0
    assert processes_of(lab.folder) == []


def test_a_program_that_dies_ends_the_demo(lab, command):
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=lab.environment(),
                          preexec_fn=before_exec) as demo:
        lab.stack.callback(demo.kill)
        for line in demo.stdout:
            if "Ctrl-C stops everything" in line:
                break
        pids = subprocess.run(["pgrep", "-f", f"portunus-client --bundle {lab.folder}"],
                              capture_output=True, text=True, check=True).stdout.split()
        os.kill(int(pids[0]), signal.SIGKILL)
        assert demo.wait(30 * PATIENCE) == 1
        assert "portunus-client ended with exit code -9" in demo.stderr.read()
    assert processes_of(lab.folder) == []


def test_a_refused_file_system_is_explained(lab, command):
    if not os.path.isdir("/dev/shm"):
        pytest.skip("no tmpfs is mounted there")
    command[command.index("--dir") + 1] = f"/dev/shm/portunus-demo-{os.getpid()}"
    try:
        done = lab.run([*command, "--once"])
        assert done.code == 1
        assert "is on tmpfs" in done.err and "--dir" in done.err and "Traceback" not in done.err
    finally:
        subprocess.run(["rm", "-rf", command[command.index("--dir") + 1]], check=True)
