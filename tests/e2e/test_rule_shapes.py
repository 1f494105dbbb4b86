"""Rules of every shape, from the operator to the wire and back (http-api 8, 9, control-wire 3, 6, 9).

The edge is scripted: what it is sent and what it reports is all that matters here.
"""

import concurrent.futures
import json
import subprocess

import pytest

from harness.client import Client
from harness.fake_edge import FakeEdge
from harness.waiting import until

ACTIVATED, FAILED = 1, 2
TCP, UDP = 1, 2
BOUNDS = 15
MODERN = {"client_version": "1.8.0", "supported_protocols": [TCP, UDP]}


@pytest.fixture
def bundle(lab, server):
    return Client(lab, server).bundle


@pytest.fixture
def fake(lab, bundle):
    edge = lab.owns(FakeEdge(bundle)).open(**MODERN)
    edge.wait("welcome")
    return edge


@pytest.fixture
def background():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def push(server, fake, background):
    """push(words…) is (rule id, the Rule on the wire) of an accepted rule."""
    def run(*words, edge=fake):
        before = len(edge.of_kind("rule_update"))
        pushed = background.submit(server.cli, "push-rule", "edge-01", *map(str, words))
        until(lambda: len(edge.of_kind("rule_update")) > before or pushed.done(), "the PUSH")
        if len(edge.of_kind("rule_update")) == before:
            raise AssertionError(pushed.result().err)
        update = edge.of_kind("rule_update")[before]
        edge.status(update, ACTIVATED)
        assert pushed.result().ok() == f"{update.rule.rule_id}\n"
        return update.rule.rule_id, update.rule
    return run


def rows_of(server, *options):
    return server.cli("list-rules", *options).ok().splitlines()


def stats_of(server, rule, *options):
    return server.cli("rule-stats", str(rule), *options)


def test_CW_3_a_range_on_the_wire(lab, server, push):
    rule, wire = push("30000-30010", "Game.Example:40000-40010", "--protocol", "udp")
    assert (wire.listen_port, wire.listen_port_end) == (30000, 30010)
    assert (wire.target_port, wire.target_port_end) == (40000, 40010)
    assert (wire.target_host, wire.protocol) == ("game.example", UDP)
    assert len(wire.targets) == 0 and not wire.HasField("sni_pattern")
    shown = server.rules()[rule]
    assert (shown["listen_port_end"], shown["target_port_end"]) == (30010, 40010)


def test_CW_3_a_list_on_the_wire(lab, server, push):
    rule, wire = push(lab.port(), "--target", "a.example:443", "--target", "[::1]:444@0",
                      "--health-check-interval-secs", "10", "--prefer-ipv6",
                      "--bandwidth-in-bps", "1048576", "--new-connections-per-sec", "5")
    assert [(row.host, row.port, row.priority) for row in wire.targets] == [
        ("a.example", 443, 0), ("[::1]", 444, 0)]
    # The copy of row 0 for older readers.
    assert (wire.target_host, wire.target_port) == ("a.example", 443)
    assert (wire.listen_port_end, wire.target_port_end) == (0, 0)
    assert wire.health_check_interval_secs == 10 and wire.prefer_ipv6
    assert wire.rate_limit.bandwidth_in_bps == 1048576
    assert wire.rate_limit.new_connections_per_sec == 5
    assert not wire.rate_limit.HasField("bandwidth_out_bps")
    assert server.rules()[rule]["rate_limit"] == {"bandwidth_in_bps": 1048576,
                                                  "new_connections_per_sec": 5}


def test_CW_3_sni_and_proxy_travel_as_a_list(lab, push):
    _, sni = push(lab.port(), "127.0.0.1:9", "--sni", " *.Example.COM ")
    assert sni.sni_pattern == "*.example.com"
    assert [(row.host, row.port) for row in sni.targets] == [("127.0.0.1", 9)]
    targets = json.dumps([{"host": "h", "port": 9, "proxy_protocol": "V2"}])
    _, proxied = push(lab.port(), "--targets-json", targets)
    assert [row.proxy_protocol for row in proxied.targets] == [2]


def test_CLI_2_6_list_rules_shows_every_column(lab, server, push):
    port = lab.port()
    targets = json.dumps([{"host": "h", "port": 9, "proxy_protocol": "v1"},
                          {"host": "i", "port": 10}])
    rule, _ = push(port, "--targets-json", targets, "--sni", "a.example.com",
                   "--bandwidth-in-bps", "1572864", "--bandwidth-out-bps", "1023",
                   "--new-connections-per-sec", "5", "--concurrent-connections", "9")
    header, row = rows_of(server)
    widths = (6, 20, 6, 32, 24, 18, 10)
    cells = (str(rule), "edge-01", str(port), "h:9", "a.example.com | h:9=v1",
             "\u21931.5M\u00b7\u21911023\u00b75/s\u00b7\u22649", "active")
    assert row == " ".join(cell.ljust(width) for cell, width in zip(cells, widths))
    assert header.split() == ["ID", "CLIENT", "PORT", "TARGET", "SNI/PROXY", "CAPS", "STATE"]
    assert json.loads(server.cli("list-rules", "--format", "json").ok())[0]["id"] == rule


def test_HTTP_9_1_stats_with_ports_and_targets(lab, server, fake, push):
    stats = fake.stats
    ports, _ = push("30000-30001", "h:40000-40001", "--protocol", "udp")
    several, _ = push(lab.port(), "--target", "a.example:443", "--target", "b.example:444")
    assert stats_of(server, ports).code == 8
    fake.send(stats_report=stats.StatsReport(sent_at_unix_ms=1, stats=[
        stats.RuleStats(rule_id=ports, bytes_in=5, bytes_out=6, datagrams_in=7, datagrams_out=8,
                        active_flows=9, flows_dropped_overflow=10, dns_failures=11, per_port=[
                            stats.PerPortStats(listen_port=30001, bytes_in=1, datagrams_in=2),
                            stats.PerPortStats(listen_port=30000, bytes_out=3)]),
        stats.RuleStats(rule_id=several, target_failovers_total=1, per_target=[
            stats.PerTargetStats(index=0, host="a.example", port=443, bytes_in=4,
                                 connections_accepted=2),
            stats.PerTargetStats(index=1, host="b.example", port=444, priority=1, health=1,
                                 consecutive_failures=3, last_failure_at_unix_ms=99)])]))
    until(lambda: stats_of(server, several).code == 0, "the report")

    line, head, *rows = stats_of(server, ports, "--per-port").ok().splitlines()
    assert line.startswith(
        f"rule_id={ports} client=edge-01 protocol=udp bytes_in=5 bytes_out=6 active_flows=9 "
        "datagrams_in=7 datagrams_out=8 flows_dropped_overflow=10 dns_failures=11 updated_at=")
    assert head.split() == ["PORT", "BYTES_IN", "BYTES_OUT", "DATAGRAMS_IN", "DATAGRAMS_OUT"]
    assert [row.split() for row in rows] == [["30000", "0", "3", "0", "0"],
                                             ["30001", "1", "0", "2", "0"]]

    _, head, *rows = stats_of(server, several, "--per-target").ok().splitlines()
    assert head.split() == ["IDX", "HOST", "PORT", "PRIO", "HEALTH", "FAILS", "BYTES_IN",
                            "BYTES_OUT", "CONNS"]
    assert [row.split() for row in rows] == [
        ["0", "a.example", "443", "0", "Healthy", "0", "4", "0", "2"],
        ["1", "b.example", "444", "1", "Failed", "3", "0", "0", "0"]]
    assert stats_of(server, ports, "--per-target").ok().splitlines()[1] == (
        "(single-target rule, no per-target state)")
    health = [row["health"] for row in server.rules()[several]["targets"]]
    assert health == [
        {"healthy": True, "consecutive_failures": 0, "last_failure_at_unix_ms": 0,
         "last_success_at_unix_ms": 0},
        {"healthy": False, "consecutive_failures": 3, "last_failure_at_unix_ms": 99,
         "last_success_at_unix_ms": 0}]


def test_HTTP_8_6_caps_change_in_place(lab, server, fake, push, background):
    port = lab.port()
    rule, first = push(port, "--target", "h:9")
    body = {"client": "edge-01", "listen_port": port, "targets": [{"host": "h", "port": 9}]}

    def put(caps):
        return server.api.put(f"/v1/rules/{rule}", {**body, "rate_limit": caps})

    answer = background.submit(put, {"concurrent_connections": 5})
    update = fake.wait("rule_update", 2)
    assert (update.action, update.rule.rule_id) == (1, rule)
    expected = type(first)()
    expected.CopyFrom(first)
    expected.rate_limit.concurrent_connections = 5
    assert update.rule == expected
    fake.status(update, ACTIVATED)
    assert answer.result().ok(200)["rate_limit"] == {"concurrent_connections": 5}

    answer = background.submit(put, None)
    removed = fake.wait("rule_update", 3)
    assert removed.rule == first
    # Nobody answers: 504 after two seconds, and the caps are gone all the same.
    answer.result(20).refused(504, "ack_timeout")
    assert "rate_limit" not in server.rules()[rule]
    body["listen_port"] += 1
    put({"concurrent_connections": 5}).refused(400, "validation.rule_update_shape_mismatch")


@pytest.mark.parametrize("version, protocols, words, code, error", [
    ("1.8.0", [TCP], ["h:9", "--protocol", "udp"], 3, "unsupported_protocol"),
    ("0.6.9", [TCP, UDP], ["--target", "h:9", "--target", "i:9"], 1,
     "multi_target_unsupported_by_client"),
    ("0.8.0", [TCP], ["h:9", "--sni", "a.b"], 1, "sni_unsupported_by_client"),
    ("0.9.0", [TCP], ["--targets-json", '[{"host":"h","port":9,"proxy_protocol":"v1"}]'], 3,
     "proxy_protocol_unsupported_by_client"),
    ("", [TCP], ["--targets-json", '[{"host":"h","port":9,"proxy_protocol":"v1"}]'], 3,
     "proxy_protocol_unsupported_by_client"),
    ("0.10.0", [TCP], ["--target", "h:9", "--concurrent-connections", "1"], 1,
     "rate_limit_unsupported_by_client"),
])
def test_HTTP_8_3_gates_at_push(lab, server, bundle, version, protocols, words, code, error):
    edge = lab.owns(FakeEdge(bundle)).open(client_version=version, supported_protocols=protocols)
    edge.wait("welcome")
    done = server.cli("push-rule", "edge-01", str(lab.port()), *words)
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith(f"error: {error} (")
    assert server.rules() == {} and edge.of_kind("rule_update") == []


@pytest.mark.parametrize("version, protocols, change, code", [
    ("1.8.0", [TCP], {"target_host": "h", "target_port": 9, "protocol": "udp"},
     "unsupported_protocol"),
    ("0.6.9", [TCP, UDP], {"targets": [{"host": "h", "port": 9}, {"host": "i", "port": 9}]},
     "multi_target_unsupported_by_client"),
    ("0.8.9", [TCP, UDP], {"target_host": "h", "target_port": 9, "sni_pattern": "a.b"},
     "sni_unsupported_by_client"),
    ("0.9.9", [TCP, UDP], {"targets": [{"host": "h", "port": 9, "proxy_protocol": "v2"}]},
     "proxy_protocol_unsupported_by_client"),
    ("0.10.9", [TCP, UDP], {"targets": [{"host": "h", "port": 9}],
                            "rate_limit": {"concurrent_connections": 1}},
     "rate_limit_unsupported_by_client"),
])
def test_HTTP_8_3_the_api_names_the_gate(lab, server, bundle, version, protocols, change, code):
    edge = lab.owns(FakeEdge(bundle)).open(client_version=version, supported_protocols=protocols)
    edge.wait("welcome")
    body = {"client": "edge-01", "listen_port": lab.port(), **change}
    server.api.post("/v1/rules", body).refused(422, code)
    assert server.rules() == {} and edge.of_kind("rule_update") == []


def test_CW_9_gates_at_replay(lab, server, bundle, push):
    plain, _ = push(lab.port(), "h:9")
    udp, _ = push(lab.port(), "h:9", "--protocol", "udp")
    several, _ = push(lab.port(), "--target", "h:9", "--target", "i:9")
    older = lab.owns(FakeEdge(bundle)).open(client_version="0.6.0", supported_protocols=[TCP],
                                            instance_id="01J00000000000000000000001")
    older.wait("replay_complete")
    assert [update.rule.rule_id for update in older.of_kind("rule_update")] == [plain]
    for rule, reason in ((udp, "unsupported_protocol"),
                         (several, "multi_target_unsupported_by_client")):
        assert server.wait_rule(rule, "failed")["state"]["reason"] == reason
    assert any(row.split()[-1] == "failed:unsupported_protocol" for row in rows_of(server))


def test_CW_6_2_patterns_are_replayed_before_the_fallback(lab, server, bundle, push):
    port = lab.port()
    first, _ = push(port, "h:9", "--sni", "a.example.com")
    fallback, _ = push(port, "h:9")
    last, _ = push(port, "h:9", "--sni", "*.example.com")
    again = lab.owns(FakeEdge(bundle)).open(**MODERN, instance_id="01J00000000000000000000001")
    again.wait("replay_complete")
    assert [update.rule.rule_id for update in again.of_kind("rule_update")] == [
        first, last, fallback]


def test_HTTP_8_4_conflicts(lab, server, push):
    api = server.api

    def refused(code, **change):
        body = {"client": "edge-01", "target_host": "h", "target_port": 9, **change}
        return api.post("/v1/rules", body).refused(409, code)

    port = lab.port()
    push(port, "h:9")
    push(port, "h:9", "--protocol", "udp")
    refused("port_in_use", listen_port=port)
    refused("conflict.legacy_to_sni_unsupported", listen_port=port, sni_pattern="a.b")
    push("31000-31009", "h:9-18")
    answer = refused("port_in_use", listen_port=30995, listen_port_end=31004, target_port_end=18)
    assert answer.message == "port_in_use: port 31000 already in use"
    done = server.cli("push-rule", "edge-01", "31005", "h:9")
    assert (done.code, done.error) == (
        5, "error: port_in_use (port_in_use: port 31005 already in use)")
    shared = lab.port()
    push(shared, "h:9", "--sni", "a.b")
    refused("conflict.sni_route_duplicate", listen_port=shared, sni_pattern="A.B")
    push(shared, "h:9")
    refused("conflict.sni_fallback_duplicate", listen_port=shared)


def test_HTTP_8_2_the_longest_range_is_that_of_the_configuration(lab, server, push):
    body = {"client": "edge-01", "listen_port": 20000, "listen_port_end": 21024,
            "target_host": "h", "target_port": 20000, "target_port_end": 21024}
    server.api.post("/v1/rules", body).refused(400, "exceeds_cap")
    _, wire = push("20000-21023", "h:20000-21023")
    assert wire.listen_port_end == 21023


def test_every_shape_survives_a_restart(lab, server, bundle, push):
    rules = [push("30000-30010", "h:1-11")[0],
             push(lab.port(), "--target", "a:1", "--target", "b:2@7",
                  "--concurrent-connections", "3")[0],
             push(lab.port(), "h:9", "--sni", "*.a.b")[0]]
    before = server.rules()
    server.stop()
    server.start()
    after = server.rules()
    for rule in rules:
        for shown in (before[rule], after[rule]):
            shown.pop("state")
        assert after[rule] == before[rule]


def test_OBS_8_every_rule_family(lab, server, fake, push):
    stats = fake.stats
    port = lab.port()
    rule, _ = push(port, "--target", "h:9", "--sni", "a.b", "--concurrent-connections", "5")
    limit = stats.RateLimitStats(throttle_micros_in=1_500_000, active_connections=2, reject_total=[
        stats.RateLimitRejectCount(reason=1, total=4)])
    fake.send(stats_report=stats.StatsReport(
        sent_at_unix_ms=1,
        stats=[stats.RuleStats(rule_id=rule, bytes_in=1, dns_failures=2, target_failovers_total=3,
                               sni_route_exact_total=4, sni_route_fallback_total=5,
                               rate_limit=limit)],
        sni_listener_stats=[stats.SniListenerStats(
            listen_port=port, sni_route_miss_total=6, client_hello_parse_failures_total=7,
            client_hello_peek_bucket_counts=[1] * BOUNDS, client_hello_peek_count=2,
            client_hello_peek_sum_micros=4_000_000)]))
    found = until(lambda: (now := server.metrics()).rule_bytes(rule) == (1, 0) and now,
                  "the report")
    of_rule = {"client": "edge-01", "owner": "_superadmin", "rule": str(rule)}
    of_port = {"client": "edge-01", "port": str(port)}
    peeks = "portunus_tls_client_hello_peek_duration_seconds"
    for name, value, labels in [
            ("portunus_rule_active_connections", 0, of_rule),
            ("portunus_rule_active_flows", 0, of_rule),
            ("portunus_rule_dns_failures_total", 2, of_rule),
            ("portunus_rule_target_failovers_total", 3, of_rule),
            ("portunus_tls_sni_route_total", 4, {**of_rule, "result": "exact"}),
            ("portunus_tls_sni_route_total", 5, {**of_rule, "result": "fallback"}),
            ("portunus_tls_sni_listener_miss_total", 6, of_port),
            ("portunus_tls_sni_listener_parse_failures_total", 7, of_port),
            ("portunus_tls_sni_routes_active", 1, {}),
            (f"{peeks}_bucket", 1, {**of_port, "le": "0.0001"}),
            (f"{peeks}_bucket", 1, {**of_port, "le": "3"}),
            (f"{peeks}_bucket", 2, {**of_port, "le": "+Inf"}),
            (f"{peeks}_sum", 4, of_port), (f"{peeks}_count", 2, of_port),
            ("portunus_rate_limit_reject_total", 4, {**of_rule, "reason": "conn_concurrent"}),
            ("portunus_rate_limit_throttle_seconds_total", 1.5, {**of_rule, "direction": "in"}),
            ("portunus_rate_limit_active_connections", 2, of_rule)]:
        assert found.value(name, **labels) == value, name
    assert found.rows("portunus_tls_sni_route_total", result="wildcard") == []
    assert found.rows("portunus_rule_udp_datagrams_in_total") == []
    done = subprocess.run(["promtool", "check", "metrics"], input=found.text, text=True,
                          capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

    server.api.delete(f"/v1/rules/{rule}").ok(204)
    after = server.metrics()
    left = {name for name, labels, _ in after.samples if labels.get("rule") == str(rule)}
    assert left == {"portunus_rule_bytes_in_total"}  # nothing went out
    assert after.value("portunus_tls_sni_routes_active") == 0
    assert after.value("portunus_tls_sni_listener_miss_total", **of_port) == 6
