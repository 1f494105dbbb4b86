"""backup, restore and reset over the real program (store-and-quotas 2, 4; cli-and-config 2.2)."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess

import pytest

from harness.client import Client
from harness.old_stores import MIGRATIONS, old_store
from harness.server import Server

HEADER = b"SQLite format 3\0"
# A store remembers the content of each step: one that was released may never change.
RELEASED = {
    "V001": "53651fd07161d44d4c302daa795a264823889e003e2e7043f87c9ad9eed78e80",
    "V002": "229adef0527194e5a4a9b7d3e417a787a8d35c4d85245d3b5ee3c99b46c33941",
    "V003": "f2e1bd62cc33f8476ffcb926b487a0b7d882c67b4754930e67b548a07c9a8f3f",
    "V004": "ba0cea9dd8b5c10cdb44ecfd4f999d12914e2d2b57811ad7b1011e744e5dd3c9",
    "V005": "95f020a811225bc46e9c4b74c099e548a36dc2ff91eef07e87a7f24210e19640",
    "V006": "1ca04546e56bcb34901aeb0816497c80c71609e7e9709bc82f0b86ab6182ab33",
    "V007": "fef5e3447c2db1e81c5172ed9e53759f335a113eac2325c24091ec5a88915c9e",
}


def ask(path, sql):
    """One row of a database file that nobody writes to."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchone()


def change(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as database:
        for sql in statements:
            database.execute(sql)
        database.commit()


def events(done, name):
    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def refused(done, code, error):
    assert (done.code, done.out) == (code, ""), done
    assert done.error == error, done.err


@pytest.fixture
def store(lab):
    """A server that does not run."""
    return Server(lab)


@pytest.fixture
def saved(lab, store):
    path = lab.folder / "saved.db"
    assert store.offline("backup", "--out", path).ok() == f"backup={path}\n"
    return path


# --- backup

def test_SQ_4_backup_of_a_stopped_server(lab, store):
    path = lab.folder / "new" / "folder" / "copy.db"
    done = store.offline("backup", "--out", path)
    assert done.ok() == f"backup={path}\n"
    event, = events(done, "cli.backup_complete")
    assert (event["src"], event["dst"], event["outcome"], event["level"]) == (
        f"{store.data}/state.db", str(path), "ok", "INFO")
    # One ordinary file: nothing beside it, nothing that belongs to it elsewhere.
    assert os.listdir(path.parent) == ["copy.db"]
    assert path.read_bytes()[:20] == HEADER + b"\x10\x00\x01\x01"
    assert ask(path, "PRAGMA integrity_check") == ("ok",)
    assert ask(path, "SELECT count(*) FROM users") == (1,)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (path, store.data / "state.db")]
    assert modes[0] == modes[1]


def test_SQ_4_backup_into_a_directory_is_named_by_the_time(lab, store):
    folder = lab.folder / "backups"
    folder.mkdir()
    out = store.offline("backup", "--out", folder).ok()
    match = re.fullmatch(r"backup=(.*/portunus-state-\d{8}T\d{6}Z\.db)\n", out)
    assert match and os.listdir(folder) == [os.path.basename(match[1])]


def test_SQ_4_backup_refusals(lab, store, saved):
    empty = Server(lab, "empty", bootstrap=False)
    refused(empty.offline("backup", "--out", lab.folder / "x.db"), 5,
            f"error: source not found: {empty.data}/state.db")
    refused(empty.offline("backup", "--out", saved), 5,
            f"error: source not found: {empty.data}/state.db")
    before = saved.read_bytes()
    refused(store.offline("backup", "--out", saved), 6, f"error: destination exists: {saved}")
    assert saved.read_bytes() == before
    done = store.offline("backup", "--out", saved / "below" / "a-file.db")
    assert (done.code, done.out) == (1, "") and done.error.startswith("error: ")
    (empty.data / "state.db").write_bytes(b"no database at all" * 200)
    done = empty.offline("backup", "--out", lab.folder / "x.db")
    assert (done.code, done.out) == (1, "") and done.error.startswith("error: ")
    assert not list(lab.folder.glob("*x.db*")) and not list(lab.folder.glob(".*"))


def test_SQ_2_backup_needs_no_lock_and_leaves_the_server_alone(lab, server, edge):
    mark = server.life.mark()
    server.offline("backup", "--out", lab.folder / "copy.db").ok()
    assert server.connected("edge-01")
    assert ask(lab.folder / "copy.db", "SELECT name FROM clients") == ("edge-01",)
    assert [event["level"] for event in server.life.events(since=mark)
            if event["level"] in ("WARN", "ERROR")] == []


# --- reset

def test_CLI_2_2_reset_names_what_it_cannot_remove_and_goes_on_later(store):
    stays = store.data / "state.db-wal"
    stays.mkdir()
    for _ in range(2):
        done = store.offline("reset", "--confirm")
        refused(done, 1, f"error: Is a directory: remove {stays}")
        assert events(done, "cli.reset_complete") == []
        assert not (store.data / "state.db").exists()
    stays.rmdir()
    stays.write_bytes(b"left over")
    event, = events(store.offline("reset", "--confirm"), "cli.reset_complete")
    assert event["outcome"] == "ok"
    assert [path.name for path in store.data.glob("state.db*")] == []
    event, = events(store.offline("reset", "--confirm"), "cli.reset_complete")
    assert event["outcome"] == "noop"


# --- restore

def test_SQ_4_restore_brings_everything_back(lab, server, target):
    edge = Client(lab, server).start()
    rule = server.push("edge-01", lab.port(), target().address)
    path = lab.folder / "copy.db"
    server.offline("backup", "--out", path).ok()
    server.cli("remove-rule", str(rule)).ok()
    server.cli("revoke", "edge-01").ok()
    server.stop()
    certificate = (server.data / "server.crt").read_bytes()
    configuration = (server.data / "server.toml").read_bytes()
    done = server.offline("restore", "--in", path, "--force")
    assert done.ok() == f"restore=ok data_dir={server.data}\n"
    event, = events(done, "cli.restore_complete")
    assert (event["src"], event["dst"], event["outcome"]) == (
        str(path), f"{server.data}/state.db", "ok")
    assert (server.data / "server.crt").read_bytes() == certificate
    assert (server.data / "server.toml").read_bytes() == configuration
    edge.kill()
    server.start()
    edge.start()
    server.wait_rule(rule)


def test_SQ_4_restore_into_a_directory_that_is_not_there(lab, saved):
    other = Server(lab, "other", bootstrap=False)
    shutil.rmtree(other.data)
    assert other.offline("restore", "--in", saved).ok() == f"restore=ok data_dir={other.data}\n"
    assert stat.S_IMODE(other.data.stat().st_mode) == 0o750
    done = other.offline("bootstrap-superadmin")
    assert done.code == 2  # the superadmin of the backup is there


def test_CLI_2_2_restore_refuses_in_its_order(lab, store, saved):
    store.start()
    before = (store.data / "state.db").read_bytes()
    bad = lab.folder / "bad.db"
    refused(store.offline("restore", "--in", bad), 5, f"error: source not found: {bad}")
    for content in (b"", HEADER[:15], b"SQLite format 4\0" + b"x" * 100):
        bad.write_bytes(content)
        done = store.offline("restore", "--in", bad)
        refused(done, 7, f"error: not a sqlite file: {bad}")
        event, = events(done, "cli.restore_failed")
        assert event["src"] == str(bad) and event["level"] == "WARN"
        assert event["error"] == f"not a sqlite file: {bad}"
    refused(store.offline("restore", "--in", saved), 6,
            f"error: destination not empty: {store.data}/state.db")
    change(saved, "INSERT INTO schema_migrations VALUES (99, 'later', 'now', 'x')")
    refused(store.offline("restore", "--in", saved, "--force"), 75,
            f"error: store_in_use: {store.data}/state.db")
    store.stop()
    version = len(MIGRATIONS)
    done = store.offline("restore", "--in", saved, "--force")
    refused(done, 78, f"error: schema_too_new: backup at version 99 > supported {version}")
    event, = events(done, "startup.schema_version_too_new")
    assert (event["on_disk"], event["binary_supports"]) == (99, version)
    assert (store.data / "state.db").read_bytes()[:16] == before[:16]
    store.start()
    store.api.get("/v1/users/me").ok(200)


@pytest.mark.parametrize("spoil, code, error", [
    (lambda path: change(path, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1"),
     70, r"error: migration_failed: migration 1 \(initial\) was applied with other content"),
    (lambda path: change(path, "PRAGMA application_id = 77"), 1, "error: not_a_database: .+"),
    (lambda path: path.write_bytes(path.read_bytes()[:40960]), 1, "error: .+"),
    (lambda path: path.write_bytes(HEADER + b"\xff" * 8000), 1, "error: .+"),
])
def test_SQ_4_a_refused_backup_leaves_the_old_state(lab, store, saved, spoil, code, error):
    store.start()
    store.stop()
    before = (store.data / "state.db").read_bytes()
    names = sorted(os.listdir(store.data))
    spoil(saved)
    done = store.offline("restore", "--in", saved, "--force")
    assert (done.code, done.out) == (code, "")
    assert re.fullmatch(error, done.error), done.error
    assert (store.data / "state.db").read_bytes() == before
    assert sorted(os.listdir(store.data)) == names


def test_SQ_2_released_migrations_stay_as_they_are():
    present = {file.stem.partition("__")[0]: hashlib.sha256(file.read_bytes()).hexdigest()
               for file in MIGRATIONS}
    assert {version: present.get(version) for version in RELEASED} == RELEASED


@pytest.mark.parametrize("versions", range(1, len(MIGRATIONS) + 1))
def test_SQ_2_every_earlier_schema_is_brought_up_to_date(lab, versions):
    path = lab.folder / "old.db"
    old_store(path, versions)
    latest = len(MIGRATIONS)
    restored = Server(lab, "restored", bootstrap=False)
    restored.offline("restore", "--in", path).ok()
    opened = Server(lab, "opened", bootstrap=False)
    shutil.copy(path, opened.data / "state.db")
    for server in (restored, opened):
        server.start()
        event = server.life.wait_event("store.opened")
        assert event["schema_version"] == (latest if server is restored else versions)
        server.stop()
        database = server.data / "state.db"
        assert ask(database, "SELECT max(version), count(*) FROM schema_migrations") == (
            latest, latest)
        assert ask(database, "SELECT display_name FROM users") == ("Alice",)
        assert ask(database, "PRAGMA integrity_check") == ("ok",)


def test_CLI_2_2_force_discards_the_log_of_a_killed_server(lab, server):
    path = lab.folder / "copy.db"
    server.offline("backup", "--out", path).ok()
    server.cli("enroll-client", "edge-02").ok()
    server.kill()
    assert (server.data / "state.db-wal").stat().st_size > 0
    server.offline("restore", "--in", path, "--force").ok()
    assert not (server.data / "state.db-wal").exists()
    assert not (server.data / "state.db-shm").exists()
    assert ask(server.data / "state.db", "SELECT count(*) FROM enrollments") == (0,)


def test_SQ_4_a_backup_on_a_read_only_file_is_enough(lab, saved):
    saved.chmod(0o444)
    other = Server(lab, "other", bootstrap=False)
    other.offline("restore", "--in", saved).ok()
    assert os.access(other.data / "state.db", os.W_OK)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_SQ_4_a_full_disk(lab, saved, command):
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no mount namespace here")
    folder = lab.folder / "small"
    folder.mkdir()
    words = {"backup": ["--data-dir", lab.folder / "server", "backup", "--out", folder / "x.db"],
             "restore": ["--data-dir", folder, "restore", "--in", saved]}[command]
    script = 'mount -t tmpfs -o size=64k none "$0" && "$@"; code=$?; ls -A "$0" >&2; exit $code'
    done = lab.run(["unshare", "-m", "sh", "-c", script, folder, lab.bin / "portunus-server",
                    *words])
    assert (done.code, done.out) == (1, "")
    plain = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert plain[0].startswith("error: ")
    assert plain[1:] in ([], ["state.db.lock"])  # what is left on the small disk


# --- reset

def test_SQ_4_reset_shows_first_and_keeps_what_is_not_the_store(lab, server):
    dry = f"would remove: {server.data}/state.db\ndry-run: pass --confirm to proceed\n"
    assert server.offline("reset").ok() == dry  # also while the server runs
    refused(server.offline("reset", "--confirm"), 75,
            f"error: store_in_use: {server.data}/state.db")
    server.kill()
    assert (server.data / "state.db-wal").exists()
    kept = {name: (server.data / name).read_bytes()
            for name in ("server.toml", "server.crt", "server.key", ".portunus-autocert")}
    done = server.offline("reset", "--confirm")
    assert done.ok() == ""
    event, = events(done, "cli.reset_complete")
    assert (event["data_dir"], event["outcome"]) == (str(server.data), "ok")
    assert {path.name: path.read_bytes() for path in server.data.iterdir()} == kept
    done = server.offline("reset", "--confirm")
    assert done.ok() == "" and events(done, "cli.reset_complete")[0]["outcome"] == "noop"
    server.bootstrap()
    server.start()


def test_SQ_4_reset_keeps_what_is_not_sqlite(lab):
    server = Server(lab, bootstrap=False)
    database = server.data / "state.db"
    database.write_bytes(b"notes of somebody")
    refused(server.offline("reset", "--confirm"), 7, f"error: not a sqlite file: {database}")
    assert database.read_bytes() == b"notes of somebody"


def test_CLI_2_2_a_leftover_lock_is_no_obstacle(lab, store, saved):
    (store.data / "state.db.lock").write_bytes(b"")
    store.offline("restore", "--in", saved, "--force").ok()
    store.offline("reset", "--confirm").ok()
    assert not (store.data / "state.db.lock").exists()
