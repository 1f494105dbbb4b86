"""The audit log over the running server: rows, pages, durability, pruning (http-api 12)."""

import base64
import contextlib
import datetime
import http.client
import re
import sqlite3
import threading
import time
import urllib.parse

import pytest

from harness import targets
from harness.server import Server
from harness.streams import connect, receive_exactly
from harness.waiting import PATIENCE, until

ALWAYS = {"timestamp", "actor", "method", "path", "outcome"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z")
RULE = {"client": "edge-01", "listen_port": 80, "target_host": "127.0.0.1", "target_port": 9}


def page(server, **query):
    return server.api.get("/v1/audit?" + urllib.parse.urlencode(query)).ok(200)


def wait_rows(server, count):
    """Newest first, once there are that many; never more."""
    def arrived():
        rows = page(server, limit=1000)
        assert len(rows) <= count, rows
        return len(rows) == count and rows
    return until(arrived, lambda: f"{count} rows, there are {page(server, limit=1000)}")


def deny(server, number):
    """One row: a refused request on a path of its own."""
    server.api.get(f"/v1/rules/{number}/stats", token=None).refused(401, "unauthenticated")


def stored(server):
    """The numbers of the rows of deny() in the file, whether or not the server lives."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        found = database.execute("SELECT path FROM audit WHERE path LIKE '/v1/rules/%/stats'")
        return {int(path.split("/")[3]) for path, in found}


def age(server, days, count):
    """Rows of the past, written while no server runs."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        database.executemany(
            "INSERT INTO audit (at, actor, method, path, outcome) "
            "VALUES (?, 'old', 'POST', '/v1/rules', 'allow')",
            [(int(then.timestamp() * 1e6) + i,) for i in range(count)])
        database.commit()
    return then


def test_HTTP_12_rows_of_requests(server):
    server.api.get("/v1/rules?client=secret-query", token=None).refused(401, "unauthenticated")
    server.api.post("/v1/clients/edge-77/revoke").ok(204)
    # None of these changes anything or is denied.
    server.api.get("/v1/rules").ok(200)
    server.api.delete("/v1/rules/4711").refused(404, "rule_not_found")
    server.api.post("/v1/rules", RULE).refused(422, "client_not_connected")
    server.api.post("/v1/clients").refused(405, "method_not_allowed")
    server.api.get("/v1/nothing").refused(404, "not_found")
    server.api.get("/", token=None)
    server.api.get("/v1/metrics", token="A" * 43).refused(401, "credential_invalid")
    rows = wait_rows(server, 3)
    for row in rows:
        assert ALWAYS <= set(row) and TIMESTAMP.fullmatch(row["timestamp"]), row
    last, changed, first = [{key: value for key, value in row.items() if key != "timestamp"}
                            for row in rows]
    assert first == {"actor": "_anonymous", "method": "GET", "path": "/v1/rules",
                     "outcome": "deny", "reason": "unauthenticated"}
    assert changed == {"actor": "_superadmin", "role": "superadmin", "method": "POST",
                       "path": "/v1/clients/edge-77/revoke", "outcome": "allow"}
    assert last == {"actor": "_anonymous", "method": "GET", "path": "/v1/metrics",
                    "outcome": "deny", "reason": "credential_invalid"}
    assert page(server, outcome="allow") == rows[1:2]
    assert page(server, outcome="deny", limit=1) == rows[:1]


def test_HTTP_12_without_a_superadmin_the_refusals_are_rows_too(lab):
    server = Server(lab, bootstrap=False).start()
    deny_path = "/v1/users/me"
    server.api.get(deny_path, token=None).refused(503, "bootstrap_required")
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        assert database.execute("SELECT actor, role, path, outcome, reason FROM audit").fetchall() \
            == [("_anonymous", None, deny_path, "deny", "bootstrap_required")]


def test_HTTP_12_the_walk_yields_every_row_once(server):
    for number in range(23):
        deny(server, number)
    wait_rows(server, 23)
    query = {"since": "2000-01-01T00:00:00Z", "limit": 5}
    seen, pages = [], 0
    while True:
        answer = page(server, **query)
        assert answer["count"] == len(answer["entries"])
        seen += [int(row["path"].split("/")[3]) for row in answer["entries"]]
        pages += 1
        if pages == 2:
            deny(server, 1000)  # newer than all pages: shifts none
        if "next_cursor" not in answer:
            break
        assert answer["count"] == 5
        padding = "=" * (-len(answer["next_cursor"]) % 4)
        assert base64.urlsafe_b64decode(answer["next_cursor"] + padding).isdigit()
        query["cursor"] = answer["next_cursor"]
    assert seen == list(range(22, -1, -1)) and pages == 5


def test_HTTP_12_since_and_until_are_inclusive(server):
    deny(server, 1)
    first = wait_rows(server, 1)[0]
    deny(server, 2)
    second = wait_rows(server, 2)[0]
    both = page(server, since=first["timestamp"], until=second["timestamp"])
    assert both == {"entries": [second, first], "count": 2}
    assert page(server, until=first["timestamp"])["entries"] == [first]
    assert page(server, since=second["timestamp"])["entries"] == [second]
    assert page(server, until="2000-01-01T00:00:00+00:00") == {"entries": [], "count": 0}


@pytest.mark.parametrize("query, status, code", [
    ("limit=0", 422, "invalid_limit"), ("limit=1001", 422, "invalid_limit"),
    ("outcome=both", 422, "invalid_outcome"),
    ("since=yesterday", 400, "invalid_timestamp"), ("until=2026-01-01", 400, "invalid_timestamp"),
    ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400, "invalid_time_range"),
    ("cursor=%3F", 400, "invalid_cursor"), ("cursor=YWJj", 400, "invalid_cursor"),
    ("limit=0&outcome=both", 422, "invalid_limit"),
    ("since=x&cursor=%3F", 400, "invalid_timestamp"),
    ("limit=%", 400, "invalid_query"),
])
def test_HTTP_12_errors(server, query, status, code):
    server.api.get("/v1/audit?" + query).refused(status, code)


def test_OBS_7_forwarding_leaves_no_trace_in_the_audit_log(lab, server, edge, target):
    echo, port = target(targets.echo), lab.port()
    rule = server.push("edge-01", port, echo.address)
    closed = server.push("edge-01", lab.port(), f"127.0.0.1:{lab.port()}")
    before = until(lambda: [row["path"] for row in page(server)].count("/v1/rules") == 2
                   and page(server), "the rows of both pushes")
    with connect(port) as connection:
        connection.sendall(b"abc")
        assert receive_exactly(connection, 3) == b"abc"
        server.wait_bytes(rule, (3, 3))
    with connect(server.rules()[closed]["listen_port"]) as connection:
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""  # nobody listens at the target
    edge.life.wait_event("rule.conn_error")
    edge.stop()
    until(lambda: not server.connected("edge-01"), "the edge to be gone")
    assert page(server) == before


def test_SQ_5_an_entry_on_disk_survives_sigkill(lab, server):
    for number in range(50):
        deny(server, number)
    wait_rows(server, 50)
    server.kill()
    server.start()
    assert stored(server) == set(range(50))
    assert len(page(server, limit=1000)) == 50


def test_SQ_8_2_sigkill_under_load_costs_the_last_batch_at_most(lab, server):
    """Entries answered a second ago are there; what is missing is at the very end."""
    answered = []  # when, by number
    stop = threading.Event()

    def load():
        number = 0
        while not stop.is_set():
            try:
                deny(server, number)
            except (OSError, ValueError, AssertionError, http.client.HTTPException):
                return  # killed in the middle of an answer
            answered.append(time.monotonic())
            number += 1

    worker = threading.Thread(target=load)
    worker.start()
    try:
        until(lambda: answered and answered[-1] - answered[0] > 2 and stored(server),
              "entries on disk", 20)
        committed = stored(server)
        killed = time.monotonic()
        server.kill()
    finally:
        stop.set()
        worker.join()
    kept = stored(server)
    assert committed <= kept
    assert kept == set(range(len(kept)))  # in order, without a gap
    assert len(kept) >= sum(when < killed - 1 * PATIENCE for when in answered)
    server.start()
    assert stored(server) == kept


def test_SQ_5_a_stop_writes_everything(server):
    for number in range(100):
        deny(server, number)
    server.stop()
    assert stored(server) == set(range(100))


def test_SQ_5_a_store_that_is_held_delays_no_request(server):
    holder = sqlite3.connect(server.data / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        for number in range(30):
            # Refused before anything is written: only the audit log needs the store.
            server.api.get(f"/v1/rules/{number}/stats", token=None,
                           timeout=3).refused(401, "unauthenticated")
        lag = until(lambda: server.metrics().value("portunus_audit_durable_writer_lag_seconds"),
                    "a lag")
        assert lag > 0
        assert server.metrics().value("portunus_audit_buffer_drops_total") == 0
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    wait_rows(server, 30)
    until(lambda: server.metrics().value("portunus_audit_durable_writer_lag_seconds") == 0,
          "an idle writer")


def test_SQ_5_the_sweep_removes_what_is_over_90_days_old(server):
    server.stop()
    age(server, 91, 3)
    age(server, 89, 2)
    server.start()
    event = server.life.wait_event("audit_retention.sweep")
    assert (event["level"], event["deleted_by_age"], event["deleted_by_count"]) == ("INFO", 3, 0)
    assert len(page(server)) == 2


def test_SQ_4_audit_prune(lab, server):
    cutoff = "2020-01-01T00:00:00Z"
    done = server.offline("audit", "prune", "--before", cutoff)
    assert (done.code, done.out, done.error) == (
        75, "", f"error: store_in_use: {server.data}/state.db")
    server.stop()
    then = age(server, 10, 4)
    age(server, 1, 2)
    before = (then + datetime.timedelta(days=5)).isoformat()
    for words, out in ((["--dry-run"], "audit_prune dry_run=true would_delete=4\n"),
                       ([], "audit_prune deleted=4\n"), ([], "audit_prune deleted=0\n"),
                       (["--dry-run"], "audit_prune dry_run=true would_delete=0\n")):
        done = server.offline("audit", "prune", "--before", before, *words)
        assert (done.code, done.out) == (0, out), done.err
    for words in (["--before", "2026-01-01"], ["--before", ""], ["--before", "now", "--dry-run"]):
        done = server.offline("audit", "prune", *words)
        assert (done.code, done.out) == (3, "")
        assert done.error.startswith("error: --before must be RFC3339: ")
    assert server.offline("audit", "prune").code == 2
    server.start()
    assert len(page(server)) == 2


def test_SQ_4_audit_prune_judges_the_instant_before_the_store(lab):
    done = lab.run([lab.bin / "portunus-server", "--data-dir", lab.folder / "none", "audit",
                    "prune", "--before", "soon"])
    assert done.code == 3 and not (lab.folder / "none").exists()
