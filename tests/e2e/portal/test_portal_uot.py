"""UDP over TLS/TCP (contract, sections 6.4 and 13)."""

import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.datagrams import UdpTarget  # noqa: E402
from harness.waiting import PATIENCE  # noqa: E402
from tls_peer import TlsPeer, packet, receive_packet, seconds_until_end  # noqa: E402


@pytest.fixture
def udp(lab):
    return lambda answer=lambda data: data: lab.owns(UdpTarget(lab.port(), answer))


def test_S13_everything_in_one_flight_and_the_counters(portal, frames, udp):
    running = portal("net=tcp")
    behind = udp()
    with TlsPeer(running.port) as peer:
        peer.send(frames.uot(behind.address, b"abc", b"", b"defgh"))
        assert [receive_packet(peer) for _ in range(3)] == [b"abc", b"", b"defgh"]
        # Payload alone counts, and none of it as TCP (section 19, 7).
        running.wait_checkpoint(POOL=0, TCPS=0, UDPS=1, TCPRX=0, TCPTX=0, UDPRX=8, UDPTX=8)
        peer.end_side()
        assert peer.receive_rest() == b""
    running.wait_checkpoint(UDPS=0)


def test_S13_byte_by_byte_across_target_traffic(portal, frames, udp):
    running = portal("net=tcp")
    behind = udp()
    with TlsPeer(running.port) as peer:
        for byte in frames.uot(behind.address, b"first"):
            peer.send(bytes([byte]))
        assert receive_packet(peer) == b"first"
        # A frame in the middle of which the target speaks.
        peer.send(packet(b"second")[:5])
        behind.socket.sendto(b"meanwhile", behind.received[0][1])
        assert receive_packet(peer) == b"meanwhile"
        peer.send(packet(b"second")[5:])
        assert receive_packet(peer) == b"second"


def test_S13_large_packets_and_what_udp_cannot_carry(portal, frames, udp):
    running = portal("net=tcp")
    behind = udp()
    largest = os.urandom(65507)
    with TlsPeer(running.port) as peer:
        peer.send(frames.uot(behind.address, largest))
        assert receive_packet(peer) == largest


@pytest.mark.parametrize("setup", [b"\0\0", b"\2\1", b"\0\3abc", b"\0\5h:abc", b"\0\4:443"])
def test_S13_a_bad_setup_closes(portal, frames, setup):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="20s")
    with TlsPeer(running.port) as peer:
        peer.send(frames.auth() + frames.request("uot.nowhere.invalid:0") + setup)
        assert seconds_until_end(peer) < 5 * PATIENCE
    running.life.wait_text("  ERROR  ")
    running.wait_checkpoint(UDPS=0, POOL=0)


def test_S13_a_setup_that_does_not_come_ends_without_jitter(portal, frames):
    running = portal("net=tcp", NOW_HANDSHAKE_TIMEOUT="700ms")
    with TlsPeer(running.port) as peer:
        before = time.monotonic()
        peer.send(frames.auth() + frames.request("uot.nowhere.invalid:0") + b"\0")
        assert seconds_until_end(peer) <= 2 * PATIENCE
        assert time.monotonic() - before >= 0.6


def test_S13_idle_flows_end_and_traffic_keeps_them(portal, frames, udp):
    running = portal("net=tcp", NOW_UDP_IDLE_TIMEOUT="1s")
    behind = udp()
    with TlsPeer(running.port) as peer:
        peer.send(frames.uot(behind.address))
        begin = time.monotonic()
        while time.monotonic() - begin < 2:
            last = time.monotonic()
            peer.send(packet(b"x"))
            assert receive_packet(peer) == b"x"
            time.sleep(0.1)  # the pauses are what does not end it
        assert seconds_until_end(peer) <= 3 * PATIENCE
        assert time.monotonic() - last >= 0.9
    running.wait_checkpoint(UDPS=0)


@pytest.mark.parametrize("end", ["between", "inside", "bare"])
def test_S13_an_end_of_the_client_closes_the_flow(portal, frames, udp, end):
    running = portal("net=tcp")
    with TlsPeer(running.port) as peer:
        peer.send(frames.uot(udp().address, b"x"))
        assert receive_packet(peer) == b"x"
        running.wait_checkpoint(UDPS=1)
        if end == "inside":
            peer.send(b"\0\5ab")
        if end == "bare":
            peer.bare_end()
        else:
            peer.end_side()
        assert seconds_until_end(peer) < 5 * PATIENCE
    running.wait_checkpoint(UDPS=0)


def test_S13_a_port_that_nobody_has_closes_the_flow(portal, frames, lab):
    running = portal("net=tcp")
    with TlsPeer(running.port) as peer:
        peer.send(frames.uot(f"127.0.0.1:{lab.port()}", b"x"))
        # The ICMP error of the first packet shows with the next use of the socket.
        assert seconds_until_end(peer) < 5 * PATIENCE
    running.wait_checkpoint(UDPS=0)
