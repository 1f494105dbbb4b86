"""Quotas and owner caps on the control stream: replay order, live messages, accounting
(control-wire 2.4, 5.1, 7, 8, 9; http-api 7.3, 10)."""

import concurrent.futures
import json
import sqlite3

import pytest

from harness.client import Client
from harness.fake_edge import FakeEdge
from harness.waiting import until

ACTIVATED = 1
USER = "_superadmin"
INSTANCE = "01J00000000000000000000001"
QUOTA = f"/v1/users/{USER}/quotas/edge-01"
JANUARY, FEBRUARY = 1704067200, 1706745600
# A period that contains no moment of any test run, so that nothing rolls over meanwhile.
FUTURE = 4102444800  # 2100-01-01


@pytest.fixture
def bundle(lab, server):
    return Client(lab, server).bundle


@pytest.fixture
def fake(lab, bundle):
    return lab.owns(FakeEdge(bundle))


def caps_path(owner):
    return f"/v1/clients/edge-01/owners/{owner}/rate-limit"


def client_id(bundle):
    return json.loads(bundle.read_text("utf-8"))["client_id"]


def push(server, lab, edge):
    """A rule of USER that the edge has activated."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        count = len(edge.of_kind("rule_update"))
        pushed = pool.submit(server.cli, "push-rule", "edge-01", str(lab.port()), "127.0.0.1:9")
        edge.status(edge.wait("rule_update", count + 1), ACTIVATED)
        return int(pushed.result().ok())


def kinds(edge):
    return [message.WhichOneof("payload") for message in list(edge.incoming)]


# The wire, written out by hand.

def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def text(field, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


def quota_set(update, bundle, cap, left, start, end, exhausted):
    state = (number(1, cap) + number(2, left) + number(3, start) + number(4, end)
             + number(5, exhausted))
    return text(1, update.request_id) + text(2, USER) + text(3, "edge-01") + number(4, 1) + text(
        5, state) + text(6, client_id(bundle))


def test_replay_is_quotas_then_owner_caps_then_rules(lab, server, bundle):
    # An offline client is no reason to refuse a quota.
    server.api.request("PUT", QUOTA, {"monthly_bytes": 1000, "billing_anchor": FUTURE}).ok(200)
    first = lab.owns(FakeEdge(bundle)).open()
    first.wait("traffic_quota_update")
    rule = push(server, lab, first)
    for owner in ("zoe", USER):
        server.api.request("PUT", caps_path(owner), {"concurrent_connections": 5}).ok(200)
    first.wait("owner_rate_limit_update", 2)

    second = lab.owns(FakeEdge(bundle)).open(instance_id=INSTANCE)
    second.wait("replay_complete")
    assert kinds(second) == ["welcome", "traffic_quota_update", "owner_rate_limit_update",
                             "owner_rate_limit_update", "rule_update", "replay_complete"]
    assert second.wait("traffic_quota_update").user_id == USER
    assert [update.owner_id for update in second.of_kind("owner_rate_limit_update")] == [USER,
                                                                                         "zoe"]
    assert second.wait("rule_update").rule.rule_id == rule


def test_live_quota_messages(lab, server, fake, bundle):
    fake.open(instance_id=INSTANCE)
    fake.wait("replay_complete")
    body = {"monthly_bytes": 100, "billing_anchor": FUTURE}
    assert server.api.request("PUT", QUOTA, body).ok(200)["client_id"] == client_id(bundle)
    update = fake.wait("traffic_quota_update")
    after = 4105123200  # 2100-02-01
    assert update.SerializeToString() == quota_set(update, bundle, 100, 100, FUTURE, after, False)
    assert len(update.request_id) == 26

    rule = push(server, lab, fake)
    fake.report((rule, 30, 10))
    until(lambda: server.api.get(QUOTA + "/status").ok(200)["current_period_bytes_used"] == 40,
          lambda: "the first report")
    assert len(fake.of_kind("traffic_quota_update")) == 1
    fake.report((rule, 100, 42))
    update = fake.wait("traffic_quota_update", 2)
    assert update.SerializeToString() == quota_set(update, bundle, 100, -42, FUTURE, after, True)
    fake.report((rule, 101, 42))
    status = until(lambda: (row := server.api.get(QUOTA + "/status").ok(200))
                   and row["current_period_bytes_used"] == 143 and row, lambda: "the third report")
    assert (status["exhausted"], status["budget_remaining_bytes"]) == (True, -43)

    # Credit: one message, and service resumes without a new session.
    server.api.request("PATCH", QUOTA, {"monthly_bytes": 200, "clear_period_usage": True}).ok(200)
    update = fake.wait("traffic_quota_update", 3)
    assert update.SerializeToString() == quota_set(update, bundle, 200, 200, FUTURE, after, False)

    server.api.delete(QUOTA).ok(204)
    update = fake.wait("traffic_quota_update", 4)
    assert update.SerializeToString() == (text(1, update.request_id) + text(2, USER)
                                          + text(3, "edge-01") + number(4, 2)
                                          + text(6, client_id(bundle)))
    assert len(fake.of_kind("traffic_quota_update")) == 4


def test_live_owner_cap_messages(server, fake, bundle):
    fake.open(instance_id=INSTANCE)
    fake.wait("replay_complete")
    server.api.request("PUT", caps_path("alice"),
                       {"bandwidth_in_bps": 2**64 - 1, "concurrent_connections": 7}).ok(200)
    update = fake.wait("owner_rate_limit_update")
    caps = number(1, 2**64 - 1) + number(4, 7)
    named = text(1, "edge-01") + text(2, "alice")
    assert update.SerializeToString() == (named + text(3, caps) + number(4, 1)
                                          + text(5, client_id(bundle)))
    server.api.delete(caps_path("alice")).ok(204)
    update = fake.wait("owner_rate_limit_update", 2)
    assert update.SerializeToString() == named + number(4, 2) + text(5, client_id(bundle))


@pytest.mark.parametrize("version, expected", [
    ("0.10.9", set()), ("", set()), ("1.3.9", {"owner_rate_limit_update"}),
    ("1.4.0", {"owner_rate_limit_update", "traffic_quota_update"}),
])
def test_a_client_is_told_what_it_can_understand(lab, server, bundle, version, expected):
    able = lab.owns(FakeEdge(bundle)).open()
    able.wait("welcome")
    server.api.request("PUT", caps_path("alice"), {"concurrent_connections": 7}).ok(200)
    server.api.request("PUT", QUOTA, {"monthly_bytes": 1}).ok(200)
    older = lab.owns(FakeEdge(bundle)).open(client_version=version, instance_id=INSTANCE)
    older.wait("replay_complete")
    assert set(kinds(older)) == {"welcome", "replay_complete"} | expected
    if "traffic_quota_update" not in expected:
        server.api.request("PUT", QUOTA, {"monthly_bytes": 2}).refused(
            422, "quota_unsupported_by_client")
    if not expected:
        server.api.request("PUT", caps_path("alice"), {"concurrent_connections": 8}).refused(
            422, "rate_limit_unsupported_by_client")


def test_owner_caps_go_with_the_last_rule(lab, server, fake):
    fake.open(instance_id=INSTANCE)
    fake.wait("replay_complete")
    rule = push(server, lab, fake)
    server.api.request("PUT", caps_path(USER), {"concurrent_connections": 7}).ok(200)
    server.api.delete(f"/v1/rules/{rule}").ok(204)
    assert fake.wait("owner_rate_limit_update", 2).action == 2
    server.life.wait_event("owner_cap.gc_swept", client_name="edge-01", owner_id=USER)
    server.api.get(caps_path(USER)).refused(404, "owner_rate_limit_not_found")


def test_usage_survives_a_restart_and_leaves_history(lab, server, bundle):
    fake = lab.owns(FakeEdge(bundle)).open()
    fake.wait("welcome")
    rule = push(server, lab, fake)
    server.api.request("PUT", QUOTA, {"monthly_bytes": 1000, "billing_anchor": FUTURE}).ok(200)
    fake.report((rule, 300, 200))
    until(lambda: server.api.get(QUOTA + "/status").ok(200)["current_period_bytes_used"] == 500,
          lambda: "the report")
    before = server.api.get(QUOTA + "/status").ok(200)
    server.stop()
    with sqlite3.connect(server.data / "state.db") as store:
        rows = store.execute("SELECT start, bytes_in, bytes_out FROM traffic_samples_1m").fetchall()
    assert [row[1:] for row in rows] == [(300, 200)] and rows[0][0] % 60 == 0
    server.start()
    assert server.api.get(QUOTA + "/status").ok(200) == before
    again = lab.owns(FakeEdge(bundle)).open(instance_id=INSTANCE)
    state = again.wait("traffic_quota_update").state
    assert (state.monthly_bytes, state.budget_remaining_bytes) == (1000, 500)
    metrics = server.metrics()
    labels = {"client": "edge-01", "user": USER}
    assert metrics.value("portunus_traffic_quota_bytes_used", **labels) == 500
    assert metrics.value("portunus_traffic_quota_bytes_limit", **labels) == 1000


def test_missed_periods_are_begun_before_anyone_is_served(server, bundle):
    server.api.request("PUT", QUOTA, {"monthly_bytes": 10, "billing_anchor": JANUARY}).ok(200)
    server.stop()
    with sqlite3.connect(server.data / "state.db") as store:
        store.execute("UPDATE traffic_quotas SET current_period_started_at = ?, "
                      "current_period_bytes_used = 99, exhausted_at = ?", (JANUARY, JANUARY))
    store.close()
    server.start()
    status = server.api.get(QUOTA + "/status").ok(200)
    assert status["current_period_bytes_used"] == 0 and not status["exhausted"]
    assert status["current_period_started_at"] >= FEBRUARY
    event = server.life.wait_event("traffic_quota.period_rolled", user=USER, client="edge-01")
    assert event["new_start"] == status["current_period_started_at"]


def test_owner_cap_commands(server, fake):
    fake.open()
    fake.wait("welcome")
    done = server.cli("owner-cap", "set", "edge-01", "alice", "--bandwidth-in-bps", "1048576")
    word, _, updated = done.ok().rpartition("=")
    assert word == "owner-cap set client=edge-01 owner=alice updated_at_unix_ms"
    assert server.cli("owner-cap", "get", "edge-01", "alice").ok().splitlines()[:4] == [
        "client     edge-01", "owner      alice", f"updated_ms {int(updated)}",
        "ingress_bps        1048576"]
    assert json.loads(server.cli("owner-cap", "list", "edge-01", "--format", "json").ok()) == {
        "owners": [{"owner_id": "alice", "has_rate_limit": True, "rule_count": 0}]}
    assert server.cli("owner-cap", "delete", "edge-01", "alice").ok() == (
        "owner-cap deleted client=edge-01 owner=alice\n")
    gone = server.cli("owner-cap", "get", "edge-01", "alice")
    assert (gone.code, gone.out) == (8, "")
    assert gone.error.startswith("error: owner_rate_limit_not_found (")
    offline = server.cli("owner-cap", "set", "edge-02", "alice", "--concurrent-connections", "1")
    assert offline.code == 3
