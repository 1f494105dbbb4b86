"""Every family of observability 8, populated by one server, and judged by promtool.

The edge is scripted: it reports what a real one would need days and broken peers for.
"""

import concurrent.futures
import re
import subprocess

import pytest

from harness.client import Client
from harness.fake_edge import FakeEdge
from harness.lab import REPOSITORY
from harness.metrics import Metrics
from harness.waiting import until

CONTRACT = (REPOSITORY / "docs" / "contracts" / "observability.md").read_text("utf-8")
QUOTA = "/v1/users/_superadmin/quotas/edge-01"
ACTIVATED, UDP = 1, 2
JANUARY = 1704067200  # 2024: its period is long over


def families():
    """{family: labels} of the table; `le` and the words in brackets are values, not labels."""
    found = {}
    part = CONTRACT[CONTRACT.index("## 8."):]
    for line in re.findall(r"^\| `portunus_.*", part, re.MULTILINE):
        names, _, labels, _ = [cell.strip() for cell in line.strip("|").split("|")]
        words = set(re.findall(r"\b(client|user|port|owner|rule|reason|result|direction|outcome)\b",
                               re.sub(r"\([^)]*\)", "", labels).replace("rule labels",
                                                                        "client owner rule")))
        for name in re.findall(r"`(portunus_\w+)`", names):
            found[name] = words
    return found


@pytest.fixture
def reporting(lab, server):
    """A server that has seen everything it has a family for: its exposition."""
    server.api.get("/v1/users/me", token="A" * 43).refused(401, "credential_invalid")
    edge = lab.owns(FakeEdge(Client(lab, server).bundle))
    stranger = lab.owns(FakeEdge(Client(lab, server, "edge-02").bundle))
    stranger.open(authorization="Bearer " + "x" * 43).wait_over()
    edge.open(supported_protocols=[1, UDP], instance_id="01J00000000000000000000001").wait(
        "replay_complete")
    port = lab.port()
    rules = [activated(server, edge, **body) for body in (
        {"listen": port, "sni_pattern": "a.example.com", "rate_limit": {"concurrent_connections": 5},
         "targets": [{"host": "h", "port": 1}, {"host": "i", "port": 1}]},
        {"listen": lab.port(), "protocol": "udp", "target_host": "h", "target_port": 1})]
    server.api.put("/v1/clients/edge-01/owners/_superadmin/rate-limit",
                   {"concurrent_connections": 5}).ok(200)
    # A past anchor: the first look at the clock begins a new period.
    server.api.put(QUOTA, {"monthly_bytes": 10, "billing_anchor": JANUARY}).ok(200)
    edge.send(stats_report=report(edge.stats, port, *rules))
    return until(lambda: (now := server.metrics()).rows("portunus_traffic_quota_exhausted_total")
                 and now.rows("portunus_traffic_quota_period_resets_total")
                 and now.rows("portunus_rule_udp_datagrams_out_total") and now,
                 lambda: f"the report\n{server.metrics().text}")


def activated(server, edge, **body):
    """The id of a rule that the edge has taken; the request waits for no longer than it must."""
    count = len(edge.of_kind("rule_update"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pushed = pool.submit(server.create, **body)
        edge.status(edge.wait("rule_update", count + 1), ACTIVATED)
        return pushed.result()


def limits(stats, reasons):
    return stats.RateLimitStats(
        throttle_micros_in=1_500_000, throttle_micros_out=1, active_connections=2,
        reject_total=[stats.RateLimitRejectCount(reason=reason, total=reason)
                      for reason in reasons])


def report(stats, port, routed, udp):
    return stats.StatsReport(
        sent_at_unix_ms=1,
        stats=[stats.RuleStats(rule_id=routed, bytes_in=7, bytes_out=8, active_connections=1,
                               dns_failures=2, target_failovers_total=3, sni_route_exact_total=4,
                               sni_route_wildcard_total=5, sni_route_fallback_total=6,
                               rate_limit=limits(stats, (1, 2, 3))),
               stats.RuleStats(rule_id=udp, bytes_in=1, bytes_out=1, datagrams_in=2,
                               datagrams_out=3, active_flows=4, flows_dropped_overflow=5)],
        sni_listener_stats=[stats.SniListenerStats(
            listen_port=port, sni_route_miss_total=6, client_hello_parse_failures_total=7,
            client_hello_peek_bucket_counts=[1] * 15, client_hello_peek_count=2,
            client_hello_peek_sum_micros=4_000_000)],
        owner_rate_limit_stats=[stats.OwnerRateLimitStats(owner_id="_superadmin",
                                                          stats=limits(stats, (4, 5, 6)))])


def test_OBS_8_promtool_accepts_every_family_of_the_contract_at_once(server, reporting):
    wanted = families()
    assert len(wanted) > 25 and wanted["portunus_traffic_quota_exhausted"] == {"client", "user"}
    operator = Metrics(server.api.get("/v1/metrics").body.decode())
    for metrics in (reporting, operator):
        done = subprocess.run(["promtool", "check", "metrics"], input=metrics.text, text=True,
                              capture_output=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
        assert set(metrics.types) == set(wanted)
        for name, labels in wanted.items():
            rows = metrics.rows(name) + metrics.rows(f"{name}_count")
            assert rows, f"{name} has no row"
            assert all(set(row) == labels for row, _ in rows), (name, rows)
    assert {row["reason"] for row, _ in reporting.rows("portunus_rate_limit_reject_total")} == {
        "conn_concurrent", "conn_rate", "udp_flow_rate", "owner_concurrent", "owner_conn_rate",
        "owner_udp_flow_rate"}
    assert reporting.value("portunus_traffic_quota_exhausted_total") == 1
    assert reporting.value("portunus_traffic_quota_period_resets_total") == 1
    assert reporting.value("portunus_auth_failures_total", reason="token_not_found") == 1
