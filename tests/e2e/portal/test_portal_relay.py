"""TCP relays over TLS/TCP (contract, sections 10, 11 and 14)."""

import concurrent.futures
import hashlib
import os
import pathlib
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import KEY  # noqa: E402
from harness import targets  # noqa: E402
from harness.waiting import PATIENCE, until  # noqa: E402
from tls_peer import NOTIFY, Frames, TlsPeer  # noqa: E402


def test_S10_auth_request_and_payload_in_one_flight(portal, frames, target):
    running = portal("net=tcp")
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target().address) + b"early")
        assert peer.receive_exactly(5) == b"early"
        running.wait_checkpoint(POOL=0, TCPS=1, TCPRX=5, TCPTX=5)
        peer.end_side()
        assert peer.receive_rest() == b"" and peer.ending == NOTIFY
    running.wait_checkpoint(TCPS=0)
    running.life.wait_text(r"  INFO  .*127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+ -> "
                           r"127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+")


@pytest.mark.parametrize("spec", ["edge-a", "nightfall", "x", "spec-68", "caf%C3%A9"])
def test_S10_any_split_and_any_spec(portal, target, spec):
    running = portal(f"net=tcp&spec={spec}")
    mine = Frames(KEY, spec.replace("%C3%A9", "é"))
    with TlsPeer(running.port) as peer:
        for byte in mine.tcp(target().address) + b"bytes":
            peer.send(bytes([byte]))
        assert peer.receive_exactly(5) == b"bytes"


def test_S11_half_close_from_the_client(portal, frames, target):
    running = portal("net=tcp")
    behind = target(targets.answers_after_end)
    data = os.urandom(300_000)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(behind.address)).send(data).end_side()
        assert peer.receive_rest() == data
        assert peer.ending == NOTIFY
    until(lambda: behind.results == [len(data)], "the target has got all of it")


def test_S11_close_notify_and_tcp_end_together_are_a_half_close(portal, frames, target):
    """As clients end that know no half-close of TLS: everything, close_notify and FIN in one flight."""
    running = portal("net=tcp")
    behind = target(targets.answers_after_end)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(behind.address) + b"all of it").end_side()
        peer.bare_end()
        assert peer.receive_rest() == b"all of it"
    running.wait_checkpoint(TCPS=0, TCPRX=9, TCPTX=9)


@pytest.mark.parametrize("size", ["1", "7", "1000000"])
def test_S15_any_size_of_buffer_relays(portal, frames, target, size):
    running = portal("net=tcp", NOW_TCP_DATA_BUF_SIZE=size)
    data = os.urandom(20_000 if len(size) == 1 else 3_000_000)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target(targets.answers_after_end).address) + data).end_side()
        assert peer.receive_rest() == data and peer.ending == NOTIFY


@pytest.mark.parametrize("host", ["localhost", "[::1]", "[0:0::1]", "127.0.0.1"])
def test_S11_names_and_addresses_of_both_families(portal, frames, lab, host):
    running = portal("net=tcp")
    port = lab.port()
    for address in ("127.0.0.1", "::1"):
        lab.owns(targets.Target(port, targets.echo, address))
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(f"{host}:{port}") + b"x")
        assert peer.receive_exactly(1) == b"x"


def test_S10_an_early_payload_waits_for_a_slow_dial_and_none_of_it_is_lost(portal, frames, target):
    """Bytes behind the request, more of them than any buffer holds, and a target that reads late."""
    running = portal("net=tcp")
    gate = targets.Gate()
    behind = target(gate)
    data = os.urandom(4_000_000)
    with TlsPeer(running.port) as peer:
        sender = threading.Thread(target=lambda: peer.send(frames.tcp(behind.address) + data)
                                  .end_side(), daemon=True)
        sender.start()
        running.wait_checkpoint(TCPS=1)
        gate.open()
        sender.join(30)
        assert peer.receive_rest() == b""
        until(lambda: behind.results, "the target has read to the end")
    assert behind.results == [(len(data), hashlib.sha256(data).hexdigest())]


def test_S11_a_reader_who_is_slow_stops_the_source_and_loses_nothing(portal, frames, target):
    running = portal("net=tcp")
    total = 30_000_000
    behind = target(targets.source(total))
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(behind.address))

        def sent():
            return int(running.checkpoint()["TCPTX"])
        until(lambda: sent() > 0 and sent() == (time.sleep(0.2), sent())[1], "the source is stopped")
        assert sent() < total
        digest = hashlib.sha256()
        count = 0
        for part in iter(peer.receive, b""):
            digest.update(part)
            count += len(part)
        assert count == total and peer.ending == NOTIFY
        peer.end_side()
        until(lambda: behind.results, "the target has ended")
        assert behind.results == [digest.hexdigest()]


def test_S9_connections_that_are_cut_anywhere_leave_nothing_behind(portal, frames, target):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="500ms")
    behind = target()
    descriptors = f"/proc/{running.life.process.pid}/fd"
    before = len(os.listdir(descriptors))
    flight = frames.tcp(behind.address) + b"payload"
    for round_ in range(60):
        source = f"127.0.0.{2 + round_ % 50}"
        peer = TlsPeer(running.port, source=source, handshake=round_ % 6 != 0)
        if round_ % 6:
            peer.send(flight[:round_ * len(flight) // 60])
        if round_ % 2:
            peer.reset()
        else:
            peer.close()
    running.wait_checkpoint(POOL=0, TCPS=0)
    until(lambda: len(os.listdir(descriptors)) <= before, "every descriptor has been given back")
    with TlsPeer(running.port) as peer:
        peer.send(flight)
        assert peer.receive_exactly(7) == b"payload"


def test_S11_half_close_from_the_target(portal, frames, target):
    running = portal("net=tcp")
    behind = target(targets.speaks_first_and_ends(b"first and last"))
    data = os.urandom(300_000)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(behind.address))
        assert peer.receive_rest() == b"first and last"
        assert peer.ending == NOTIFY
        peer.send(data).end_side()
        until(lambda: behind.results, "the target has read to the end")
    assert behind.results == [(len(data), hashlib.sha256(data).hexdigest())]
    running.wait_checkpoint(TCPS=0, TCPRX=len(data), TCPTX=14)


def test_S11_the_grace_after_a_half_close_is_absolute(portal, frames, target):
    running = portal("net=tcp", NOW_TCP_READ_TIMEOUT="700ms")

    def dribbles(connection):
        while True:
            connection.sendall(b".")
            time.sleep(0.05)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target(dribbles).address))
        assert peer.receive(1) == b"."
        begin = time.monotonic()
        peer.end_side()
        assert len(peer.receive_rest()) > 3
        assert 0.6 <= time.monotonic() - begin <= 2 * PATIENCE
    running.wait_checkpoint(TCPS=0)


def test_S11_a_bare_tcp_end_of_the_client_tears_the_relay_down(portal, frames, target):
    running = portal("net=tcp")
    behind = target(targets.answers_after_end)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(behind.address) + b"lost")
        running.wait_checkpoint(TCPS=1)
        peer.bare_end()
        assert peer.receive_rest() == b""
    running.wait_checkpoint(TCPS=0)
    until(lambda: behind.open == 0, "the target's connection has ended")


def test_S11_a_reset_on_either_side_ends_both_at_once(portal, frames, target):
    running = portal("net=tcp")
    behind = target()
    peer = TlsPeer(running.port).send(frames.tcp(behind.address) + b"x")
    assert peer.receive_exactly(1) == b"x"
    peer.reset()
    running.wait_checkpoint(TCPS=0)
    until(lambda: behind.open == 0, "the target's connection has ended")
    with TlsPeer(running.port) as other:
        other.send(frames.tcp(target(targets.resets_after(4)).address) + b"1234")
        begin = time.monotonic()
        assert other.receive_rest() == b""
        assert time.monotonic() - begin < 5 * PATIENCE
    running.wait_checkpoint(TCPS=0)


@pytest.mark.parametrize("bad", ["127.0.0.1:{free}", ":443", "h:abc", "x.invalid:1", "[::1]:{free}"])
def test_S11_a_failed_dial_closes_without_a_byte(portal, frames, lab, bad):
    running = portal("net=tcp")
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(bad.format(free=lab.port())) + b"data")
        assert peer.receive_rest() == b""
    running.life.wait_text(r"  ERROR  ")
    running.wait_checkpoint(TCPS=0)


def test_S11_a_target_that_does_not_answer_costs_the_dial_timeout(portal, frames):
    running = portal("net=tcp", NOW_TCP_DIAL_TIMEOUT="700ms")
    # A full backlog drops SYNs: nobody answers.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        with TlsPeer(running.port) as peer:
            begin = time.monotonic()
            peer.send(frames.tcp("127.0.0.1:%d" % full.getsockname()[1]))
            assert peer.receive_rest() == b""
            assert 0.6 <= time.monotonic() - begin <= 2.5 * PATIENCE
        running.life.wait_text(r"\|TCPS=1\|")  # while it was dialling
        running.wait_checkpoint(TCPS=0)
        for each in waiting:
            each.close()


def test_S11_dial_binds_the_source(portal, frames, target):
    running = portal("net=tcp&dial=127.0.0.5")
    sources = []

    def tells(connection):
        sources.append(connection.getpeername()[0])
        return targets.echo(connection)
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target(tells).address) + b"x")
        assert peer.receive_exactly(1) == b"x"
    assert sources == ["127.0.0.5"]
    # Of the other family there is nothing to dial from.
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp("[::1]:1"))
        assert peer.receive_rest() == b""


def test_S14_rate_and_etar_limit_their_own_direction(portal, frames, target):
    running = portal("net=tcp&rate=8&etar=4")  # 1000000 and 500000 bytes a second
    data = os.urandom(500_000)
    behind = target(targets.answers_after_end)
    with TlsPeer(running.port) as peer:
        begin = time.monotonic()
        peer.send(frames.tcp(behind.address)).send(data).end_side()
        assert peer.receive_rest() == data
        spent = time.monotonic() - begin
    # Half a second up, then one second down, the last chunk's wait included.
    assert 1.4 <= spent <= 4 * PATIENCE


def test_S15_a_buffer_of_zero_is_an_immediate_end(portal, frames, target):
    running = portal("net=tcp", NOW_TCP_DATA_BUF_SIZE="0")
    with TlsPeer(running.port) as peer:
        peer.send(frames.tcp(target().address))
        assert peer.receive_rest() == b""
    running.wait_checkpoint(TCPS=0, TCPTX=0)


def test_S11_two_hundred_flows_at_once(portal, frames, target):
    running = portal("net=tcp")
    behind = target()
    size = 200_000

    def flow(number):
        data = os.urandom(size)
        with TlsPeer(running.port, source=f"127.0.0.{1 + number % 20}") as peer:
            peer.send(frames.tcp(behind.address)).send(data)
            assert hashlib.sha256(peer.receive_exactly(size)).digest() == \
                hashlib.sha256(data).digest()
            barrier.wait()
            peer.end_side()
            assert peer.receive_rest() == b"" and peer.ending == NOTIFY
        return True

    barrier = threading.Barrier(201, timeout=90)
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        flows = [pool.submit(flow, number) for number in range(200)]
        until(lambda: (barrier.n_waiting == 200 and running.checkpoint()["TCPS"] == "200")
              or any(each.done() for each in flows), "two hundred at once", 60)
        barrier.wait()
        assert all(each.result() for each in flows)
    running.wait_checkpoint(POOL=0, TCPS=0, TCPRX=200 * size, TCPTX=200 * size)
    descriptors = f"/proc/{running.life.process.pid}/fd"
    until(lambda: len(os.listdir(descriptors)) < 60, "every descriptor has been given back")
