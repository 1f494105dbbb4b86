"""PUT /v1/rules/{id}: caps change on the live rule, nothing else does (http-api 8.6, LIFE-4)."""

import socket

import pytest

from harness import targets
from harness.streams import Sender, admitted, connect, receive_exactly
from harness.waiting import stays, until

GREETS = targets.greets(b"+")
MIB = 1 << 20


class LiveRule:
    """A rule with a list of one target, and its PUT body."""

    def __init__(self, lab, server, target, **caps):
        self.server = server
        self.port = lab.port()
        self.body = {"client": "edge-01", "listen_port": self.port, "protocol": "tcp",
                     "targets": [{"host": "127.0.0.1", "port": target.port}]}
        self.id = server.create(self.port, **{key: value for key, value in self.body.items()
                                              if key not in ("client", "listen_port")},
                                **({"rate_limit": caps} if caps else {}))

    def put(self, **change):
        return self.server.api.put(f"/v1/rules/{self.id}", {**self.body, **change})

    @property
    def shown(self):
        return self.server.rules()[self.id]


@pytest.fixture
def greeter(target):
    return target(GREETS)


def talks(connection):
    connection.sendall(b"still here")
    return receive_exactly(connection, 10) == b"still here"


def test_LIFE_4_caps_come_and_go_and_no_connection_notices(lab, server, edge, greeter):
    rule = LiveRule(lab, server, greeter)
    inodes = edge.life.listener_inodes(rule.port)
    with connect(rule.port) as held:
        assert held.recv(1) == b"+"
        answer = rule.put(rate_limit={"concurrent_connections": 1}).ok(200)
        assert answer == {"rule_id": rule.id, "status": "Active", "target_host": "127.0.0.1",
                          "prefer_ipv6": False, "protocol": "tcp", "owner": "_superadmin",
                          "rate_limit": {"concurrent_connections": 1}}
        assert rule.shown["rate_limit"] == {"concurrent_connections": 1}
        # The connection that was there before any cap counts (RL-12).
        until(lambda: not admitted(rule.port), "the cap", 2)
        assert talks(held)
        rule.put(rate_limit={"concurrent_connections": 2}).ok(200)
        until(lambda: admitted(rule.port), "the higher cap", 2)
        rule.put(rate_limit=None).ok(200)
        assert "rate_limit" not in rule.shown
        more = [lab.owns(connect(rule.port)) for _ in range(4)]
        assert [connection.recv(1) for connection in more] == [b"+"] * 4
        # Below the live count: newcomers wait outside, nobody is sent away.
        rule.put(rate_limit={"concurrent_connections": 2}).ok(200)
        until(lambda: not admitted(rule.port), "the lower cap", 2)
        assert talks(held) and all(talks(connection) for connection in more)
    assert edge.life.listener_inodes(rule.port) == inodes
    assert len(edge.life.events("rule.activated")) == 1
    assert edge.life.events("rule.removed") == []
    reject = until(lambda: server.metrics().rows("portunus_rate_limit_reject_total",
                                                 rule=str(rule.id)), "the refusals")
    assert [labels["reason"] for labels, _ in reject] == ["conn_concurrent"]


def test_RL_10_a_higher_bandwidth_frees_a_running_connection(lab, server, edge, target):
    total = 2 * MIB
    peer = target(targets.sink)
    rule = LiveRule(lab, server, peer, bandwidth_in_bps=64 << 10)
    with connect(rule.port) as connection:
        sender = Sender(connection, total)
        stays(lambda: peer.results == [], "half a minute's worth", 1)
        rule.put(rate_limit={"bandwidth_in_bps": 64 * MIB}).ok(200)
        until(lambda: peer.results, "the rest at once", 4)
        assert peer.results == [(total, sender.join())]
    server.wait_bytes(rule.id, (total, 0))
    assert server.metrics().value("portunus_rate_limit_throttle_seconds_total", rule=str(rule.id),
                                  direction="in") > 0.5


def test_RL_10_a_running_capped_connection_is_unshaped_when_caps_go(lab, server, edge, target):
    total = 8 * MIB
    rule = LiveRule(lab, server, target(targets.source(total)), bandwidth_out_bps=64 << 10)
    with connect(rule.port) as connection:
        assert len(receive_exactly(connection, 64 << 10)) == 64 << 10
        rule.put().ok(200)  # no rate_limit at all: as null
        left = total - (64 << 10)
        assert len(receive_exactly(connection, left)) == left
    assert "rate_limit" not in rule.shown


def test_a_bandwidth_cap_leaves_a_running_splice_connection_alone(lab, server, edge, target):
    """Which path copies a connection is settled once (data-plane 5); new ones are held."""
    total = 8 * MIB
    gate = targets.Gate()
    peer = target(gate)
    rule = LiveRule(lab, server, peer)
    with connect(rule.port) as running:
        running.sendall(b"x")
        server.wait_bytes(rule.id, (1, 0))
        rule.put(rate_limit={"bandwidth_in_bps": 64 << 10}).ok(200)
        with connect(rule.port) as late:
            gate.open()
            held = Sender(late, total)
            free = Sender(running, total)
            until(lambda: len(peer.results) == 1, "the one that ran before", 6)
            assert peer.results[0][0] == total + 1
            free.join()
            # To let it end: a capped connection follows its caps.
            rule.put(rate_limit={"bandwidth_in_bps": 1 << 30}).ok(200)
            until(lambda: len(peer.results) == 2, "the held one", 6)
            assert peer.results[1] == (total, held.join())


@pytest.mark.parametrize("change", [
    {"targets": [{"host": "127.0.0.1", "port": 9}]},
    {"targets": [{"host": "127.0.0.2", "port": None}]},
    {"targets": [{"host": "127.0.0.1", "port": None}, {"host": "h", "port": 9}]},
    {"targets": [{"host": "127.0.0.1", "port": None, "priority": 5}]},
    {"protocol": "udp"}, {"listen_port": 9}, {"client": "edge-02"},
], ids=["port", "host", "count", "priority", "protocol", "listen", "client"])
def test_HTTP_8_6_only_caps_may_change(lab, server, edge, greeter, change):
    """A new target is a new rule: the live one goes on as it is."""
    rule = LiveRule(lab, server, greeter)
    for row in change.get("targets", []):
        row["port"] = row["port"] or greeter.port
    before = rule.shown
    with connect(rule.port) as held:
        assert held.recv(1) == b"+"
        answer = rule.put(rate_limit={"concurrent_connections": 1}, **change)
        answer.refused(400, "validation.rule_update_shape_mismatch")
        assert rule.shown == before
        assert talks(held) and admitted(rule.port)


@pytest.mark.parametrize("caps, code", [
    ({"concurrent_connections": 0}, "validation.rate_limit_cap_zero"),
    ({"bandwidth_in_burst": 5}, "validation.rate_limit_burst_without_rate"),
    ({"bandwidth_in_bps": 1000, "bandwidth_in_burst": 60001}, "validation.rate_limit_burst_range"),
    ({"concurrent_connections": 1, "concurrent_connections_burst": 1},
     "validation.rate_limit_burst_unsupported"),
])
def test_HTTP_7_3_bad_caps_change_nothing(lab, server, edge, greeter, caps, code):
    rule = LiveRule(lab, server, greeter, concurrent_connections=5)
    rule.put(rate_limit=caps).refused(400, code)
    assert rule.shown["rate_limit"] == {"concurrent_connections": 5}
    assert admitted(rule.port)


def test_HTTP_8_6_a_rule_without_a_list_has_no_caps(lab, server, edge, greeter):
    port = lab.port()
    rule = server.push("edge-01", port, greeter.address)
    body = {"client": "edge-01", "listen_port": port, "target_host": "127.0.0.1",
            "target_port": greeter.port, "rate_limit": {"concurrent_connections": 1}}
    server.api.put(f"/v1/rules/{rule}", body).refused(400, "validation.rate_limit_on_legacy_shape")
    server.api.put(f"/v1/rules/{rule + 1}", body).refused(404, "rule_not_found")
    assert admitted(port)


def test_HTTP_8_6_an_edge_that_is_away_cannot_be_updated(lab, server, edge, greeter):
    rule = LiveRule(lab, server, greeter, concurrent_connections=5)
    edge.stop()
    until(lambda: not server.connected("edge-01"), "the end of the session")
    rule.put(rate_limit={"concurrent_connections": 1}).refused(422, "client_not_connected")
    assert rule.shown["rate_limit"] == {"concurrent_connections": 5}


def test_RL_12_caps_outlive_both_ends(lab, server, edge, greeter):
    rule = LiveRule(lab, server, greeter)
    with connect(rule.port) as held:
        assert held.recv(1) == b"+"
        rule.put(rate_limit={"concurrent_connections": 1}).ok(200)
        mark = edge.life.mark()
        server.kill()
        until(lambda: not admitted(rule.port), "the cap without a server", 2)
        server.start()
        edge.wait_connected(since=mark)
        server.wait_rule(rule.id)
        assert rule.shown["rate_limit"] == {"concurrent_connections": 1}
        assert not admitted(rule.port)
        assert talks(held)
        held.shutdown(socket.SHUT_WR)
    edge.kill()
    edge.start()
    edge.life.wait_event("rule.activated", rule_id=str(rule.id))
    with connect(rule.port) as held:
        assert held.recv(1) == b"+"
        assert not admitted(rule.port)
