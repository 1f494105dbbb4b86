#!/usr/bin/python3
"""Backups of a server that commits all the time; each becomes a store that a server runs on.

    tests/e2e/soak_backup.py --rate 1000 --seconds 60

Simulated edges report bytes of two owners each, every report one transaction, while an operator
creates users with tokens. The rate is SQLite's own count of committed transactions, taken over each
backup. Every backup is restored into a data directory of its own and held against what was answered
before it began and asked before it ended (store-and-quotas 8.1).
"""

import argparse
import contextlib
import pathlib
import shutil
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import soaking  # noqa: E402
from harness.api import Api  # noqa: E402
from harness.client import Client  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.sim_edge import SimEdge  # noqa: E402
from harness.store_copy import StoreCopy, commits  # noqa: E402
from harness.waiting import until  # noqa: E402

HUGE = 1 << 50
PAD = 1000  # bytes of a row that only makes the store large


def enlarge(server, megabytes):
    """A store that takes a while to copy: audit rows of today, written while no server runs."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        now = int(time.time() * 1e6)
        database.executemany(
            "INSERT INTO audit (at, actor, method, path, outcome, details) "
            "VALUES (?, 'old', 'POST', '/v1/rules', 'allow', ?)",
            ((now - number, f'{{"pad":"{"x" * PAD}"}}')
             for number in range(megabytes * (1 << 20) // PAD)))
        database.commit()


class Load:
    """Everyone who makes the server write."""

    def __init__(self, lab, server, edges, period):
        self.server = server
        self.owners = {}  # client -> its two owners
        self.sims = [lab.owns(SimEdge(Client(lab, server, f"sim-{number:02}").bundle, period))
                     for number in range(edges)]
        until(lambda: all(sim.connected for sim in self.sims), "the simulated edges", 30)
        for sim in self.sims:
            rules = {self.billed(sim.name, times): times for times in (1, 2)}
            self.owners[sim.name] = [f"{sim.name}-{times}" for times in (1, 2)]
            sim.reported = rules
        self.asked = self.answered = 0
        self.failures = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.operate, daemon=True)
        self.thread.start()

    def billed(self, client, times):
        """A rule of an owner of its own, whose quota was there before the first byte."""
        api, owner, port = self.server.api, f"{client}-{times}", 30000 + times
        api.post("/v1/users", {"user_id": owner, "display_name": owner}).ok(201)
        api.post("/v1/grants", {"user_id": owner, "client": client, "listen_port_start": port,
                                "listen_port_end": port, "protocols": ["tcp"]}).ok(201)
        api.put(f"/v1/users/{owner}/quotas/{client}", {"monthly_bytes": HUGE}).ok(200)
        issued = api.post(f"/v1/users/{owner}/credentials", {}).ok(201)
        body = {"client": client, "listen_port": port, "ack_timeout_secs": 10,
                "targets": [{"host": "127.0.0.1", "port": 9}, {"host": "127.0.0.1", "port": 10}]}
        return Api(api.port, self.server.lab.secret(issued["token"])).post(
            "/v1/rules", body).ok(201)["rule_id"]

    def operate(self):
        """One user after the other, numbered, each with a token."""
        while not self.stopping.is_set() and not self.failures:
            self.asked += 1
            user = f"user{self.asked}"
            for path, body in (("/v1/users", {"user_id": user, "display_name": user}),
                               (f"/v1/users/{user}/credentials", {"label": "own"})):
                answer = self.server.api.post(path, body)
                if answer.status != 201:
                    self.failures.append(answer.body)
            self.answered += 1

    def close(self):
        self.stopping.set()
        self.thread.join(30)

    def require_sound(self):
        assert not self.failures, self.failures
        assert all(sim.connected for sim in self.sims), "a simulated edge was turned away"


def check(load, path, least, most):
    """What a copy must hold, wherever it comes from."""
    copy = StoreCopy(path)
    try:
        assert copy.flaws == []
        users = {int(user[4:]) for user, in copy.ask(
            "SELECT user_id FROM users WHERE user_id GLOB 'user[0-9]*'")}
        assert users == set(range(1, len(users) + 1)), "a user is missing between others"
        assert least <= len(users) <= most, f"{least} <= {len(users)} <= {most}"
        tokens, = copy.ask("SELECT count(*) FROM credentials WHERE label = 'own'")[0]
        assert len(users) - 1 <= tokens <= len(users), "tokens do not follow users"
        for client, owners in load.owners.items():
            once, twice = (copy.used(owner, client) for owner in owners)
            assert twice == 2 * once, f"half a report of {client}: {once} and {twice}"
    finally:
        copy.close()


def try_out(load, server):
    """A server runs on the restored store, and has its people and rules."""
    server.start()
    server.api.token = load.server.token
    server.api.get("/v1/users/me").ok(200)
    assert len(server.rules()) == 2 * len(load.sims)
    for client, owners in load.owners.items():
        status = server.api.get(f"/v1/users/{owners[0]}/quotas/{client}/status").ok(200)
        assert status["monthly_bytes"] == HUGE
    server.stop()


def soak(lab, seconds, rate, edges=8, period=0.004, megabytes=20, report=lambda text: None):
    """Returns a summary; AssertionError at the first thing that is wrong."""
    server = Server(lab, shutdown_drain_timeout_secs=2)
    enlarge(server, megabytes)
    server.start()
    load = lab.owns(Load(lab, server, edges, period))
    begin, first = time.monotonic(), commits(server.data)
    until(lambda: commits(server.data) - first > 200, "transactions", 20)
    rates, sizes, during, number = [], [], [], 0
    while number < 3 or time.monotonic() - begin < seconds:
        number += 1
        path = lab.folder / f"copy-{number}.db"
        least, before, at = load.answered, commits(server.data), time.monotonic()
        server.offline("backup", "--out", path).ok()
        during.append(commits(server.data) - before)
        # Long enough for a rate, however fast the disk is.
        until(lambda: commits(server.data) - before > 100, "the writers go on", 10)
        took = time.monotonic() - at
        rates.append((commits(server.data) - before) / took)
        sizes.append(path.stat().st_size)
        check(load, path, least, load.asked)
        restored = Server(lab, f"restored-{number}", bootstrap=False)
        server.lab.run([server.binary, "--data-dir", restored.data, "restore", "--in", path]).ok()
        check(load, restored.data / "state.db", least, load.asked)
        if number <= 3:
            try_out(load, restored)
        path.unlink()
        shutil.rmtree(restored.data)
        load.require_sound()
        report(f"backup {number}: {sizes[-1]} bytes, {during[-1]} transactions while it ran, "
               f"{rates[-1]:.0f}/s")
    lasted = time.monotonic() - begin
    overall = (commits(server.data) - first) / lasted
    load.close()
    server.stop()
    mean = sum(rates) / len(rates)
    text = (f"{number} backups in {lasted:.0f} s of up to {max(sizes)} bytes, during each at least "
            f"{min(during)} transactions; meanwhile {mean:.0f}/s in the mean, {min(rates):.0f} at "
            f"least; {overall:.0f}/s over all; {load.answered} users made, "
            f"{sum(len(sim.reports) for sim in load.sims)} reports")
    assert min(during) > 0, text
    assert mean >= rate, f"fewer than {rate} transactions/s: {text}"
    return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=1000,
                        help="transactions per second that must be reached")
    parser.add_argument("--edges", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=20, help="of the store")
    options = parser.parse_args(argv)
    return soaking.run("backup", lambda lab, report: soak(
        lab, options.seconds, options.rate, options.edges, megabytes=options.megabytes,
        report=report))


if __name__ == "__main__":
    sys.exit(main())
