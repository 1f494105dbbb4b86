"""Live statistics as server-sent events (http-api 9.2)."""

import concurrent.futures
import time

import pytest

from harness.client import Client
from harness.events import EventStream
from harness.fake_edge import FakeEdge
from harness.streams import connect
from harness.waiting import PATIENCE, until

ACTIVATED = 1


@pytest.fixture
def fake(lab, server):
    edge = lab.owns(FakeEdge(Client(lab, server).bundle)).open()
    edge.wait("welcome")  # a session is shown as connected before it can be sent a rule
    return edge


def push(server, lab, edge, **body):
    """A rule that the edge has activated."""
    body = body or {"target_host": "127.0.0.1", "target_port": 9}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        count = len(edge.of_kind("rule_update"))
        pushed = pool.submit(server.create, lab.port(), ack_timeout_secs=20, **body)
        edge.status(edge.wait("rule_update", count + 1), ACTIVATED)
        return pushed.result()


def path(rule, query=""):
    return f"/v1/rules/{rule}/stats/stream{query}"


@pytest.fixture
def watch(lab, server):
    def begin(rule, query="", **options):
        stream = lab.owns(EventStream(server.api, path(rule, query), **options))
        assert stream.status == 200, stream.headers
        return stream
    return begin


def test_HTTP_9_2_frames_follow_the_reports(server, lab, fake, watch):
    rule = push(server, lab, fake)
    early = watch(rule)  # before any report, which is no 404 here
    assert early.headers["content-type"] == "text/event-stream"
    assert early.headers["cache-control"] == "no-cache"
    assert "content-length" not in early.headers and "content-encoding" not in early.headers
    fake.report((rule, 100, 50))
    first = early.frame()
    assert (first["rule_id"], first["bytes_in"], first["bytes_out"]) == (rule, 100, 50)
    expected = server.api.get(f"/v1/rules/{rule}/stats").ok(200)
    assert expected.pop("protocol") == "tcp" and first == expected

    late = watch(rule)  # the last report at once
    assert late.frame() == first
    fake.report((rule, 300, 70))
    assert early.frame()["bytes_in"] == late.frame()["bytes_in"] == 300


def test_HTTP_9_2_a_real_edge_is_watched_while_it_forwards(server, lab, edge, target, watch):
    peer, port = target(), lab.port()
    rule = server.push("edge-01", port, peer.address)
    stream = watch(rule)
    with connect(port) as connection:
        connection.sendall(b"x" * 1000)
        until(lambda: (frame := stream.frame())["bytes_in"] == 1000
              and frame["active_connections"] == 1, "a frame with the connection")
    until(lambda: stream.frame()["active_connections"] == 0, "a frame without it")


def test_HTTP_9_2_per_target_appears_when_asked_for_and_not_empty(server, lab, fake, watch):
    rule = push(server, lab, fake, targets=[{"host": "a.example", "port": 1},
                                            {"host": "b.example", "port": 2}])
    fake.send(stats_report=targets_report(fake, rule, 5, 2))
    with_targets, without = watch(rule, "?per_target=true"), watch(rule)
    frame = with_targets.frame()
    assert [row["host"] for row in frame["per_target"]] == ["a.example", "b.example"]
    assert "per_target" not in without.frame() and "per_port" not in frame
    fake.report((rule, 6, 0))
    assert "per_target" not in with_targets.frame()


def targets_report(fake, rule, bytes_in, count):
    rows = [fake.stats.PerTargetStats(index=index, bytes_in=bytes_in) for index in range(count)]
    entry = fake.stats.RuleStats(rule_id=rule, bytes_in=bytes_in, per_target=rows)
    return fake.stats.StatsReport(sent_at_unix_ms=1, stats=[entry])


def test_HTTP_9_2_refusals_are_json_and_come_before_the_stream(server, lab, fake):
    rule = push(server, lab, fake)
    server.api.get(path(4711)).refused(404, "rule_not_found")
    server.api.get(path("x")).refused(400, "invalid_path")
    server.api.get(path(rule), token=None).refused(401, "unauthenticated")
    server.api.get(path(rule), token="A" * 43).refused(401, "credential_invalid")
    server.api.post(path(rule)).refused(405, "method_not_allowed")


def test_HTTP_9_2_a_removed_rule_ends_its_streams_and_no_other(server, lab, fake, watch):
    rule, other = push(server, lab, fake), push(server, lab, fake)
    removed, kept = [watch(rule) for _ in range(3)], watch(other)
    assert server.api.delete(f"/v1/rules/{rule}").status == 204
    assert all(stream.ends() for stream in removed)
    fake.report((rule, 1, 1), (other, 2, 2))
    assert kept.frame()["bytes_in"] == 2
    server.api.get(path(rule)).refused(404, "rule_not_found")


def test_HTTP_9_2_a_lost_edge_ends_no_stream(server, lab, fake, watch):
    rule = push(server, lab, fake)
    stream = watch(rule)
    fake.close()
    until(lambda: not server.connected("edge-01"), "the edge is gone")
    client = Client(lab, server, enroll=False)
    again = lab.owns(FakeEdge(client.bundle)).open()
    again.wait("rule_update")
    again.report((rule, 7, 7))
    assert stream.frame()["bytes_in"] == 7


def test_HTTP_9_2_a_slow_reader_loses_the_oldest_and_delays_nobody(server, lab, fake, watch):
    hosts = [{"host": ".".join([f"t{index}" + "x" * 50] * 4), "port": 1} for index in range(8)]
    rule = push(server, lab, fake, targets=hosts)
    slow = watch(rule, "?per_target=1", receive_buffer=4096)
    quick = watch(rule)
    sent = 0
    # Far more than the kernel keeps for a peer that reads nothing; the quick one follows each.
    while not server.life.events("stats_stream.lagged"):
        assert sent < 20_000, "the slow reader never fell behind"
        sent += 1
        fake.send(stats_report=targets_report(fake, rule, sent, 8))
        assert quick.frame()["bytes_in"] == sent
        if sent % 200 == 0:
            began = time.monotonic()
            server.api.get("/v1/users/me", timeout=5 * PATIENCE).ok(200)
            assert time.monotonic() - began < 5 * PATIENCE
    event = server.life.events("stats_stream.lagged")[0]
    assert event["level"] == "WARN" and event["error"]
    for _ in range(20):
        sent += 1
        fake.send(stats_report=targets_report(fake, rule, sent, 8))
        assert quick.frame()["bytes_in"] == sent

    # Now it reads: what it gets ascends, has a gap, and ends with the newest.
    seen = [slow.frame()["bytes_in"]]
    while seen[-1] < sent:
        seen.append(slow.frame()["bytes_in"])
    assert seen == sorted(set(seen)) and seen[-1] == sent
    assert len(seen) < sent
    assert seen[-16:] == list(range(sent - 15, sent + 1))


def test_HTTP_9_2_thirty_seconds_of_silence_are_a_comment(server, lab, fake, watch):
    stream = watch(push(server, lab, fake))
    began = time.monotonic()
    assert stream.block(60) == ": keepalive"
    assert 29 <= time.monotonic() - began < 45 * PATIENCE


def test_CLI_8_a_stopping_server_ends_its_streams(server, lab, fake, watch):
    rule = push(server, lab, fake)
    fake.report((rule, 1, 1))
    streams = [watch(rule), watch(rule, version="1.0")]
    assert [stream.frame()["bytes_in"] for stream in streams] == [1, 1]
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5 * PATIENCE
    assert all(stream.ends() and stream.rest() == b"" for stream in streams)


def test_a_reader_that_goes_away_is_noticed_without_a_report(server, lab, fake, watch):
    rule = push(server, lab, fake)
    streams = [watch(rule) for _ in range(10)]
    held = server.life.descriptors()
    for stream in streams:
        stream.close()
    # Connections of earlier requests may end meanwhile too, and none begins.
    until(lambda: server.life.descriptors() <= held - 10, "their connections are closed")


def test_HTTP_1_head_of_a_stream_is_its_header(server, lab, fake):
    rule = push(server, lab, fake)
    head = server.api.request("HEAD", path(rule))
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Type"] == "text/event-stream"
    assert head.headers["Cache-Control"] == "no-cache"


def test_a_pipelined_request_is_answered_after_the_stream(server, lab, fake, watch):
    rule = push(server, lab, fake)
    next_one = (f"GET /v1/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
                "Connection: close\r\n\r\n").encode()
    stream = watch(rule, pipelined=next_one)
    fake.report((rule, 3, 3))
    assert stream.frame()["bytes_in"] == 3
    assert stream.buffer == b""
    server.api.delete(f"/v1/rules/{rule}")
    assert stream.ends()
    answer = stream.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b'"_superadmin"' in answer


def test_a_caller_of_http_1_0_gets_the_bare_frames(server, lab, fake, watch):
    rule = push(server, lab, fake)
    stream = watch(rule, version="1.0")
    assert not stream.chunked and stream.headers["connection"] == "close"
    fake.report((rule, 4, 4))
    assert stream.frame()["bytes_in"] == 4
    server.api.delete(f"/v1/rules/{rule}")
    assert stream.ends()


def test_more_streams_than_connections_leave_the_api_open(server, lab, fake, watch):
    """A stream has no end to wait for, so at the listener's bound the oldest one makes room."""
    rule = push(server, lab, fake)
    streams = [watch(rule) for _ in range(520)]
    server.api.get("/v1/users/me", timeout=10).ok(200)
    assert streams[0].ends()
    fake.report((rule, 9, 9))
    assert streams[-1].frame()["bytes_in"] == 9
