"""Authentication and admission over TLS/TCP (contract, sections 8 to 10)."""

import contextlib
import pathlib
import select
import socket
import ssl
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import KEY, Process  # noqa: E402
from harness.waiting import PATIENCE, stays, until  # noqa: E402
from tls_peer import END, NOTIFY, RESET, Frames, TlsPeer, seconds_until_end  # noqa: E402

BASE = 1.0
EARLIEST, LATEST = 0.8 * BASE, 1.2 * BASE  # section 9's jitter


def require_jittered(before, connected):
    """Now is within the jitter of a deadline that began between these two moments."""
    now = time.monotonic()
    assert now - before >= EARLIEST - 0.05 and now - connected <= LATEST + PATIENCE, \
        (now - before, now - connected)


def changed(frame, index):
    return frame[:index] + bytes([frame[index] ^ 1]) + frame[index + 1:]


def bad_frames(frames):
    """Every field wrong once, for `auto`: tag 0..31, magic 32..39, length 40, padding, nonce."""
    good = frames.auth()
    return {"tag": changed(good, 0), "magic": changed(good, 32), "length": changed(good, 40),
            "padding": changed(good, 41), "nonce": changed(good, len(good) - 1),
            "key": Frames("another-key-0123456789").auth(), "spec": Frames(KEY, "x").auth(),
            "zeros": bytes(len(good))}


@pytest.mark.parametrize("cause", ["tag", "magic", "length", "padding", "nonce", "key", "spec",
                                   "zeros", "short", "silence", "end", "bare end"])
def test_S9_every_failure_ends_at_the_deadline_and_without_a_word(portal, frames, cause):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="1s")
    before = time.monotonic()
    with TlsPeer(running.port) as peer:
        connected = time.monotonic()
        if cause == "short":
            peer.send(frames.auth()[:-1])
        elif cause == "end":
            peer.send(frames.auth()[:-1]).end_side()
        elif cause == "bare end":
            peer.bare_end()
        elif cause != "silence":
            # 128 bytes cover any spec's length here; what follows the frame is not looked at.
            peer.send((bad_frames(frames)[cause] + bytes(128))[:128])
        assert peer.receive() == b""
        require_jittered(before, connected)
        assert peer.ending in (END, RESET)  # the socket is dropped without a TLS record
    assert running.checkpoint()["POOL"] == "0"
    running.life.wait_text(r"  ERROR  .*\n")
    if cause in bad_frames(frames):
        running.life.wait_text("protocol::crypto::validate_auth_frame: invalid authentication frame")
    assert KEY not in running.life.text


def test_S9_a_dribbling_authenticator_does_not_stretch_the_deadline(portal, frames):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="1s")
    before = time.monotonic()
    with TlsPeer(running.port) as peer:
        connected = time.monotonic()
        peer.raw.settimeout(0.05)
        for byte in frames.auth()[:-1] * 10:
            with contextlib.suppress(TimeoutError, OSError):
                peer.send(bytes([byte]))
                peer.receive()
            if peer.ending:
                break
        require_jittered(before, connected)


def test_S9_deadlines_are_jittered(portal):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="1s")
    peers, times = [], []
    for _ in range(12):
        before = time.monotonic()
        peers.append((TlsPeer(running.port), before, time.monotonic()))
    for peer, _, _ in peers:
        peer.raw.setblocking(False)
    while peers:
        for entry in list(peers):
            peer, before, connected = entry
            with contextlib.suppress(BlockingIOError):
                if peer.receive() == b"" and peer.ending:
                    require_jittered(before, connected)
                    times.append(time.monotonic() - connected)
                    peers.remove(entry)
                    peer.close()
    assert max(times) - min(times) > 0.02


def test_S15_a_handshake_timeout_of_zero_fails_everybody(portal, frames):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="0")
    with contextlib.suppress(ConnectionError, BrokenPipeError), TlsPeer(running.port) as peer:
        peer.send(frames.auth())
        assert peer.receive() == b""
    stays(lambda: running.checkpoint()["POOL"] == "0", "nobody is authenticated", 0.3)


def test_S9_bytes_that_are_no_tls_end_at_once(portal):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="30s")
    with socket.create_connection(("127.0.0.1", running.port), 10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        begin = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(1000):  # an alert may come
                pass
        assert time.monotonic() - begin < 5 * PATIENCE
    running.life.wait_text(r"  ERROR  ")


def test_S9_a_handshake_that_stalls_ends_without_jitter(portal):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="700ms")
    before = time.monotonic()
    with TlsPeer(running.port, handshake=False) as peer:
        assert seconds_until_end(peer) <= 2 * PATIENCE
        assert time.monotonic() - before >= 0.65
    running.life.wait_text(r"  ERROR  ")


def test_S8_alpn(portal, frames, target):
    running = portal("net=tcp&alpn=other")
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        TlsPeer(running.port, alpn=("now/1",))
    for alpn in (("x", "other"), ()):
        with TlsPeer(running.port, alpn=alpn) as peer:
            assert peer.tls.selected_alpn_protocol() == ("other" if alpn else None)
            peer.send(frames.tcp(target().address) + b"hello")
            assert peer.receive_exactly(5) == b"hello"


def test_S8_only_tls_1_3(portal):
    running = portal("net=tcp")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", running.port), 10) as raw:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(raw)


def test_S10_pool_counts_the_authenticated_without_a_request(portal, frames, target):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="1s")
    echo = target()
    with TlsPeer(running.port) as idle, TlsPeer(running.port) as used:
        idle.send(frames.auth())
        used.send(frames.auth())
        running.wait_checkpoint(POOL=2, TCPS=0)
        # The pool has its own 40 s: it outlives any authentication deadline (section 19, 6).
        stays(lambda: running.checkpoint()["POOL"] == "2", "the pool stays", 1.5)
        used.send(frames.request(echo.address) + b"late but well")
        assert used.receive_exactly(13) == b"late but well"
        running.wait_checkpoint(POOL=1, TCPS=1)
        used.end_side()
        assert used.receive_rest() == b""
        idle.end_side()
        assert idle.receive() == b""
    running.wait_checkpoint(POOL=0, TCPS=0, TCPRX=13, TCPTX=13)
    assert "  ERROR  " not in running.life.text


def test_S19_9_five_seconds_of_authenticated_silence_bring_no_byte(portal, frames, target):
    running = portal("net=tcp")
    with TlsPeer(running.port) as idle, TlsPeer(running.port) as used:
        idle.send(frames.auth())
        used.send(frames.tcp(target().address) + b"x")
        assert used.receive_exactly(1) == b"x"
        running.wait_checkpoint(POOL=1, TCPS=1)
        # The sockets themselves: not a record of any kind.
        assert select.select([idle.raw, used.raw], [], [], 5) == ([], [], [])
    running.wait_checkpoint(POOL=0, TCPS=0)


@pytest.mark.parametrize("how", ["version", "target", "padding", "length", "truncated"])
def test_S10_a_bad_request_ends_at_once_and_dials_nobody(portal, frames, target, how):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="20s")
    behind = target()
    good = frames.request(behind.address)  # auto: target, version, padding
    text = len(behind.address)
    bad = {"version": changed(good, 2 + text), "length": changed(good, 3 + text),
           "padding": changed(good, len(good) - 1), "target": b"\0\3abc",
           "truncated": good[:-1]}[how]
    with TlsPeer(running.port) as peer:
        peer.send(frames.auth() + bad)
        if how == "truncated":
            peer.end_side()
        assert seconds_until_end(peer) < 5 * PATIENCE
    running.life.wait_text(r"  ERROR  ")
    running.wait_checkpoint(POOL=0, TCPS=0)
    assert behind.accepted == 0


@pytest.mark.parametrize("url_key,key", [
    ("sec%20ret-with-a-blank", "sec ret-with-a-blank"), ("plus+stays-a-plus", "plus+stays-a-plus"),
    ("at@belongs-to-it", "at@belongs-to-it"), ("caf%C3%A9-and-more", "caf\u00e9-and-more"),
    ("fifty%-and-so-on", "fifty%-and-so-on"), ("k" * 255, "k" * 255)])
def test_S19_2_keys_as_they_are_decoded(lab, portal, frames, target, url_key, key):
    port = lab.port()
    portal()  # skips where there is no program
    life = Process(lab, "portal", f"portal://{url_key}@127.0.0.1:{port}?net=tcp")
    life.wait_text("starting")
    with TlsPeer(port) as peer:
        peer.send(Frames(key).tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"
    assert key not in life.text and url_key not in life.text


@pytest.mark.parametrize("query,spec", [
    ("", "auto"), ("spec=", "auto"), ("spec=auto&alpn=", "auto"), ("spec=edge+a", "edge+a"),
    ("spec=edge%2Ba", "edge+a"), ("spec=" + "x" * 255, "x" * 255), ("spec=a&spec=b", "a"),
    ("sp%65c=night%66all", "nightfall")])
def test_S19_1_specs_as_they_are_decoded(portal, target, query, spec):
    running = portal(f"net=tcp&{query}")
    with TlsPeer(running.port) as peer:
        peer.send(Frames(KEY, spec).tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"


def pending(port, source):
    """A connection that is admitted says nothing; one that is not ends without a byte."""
    raw = socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
    return raw


def is_refused(raw, seconds=0.3):
    raw.settimeout(seconds)
    try:
        return raw.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_S9_admission_limits(portal, frames, target):
    """32 of one address, 256 in all (section 19, 8); a freed slot can be used again."""
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="60s")
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(pending(running.port, "127.0.0.1")) for _ in range(32)]
        over = stack.enter_context(pending(running.port, "127.0.0.1"))
        assert is_refused(over, 10)
        assert not is_refused(held[-1])
        running.life.wait_text(r"  ERROR  ")
        for number in range(2, 9):
            for _ in range(32):
                held.append(stack.enter_context(pending(running.port, f"127.0.0.{number}")))
        assert is_refused(stack.enter_context(pending(running.port, "127.0.0.9")), 10)
        assert not any(is_refused(raw, 0.001) for raw in held)
        # One leaves; its slot serves another address, through authentication and beyond.
        held[5].close()

        def admitted():
            with contextlib.suppress(ConnectionError):
                return TlsPeer(running.port, source="127.0.0.77")
        peer = stack.enter_context(until(admitted, "the slot is free again"))
        peer.send(frames.tcp(target().address) + b"x")
        assert peer.receive_exactly(1) == b"x"
        # Authenticated, it holds no slot any more.
        assert not is_refused(stack.enter_context(pending(running.port, "127.0.0.78")))


def test_S9_one_ipv6_prefix_is_one_source(portal):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="60s")
    running.life.stop()
    Process(running.lab, "portal", running.url(host="[::1]") + "?net=tcp",
            NOW_HANDSHAKE_TIMEOUT="60s").wait_text("starting")
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(socket.create_connection(("::1", running.port), 10))
        assert is_refused(
            stack.enter_context(socket.create_connection(("::1", running.port), 10)), 10)


def test_S9_failed_authentications_free_their_slots(portal, frames):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="1s")
    for _ in range(2):
        peers = [TlsPeer(running.port).send(bytes(200)) for _ in range(32)]
        for peer in peers:
            assert peer.receive() == b"" and peer.ending != NOTIFY
            peer.close()
