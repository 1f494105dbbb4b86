"""A copy of a server's store, taken as it lies on the disk, and what it holds.

The rows of the identities and rules come as {natural key: value}, so that two stores, or a store
and a model of one, can be compared without ids that only the server knows; `ids` has those.
"""

import contextlib
import shutil
import sqlite3
import sys

# What may stand beside each other only when a transaction was torn apart: (what it is, query of
# the offending rows).
TORN = (
    ("a rule without targets",
     "SELECT rule_id FROM rules WHERE rule_id NOT IN (SELECT rule_id FROM rule_targets)"),
    ("a target without its rule",
     "SELECT rule_id FROM rule_targets WHERE rule_id NOT IN (SELECT rule_id FROM rules)"),
    ("a rule whose owner is gone",
     "SELECT rule_id FROM rules WHERE owner_id NOT IN (SELECT user_id FROM users)"),
    ("a credential, grant or session whose user is gone",
     "SELECT user_id FROM (SELECT user_id FROM credentials UNION SELECT user_id FROM grants "
     "UNION SELECT user_id FROM web_sessions) WHERE user_id NOT IN (SELECT user_id FROM users)"),
    ("a client without a code that was redeemed",
     "SELECT name FROM clients WHERE NOT EXISTS (SELECT 1 FROM enrollments "
     "WHERE consumed_at IS NOT NULL AND consumed_at = clients.provisioned_at)"),
    ("one audit row twice",
     "SELECT at, actor, method, path, count(*) AS times FROM audit "
     "GROUP BY at, actor, method, path, outcome HAVING times > 1"),
    ("usage that is not the sum of its minutes",
     "SELECT q.user_id, q.client_name, q.current_period_bytes_used, "
     "coalesce((SELECT sum(bytes_in + bytes_out) FROM traffic_samples_1m "
     " JOIN traffic_series s USING (series_id) "
     " WHERE s.user_id = q.user_id AND s.client_id IS q.client_id "
     " AND s.client_name = q.client_name), 0) AS samples "
     "FROM traffic_quotas q WHERE q.current_period_bytes_used <> samples"),
)


def copy_files(data, into):
    """The store and its log, without the index of the log, which SQLite makes anew."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for name in ("state.db", "state.db-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(data / name, into / name)
    return into / "state.db"


class StoreCopy:
    """Opened for reading; `flaws` is what no store may ever hold."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.ids = {}

    def close(self):
        self.database.close()

    def ask(self, sql, *values):
        return self.database.execute(sql, values).fetchall()

    @property
    def flaws(self):
        found = [f"integrity_check: {row[0]}" for row in self.ask("PRAGMA integrity_check")
                 if row != ("ok",)]
        found += [f"foreign key: {row}" for row in self.ask("PRAGMA foreign_key_check")]
        for what, sql in TORN:
            found += [f"{what}: {row}" for row in self.ask(sql)[:3]]
        return found

    def used(self, user, client):
        """Bytes of the period, or None without a quota."""
        rows = self.ask("SELECT current_period_bytes_used FROM traffic_quotas "
                        "WHERE user_id = ? AND client_name = ?", user, client)
        assert len(rows) < 2, rows
        return rows[0][0] if rows else None

    def last_audit(self):
        return self.ask("SELECT coalesce(max(sequence), 0) FROM audit")[0][0]

    def audit(self, after):
        """(actor, method, path, outcome, reason) of the rows behind that sequence, in order."""
        return self.ask("SELECT actor, method, path, outcome, reason FROM audit "
                        "WHERE sequence > ? ORDER BY sequence", after)

    def rows(self):
        """Everything of people, clients and rules; see `operators.py` for the keys."""
        out = {}

        def put(key, value, identity=None):
            assert key not in out, f"twice in the store: {key} {out[key]} {value}"
            out[key] = value
            self.ids[key] = identity
        for user, role, has_password in self.ask(
                "SELECT user_id, role, password_hash IS NOT NULL FROM users"):
            put(("user", user), (role, bool(has_password)))
        for identity, user, label, token, revoked in self.ask(
                "SELECT credential_id, user_id, label, token_hash, revoked_at IS NOT NULL "
                "FROM credentials"):
            put(("token", user, label), (token, bool(revoked)), identity)
        for identity, user, note, client, bound, first, last in self.ask(
                "SELECT grant_id, user_id, note, client_name, client_id IS NOT NULL, "
                "listen_port_start, listen_port_end FROM grants"):
            put(("grant", user, note), (client, bool(bound), first, last), identity)
        for user, agent, revoked in self.ask(
                "SELECT user_id, user_agent, revoked_at IS NOT NULL FROM web_sessions"):
            put(("session", user, agent), bool(revoked))
        for subject, failures in self.ask("SELECT subject, failures FROM login_attempts"):
            put(("attempts", subject), failures)
        self.client_rows(put)
        return out

    def client_rows(self, put):
        codes = {}
        for name, code, used in self.ask(
                "SELECT client_name, code_hash, consumed_at IS NOT NULL FROM enrollments "
                "ORDER BY enrollment_id"):
            codes.setdefault(name, []).append((code, bool(used)))
        for name, held in codes.items():
            put(("codes", name), tuple(held))
        for identity, name, token, revoked in self.ask(
                "SELECT client_id, name, token_hash, revoked_at IS NOT NULL FROM clients"):
            put(("client", name), (token, bool(revoked)), identity)
        targets = {}
        for rule, host, port in self.ask(
                "SELECT rule_id, host, port FROM rule_targets ORDER BY rule_id, row"):
            targets.setdefault(rule, []).append((host, port))
        for rule, owner, client, bound, port, state, rate in self.ask(
                "SELECT rule_id, owner_id, client_name, client_id IS NOT NULL, listen_port, "
                "state, new_connections_per_sec FROM rules"):
            put(("rule", owner, client, port),
                (bool(bound), state == "failed", tuple(targets.get(rule, ())), rate), rule)
        for owner, client, bound, most in self.ask(
                "SELECT owner_id, client_name, client_id IS NOT NULL, concurrent_connections "
                "FROM owner_limits"):
            put(("cap", owner, client), (bool(bound), most))
        for user, client, bound, limit in self.ask(
                "SELECT user_id, client_name, client_id IS NOT NULL, monthly_bytes "
                "FROM traffic_quotas"):
            put(("quota", user, client), (bool(bound), limit))


def commits(data):
    """How many transactions the present life of a store has committed, by SQLite's own count: the
    field iChange of the index of its log."""
    with open(data / "state.db-shm", "rb") as file:
        header = file.read(48)
    return int.from_bytes(header[8:12], sys.byteorder)
