"""Command line, URL, start and log records of portunus-portal (contract, sections 1 to 4)."""

import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import KEY, Portal, Process, require_program, self_signed  # noqa: E402
from harness.waiting import until  # noqa: E402

ZERO = "CHECK_POINT|MODE=0|PING=0ms|POOL=0|TCPS=0|UDPS=0|TCPRX=0|TCPTX=0|UDPRX=0|UDPTX=0"
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
FAILURE = r"portunus-portal-[\w.]+ linux/\w+ pid=\d+ error=.+\n"


@pytest.fixture(autouse=True)
def built(lab):
    require_program(lab)


def run(lab, *arguments, **environment):
    return subprocess.run([lab.bin / "portunus-portal", *arguments], capture_output=True, text=True,
                          timeout=20, env=lab.environment(**environment), check=False)


def fails(lab, url, **environment):
    """The start fails with the one line of section 3; its error."""
    done = run(lab, url, **environment)
    assert done.returncode == 1, done
    assert re.fullmatch(FAILURE, done.stderr), done.stderr
    assert "starting" not in done.stdout and "CHECK_POINT" not in done.stdout
    return done.stderr.partition("error=")[2]


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_S1_help(lab, word):
    done = run(lab, word, "portal://nonsense")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("Usage:", "portunus-portal <portal-url>", "-h, --help", "-v, --version",
                 "portal://<shared-key>@<listen-host>:<listen-port>", "tls=1|2", "net=mix|tcp|udp",
                 "rate=<mbps>", "etar=<mbps>", "UDP-over-TCP (UoT)", "NOW_QUIC_MAX_STREAMS",
                 "NOW_HANDSHAKE_TIMEOUT", "Password credentials are not supported.",
                 "tls=0 is not supported."):
        assert part in done.stdout


@pytest.mark.parametrize("word", ["version", "--version", "-v"])
def test_S1_version(lab, word):
    done = run(lab, word)
    assert (done.returncode, done.stderr) == (0, "")
    machine = os.uname().machine
    assert re.fullmatch(rf"portunus-portal-v\d+\.\d+\.\d+ linux/{machine}\n", done.stdout)


def test_S1_output_that_nobody_takes_is_a_failure(lab):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([lab.bin / "portunus-portal", "help"], stdout=full, timeout=20,
                              env=lab.environment(), check=False)
    assert done.returncode == 1


@pytest.mark.parametrize("url", [
    "", "portal", "portal:secret", "http://secret@:1", "portal://secret@h", "portal://secret@h:",
    "portal://secret@:65536", "portal://@:1", "portal://secret:pw@:1", "portal://caf%E9@:1",
    "portal://secret@:1?tls=0", "portal://secret@:1?net=auto", "portal://secret@:1?spec=%FF",
    "portal://secret@:1?alpn=" + "x" * 256, "portal://secret@:1?tls=2",
    "portal://secret@:1?tls=2&crt=/nowhere&key=/nowhere", "portal://secret@no.such.name.invalid:1"])
@pytest.mark.parametrize("level", ["none", "info"])
def test_S2_what_does_not_start(lab, url, level):
    separator = "&" if "?" in url else "?"
    assert fails(lab, f"{url}{separator}log={level}" if "@" in url else url)


def test_S1_no_argument_is_a_failed_start(lab):
    done = run(lab)
    assert done.returncode == 1
    assert re.fullmatch(FAILURE, done.stderr)


def test_S2_1_the_first_fault_in_order_is_reported(lab):
    assert "scheme" in fails(lab, "http://k:p@h?net=x&tls=0")
    assert "port" in fails(lab, "portal://k:p@h?net=x&tls=0")
    assert "password" in fails(lab, "portal://k:p@h:1?net=x&tls=0")
    assert "net" in fails(lab, "portal://k@h:1?net=x&tls=0")
    assert "tls=0 is not supported" in fails(lab, "portal://k@h:1?tls=0")


def test_S15_an_idle_timeout_beyond_quic_fails(lab):
    url = f"portal://secret@127.0.0.1:{lab.port()}"
    assert "NOW_UDP_IDLE_TIMEOUT" in fails(lab, url, NOW_UDP_IDLE_TIMEOUT="4611686018427387904ms")


def test_S8_every_socket_binds_or_nobody_is_served(lab):
    port = lab.port()
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Connections of an earlier test may still be in TIME_WAIT on that port.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("::", port))
        other.listen()
        assert str(port) in fails(lab, f"portal://secret@:{port}?net=tcp")
        # What was bound before it is free again, and that one address alone would do.
        Portal(lab, "net=tcp", NOW_REPORT_INTERVAL="1h").start().life.stop()


@pytest.mark.parametrize("net", ["tcp", "udp", "mix"])
def test_S8_net_binds_exactly_the_chosen_transports(lab, net):
    port = lab.port()
    portal = Process(lab, "portal", f"portal://{KEY}@:{port}?net={net}")
    portal.wait_text("starting")

    def bound(table, state):
        found = set()
        for suffix in ("", "6"):
            with open(f"/proc/net/{table}{suffix}", encoding="ascii") as file:
                for line in list(file)[1:]:
                    columns = line.split()
                    if columns[3] == state and int(columns[1].rpartition(":")[2], 16) == port:
                        found.add(suffix)
        return found
    assert bound("tcp", "0A") == ({"", "6"} if net != "udp" else set())
    assert bound("udp", "07") == ({"", "6"} if net != "tcp" else set())
    portal.stop()


def records(process):
    return process.out.read_text("utf-8").splitlines()


def test_S3_start_record_then_checkpoint_byte_for_byte(lab):
    port = lab.port()
    portal = Process(lab, "portal", f"portal://{KEY}@:{port}")
    portal.wait_text("CHECK_POINT")
    first, second = records(portal)[:2]
    assert re.fullmatch(STAMP + "  INFO  " + re.escape(
        f"portal::run: starting: portal://:{port}"
        "?tls=1&spec=auto&alpn=now/1&net=mix&dial=auto&rate=0&etar=0"), first)
    assert re.fullmatch(STAMP + "  EVENT  " + re.escape(ZERO), second)
    portal.stop(signal.SIGINT)
    assert re.fullmatch(STAMP + "  INFO  portal::run: portal shutdown complete", records(portal)[-1])


def test_S3_effective_values_and_no_secret(lab):
    port = lab.port()
    certificate, key, _ = self_signed(lab.folder)
    portal = Process(lab, "portal", f" portal://{KEY}:@[0:0::1]:{port}/x?tls=2&spec=edge%2Ba%0A&alpn=caf%C3%A9"
                     f"&net=tcp&dial=127.0.0.1&rate=8&etar=x&crt={certificate}&key={key}&log=warn#f\n")
    portal.wait_text("CHECK_POINT")
    lines = records(portal)
    assert re.fullmatch(STAMP + "  WARN  .+", lines[0])  # the confirming record
    assert not any("starting" in line for line in lines)  # an INFO record
    portal.stop()
    again = Process(lab, "portal", f"portal://{KEY}@[0:0::1]:{port}?tls=2&spec=edge%2Ba%0A&alpn=caf%C3%A9"
                    f"&net=tcp&dial=127.0.0.1&rate=8&etar=x&crt={certificate}&key={key}&log=debug")
    again.wait_text(re.escape(
        f"  INFO  portal::run: starting: portal://[::1]:{port}?tls=2&spec=edge+a%0A"
        "&alpn=café&net=tcp&dial=127.0.0.1&rate=8&etar=0\n"))
    assert str(certificate) not in again.text
    again.stop()


@pytest.mark.parametrize("level,starts,checkpoints,confirms", [
    ("none", False, False, None), ("debug", True, True, "DEBUG"), ("info", True, True, None),
    ("warn", False, True, "WARN"), ("error", False, True, "ERROR"), ("event", False, True, "EVENT"),
    ("bogus", True, True, None)])
def test_S3_levels(lab, level, starts, checkpoints, confirms):
    portal = Process(lab, "portal", f"portal://{KEY}@127.0.0.1:{lab.port()}?net=tcp&log={level}",
                     NOW_REPORT_INTERVAL="20ms")
    port = int(re.search(r":(\d+)\?", " ".join(portal.process.args)).group(1))

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    until(listens, "the Portal listens")
    if checkpoints:
        until(lambda: portal.text.count("CHECK_POINT") >= 3, "three checkpoints")
    portal.stop()
    assert ("portal::run: starting" in portal.text) == starts
    assert ("shutdown complete" in portal.text) == starts
    assert ("CHECK_POINT" in portal.text) == checkpoints
    first = records(portal)[:1]
    if confirms:
        assert re.fullmatch(STAMP + f"  {confirms}  (?!portal::run|CHECK_POINT).*", first[0])
    elif first:
        assert "portal::run: starting" in first[0]
    assert portal.err.read_text() == ""


def test_S4_a_report_interval_of_zero_is_a_millisecond(lab):
    portal = Process(lab, "portal", f"portal://{KEY}@127.0.0.1:{lab.port()}?net=tcp",
                     NOW_REPORT_INTERVAL="0")
    until(lambda: portal.text.count("CHECK_POINT") > 100, "many checkpoints", 5)
    portal.stop()


@pytest.mark.parametrize("no_color", [None, "1"])
def test_S3_colour_on_a_terminal_only_without_no_color(lab, no_color):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [lab.bin / "portunus-portal", f"portal://{KEY}@127.0.0.1:{lab.port()}?net=tcp"],
        stdout=slave, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env=lab.environment(NO_COLOR=no_color))
    os.close(slave)
    text = b""
    try:
        while b"CHECK_POINT" not in text:
            text += os.read(master, 4096)
    finally:
        process.terminate()
        process.wait(10)
        os.close(master)
    assert (b"  \x1b[32mINFO\x1b[0m  portal::run" in text) == (no_color is None)
    assert (b"  \x1b[36mEVENT\x1b[0m  CHECK_POINT" in text) == (no_color is None)
    assert (b"\x1b" in text) == (no_color is None)
