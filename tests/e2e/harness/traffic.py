"""Continuous traffic through a rule: whatever goes wrong with it is kept and counted."""

import os
import threading
import time

from .streams import connect, receive_exactly

BLOCK = os.urandom(1 << 16)


class Traffic:
    """Long connections that talk all the time, and short ones that come and go.

    The target behind the rule must be an echo. Every exchange is verified and counted only when
    it is complete, so that after stop() `sent` and `received` are exactly what the rule carried.
    """

    def __init__(self, port, long=2, short=2, pause=0.005, message=4096):
        self.port = port
        self.pause = pause
        self.message = message
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.sent = self.received = 0
        self.exchanges = self.connections = 0
        self.errors = []
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
                        for work in [self.long] * long + [self.short] * short]
        for thread in self.threads:
            thread.start()

    def guard(self, work):
        while not self.stopping.is_set():
            try:
                work()
            except (OSError, AssertionError) as error:
                with self.lock:
                    self.errors.append(f"{time.monotonic():.3f} {work.__name__}: {error!r}")
                if len(self.errors) > 100:
                    return

    def exchange(self, connection, number):
        offset = number * 7919 % (len(BLOCK) - self.message)
        data = BLOCK[offset:offset + self.message]
        connection.sendall(data)
        assert receive_exactly(connection, len(data)) == data, "the echo is not what was sent"
        with self.lock:
            self.sent += len(data)
            self.received += len(data)
            self.exchanges += 1

    def finish(self, connection):
        connection.shutdown(1)
        assert connection.recv(1) == b"", "bytes after the end"
        with self.lock:
            self.connections += 1

    def long(self):
        """One connection for the whole time."""
        with connect(self.port) as connection:
            number = 0
            while not self.stopping.is_set():
                self.exchange(connection, number)
                number += 1
                self.stopping.wait(self.pause)
            self.finish(connection)

    def short(self):
        with connect(self.port) as connection:
            self.exchange(connection, self.connections)
            self.finish(connection)
        self.stopping.wait(self.pause)

    def stop(self):
        """Lets every exchange finish; returns (sent, received)."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "traffic hangs"
        return self.sent, self.received

    def close(self):
        self.stopping.set()

    def require_clean(self):
        assert not self.errors, f"{len(self.errors)} errors, the first: {self.errors[:3]}"
