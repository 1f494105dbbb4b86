"""Much data at full speed: intact, and counted while it flows (CNT-2)."""

import hashlib
import socket
import threading

import pytest

from harness import targets
from harness.streams import chunks, connect, receive_stream, send_stream
from harness.waiting import PATIENCE, until

GIB = 1 << 30


class Observer:
    """Reads a pair of counters again and again while a transfer runs."""

    def __init__(self, read):
        self.read = read
        self.seen = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stopping.wait(0.1):
            values = self.read()
            if not self.seen or self.seen[-1] != values:
                self.seen.append(values)

    def wait_beyond(self, bytes_in):
        """Until more than so many bytes have been counted in this direction."""
        until(lambda: self.seen and self.seen[-1][0] > bytes_in,
              lambda: f"more than {bytes_in} bytes in, counted: {self.seen[-3:]}", 30)

    def close(self):
        self.stopping.set()
        self.thread.join(20)

    def between(self, final):
        """The values that were seen strictly inside the transfer."""
        return [pair for pair in self.seen if (0, 0) != pair != final]


def stats(server, rule):
    answer = server.api.get(f"/v1/rules/{rule}/stats")
    return (answer.json["bytes_in"], answer.json["bytes_out"]) if answer.status == 200 else (0, 0)


def send_watched(connection, total, observers):
    """Sends a stream; its SHA-256. At a quarter and at the half it waits until every observer has
    seen more than the stage before counted, so that however fast the machine is, reports fall
    inside the transfer; an engine that books at the close of the connection never gets past."""
    digest = hashlib.sha256()
    sent = 0
    stages = {total // 4: 0, total // 2: total // 4}
    for piece in chunks(total):
        if sent in stages:
            for observer in observers:
                observer.wait_beyond(stages[sent])
        digest.update(piece)
        connection.sendall(piece)
        sent += len(piece)
    return digest.hexdigest()


def transfer(port, total, observers):
    """One connection, both directions at once: (received (bytes, SHA-256), sent SHA-256)."""
    with connect(port, seconds=120 * PATIENCE) as connection:
        received = []
        reader = threading.Thread(target=lambda: received.append(receive_stream(connection)))
        reader.start()
        sent = send_watched(connection, total, observers)
        connection.shutdown(socket.SHUT_WR)
        reader.join(120 * PATIENCE)
        return received[0], sent


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
@pytest.mark.parametrize("splice", [True, False], ids=["splice", "userspace"])
def test_CNT_2_a_gibibyte_each_way_is_intact_and_counted_while_it_flows(
        lab, server, edge, target, splice):
    total = GIB if splice else GIB // 4
    if not splice:
        edge.stop()
        edge.start(PORTUNUS_DISABLE_SPLICE="1")
    peer, port = target(targets.both_ways(total)), lab.port()
    rule = server.push("edge-01", port, peer.address)
    scraped = lab.owns(Observer(lambda: server.metrics().rule_bytes(rule)))
    asked = lab.owns(Observer(lambda: stats(server, rule)))

    received, sent = transfer(port, total, (scraped, asked))

    until(lambda: peer.results == [(received[1], (total, sent))], "both streams, whole")
    assert received[0] == total
    server.wait_bytes(rule, (total, total))
    for observer in (scraped, asked):
        observer.close()
        between = observer.between((total, total))
        assert len(between) >= 2, f"the counters jumped: {observer.seen}"
        assert between == sorted(between), "a counter fell"
    assert bool(edge.life.events("proxy.splice_selected")) == splice


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
@pytest.mark.parametrize("way", ["in", "out"])
def test_TCP_8_one_direction_alone(lab, server, edge, target, way):
    total = GIB // 4
    peer = target(targets.sink if way == "in" else targets.source(total))
    port = lab.port()
    rule = server.push("edge-01", port, peer.address)
    with connect(port, seconds=120 * PATIENCE) as connection:
        if way == "in":
            sent = send_stream(connection, total)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
            until(lambda: peer.results == [(total, sent)], "the stream at its target, whole")
            server.wait_bytes(rule, (total, 0))
        else:
            count, received = receive_stream(connection)
            connection.close()
            server.wait_bytes(rule, (0, total))
            assert (count, received) == (total, peer.results[0])
