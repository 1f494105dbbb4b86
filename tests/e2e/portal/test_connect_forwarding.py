"""portunus-portal connect in front of a real Portal: TCP and UDP over both carriers (portal 18)."""

import concurrent.futures
import signal
import socket
import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import Connect, Portal, require_program  # noqa: E402
from harness import targets  # noqa: E402
from harness.datagrams import UdpTarget, UdpUser  # noqa: E402
from harness.streams import (Sender, connect, receive_exactly, receive_stream,  # noqa: E402
                             refused, reset)
from harness.waiting import until  # noqa: E402

CARRIERS = ("tcp", "quic")
BULK = 64 << 20


@pytest.fixture(autouse=True)
def built(lab):
    require_program(lab)


@pytest.fixture
def portal(lab):
    return Portal(lab, NOW_REPORT_INTERVAL="100ms").start()


@pytest.mark.parametrize("carrier", CARRIERS)
def test_bulk_both_ways_at_once_unchanged(portal, target, carrier):
    both = target(targets.both_ways(BULK))
    front = Connect(portal, both.address, "--carrier", carrier)
    with connect(front.port) as user:
        sender = Sender(user, BULK)
        received = receive_stream(user)
        sent = sender.join()
    until(lambda: both.results, "the target is done")
    their_sent, their_received = both.results[0]
    assert received == (BULK, their_sent)
    assert their_received == (BULK, sent)
    front.life.stop()


@pytest.mark.parametrize("carrier", CARRIERS)
def test_half_close_in_either_order(portal, target, carrier):
    late = Connect(portal, target(targets.answers_after_end).address, "--carrier", carrier)
    with connect(late.port) as user:
        user.sendall(b"question")
        user.shutdown(socket.SHUT_WR)
        assert user.recv(100) == b"question"
        assert user.recv(100) == b""
    first = target(targets.speaks_first_and_ends(b"hello"))
    early = Connect(portal, first.address, "--carrier", carrier)
    with connect(early.port) as user:
        assert receive_exactly(user, 5) == b"hello"
        assert user.recv(100) == b""
        user.sendall(b"still heard")
        user.shutdown(socket.SHUT_WR)
        until(lambda: first.results, "the target heard the end")
    assert first.results[0][0] == len(b"still heard")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_reset_of_either_end_reaches_the_other(portal, target, carrier):
    breaking = Connect(portal, target(targets.resets_after(3)).address, "--carrier", carrier)
    with connect(breaking.port) as user:
        user.sendall(b"abc")
        # The Portal may reset or finish its side (11.4); the user must not hang.
        try:
            assert user.recv(100) == b""
        except ConnectionResetError:
            pass
    behind = target()
    front = Connect(portal, behind.address, "--carrier", carrier)
    user = connect(front.port)
    user.sendall(b"x")
    assert receive_exactly(user, 1) == b"x"
    reset(user)
    until(lambda: behind.open == 0, "the target's connection is gone")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_many_users_at_once(portal, target, carrier):
    front = Connect(portal, target().address, "--carrier", carrier)

    def talk(number):
        message = f"user {number} ".encode() * 200
        with connect(front.port) as user:
            user.sendall(message)
            return receive_exactly(user, len(message)) == message

    with concurrent.futures.ThreadPoolExecutor(40) as users:
        assert all(users.map(talk, range(200)))


@pytest.mark.parametrize("carrier", CARRIERS)
def test_packets_one_by_one_and_apart_by_user(lab, portal, carrier):
    behind = lab.owns(UdpTarget(lab.port()))
    front = Connect(portal, behind.address, "--udp", "--carrier", carrier)
    with UdpUser(front.port) as one, UdpUser(front.port) as two:
        for number in range(50):
            assert one.ask(b"one %d" % number) == b"one %d" % number
            assert two.ask(b"two %d" % number) == b"two %d" % number
        assert one.ask(b"x" * 1100) == b"x" * 1100
        sources = {source for _, source in behind.received}
        assert len(sources) == 2
    portal.wait_checkpoint(UDPS=2)
    front.life.stop()
    portal.wait_checkpoint(UDPS=0)


def test_uot_carries_packets_that_no_datagram_does(lab, portal):
    behind = lab.owns(UdpTarget(lab.port()))
    front = Connect(portal, behind.address, "--udp", "--carrier", "tcp")
    with UdpUser(front.port) as user:
        for size in (0, 1, 1472, 9000, 60000):
            assert user.ask(b"u" * size) == b"u" * size


def test_udp_takes_quic_by_default_and_tcp_takes_tls(lab, portal, target):
    assert "over quic" in Connect(portal, "127.0.0.1:9", "--udp").life.text
    assert "over tls" in Connect(portal, target().address).life.text


@pytest.mark.parametrize("carrier", CARRIERS)
def test_pool_stands_authenticated_and_is_used(portal, target, carrier):
    front = Connect(portal, target().address, "--carrier", carrier, "--pool", "2")
    portal.wait_checkpoint(POOL=1 if carrier == "tcp" else 0)
    with connect(front.port) as user:
        user.sendall(b"x")
        assert receive_exactly(user, 1) == b"x"
        portal.wait_checkpoint(POOL=2 if carrier == "tcp" else 0, TCPS=1)
    portal.wait_checkpoint(TCPS=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_drains(portal, target, number):
    front = Connect(portal, target().address)
    with connect(front.port) as user:
        user.sendall(b"x")
        assert receive_exactly(user, 1) == b"x"
        front.life.signal(number)
        until(lambda: refused(front.port), "no new users")
        user.sendall(b"still here")
        assert receive_exactly(user, 10) == b"still here"
    assert front.life.wait_exit() == 0
    assert "portal::connect: stopped" in front.life.text


def test_connection_that_does_not_end_is_reset_after_the_grace(portal, target):
    front = Connect(portal, target().address)
    with connect(front.port) as user:
        user.sendall(b"x")
        assert receive_exactly(user, 1) == b"x"
        front.life.stop()
        with pytest.raises(ConnectionResetError):
            user.recv(1)
