"""SIGKILL in the middle of what rewrites a store: a migration, a restore, a backup
(store-and-quotas 2, 4). What is there afterwards is the old or the new, whole, and the next attempt
succeeds."""

import contextlib
import random
import shutil
import sqlite3
import time

import pytest

from harness.old_stores import MIGRATIONS, old_store
from harness.server import Server
from soak_backup import enlarge

ROUNDS = 8


def ask(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def timed(command):
    """How long it takes to its end; for the moments of the kills."""
    begin = time.monotonic()
    command()
    return time.monotonic() - begin


def kill_within(lab, words, seconds):
    """Starts a command and kills it at a random moment; whether it had ended before."""
    program = lab.start("killed", words)
    time.sleep(random.uniform(0, seconds))
    ended = not program.alive
    program.kill()
    return ended


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_2_a_kill_in_a_migration_leaves_one_version_or_the_next(lab):
    server = Server(lab, bootstrap=False)
    old = lab.folder / "old.db"
    old_store(old, 1)
    with contextlib.closing(sqlite3.connect(old)) as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.executemany(
            "INSERT INTO rules (client_name, owner_id, protocol, listen_port, target_host, "
            "target_port, state, created_at, last_state_change_at) "
            "VALUES (?, 'alice', 'tcp', 80, '10.0.0.1', 80, 'pending', 1, 1)",
            [(f"edge-{number}",) for number in range(6_000)])
        database.commit()
    path = server.data / "state.db"
    words = [server.binary, "--data-dir", server.data, "list-clients"]
    shutil.copy(old, path)
    whole = timed(lambda: lab.run(words).ok())
    found = set()
    for _ in range(ROUNDS):
        shutil.copy(old, path)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        kill_within(lab, words, whole)
        (version, count), = ask(path, "SELECT max(version), count(*) FROM schema_migrations")
        assert version == count
        found.add(version)
        tables = {name for name, in ask(path, "SELECT name FROM sqlite_schema")}
        for number, table in ((2, "rule_targets"), (3, "traffic_quotas"), (4, "grants"),
                              (5, "login_attempts"), (6, "audit"), (7, "settings")):
            assert (table in tables) == (version >= number), (version, table)
        targets = "SELECT count(*) FROM " + ("rule_targets" if version > 1 else "rules")
        assert ask(path, targets) == [(6_000,)]
        assert ask(path, "PRAGMA integrity_check") == [("ok",)]
        # The next opening goes on from there.
        lab.run(words).ok()
        assert ask(path, "SELECT max(version), count(*) FROM schema_migrations") == [
            (len(MIGRATIONS), len(MIGRATIONS))]
        assert ask(path, "SELECT count(*) FROM rule_targets") == [(6_000,)]
    print(f"versions after the kills: {sorted(found)}; a whole migration takes {whole:.2f} s")


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_4_a_kill_in_a_restore_leaves_the_old_store_or_the_new(lab):
    new = Server(lab, "new")
    enlarge(new, 20)
    saved = lab.folder / "saved.db"
    new.offline("backup", "--out", saved).ok()
    new.offline("bootstrap-superadmin")
    old = Server(lab, "old", bootstrap=False)
    old.bootstrap("the old one")
    before = (old.data / "state.db").read_bytes()
    words = [old.binary, "--data-dir", old.data, "restore", "--in", saved, "--force"]
    whole = timed(lambda: lab.run(words).ok())
    outcomes = {"old": 0, "new": 0}
    for _ in range(ROUNDS):
        (old.data / "state.db").write_bytes(before)
        kill_within(lab, words, whole)
        path = old.data / "state.db"
        (name,), = ask(path, "SELECT display_name FROM users")
        outcomes["old" if name == "the old one" else "new"] += 1
        assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    lab.run(words).ok()
    old.start()
    old.stop()
    print(f"restores killed: {outcomes}; a whole one takes {whole:.2f} s")


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_4_a_kill_in_a_backup_leaves_a_whole_copy_or_none(lab):
    server = Server(lab)
    enlarge(server, 20)
    server.start()  # which goes on meanwhile
    path = lab.folder / "copy.db"
    words = [server.binary, "--data-dir", server.data, "backup", "--out", path]
    whole = timed(lambda: lab.run(words).ok())
    rows, = ask(path, "SELECT count(*) FROM audit WHERE actor = 'old'")
    copies = 0
    for number in range(ROUNDS):
        path.unlink(missing_ok=True)
        kill_within(lab, words, whole)
        server.api.post("/v1/users", {"user_id": f"user{number}", "display_name": "x"}).ok(201)
        if path.exists():
            copies += 1
            assert ask(path, "PRAGMA integrity_check") == [("ok",)]
            assert ask(path, "SELECT count(*) FROM audit WHERE actor = 'old'") == [rows]
    path.unlink(missing_ok=True)
    lab.run(words).ok()
    assert ask(path, "SELECT count(*) FROM users") == [(ROUNDS + 1,)]
    server.stop()
    print(f"{copies} of {ROUNDS} copies were complete; a whole one takes {whole:.2f} s")


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_2_a_kill_in_a_first_start_is_no_obstacle(lab):
    """Store, certificate and key are being made."""
    for number in range(12):
        server = Server(lab, f"server-{number}", bootstrap=False)
        kill_within(lab, [server.binary, "--data-dir", server.data, "serve"], 0.12)
        server.start()
        assert ask(server.data / "state.db", "PRAGMA integrity_check") == [("ok",)]
        server.kill()
