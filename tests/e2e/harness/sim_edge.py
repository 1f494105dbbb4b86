"""Edges without sockets: they take every rule, report bytes of their own making, and come back."""

import json
import random
import threading
import time

from .fake_edge import FakeEdge, messages

ACTIVATED, REMOVED = 1, 3
RETRY_SECONDS = 0.1


class Session(FakeEdge):
    """One control session that answers as an edge does; keeps no message."""

    def __init__(self, bundle, on_update):
        super().__init__(bundle)
        self.on_update = on_update
        self.welcomed = threading.Event()

    def read(self):
        # Whatever gRPC makes of a server that dies, the session is over.
        try:
            for message in self.call:
                kind = message.WhichOneof("payload")
                if kind == "welcome":
                    self.welcomed.set()
                elif kind == "rule_update":
                    self.on_update(self, message.rule_update)
        except Exception as error:  # noqa: BLE001
            self.error = error
        self.over.set()


class SimEdge:
    """An edge of one client that is connected whenever it can be, for as long as it is welcome.

    It reports `step()` more bytes for each rule of `reported` every `period` seconds, in one report
    (None = never). `reports` has of each when it was handed over, in which session, and the sum of
    the session's steps until then.
    """

    def __init__(self, bundle, period=None, step=lambda: random.randrange(1, 5000)):
        self.bundle = bundle
        self.name = json.loads(bundle.read_text("utf-8"))["client_name"]
        self.period = period
        self.step = step
        self.reported = {}  # rule id: how often a step counts for it
        self.reports = []
        self.sessions = 0
        self.connected = False
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        messages()  # not made by two threads at once
        self.thread = threading.Thread(target=self.live, name=f"sim-{self.name}", daemon=True)
        self.thread.start()

    def live(self):
        while not self.stopping.is_set():
            session = Session(self.bundle, self.answer)
            try:
                session.open()
                if self.run(session) == "UNAUTHENTICATED":
                    return
            finally:
                self.connected = False
                session.close()
            self.stopping.wait(RETRY_SECONDS)

    def run(self, session):
        """Until the stream ends; the name of the status that it ended with."""
        while not session.welcomed.wait(0.05):
            if session.over.is_set() or self.stopping.is_set():
                return self.status_of(session)
        self.sessions += 1
        self.connected = True
        total = 0  # counters are cumulative within a session
        while not session.over.is_set() and not self.stopping.is_set():
            if self.period is None:
                session.over.wait(0.2)
            else:
                total = self.report(session, total)
                session.over.wait(self.period)
        return self.status_of(session)

    @staticmethod
    def status_of(session):
        return session.call.code().name if session.over.is_set() else None

    def report(self, session, total):
        with self.lock:
            rules = dict(self.reported)
            if not rules:
                return total
            total += self.step()
            self.reports.append((time.monotonic(), self.sessions, total))
        session.report(*((rule, total * times, total * times) for rule, times in rules.items()))
        return total

    @staticmethod
    def answer(session, update):
        session.status(update, REMOVED if update.action == 2 else ACTIVATED)

    def close(self):
        self.stopping.set()
        self.thread.join(10)
