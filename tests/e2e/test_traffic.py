"""Traffic history: minutes, hours, their end, and the queries (store-and-quotas 7, http-api 10)."""

import collections
import concurrent.futures
import contextlib
import random
import sqlite3
import time

import pytest

from harness.client import Client
from harness.fake_edge import FakeEdge
from harness.server import Server
from harness.waiting import PATIENCE, until

ACTIVATED = 1
USER = "_superadmin"
MINUTE, HOUR, DAY = 60, 3600, 86400


def query(start, end, **more):
    return "?" + "&".join(f"{key}={value}" for key, value in
                          {"from": start, "to": end, **more}.items())


def totals(answer):
    return answer["total_bytes_in"], answer["total_bytes_out"]


@pytest.fixture
def fake(lab, server):
    edge = lab.owns(FakeEdge(Client(lab, server).bundle)).open()
    until(lambda: server.connected("edge-01"), "the edge is connected")
    return edge


def push(server, lab, edge):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        count = len(edge.of_kind("rule_update"))
        pushed = pool.submit(server.push, "edge-01", lab.port(), "127.0.0.1:9")
        edge.status(edge.wait("rule_update", count + 1), ACTIVATED)
        return pushed.result()


@contextlib.contextmanager
def stored(server):
    """The store of a server that does not run."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as store, store:
        yield store


def add_series(store, *keys):
    """(user, client name) each, of names that are not enrolled; their ids."""
    return [store.execute("INSERT INTO traffic_series (user_id, client_id, client_name) "
                          "VALUES (?, NULL, ?)", key).lastrowid for key in keys]


def add_minutes(store, rows):
    store.executemany("INSERT INTO traffic_samples_1m VALUES (?, ?, ?, ?)", rows)


def test_SQ_6_3_what_is_reported_is_history_at_once_and_over_a_restart(server, lab, fake):
    began = int(time.time()) // MINUTE * MINUTE
    first, second = push(server, lab, fake), push(server, lab, fake)
    fake.report((first, 100, 50), (second, 7, 3))
    fake.report((first, 300, 70), (second, 7, 3))

    def history(route, **more):
        return server.api.get(route + query(began, began + HOUR, bucket="1m", **more)).ok(200)

    routes = ("/v1/traffic/global", f"/v1/users/{USER}/traffic", "/v1/clients/edge-01/traffic")
    until(lambda: totals(history(routes[0])) == (307, 73), "all of it is booked")
    client_id = server.api.get("/v1/clients").ok(200)[0]["client_id"]
    whole = history(routes[0])
    for shown in [*map(history, routes), history(f"/v1/clients/{client_id}/traffic"),
                  history(routes[1], client_id=client_id), history(routes[2], user_id=USER),
                  history(routes[1], client_name="edge-01")]:
        assert shown == whole
    assert whole["bucket"] == "1m" and 1 <= len(whole["samples"]) <= 3
    assert all(row["ts"] % MINUTE == 0 for row in whole["samples"])
    assert sum(row["bytes_in"] for row in whole["samples"]) == 307
    assert totals(history(routes[1], client_name="edge-02")) == (0, 0)
    assert totals(history(routes[2], user_id="alice")) == (0, 0)

    server.api.delete(f"/v1/rules/{first}")
    server.stop()
    server.start()
    assert history(routes[0]) == whole


def random_minutes(ids, first_hour, hours, seed):
    """Minute rows and what their hours must sum up to, counted here."""
    generator = random.Random(seed)
    rows, sums = [], collections.defaultdict(lambda: [0, 0])
    for series in ids:
        for minute in sorted(generator.sample(range(hours * 60), hours * 3)):
            start = first_hour + minute * MINUTE
            row = (series, start, generator.randrange(1 << 40), generator.randrange(1 << 40))
            rows.append(row)
            hour = sums[series, first_hour + minute // 60 * HOUR]
            hour[0] += row[2]
            hour[1] += row[3]
    return rows, {key: tuple(value) for key, value in sums.items()}


def prepare(server, hours, seed):
    """A stopped server that has missed so many hours; what their rows must become."""
    server.start()
    server.stop()
    # The hour before the present one, so that the run may cross the full hour.
    first = int(time.time()) // HOUR * HOUR - (hours + 1) * HOUR
    with stored(server) as store:
        ids = add_series(store, ("alice", "edge-01"), ("bob", "edge-01"), ("alice", "edge-02"))
        rows, sums = random_minutes(ids, first, hours, seed)
        add_minutes(store, rows)
        store.execute("UPDATE traffic_rollup_mark SET last_hour = ?", (first - HOUR,))
    return first, sums


def hour_rows(server):
    with stored(server) as store:
        return {(row[0], row[1]): row[2:] for row in
                store.execute("SELECT * FROM traffic_samples_1h")}


@pytest.fixture
def still(lab):
    """A server of the lab that has not been started."""
    return Server(lab)


@pytest.mark.parametrize("hours", [1, 20, 200])
def test_SQ_8_6_missed_hours_are_made_up_for_at_the_start(still, hours):
    first, sums = prepare(still, hours, seed=hours)
    still.start()
    tick = still.life.wait_event("traffic_rollup.tick", 30)
    assert hours <= tick["rolled_up"] <= hours + 2 and tick["level"] == "INFO"
    shown = still.api.get("/v1/traffic/global" +
                          query(first, first + hours * HOUR, bucket="1h")).ok(200)
    assert totals(shown) == (sum(row[0] for row in sums.values()),
                             sum(row[1] for row in sums.values()))
    starts = [row["ts"] for row in shown["samples"]]
    assert starts == sorted({start for _, start in sums}) and all(s % HOUR == 0 for s in starts)
    still.stop()
    assert hour_rows(still) == sums
    still.start()
    still.stop()
    assert hour_rows(still) == sums


def test_SQ_7_a_server_killed_in_mid_roll_up_ends_with_the_same_rows(still):
    _, sums = prepare(still, 160, seed=5)
    generator = random.Random(5)
    for _ in range(6):
        still.start()
        reached = generator.randrange(1, 100)
        # Whatever it has come to by then; with a fast machine, all of it.
        with contextlib.closing(sqlite3.connect(f"file:{still.data}/state.db?mode=ro",
                                                uri=True)) as store:
            until(lambda: store.execute("SELECT count(DISTINCT start) FROM traffic_samples_1h"
                                        ).fetchone()[0] >= reached, "some hours", 30)
        still.kill()
    still.start()
    until(lambda: len(hour_rows(still)) >= len(sums), "the last hour", 30)  # a stop would cut it
    still.stop()
    assert hour_rows(still) == sums


def test_SQ_7_samples_end_at_their_retention(still):
    still.start()
    still.stop()
    now = int(time.time())
    minute, hour = now // MINUTE * MINUTE, now // HOUR * HOUR
    with stored(still) as store:
        (series,) = add_series(store, ("alice", "edge-01"))
        # An hour to either side of the limits, whatever the time of the start.
        add_minutes(store, [(series, minute - 7 * DAY - HOUR, 1, 1),
                            (series, minute - 7 * DAY + HOUR, 2, 2)])
        store.executemany("INSERT INTO traffic_samples_1h VALUES (?, ?, ?, ?)",
                          [(series, hour - 90 * DAY - HOUR, 4, 4),
                           (series, hour - 90 * DAY + 2 * HOUR, 8, 8)])
        store.execute("UPDATE traffic_rollup_mark SET last_hour = ?", (hour - 2 * HOUR,))
    still.start()
    tick = still.life.wait_event("traffic_rollup.tick", 30)
    assert (tick["deleted_1m"], tick["deleted_1h"]) == (1, 1)
    still.stop()
    with stored(still) as store:
        assert store.execute("SELECT bytes_in FROM traffic_samples_1m").fetchall() == [(2,)]
        assert store.execute("SELECT bytes_in FROM traffic_samples_1h").fetchall() == [(8,)]


def test_SQ_7_a_minute_outlives_its_retention_until_its_hour_is_rolled_up(still):
    still.start()
    still.stop()
    hour = int(time.time()) // HOUR * HOUR
    with stored(still) as store:
        (series,) = add_series(store, ("alice", "edge-01"))
        add_minutes(store, [(series, hour - 20 * DAY, 5, 6)])
        store.execute("UPDATE traffic_rollup_mark SET last_hour = ?", (hour - 20 * DAY - HOUR,))
    still.start()
    assert still.life.wait_event("traffic_rollup.tick", 30)["deleted_1m"] == 1
    still.stop()
    assert hour_rows(still) == {(series, hour - 20 * DAY): (5, 6)}


def test_HTTP_10_refusals(server):
    now = int(time.time())
    get = server.api.get
    get("/v1/traffic/global").refused(400, "invalid_query")
    get("/v1/traffic/global?from=1&to=x").refused(400, "invalid_query")
    get("/v1/traffic/global" + query(-1, 5)).refused(400, "invalid_time_range")
    get("/v1/traffic/global" + query(5, 5)).refused(400, "invalid_time_range")
    get("/v1/traffic/global" + query(5, 6, bucket="5m")).refused(400, "invalid_bucket")
    get("/v1/traffic/global" + query(5, 6)).refused(422, "quota_bucket_out_of_retention")
    get("/v1/clients/No/traffic" + query(5, 5)).refused(400, "invalid_client_name")
    get(f"/v1/users/{USER}/traffic" + query(5, 5, client_name="No")
        ).refused(400, "invalid_client_name")
    get("/v1/clients/01J00000000000000000000001/traffic" + query(now, now + 1)
        ).refused(404, "client_not_found")
    get("/v1/traffic/global" + query(now - 7 * DAY - HOUR, now, bucket="1m")
        ).refused(422, "quota_bucket_out_of_retention")
    get("/v1/traffic/global" + query(now - 90 * DAY + HOUR, now)).ok(200)
    get("/v1/traffic/global" + query(now - 90 * DAY - HOUR, now)
        ).refused(422, "quota_bucket_out_of_retention")
    for route in ("/v1/traffic/global", "/v1/clients/edge-77/traffic", "/v1/users/x/traffic"):
        assert get(route + query(now, now + 1)).ok(200) == {
            "bucket": "1m", "samples": [], "total_bytes_in": 0, "total_bytes_out": 0}
        head = server.api.request("HEAD", route + query(now, now + 1))
        assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 0


def test_HTTP_10_more_than_ten_thousand_samples_are_refused(still):
    still.start()
    still.stop()
    first = int(time.time()) // MINUTE * MINUTE - 7 * DAY + HOUR
    with stored(still) as store:
        (series,) = add_series(store, ("alice", "edge-01"))
        add_minutes(store, [(series, first + i * MINUTE, 1, 2) for i in range(10_001)])
    still.start()
    end = first + 10_001 * MINUTE
    for route in ("/v1/traffic/global", "/v1/users/alice/traffic", "/v1/clients/edge-01/traffic"):
        still.api.get(route + query(first, end, bucket="1m")).refused(422, "traffic_too_many_rows")
        shown = still.api.get(route + query(first, end - MINUTE, bucket="1m")).ok(200)
        assert len(shown["samples"]) == 10_000 and totals(shown) == (10_000, 20_000)


def test_a_long_query_holds_up_no_other_caller(still):
    still.start()
    still.stop()
    count, minutes = 300, 1500
    first = int(time.time()) // MINUTE * MINUTE - 2 * DAY
    with stored(still) as store:
        ids = add_series(store, *[(f"user{i}", "edge-01") for i in range(count)])
        add_minutes(store, ((series, first + i * MINUTE, 1, 1)
                            for series in ids for i in range(minutes)))
    still.start()
    long = "/v1/traffic/global" + query(first, first + minutes * MINUTE, bucket="1m")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(still.api.get, long) for _ in range(3)]
        asked, slowest = 0, 0.0
        while not all(job.done() for job in running):
            began = time.monotonic()
            still.api.get("/v1/users/me").ok(200)
            slowest, asked = max(slowest, time.monotonic() - began), asked + 1
    assert asked > 0 and slowest < 2 * PATIENCE, f"{slowest:.2f} s"
    for job in running:
        shown = job.result().ok(200)
        assert len(shown["samples"]) == minutes
        assert totals(shown) == (count * minutes, count * minutes)
