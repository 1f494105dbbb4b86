"""Monthly quotas on live traffic: cut to the byte, lifted at once, with and without a server
(data-plane 13, store-and-quotas 6, http-api 10)."""

import contextlib
import socket
import threading
import time

import pytest

from harness import targets
from harness.client import Client
from harness.datagrams import UdpTarget, UdpUser
from harness.streams import (admitted, connect, prefix_digest, receive_exactly, receive_stream,
                             send_until_cut)
from harness.tls_servers import client_hello
from harness.waiting import PATIENCE, stays, until

USER = "_superadmin"
QUOTA = f"/v1/users/{USER}/quotas/edge-01"
LIMIT = 3_000_017  # no multiple of any buffer or chunk
MIB = 1 << 20


class Quota:
    """The quota of the operator on the edge, by the routes and as the edge was told."""

    def __init__(self, server, edge):
        self.server = server
        self.edge = edge

    def put(self, limit):
        """Set, and arrived at the edge."""
        with self.told(remaining=limit, exhausted=limit == 0):
            shown = self.server.api.put(QUOTA, {"monthly_bytes": limit}).ok(200)
        assert shown["monthly_bytes"] == limit
        return self

    def patch(self, **body):
        return self.server.api.patch(QUOTA, body).ok(200)

    @contextlib.contextmanager
    def told(self, name="traffic_quota.applied_set", **fields):
        mark = self.edge.life.mark()
        yield
        self.edge.life.wait_event(name, since=mark, user=USER, client="edge-01", **fields)

    @property
    def status(self):
        return self.server.api.get(QUOTA + "/status").ok(200)

    def wait_used(self, used, exhausted):
        """The server has counted exactly so much; it must never count more."""
        def arrived():
            now = self.status
            assert now["current_period_bytes_used"] <= used, now
            return now["current_period_bytes_used"] == used and now
        now = until(arrived, lambda: f"{used} bytes used, {self.status}", 15)
        assert now["exhausted"] is exhausted and (now["exhausted_at"] is not None) is exhausted
        assert now["budget_remaining_bytes"] == now["monthly_bytes"] - used
        return now

    def gauges(self):
        """(used, limit, exhausted) in the metrics; None where there is no row."""
        metrics = self.server.metrics()
        rows = [metrics.rows(f"portunus_traffic_quota_{name}", client="edge-01", user=USER)
                for name in ("bytes_used", "bytes_limit", "exhausted")]
        return [row[0][1] if row else None for row in rows]


@pytest.fixture
def quota(server, edge):
    return Quota(server, edge)


def send(port, total=LIMIT + 2 * MIB):
    """One connection that sends more than there is."""
    with connect(port) as connection:
        send_until_cut(connection, total)
        with contextlib.suppress(ConnectionResetError):
            connection.recv(1)


def wait_results(peer, count=1):
    until(lambda: len(peer.results) + len(peer.errors) >= count, "the target saw the end")
    assert peer.errors == []
    return peer.results


@pytest.mark.parametrize("path", ["splice", "userspace", "capped"])
def test_QUO_3_a_stream_is_cut_to_the_byte_and_goes_on_after_credit(lab, server, target, path):
    edge = Client(lab, server).start(
        PORTUNUS_DISABLE_SPLICE="1" if path == "userspace" else None, PORTUNUS_LOG="debug")
    quota, peer, port = Quota(server, edge), target(targets.sink), lab.port()
    if path == "capped":
        rule = server.create(port, rate_limit={"bandwidth_in_bps": 1 << 30},
                             targets=[{"host": "127.0.0.1", "port": peer.port}])
    else:
        rule = server.push("edge-01", port, peer.address)
    quota.put(LIMIT)
    send(port)
    assert wait_results(peer) == [(LIMIT, prefix_digest(LIMIT))]
    quota.wait_used(LIMIT, True)
    server.wait_bytes(rule, (LIMIT, 0))
    assert quota.gauges() == [LIMIT, LIMIT, 1]
    assert bool(edge.life.events("proxy.splice_selected")) == (path == "splice")

    # The rule is as active as before; its users are turned away with RST before any dial.
    assert not admitted(port) and peer.accepted == 1
    assert server.rule_state(rule) == "active"
    assert edge.life.wait_event("rule.quota_reject", rule_id=str(rule))["user"] == USER
    assert server.metrics().rows("portunus_rate_limit_reject_total") == []

    with quota.told(remaining=LIMIT, exhausted=False):
        assert quota.patch(clear_period_usage=True)["exhausted"] is False
    send(port)
    assert wait_results(peer, 2)[1] == (LIMIT, prefix_digest(LIMIT))
    quota.wait_used(LIMIT, True)
    server.wait_bytes(rule, (2 * LIMIT, 0))


def test_QUO_3_the_other_direction_ends_as_exactly_and_cleanly(lab, server, edge, target, quota):
    peer, port = target(targets.source(LIMIT + 4 * MIB)), lab.port()
    server.push("edge-01", port, peer.address)
    quota.put(LIMIT)
    with connect(port) as connection:
        assert receive_stream(connection) == (LIMIT, prefix_digest(LIMIT))
    quota.wait_used(LIMIT, True)


def test_QUO_7_many_connections_share_one_budget_to_the_byte(lab, server, edge, target, quota):
    """Echoes: both directions of all of them draw on it."""
    reached = []  # bytes, at their target or back at their user

    def behave(connection):
        sending = True
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(1 << 16):
                reached.append(len(data))
                try:
                    if sending:
                        connection.sendall(data)
                except OSError:
                    sending = False  # cut; what has come meanwhile still counts

    peer, ports = target(behave), [lab.port(), lab.port()]
    rules = [server.push("edge-01", port, peer.address) for port in ports]
    quota.put(LIMIT)
    users = [lab.owns(connect(port)) for port in ports * 4]
    until(lambda: peer.open == len(users), "all are through before one speaks")

    def talk(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(bytes(10_000))
                left = 10_000
                while left > 0 and (data := connection.recv(left)):
                    reached.append(len(data))
                    left -= len(data)
                if left:
                    return

    threads = [threading.Thread(target=talk, args=(user,), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    until(lambda: peer.open == 0, "the target's connections end")
    assert sum(reached) == LIMIT
    quota.wait_used(LIMIT, True)
    assert sum(sum(server.metrics().rule_bytes(rule)) for rule in rules) == LIMIT


def test_QUO_5_an_idle_connection_goes_with_the_budget(lab, server, edge, target, quota):
    peer, port = target(targets.greets(b"+")), lab.port()
    rule = server.push("edge-01", port, peer.address)
    with connect(port) as idle, connect(port) as busy:
        assert idle.recv(1) == busy.recv(1) == b"+"
        server.wait_bytes(rule, (0, 2))  # the greetings are counted before there is a quota
        quota.put(200_000)
        busy.sendall(bytes(150_000))
        begin = time.monotonic()
        assert idle.recv(1) == b""  # a clean end (SHUT_WR)
        assert time.monotonic() - begin < 2 * PATIENCE
    quota.wait_used(200_000, True)


def test_QUO_1_lower_below_used_cuts_raise_and_delete_resume(lab, server, edge, target, quota):
    """All on rules that exist, without a new session or a new push."""
    peer, port = target(), lab.port()
    server.push("edge-01", port, peer.address)
    quota.put(10 * MIB)
    live = lab.owns(connect(port))
    live.sendall(bytes(5000))
    assert receive_exactly(live, 5000) == bytes(5000)
    quota.wait_used(10_000, False)
    with quota.told(remaining=0, exhausted=True):
        assert quota.patch(monthly_bytes=10_000)["exhausted"] is True
    assert live.recv(1) == b""
    assert not admitted(port)
    with quota.told(remaining=500, exhausted=False):
        assert quota.patch(monthly_bytes=10_500)["exhausted"] is False
    with connect(port) as again:
        again.sendall(bytes(250))
        assert receive_exactly(again, 250) == bytes(250)
        assert again.recv(1) == b""
    quota.wait_used(10_500, True)
    with quota.told("traffic_quota.applied_remove"):
        server.api.delete(QUOTA).ok(204)
    with connect(port) as free:
        free.sendall(bytes(MIB))
        assert receive_exactly(free, MIB) == bytes(MIB)
    assert quota.gauges() == [None, None, None]
    server.api.get(QUOTA + "/status").refused(404, "quota_not_found")
    assert len(edge.life.events("control.connected")) == 1
    assert len(edge.life.events("rule.activated")) == 1


def test_QUO_8_a_quota_of_nothing_lets_nothing_through(lab, server, edge, target, quota):
    peer, port = target(targets.greets(b"+")), lab.port()
    server.push("edge-01", port, peer.address)
    quota.put(0)
    assert not admitted(port) and peer.accepted == 0
    assert quota.gauges() == [0, 0, 1]


def test_QUO_6_datagrams_are_cut_after_the_one_that_ends_the_budget(lab, server, edge, quota):
    silent, port = lab.owns(UdpTarget(lab.port(), lambda data: None)), lab.port()
    rule = server.push("edge-01", port, silent.address, "--protocol", "udp")
    quota.put(2500)
    with UdpUser(port) as user, UdpUser(port) as other:
        for _ in range(10):
            user.send(bytes(1000))
        until(lambda: len(silent.received) == 3, "three datagrams")
        quota.wait_used(3000, True)
        server.wait_stats(rule, datagrams_in=3, bytes_in=3000, active_flows=0)
        for sender in (user, other):
            sender.send(b"late")
        stays(lambda: len(silent.received) == 3, "silence", 0.3)
        assert server.rule_state(rule) == "active"
        with quota.told(remaining=1000, exhausted=False):
            quota.patch(monthly_bytes=4000)
        other.send(b"credit")
        until(lambda: silent.received[-1][0] == b"credit", "service")
    quota.wait_used(3006, False)


def test_QUO_2_tcp_and_udp_draw_on_one_budget(lab, server, edge, target, quota):
    silent, peer = lab.owns(UdpTarget(lab.port(), lambda data: None)), target(targets.sink)
    port, datagram_port = lab.port(), lab.port()
    server.push("edge-01", port, peer.address)
    server.push("edge-01", datagram_port, silent.address, "--protocol", "udp")
    quota.put(100_000)
    with connect(port) as held, UdpUser(datagram_port) as user:
        held.sendall(bytes(60_000))
        server.wait_bytes(min(server.rules()), (60_000, 0))
        for _ in range(60):
            user.send(bytes(1000))
        until(lambda: len(silent.received) == 40, "what was left")
        assert held.recv(1) == b""
        stays(lambda: len(silent.received) == 40, "no datagram more", 0.2)
    quota.wait_used(100_000, True)
    assert wait_results(peer)[0][0] == 60_000


def test_QUO_3_an_edge_without_a_server_cuts_all_the_same(lab, server, edge, target, quota):
    peer, port = target(targets.sink), lab.port()
    rule = server.push("edge-01", port, peer.address)
    quota.put(LIMIT)
    mark = edge.life.mark()
    server.kill()
    edge.life.wait_event("control.disconnected", since=mark)
    send(port)
    assert wait_results(peer) == [(LIMIT, prefix_digest(LIMIT))]
    assert not admitted(port)
    server.start()
    edge.wait_connected(since=mark)
    # The next session brings in what the first server had not seen.
    quota.wait_used(LIMIT, True)
    edge.life.wait_event("traffic_quota.applied_set", since=mark, exhausted=True)
    assert not admitted(port)
    server.wait_bytes(rule, (LIMIT, 0))


def test_QUO_6_an_edge_without_a_server_cuts_datagrams_all_the_same(lab, server, edge, quota):
    echo, port = lab.owns(UdpTarget(lab.port())), lab.port()
    rule = server.push("edge-01", port, echo.address, "--protocol", "udp")
    quota.put(10_000)
    mark = edge.life.mark()
    server.kill()
    edge.life.wait_event("control.disconnected", since=mark)
    with UdpUser(port) as user:
        for _ in range(5):  # both directions draw on the budget
            assert user.ask(bytes(1000)) == bytes(1000)
        for _ in range(5):
            user.send(bytes(1000))
        stays(lambda: len(echo.received) == 5 and not user.answered(), "silence", 0.3)
    server.start()
    edge.wait_connected(since=mark)
    quota.wait_used(10_000, True)
    server.wait_bytes(rule, (5000, 5000))


@pytest.mark.parametrize("spare", [0, 1], ids=["exact", "one-more"])
def test_QUO_7_nothing_within_the_budget_is_kept_back(lab, server, edge, target, quota, spare):
    peer, port = target(targets.sink), lab.port()
    server.push("edge-01", port, peer.address)
    quota.put(LIMIT + spare)
    send(port, LIMIT)
    assert wait_results(peer) == [(LIMIT, prefix_digest(LIMIT))]
    quota.wait_used(LIMIT, spare == 0)
    with connect(port) if spare else contextlib.nullcontext() as last:
        if last is None:
            assert not admitted(port)
        else:
            last.sendall(b"!")
            assert last.recv(1) == b""
            assert wait_results(peer, 2)[1][0] == 1


def test_QUO_8_exhausted_stays_exhausted_through_both_ends_restarts(lab, server, edge, target,
                                                                   quota):
    peer, port = target(targets.sink), lab.port()
    rule = server.push("edge-01", port, peer.address)
    quota.put(LIMIT)
    send(port)
    spent = quota.wait_used(LIMIT, True)
    mark = edge.life.mark()
    server.kill()
    edge.life.wait_event("control.disconnected", since=mark)
    assert not admitted(port)
    server.start()
    edge.wait_connected(since=mark)
    server.wait_rule(rule)
    assert not admitted(port)
    assert quota.status == spent
    edge.kill()
    edge.start()
    edge.life.wait_event("rule.activated", rule_id=str(rule))
    assert not admitted(port)
    assert peer.accepted == 1
    with quota.told(remaining=LIMIT, exhausted=False):
        quota.patch(clear_period_usage=True)
    send(port, 1000)
    assert wait_results(peer, 2)[1][0] == 1000


def test_QUO_2_quota_and_bytes_of_a_hello_count_too(lab, server, edge, target, quota):
    """SNI: what was read before the route was known draws on the budget as well."""
    hello = client_hello("a.example.com")
    peer, port = target(targets.sink), lab.port()
    server.push("edge-01", port, peer.address, "--sni", "a.example.com")
    quota.put(len(hello) + 100)
    with connect(port) as connection:
        connection.sendall(hello + bytes(5000))
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert wait_results(peer)[0][0] == len(hello) + 100
    quota.wait_used(len(hello) + 100, True)
