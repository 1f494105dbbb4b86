"""Several targets: order, health, what is seen of it, and no migration."""

import contextlib

import pytest

from harness import targets
from harness.streams import connect, receive_exactly
from harness.targets import Target
from harness.waiting import stays, until


@pytest.fixture
def named(lab):
    """named(b"1") is a target that greets with its name."""
    return lambda text, port=None: lab.owns(Target(port or lab.port(), targets.greets(text)))


def who(port):
    """Which target took a new connection; b"" when none did."""
    with connect(port) as connection, contextlib.suppress(ConnectionResetError):
        return connection.recv(1)
    return b""


def push(server, port, *several, options=()):
    words = [word for one in several for word in ("--target", one)]
    return server.push("edge-01", port, *words, *options)


def per_target(server, rule):
    return server.stats(rule, "per_target").get("per_target", [])


def failovers(server, rule):
    return server.metrics().value("portunus_rule_target_failovers_total", 0, rule=str(rule))


def test_FO_4_the_second_target_serves_until_the_first_returns(lab, server, edge, named):
    first, second, port = named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, first.address, second.address,
                options=("--health-check-interval-secs", "1"))
    assert who(port) == b"1"
    first.close()
    assert who(port) == b"2"
    skipped = edge.life.wait_event("rule.target.dial_failed", rule_id=str(rule))
    assert (skipped["target_index"], skipped["target_host"], skipped["target_port"]) == (
        0, "127.0.0.1", first.port)

    def given_up():
        assert who(port) == b"2"
        return server.health(rule) == [False, True]
    until(given_up, "the first target failed")
    down = edge.life.wait_event("rule.target.health_changed", rule_id=str(rule), to="Failed")
    assert (down["target_index"], down["from"], down["consecutive_failures"]) == (0, "Healthy", 3)
    assert failovers(server, rule) == 1

    with connect(port) as held:
        assert held.recv(1) == b"2"
        again = named(b"1", first.port)
        until(lambda: who(port) == b"1", "the first target again", 12)
        # No migration: a connection keeps its target (FO-7).
        held.sendall(b"still here")
        assert receive_exactly(held, 10) == b"still here"
    assert again.accepted >= 1
    up = edge.life.wait_event("rule.target.health_changed", rule_id=str(rule), to="Healthy")
    assert (up["target_index"], up["from"]) == (0, "Failed")
    until(lambda: server.health(rule) == [True, True], "both healthy")
    assert failovers(server, rule) == 2
    shown = server.stats(rule)
    assert (shown["target_failovers_total"], shown["dns_failures"]) == (2, 0)


def test_FO_2_the_third_failure_and_the_second_success(lab, server, edge, named):
    """Without probes: connections alone decide, in either direction (FO-10)."""
    first, second, port = named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, first.address, second.address)
    first.close()
    for failures in (1, 2):
        assert who(port) == b"2"
    until(lambda: per_target(server, rule) and per_target(server, rule)[0]["consecutive_failures"]
          == 2, "two failures")
    assert server.health(rule) == [True, True]
    assert who(port) == b"2"
    until(lambda: server.health(rule) == [False, True], "the third failure")
    # A failed target is dialled no more while another one is healthy.
    dials = len(edge.life.wait_events("rule.target.dial_failed", 3))
    assert dials == 3
    for _ in range(3):
        assert who(port) == b"2"
    assert len(edge.life.events("rule.target.dial_failed")) == dials

    named(b"1", first.port)
    second.close()
    assert who(port) == b"1"
    assert who(port) == b"1"
    until(lambda: server.health(rule) == [True, True], "two successes")
    assert server.stats(rule)["target_failovers_total"] == 2
    head, *rows = [row.split() for row in
                   server.cli("rule-stats", str(rule), "--per-target").ok().splitlines()[1:]]
    assert head == ["IDX", "HOST", "PORT", "PRIO", "HEALTH", "FAILS", "BYTES_IN", "BYTES_OUT",
                    "CONNS"]
    assert rows == [
        ["0", "127.0.0.1", str(first.port), "0", "Healthy", "0", "0", "2", "2"],
        ["1", "127.0.0.1", str(second.port), "1", "Healthy", "2", "0", "6", "6"]]
    # The rows of all targets are the rule's total (CNT-5).
    server.wait_bytes(rule, (0, 8))
    assert server.metrics().rows("portunus_rule_bytes_out_total", rule=str(rule)) == [
        ({"client": "edge-01", "owner": "_superadmin", "rule": str(rule)}, 8)]


def test_FO_1_the_lower_priority_is_first_whatever_the_order(lab, server, edge, named):
    last, first, middle, port = named(b"3"), named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, f"{last.address}@9", f"{first.address}@1", f"{middle.address}@5")
    assert who(port) == b"1"
    first.close()
    assert who(port) == b"2"
    middle.close()
    assert who(port) == b"3"
    server.wait_bytes(rule, (0, 3))
    assert [(row["index"], row["priority"], row["connections_accepted"])
            for row in per_target(server, rule)] == [(0, 9, 1), (1, 1, 1), (2, 5, 1)]


def test_FO_6_no_target_left_closes_the_connection_at_once(lab, server, edge, named):
    first, second, port = named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, first.address, second.address)
    first.close()
    second.close()
    assert who(port) == b""
    failed = edge.life.wait_event("rule.conn_error_all_targets_failed", rule_id=str(rule))
    assert failed["target_count"] == 2
    assert server.rule_state(rule) == "active"
    named(b"2", second.port)
    assert who(port) == b"2"


def test_FO_2_health_outlives_the_server(lab, server, edge, named):
    """It belongs to the activation, and an adopted rule is not activated again."""
    first, second, port = named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, first.address, second.address)
    first.close()
    for _ in range(3):
        assert who(port) == b"2"
    edge.life.wait_event("rule.target.health_changed", to="Failed")
    named(b"1", first.port)  # answers again, and nobody has noticed yet
    mark = edge.life.mark()
    server.kill()
    assert who(port) == b"2"
    server.start()
    edge.wait_connected(since=mark)
    server.wait_rule(rule)
    assert who(port) == b"2"
    until(lambda: server.health(rule) == [False, True], "the health as it was")
    assert len(edge.life.wait_events("rule.target.health_changed", 1)) == 1


def test_FO_9_probes_find_a_dead_target_without_traffic(lab, server, edge, named):
    first, second, port = named(b"1"), named(b"2"), lab.port()
    rule = push(server, port, first.address, second.address,
                options=("--health-check-interval-secs", "1"))
    until(lambda: first.accepted and second.accepted, "a probe of each")
    second.close()
    edge.life.wait_event("rule.target.probe_failed", rule_id=str(rule), target_index=1)
    until(lambda: server.health(rule) == [True, False], "the second target failed", 12)
    assert who(port) == b"1"
    # A probe is neither a connection nor a byte of the rule.
    server.wait_bytes(rule, (0, 1))
    assert [row["connections_accepted"] for row in per_target(server, rule)] == [1, 0]


def test_a_list_of_one_has_no_health(lab, server, edge, named):
    only, port = named(b"1"), lab.port()
    rule = push(server, port, only.address)
    assert who(port) == b"1"
    server.wait_bytes(rule, (0, 1))
    assert per_target(server, rule) == []
    assert server.health(rule) == [None]
    assert server.cli("rule-stats", str(rule), "--per-target").ok().splitlines()[1] == (
        "(single-target rule, no per-target state)")
    only.close()
    for _ in range(4):
        assert who(port) == b""
    stays(lambda: edge.life.events("rule.target.health_changed") == [], "no health", 0.2)
    assert failovers(server, rule) == 0
