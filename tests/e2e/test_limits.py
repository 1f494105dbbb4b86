"""Caps of rules and of owners on live traffic (data-plane 12, http-api 7.3)."""

import json
import socket
import time

import pytest

from harness import targets
from harness.datagrams import UdpTarget, UdpUser
from harness.streams import (Sender, admitted, connect, receive_exactly, receive_stream,
                             send_stream)
from harness.waiting import PATIENCE, stays, until

OWNER = "_superadmin"
GREETS = targets.greets(b"+")
MIB = 1 << 20


def push(server, port, target, protocol="tcp", **caps):
    return server.create(port, protocol=protocol, rate_limit=caps,
                         targets=[{"host": "127.0.0.1", "port": target.port}])


def rejects(server, rule, reason):
    """Of a rule, or of the owner when the rule is ""."""
    return server.metrics().value("portunus_rate_limit_reject_total", 0, client="edge-01",
                                  owner=OWNER, rule=str(rule), reason=reason)


def throttled(server, rule, direction):
    return server.metrics().value("portunus_rate_limit_throttle_seconds_total", 0,
                                  rule=str(rule), direction=direction)


def greeted(lab, port):
    connection = connect(port)
    assert connection.recv(1) == b"+"
    return lab.owns(connection)


def owner_cap(server, word, *flags):
    return server.cli("owner-cap", word, "edge-01", OWNER, *map(str, flags))


def test_RL_5_one_connection_too_many_is_reset(lab, server, edge, target):
    peer, port = target(GREETS), lab.port()
    rule = push(server, port, peer, concurrent_connections=2)
    held = [greeted(lab, port) for _ in range(2)]
    assert [admitted(port) for _ in range(3)] == [False] * 3
    until(lambda: rejects(server, rule, "conn_concurrent") == 3, "three refusals")
    assert peer.accepted == 2  # a refusal reaches no target
    assert server.metrics().value("portunus_rate_limit_active_connections", rule=str(rule)) == 2
    for connection in held:
        connection.sendall(b"alive")
        assert receive_exactly(connection, 5) == b"alive"
    held[0].close()
    until(lambda: admitted(port), "a slot that was given back")
    assert rejects(server, "", "owner_concurrent") == 0


def test_RL_6_connections_come_at_their_rate(lab, server, edge, target):
    peer, port = target(GREETS), lab.port()
    rule = push(server, port, peer, new_connections_per_sec=1, new_connections_burst=3)
    begin = time.monotonic()
    outcomes = [admitted(port) for _ in range(20)]
    took = time.monotonic() - begin
    assert outcomes[:3] == [True] * 3, "a bucket starts full"
    assert 3 <= sum(outcomes) <= 3 + int(took) + 1
    until(lambda: admitted(port), "a new token", 3)
    expected = outcomes.count(False)
    until(lambda: rejects(server, rule, "conn_rate") >= expected, "the refusals")


@pytest.mark.parametrize("way", ["in", "out"])
def test_RL_7_bandwidth_is_held_and_loses_nothing(lab, server, edge, target, way):
    rate, burst, total = 2 * MIB, MIB // 4, 4 * MIB
    peer = target(targets.sink if way == "in" else targets.source(total))
    port = lab.port()
    caps = {f"bandwidth_{way}_bps": rate, f"bandwidth_{way}_burst": burst}
    rule = push(server, port, peer, **caps)
    begin = time.monotonic()
    with connect(port) as connection:
        if way == "in":
            digest = send_stream(connection, total)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        else:
            received = receive_stream(connection)
    took = time.monotonic() - begin
    until(lambda: peer.results, "the target's end")
    assert (peer.results == [(total, digest)] if way == "in"
            else received == (total, peer.results[0]))
    least = (total - burst) / rate
    assert 0.95 * least <= took <= 1.2 * least + 1 * PATIENCE, f"{took:.2f} s, {least:.2f} wanted"
    server.wait_bytes(rule, (total, 0) if way == "in" else (0, total))
    until(lambda: throttled(server, rule, way) > 0.5, "time that was waited")
    assert throttled(server, rule, "out" if way == "in" else "in") == 0


def test_RL_7_the_other_direction_is_not_held(lab, server, edge, target):
    total = 8 * MIB
    peer, port = target(targets.both_ways(total)), lab.port()
    push(server, port, peer, bandwidth_in_bps=64 << 10, bandwidth_in_burst=64 << 10)
    with connect(port) as connection:
        connection.sendall(bytes(256 << 10))  # three seconds' worth of waiting
        begin = time.monotonic()
        assert len(receive_exactly(connection, total)) == total
        assert time.monotonic() - begin < 2 * PATIENCE


def test_RL_8_datagrams_above_the_bandwidth_are_dropped(lab, server, edge):
    silent, port = lab.owns(UdpTarget(lab.port(), lambda data: None)), lab.port()
    rule = push(server, port, silent, "udp", bandwidth_in_bps=1000, bandwidth_in_burst=10_000)
    with UdpUser(port) as user:
        begin = time.monotonic()
        for _ in range(50):
            user.send(bytes(1000))
        took = time.monotonic() - begin
        until(lambda: len(silent.received) >= 10, "what the burst lets through")
        least = 10
        shown = until(lambda: (now := server.stats(rule)).get("datagrams_in", 0) >= least and now,
                      "the report")
        assert least <= shown["datagrams_in"] <= least + took + 2
        assert shown["active_flows"] == 1
    server.wait_stats(rule, datagrams_in=len(silent.received),
                      bytes_in=1000 * len(silent.received))


def test_RL_4_one_flow_too_many_is_dropped_silently(lab, server, edge):
    echo, port = lab.owns(UdpTarget(lab.port())), lab.port()
    rule = push(server, port, echo, "udp", concurrent_connections=1)
    with UdpUser(port) as first, UdpUser(port) as second:
        assert first.ask(b"first") == b"first"
        second.send(b"second")
        gone = edge.life.wait_event("rule.udp_first_packet_rejected", rule_id=str(rule))
        assert (gone["source"], gone["scope"], gone["reason"]) == (
            second.address, "rule", "conn_concurrent")
        assert first.ask(b"again") == b"again"
        assert not second.answered()
    until(lambda: rejects(server, rule, "conn_concurrent") == 1, "the refusal")
    assert server.stats(rule)["flows_dropped_overflow"] == 0


def test_RL_6_flows_come_at_their_rate(lab, server, edge):
    echo, port = lab.owns(UdpTarget(lab.port())), lab.port()
    rule = push(server, port, echo, "udp", new_connections_per_sec=1, new_connections_burst=2)
    users = [lab.owns(UdpUser(port)) for _ in range(10)]
    begin = time.monotonic()
    for user in users:
        user.send(b"x")
    took = time.monotonic() - begin
    until(lambda: rejects(server, rule, "udp_flow_rate") >= 6, "refusals")
    taken = len(echo.received)
    assert 2 <= taken <= 2 + took + 2
    assert rejects(server, rule, "udp_flow_rate") == 10 - taken


def test_RL_2_an_owner_cap_counts_over_all_rules_and_changes_live(lab, server, edge, target):
    peer, ports = target(GREETS), [lab.port(), lab.port()]
    rules = [server.push("edge-01", port, peer.address) for port in ports]
    assert owner_cap(server, "set", "--concurrent-connections", 2).ok().startswith(
        f"owner-cap set client=edge-01 owner={OWNER} updated_at_unix_ms=")
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER, has_caps=True)
    held = [greeted(lab, port) for port in ports]
    assert [admitted(port) for port in ports] == [False, False]
    until(lambda: rejects(server, "", "owner_concurrent") == 2, "refusals of the owner")
    for rule in rules:  # a rule has no part in it
        assert server.metrics().rows("portunus_rate_limit_reject_total", rule=str(rule)) == []
    assert server.metrics().value("portunus_rate_limit_active_connections", owner=OWNER,
                                  rule="") == 2
    assert owner_cap(server, "get").ok().splitlines()[6].split() == ["concurrent_max", "2"]
    assert json.loads(server.cli("owner-cap", "list", "edge-01", "--format", "json").ok()) == {
        "owners": [{"owner_id": OWNER, "has_rate_limit": True, "rule_count": 2}]}

    # More room at once, less of it without harm to anyone (RL-10, RL-12).
    owner_cap(server, "set", "--concurrent-connections", 3).ok()
    until(lambda: admitted(ports[0]), "the higher cap", 3)
    server.api.put(f"/v1/clients/edge-01/owners/{OWNER}/rate-limit",
                   {"concurrent_connections": 1}).ok(200)
    until(lambda: not admitted(ports[0]), "the lower cap", 3)
    for connection in held:
        connection.sendall(b"kept")
        assert receive_exactly(connection, 4) == b"kept"
    held[0].close()
    stays(lambda: not admitted(ports[0]), "one live connection is the cap", 0.3)

    assert owner_cap(server, "delete").ok() == (
        f"owner-cap deleted client=edge-01 owner={OWNER}\n")
    until(lambda: admitted(ports[0]), "no cap", 3)
    assert owner_cap(server, "get").code == 8
    until(lambda: server.metrics().rows("portunus_rate_limit_reject_total", rule="") == [],
          "the owner's rows go with the cap")
    assert edge.life.events("rule.removed") == [] and len(edge.life.events("rule.activated")) == 2


def test_RL_6_an_owner_cap_counts_flows_beside_connections(lab, server, edge, target):
    peer, echo = target(GREETS), lab.owns(UdpTarget(lab.port()))
    port, datagram_port = lab.port(), lab.port()
    server.push("edge-01", port, peer.address)
    rule = server.push("edge-01", datagram_port, echo.address, "--protocol", "udp")
    owner_cap(server, "set", "--concurrent-connections", 1).ok()
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER)
    with UdpUser(datagram_port) as user:
        with connect(port) as held:
            assert held.recv(1) == b"+"
            user.send(b"refused")
            gone = edge.life.wait_event("rule.udp_first_packet_rejected", rule_id=str(rule))
            assert (gone["scope"], gone["reason"]) == ("owner", "owner_concurrent")

        def answered():
            user.send(b"again")
            return user.answered()
        until(answered, "the slot that the connection gave back")
    assert not admitted(port)  # the flow holds it now
    until(lambda: rejects(server, "", "owner_concurrent") >= 2, "refusals of both kinds")


def test_RL_8_an_owner_bandwidth_drops_datagrams(lab, server, edge):
    silent, port = lab.owns(UdpTarget(lab.port(), lambda data: None)), lab.port()
    rule = server.push("edge-01", port, silent.address, "--protocol", "udp")
    owner_cap(server, "set", "--bandwidth-in-bps", 1000, "--bandwidth-in-burst", 5000).ok()
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER)
    begin = time.monotonic()
    with UdpUser(port) as user:
        for _ in range(40):
            user.send(bytes(1000))
    took = time.monotonic() - begin
    until(lambda: len(silent.received) >= 5, "what the burst lets through")
    shown = until(lambda: server.stats(rule).get("datagrams_in", 0) >= 5 and server.stats(rule),
                  "the report")
    assert 5 <= shown["datagrams_in"] <= 5 + took + 2
    owner_cap(server, "delete").ok()
    edge.life.wait_event("control.owner_rate_limit_remove", owner_id=OWNER)
    before = len(silent.received)
    with UdpUser(port) as user:
        for _ in range(40):
            user.send(bytes(1000))
        until(lambda: len(silent.received) == before + 40, "all of them without a cap")


def test_RL_10_an_owner_bandwidth_reaches_a_rule_without_caps(lab, server, edge, target):
    total, rate = 3 * MIB, MIB
    peer, port = target(targets.sink), lab.port()
    rule = server.push("edge-01", port, peer.address)
    owner_cap(server, "set", "--bandwidth-in-bps", rate, "--bandwidth-in-burst", rate // 4).ok()
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER)
    begin = time.monotonic()
    with connect(port) as connection:
        digest = send_stream(connection, total)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    took, least = time.monotonic() - begin, (total - rate // 4) / rate
    assert 0.95 * least <= took <= 1.2 * least + 1 * PATIENCE, f"{took:.2f} s, {least:.2f} wanted"
    until(lambda: peer.results == [(total, digest)], "the stream at its target, whole")
    until(lambda: throttled(server, "", "in") > 1, "time that the owner's cap took")
    assert throttled(server, rule, "in") == 0


def test_RL_10_a_higher_owner_bandwidth_frees_a_running_connection(lab, server, edge, target):
    total = 2 * MIB
    peer, port = target(targets.sink), lab.port()
    server.push("edge-01", port, peer.address)
    owner_cap(server, "set", "--bandwidth-in-bps", 64 << 10).ok()
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER)
    with connect(port) as connection:
        sender = Sender(connection, total)
        stays(lambda: peer.results == [], "32 seconds' worth", 1)
        begin = time.monotonic()
        owner_cap(server, "set", "--bandwidth-in-bps", 64 * MIB).ok()
        until(lambda: peer.results, "the rest, at once", 5)
        assert time.monotonic() - begin < 4 * PATIENCE
        digest = sender.join()
    assert peer.results == [(total, digest)]


def test_RL_12_an_owner_cap_outlives_the_server(lab, server, edge, target):
    peer, port = target(GREETS), lab.port()
    server.push("edge-01", port, peer.address)
    owner_cap(server, "set", "--concurrent-connections", 1).ok()
    edge.life.wait_event("control.owner_rate_limit_set", owner_id=OWNER)
    held = greeted(lab, port)
    mark = edge.life.mark()
    server.kill()
    edge.life.wait_event("control.disconnected", since=mark)
    assert not admitted(port)
    server.start()
    edge.wait_connected(since=mark)
    edge.life.wait_event("control.owner_rate_limit_set", since=mark, owner_id=OWNER)
    assert not admitted(port)  # the count lives on with the connection
    held.sendall(b"kept")
    assert receive_exactly(held, 4) == b"kept"
    held.close()
    until(lambda: admitted(port), "the slot that was given back")
