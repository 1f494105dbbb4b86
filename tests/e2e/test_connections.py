"""Many connections, half-closed and aborted ones, slow readers."""

import concurrent.futures
import os
import socket
import threading

import pytest

from harness import targets
from harness.streams import connect, receive_exactly, receive_stream, reset, send_stream
from harness.waiting import until

PARALLEL = 200
DATA = os.urandom(100_000)


def user_ends_first(port, barrier):
    with connect(port) as connection:
        barrier.wait(30)
        connection.sendall(DATA)
        connection.shutdown(socket.SHUT_WR)
        assert receive_exactly(connection, len(DATA)) == DATA
        return connection.recv(1)


def target_ends_first(port, barrier):
    with connect(port) as connection:
        barrier.wait(30)
        assert receive_exactly(connection, len(DATA)) == DATA
        assert connection.recv(1) == b""  # its end; ours stays open and is used now
        connection.sendall(DATA)
        return b""


@pytest.mark.parametrize("behave, use", [
    (targets.answers_after_end, user_ends_first),
    (targets.speaks_first_and_ends(DATA), target_ends_first),
], ids=["user-first", "target-first"])
def test_TCP_6_half_close_in_either_order_on_200_connections(lab, server, edge, target, behave,
                                                             use):
    peer, port = target(behave), lab.port()
    rule = server.push("edge-01", port, peer.address)
    barrier = threading.Barrier(PARALLEL)  # all are open before one speaks
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        ends = [pool.submit(use, port, barrier) for _ in range(PARALLEL)]
        assert [end.result(60) for end in ends] == [b""] * PARALLEL
    until(lambda: len(peer.results) == PARALLEL, lambda: f"{len(peer.results)} targets ended")
    assert peer.errors == []
    if use is target_ends_first:
        assert {result[0] for result in peer.results} == {len(DATA)}
    server.wait_bytes(rule, (PARALLEL * len(DATA),) * 2)
    until(lambda: server.metrics().value("portunus_rule_active_connections", rule=str(rule)) == 0,
          "no connection is active")
    assert edge.life.events("rule.conn_error") == []


def test_TCP_7_a_reset_of_the_target_reaches_the_user_as_a_reset(lab, server, edge, target):
    peer, port = target(targets.resets_after(100_000)), lab.port()
    rule = server.push("edge-01", port, peer.address)
    with connect(port) as connection:
        connection.sendall(DATA)
        with pytest.raises(ConnectionResetError):
            while connection.recv(4096):
                pass
    edge.life.wait_event("rule.conn_error", rule_id=str(rule))
    server.wait_bytes(rule, (100_000, 0))


def test_TCP_7_a_reset_of_the_user_reaches_the_target_as_a_reset(lab, server, edge, target):
    peer, port = target(targets.sink), lab.port()
    rule = server.push("edge-01", port, peer.address)
    connection = connect(port)
    connection.sendall(DATA)
    server.wait_bytes(rule, (len(DATA), 0))
    reset(connection)
    until(lambda: peer.errors, "the target saw the abort")
    assert isinstance(peer.errors[0], ConnectionResetError)
    edge.life.wait_event("rule.conn_error", rule_id=str(rule))


def test_CNT_1_only_delivered_bytes_count_when_the_stream_is_cut(lab, server, edge, target):
    """A target that never reads is reset in the middle: what it did not accept is not counted."""
    gate = targets.Gate()
    peer, port = target(gate), lab.port()
    rule = server.push("edge-01", port, peer.address)
    connection = connect(port)
    connection.setblocking(False)
    pushed = 0
    try:
        while True:
            pushed += connection.send(bytes(1 << 16))
            assert pushed < 1 << 28, "nothing holds a sender whose peer does not read"
    except BlockingIOError:
        pass
    until(lambda: server.metrics().rule_bytes(rule)[0] > 0, "the first report")
    reset(connection)
    edge.life.wait_event("rule.conn_error", rule_id=str(rule))
    gate.open()
    until(lambda: peer.errors, "the target saw the abort")
    assert 0 < server.metrics().rule_bytes(rule)[0] <= pushed


def test_a_slow_reader_holds_only_its_own_connection(lab, server, edge, target):
    gate = targets.Gate()
    slow, port = target(gate), lab.port()
    quick, quick_port = target(), lab.port()
    server.push("edge-01", port, slow.address)
    server.push("edge-01", quick_port, quick.address)
    total = 64 << 20
    sent = []

    def send():
        with connect(port, 120) as connection:
            sent.append(send_stream(connection, total))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(50):
        with connect(quick_port) as connection:
            connection.sendall(DATA)
            connection.shutdown(socket.SHUT_WR)
            assert receive_stream(connection)[0] == len(DATA)
    assert sent == [], "64 MiB fitted into buffers"
    gate.open()
    sender.join(60)
    until(lambda: slow.results == [(total, sent[0])], "the stream at its target, whole")
