"""The server's database, changed from outside; for states that no route leads to."""

import contextlib
import sqlite3


def change_store(server, *statements):
    """Runs SQL on the store of a server, which may be running."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db", timeout=10)) as database:
        for sql in statements:
            database.execute(sql)
        database.commit()


@contextlib.contextmanager
def without_table(server, name):
    """The table is not there; each statement that needs it fails until the end."""
    change_store(server, f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        change_store(server, f"ALTER TABLE {name}_away RENAME TO {name}")
