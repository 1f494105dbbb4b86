"""Stores that a server cannot use: damaged, newer, held by another, refused by a migration
(store-and-quotas 2, cli-and-config 2.1, 2.3). What is refused is left as it was."""

import contextlib
import sqlite3

import pytest

from harness.old_stores import MIGRATIONS, old_store
from harness.server import Server

PAGE = 4096
# Every command that needs the lock and opens the store itself.
LOCKING = (["bootstrap-superadmin"], ["onboarding-token"],
           ["reset-password", "alice", "--temporary"],
           ["audit", "prune", "--before", "2020-01-01T00:00:00Z"])
# The same for those that go through a server where there is one.
DUAL = (["list-clients"], ["enroll-client", "edge-01"], ["revoke", "edge-01"],
        ["rename-client", "--client-id", "edge-01", "--name", "edge-02"])


def refused(server, code, last, event):
    """serve ends with that code, one plain last line and one event."""
    life = server.launch()
    assert life.wait_exit() == code, life.tail()
    plain = [line for line in life.text.splitlines() if not line.startswith("{")]
    assert plain[-1].startswith(f"serve failed: {last}"), plain
    found = life.wait_event(event)
    assert found["level"] == "ERROR"
    return found


def content(server):
    """The files of the store, byte by byte; the lock's file means nothing."""
    return {path.name: path.read_bytes() for path in server.data.glob("state.db*")
            if path.suffix != ".lock"}


@pytest.fixture
def stopped(lab):
    """A server that has run, with one ordinary store."""
    server = Server(lab).start()
    server.api.post("/v1/users", {"user_id": "alice", "display_name": "Alice"}).ok(201)
    server.stop()
    return server


def root_page(server, table):
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?",
                                 (table,)).fetchone()
    return page


def damage(server, page):
    with open(server.data / "state.db", "r+b") as file:
        file.seek((page - 1) * PAGE + (100 if page == 1 else 0))
        file.write(b"\xa5" * (PAGE - 100))


# --- damaged

@pytest.mark.parametrize("table", ["sqlite_schema", "schema_migrations"])
def test_SQ_2_a_store_damaged_where_it_is_opened_is_refused(stopped, table):
    damage(stopped, 1 if table == "sqlite_schema" else root_page(stopped, table))
    before = content(stopped)
    event = refused(stopped, 1, "", "startup.store_corrupt")
    assert event["path"] == f"{stopped.data}/state.db" and "restore" in event["hint"]
    assert content(stopped) == before
    for command in DUAL:
        done = stopped.offline(*command)
        assert (done.code, done.out) == (1, "") and done.error.startswith("error: ")


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.98])
def test_SQ_2_a_store_that_was_cut_off_is_refused(stopped, part):
    path = stopped.data / "state.db"
    whole = path.read_bytes()
    pages = max(1, int(part * len(whole) / PAGE))
    path.write_bytes(whole[:pages * PAGE])
    refused(stopped, 1, "", "startup.store_corrupt")
    assert path.read_bytes() == whole[:pages * PAGE]


def test_SQ_2_damage_that_one_request_meets_fails_that_request(stopped):
    damage(stopped, root_page(stopped, "audit"))
    stopped.start()
    answer = stopped.api.get("/v1/audit").refused(500, "store_error")
    assert answer.message == "store_error"
    assert {row["user_id"] for row in stopped.api.get("/v1/users").ok(200)} == {
        "_superadmin", "alice"}
    # Its audit row is lost and counted, the change is made.
    stopped.api.post("/v1/users", {"user_id": "bob", "display_name": "Bob"}).ok(201)
    stopped.life.wait_event("audit.flush_failed")
    assert stopped.metrics().value("portunus_audit_buffer_drops_total") >= 1
    stopped.api.get("/v1/users/bob").ok(200)
    stopped.stop()


# --- newer, held

def newer_schema(server):
    """Returns the version that this program supports."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        version, = database.execute("SELECT max(version) FROM schema_migrations").fetchone()
        database.execute("INSERT INTO schema_migrations SELECT version + 1, 'later', applied_on, "
                         "checksum FROM schema_migrations WHERE version = ?", (version,))
        database.commit()
    return version


def test_SQ_2_no_command_touches_a_store_of_a_newer_release(lab, stopped):
    version = newer_schema(stopped)
    before = content(stopped)
    event = refused(stopped, 78, f"startup.schema_version_too_new path={stopped.data} ",
                    "startup.schema_version_too_new")
    assert (event["on_disk"], event["binary_supports"]) == (version + 1, version)
    for command in (*LOCKING, *DUAL):
        done = stopped.offline(*command)
        assert (done.code, done.out) == (78, ""), command
        assert done.error == (f"error: schema_version_too_new: on_disk={version + 1} "
                              f"binary_supports={version}")
    assert content(stopped) == before
    # A backup copies what it finds; this program does not take it back either.
    copy = lab.folder / "copy.db"
    stopped.offline("backup", "--out", copy).ok()
    other = Server(lab, "other", bootstrap=False)
    assert other.offline("restore", "--in", copy).code == 78
    assert not content(other)


def test_SQ_2_a_held_lock_turns_every_command_away_that_needs_it(stopped):
    stopped.start()
    in_use = f"error: store_in_use: {stopped.data}/state.db"
    for command in (*LOCKING, ["reset", "--confirm"]):
        done = stopped.offline(*command)
        assert (done.code, done.out, done.error) == (75, "", in_use), command
    refusal = stopped.lab.start("second", [stopped.binary, "--data-dir", stopped.data, "serve"])
    assert refusal.wait_exit() == 75
    stopped.api.get("/v1/users/alice").ok(200)
    stopped.kill()  # which releases it
    done = stopped.offline("onboarding-token")
    assert (done.code, done.out) == (2, "") and "already_bootstrapped" in done.error
    stopped.start()


# --- migrations

@pytest.mark.parametrize("version, obstacle", [
    (1, "CREATE TABLE rule_targets (x)"), (2, "CREATE TABLE traffic_quotas (x)"),
    (3, "CREATE TABLE grants (x)"), (4, "CREATE TABLE login_attempts (x)"),
    (5, "CREATE TABLE audit (x)"), (6, "CREATE TABLE settings (x)")])
def test_SQ_2_a_failing_migration_leaves_the_version_before_it(lab, version, obstacle):
    server = Server(lab, bootstrap=False)
    path = server.data / "state.db"
    old_store(path, version)

    def ask(sql):
        with contextlib.closing(sqlite3.connect(path)) as database:
            return database.execute(sql).fetchall()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(obstacle)
        database.commit()
    schema = ask("SELECT name, sql FROM sqlite_schema ORDER BY name")
    event = refused(server, 1, "", "startup.migration_failed")
    assert f"migration {version + 1} " in event["error"]
    assert ask("SELECT max(version), count(*) FROM schema_migrations") == [(version, version)]
    assert ask("SELECT name, sql FROM sqlite_schema ORDER BY name") == schema
    assert ask("SELECT user_id FROM users") == [("alice",)]
    done = server.offline("list-clients")
    assert (done.code, done.out) == (1, "") and "migration_failed" in done.error
    # Without the obstacle the next start goes all the way.
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"DROP TABLE {obstacle.split()[2]}")
        database.commit()
    server.start()
    server.stop()
    latest = len(MIGRATIONS)
    assert ask("SELECT max(version), count(*) FROM schema_migrations") == [(latest, latest)]
    assert ask("PRAGMA integrity_check") == [("ok",)]
