"""Stores as earlier releases left them."""

import contextlib
import hashlib
import sqlite3

from .lab import REPOSITORY

MIGRATIONS = sorted((REPOSITORY / "src/server/store/migrations").glob("V*.sql"))


def old_store(path, versions):
    """A store as the release with the first `versions` migrations made it."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA application_id = 0x504F5254")
        database.execute("CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, "
                         "name TEXT NOT NULL, applied_on TEXT NOT NULL, checksum TEXT NOT NULL) "
                         "STRICT")
        for number, file in enumerate(MIGRATIONS[:versions], 1):
            database.executescript(file.read_text("utf-8"))
            database.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
                             (number, file.stem.partition("__")[2], "2026-01-01T00:00:00Z",
                              hashlib.sha256(file.read_bytes()).hexdigest()))
        database.execute("INSERT INTO users (user_id, display_name, role, created_at) "
                         "VALUES ('alice', 'Alice', 'superadmin', 5)")
        database.commit()
