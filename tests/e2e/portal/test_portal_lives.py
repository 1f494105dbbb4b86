"""Shutdown and certificates (contract, sections 16 and 17)."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import KEY, self_signed  # noqa: E402
from harness import targets  # noqa: E402
from harness.datagrams import UdpTarget  # noqa: E402
from harness.waiting import PATIENCE, until  # noqa: E402
from tls_peer import TlsPeer, receive_packet  # noqa: E402


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_S17_a_signal_under_load_ends_everything_within_the_window(portal, frames, target, lab,
                                                                   number):
    running = portal("net=tcp", NOW_SHUTDOWN_TIMEOUT="1s", NOW_HANDSHAKE_TIMEOUT="30s")
    behind, udp = target(), lab.owns(UdpTarget(lab.port()))
    waiting = [TlsPeer(running.port, handshake=False), TlsPeer(running.port)]
    pooled = TlsPeer(running.port).send(frames.auth())
    flow = TlsPeer(running.port).send(frames.uot(udp.address, b"x"))
    assert receive_packet(flow) == b"x"
    busy = [TlsPeer(running.port).send(frames.tcp(behind.address)) for _ in range(20)]
    stop = threading.Event()

    def load(peer):
        try:
            while not stop.is_set():
                peer.send(bytes(50_000))
                peer.receive()
        except OSError:
            pass
    loaders = [threading.Thread(target=load, args=(peer,), daemon=True) for peer in busy]
    for loader in loaders:
        loader.start()
    running.wait_checkpoint(TCPS=20, UDPS=1, POOL=1)
    begin = time.monotonic()
    running.life.signal(number)
    assert running.life.wait_exit() == 0
    assert time.monotonic() - begin < 4 * PATIENCE
    stop.set()
    for peer in [*waiting, pooled, flow]:
        assert peer.receive() == b""
    for loader in loaders:
        loader.join(10)
    last = running.life.out.read_text().splitlines()[-1]
    assert last.endswith("  INFO  portal::run: portal shutdown complete")
    assert running.life.err.read_text() == ""
    until(lambda: behind.open == 0, "no target is left connected")
    # The port is free for the next life at once.
    running.start().life.stop()


def test_S17_an_idle_portal_ends_at_once(portal):
    running = portal("net=tcp", NOW_SHUTDOWN_TIMEOUT="20s")
    begin = time.monotonic()
    running.life.stop()
    assert time.monotonic() - begin < 3 * PATIENCE


def test_S17_a_signal_at_any_moment_of_the_start(lab, portal):
    portal().life.stop()  # skips where there is no program
    for delay in range(0, 40, 2):
        process = subprocess.Popen(
            [lab.bin / "portunus-portal", f"portal://{KEY}@127.0.0.1:{lab.port()}?net=tcp"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=lab.environment())
        time.sleep(delay / 1000)
        process.terminate()
        text = process.communicate(timeout=15)[0]
        # Before it is ready for signals it is simply gone, and then has not served anybody.
        assert process.returncode == 0 or (process.returncode == -signal.SIGTERM and not text)
        if process.returncode == 0:
            assert text.endswith(b"  INFO  portal::run: portal shutdown complete\n")


def test_S17_a_second_signal_ends_it_at_once(portal, frames, target):
    running = portal("net=tcp", NOW_SHUTDOWN_TIMEOUT="30s")
    gate = targets.Gate()
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target(gate).address) + b"x")
        running.wait_checkpoint(TCPS=1)
        running.life.signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            running.life.signal(signal.SIGTERM)
        assert running.life.wait_exit() in (0, -signal.SIGTERM)
    gate.open()


def test_S17_a_window_of_zero_ends_too(portal, frames, target):
    running = portal("net=tcp", NOW_SHUTDOWN_TIMEOUT="0")
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"
        running.life.stop()


def test_S17_a_core_that_is_stuck_is_left_behind(portal, frames, target, lab):
    """A thread in a read of a file server that is gone, or here of a pipe that nobody fills."""
    folder = lab.folder / "pem"
    folder.mkdir()
    certificate, key, _ = self_signed(folder)
    running = portal(f"net=tcp&tls=2&crt={certificate}&key={key}", NOW_RELOAD_INTERVAL="0",
                     NOW_SHUTDOWN_TIMEOUT="500ms")

    def say_hello():
        with contextlib.suppress(OSError):
            TlsPeer(running.port).close()

    def somebody_reads():
        with contextlib.suppress(OSError):
            return os.open(certificate, os.O_WRONLY | os.O_NONBLOCK)

    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"
        os.unlink(certificate)
        os.mkfifo(certificate)
        threading.Thread(target=say_hello, daemon=True).start()
        pipe = until(somebody_reads, "a core reads the pipe")
        begin = time.monotonic()
        running.life.signal(signal.SIGTERM)
        assert running.life.wait_exit() == 0
        assert time.monotonic() - begin < 2 + 4 * PATIENCE
        os.close(pipe)
    records = running.life.out.read_text().splitlines()
    assert records[-2].endswith("  WARN  portal::run: what did not end in time is left behind")
    assert records[-1].endswith("  INFO  portal::run: portal shutdown complete")


def test_S3_output_that_nobody_reads_holds_up_nothing(portal, frames, target, lab):
    """The pipe of stdout is full; the Portal relays on and ends in its time."""
    port = lab.port()
    process = subprocess.Popen(
        [lab.bin / "portunus-portal", f"portal://{KEY}@127.0.0.1:{port}?net=tcp"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env=lab.environment(NOW_REPORT_INTERVAL="0"))
    try:
        def queued():
            return struct.unpack("i", fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)))[0]
        until(lambda: queued() > 60_000, "the pipe is full")
        echo = target()
        for _ in range(20):
            with TlsPeer(port) as peer:
                peer.send(frames.tcp(echo.address) + b"x")
                assert peer.receive_exactly(1) == b"x"
        begin = time.monotonic()
        process.terminate()
        assert process.wait(20) == 0
        assert time.monotonic() - begin < 8 * PATIENCE
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_S3_without_standard_streams_no_record_goes_to_a_peer(portal, frames, target, lab):
    portal().life.stop()  # skips where there is no program
    port = lab.port()
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$0" "$1" <&- >&- 2>&-', lab.bin / "portunus-portal",
         f"portal://{KEY}@127.0.0.1:{port}?net=tcp&log=debug"],
        env=lab.environment(NOW_REPORT_INTERVAL="1ms"))
    try:
        def served():
            with contextlib.suppress(ConnectionRefusedError):
                return TlsPeer(port)
        with until(served, "the Portal serves") as peer:
            peer.send(frames.tcp(target().address) + b"x")
            assert peer.receive_exactly(1) == b"x"
            peer.end_side()
            assert peer.receive_rest() == b""
        for stream in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{stream}") == "/dev/null"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def fingerprint(port):
    with TlsPeer(port) as peer:
        return hashlib.sha256(peer.tls.getpeercert(binary_form=True)).hexdigest()


def test_S16_self_signed_is_new_at_every_start(portal, lab):
    running = portal("net=tcp")
    with TlsPeer(running.port) as peer:
        pem = ssl.DER_cert_to_PEM_cert(peer.tls.getpeercert(binary_form=True))
    first = fingerprint(running.port)
    running.life.stop()
    assert fingerprint(running.start().port) != first
    (lab.folder / "leaf.pem").write_text(pem)
    shown = subprocess.run(["openssl", "x509", "-in", lab.folder / "leaf.pem", "-noout", "-text"],
                           check=True, capture_output=True, text=True).stdout
    assert "DNS:localhost" in shown and "prime256v1" in shown


def test_S16_files_are_read_again_and_a_bad_pair_changes_nothing(portal, lab):
    folder = lab.folder / "pem"
    folder.mkdir()
    certificate, key, first = self_signed(folder)
    running = portal(f"net=tcp&tls=2&crt={certificate}&key={key}&log=debug",
                     NOW_RELOAD_INTERVAL="0")
    assert fingerprint(running.port) == first
    # The key of another pair: refused, and the old one stays.
    other = lab.folder / "other"
    other.mkdir()
    new_certificate, new_key, second = self_signed(other)
    shutil.copy(new_key, key)
    assert fingerprint(running.port) == first
    running.life.wait_text("  ERROR  ")
    shutil.copy(new_certificate, certificate)
    until(lambda: fingerprint(running.port) == second, "the new pair is in use")
    os.unlink(certificate)
    assert fingerprint(running.port) == second


def test_S16_nothing_is_read_before_the_interval_is_over(portal, lab):
    folder = lab.folder / "pem"
    folder.mkdir()
    certificate, key, first = self_signed(folder)
    running = portal(f"net=tcp&tls=2&crt={certificate}&key={key}", NOW_RELOAD_INTERVAL="1h")
    self_signed(folder)
    assert fingerprint(running.port) == first


@pytest.mark.parametrize("form", ["pkcs8", "sec1", "rsa-pkcs1"])
def test_S16_forms_of_keys(portal, lab, frames, target, form):
    certificate, key = lab.folder / "c.pem", lab.folder / "k.pem"
    algorithm = ["rsa:2048"] if form == "rsa-pkcs1" else ["ec", "-pkeyopt",
                                                          "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-subj", "/CN=x",
                    "-days", "3", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    convert = {"sec1": ["ec"], "rsa-pkcs1": ["rsa", "-traditional"]}.get(form)
    if convert:
        subprocess.run(["openssl", *convert, "-in", key, "-out", key], check=True,
                       capture_output=True)
        assert "BEGIN PRIVATE" not in key.read_text()
    running = portal(f"net=tcp&tls=2&crt={certificate}&key={key}")
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"
