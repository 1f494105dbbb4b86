"""What stands behind a rule: small TCP servers, a thread per connection, one behaviour each."""

import contextlib
import socket
import threading

from .streams import receive_exactly, receive_stream, reset, send_stream

PATIENT = 120.0


class Target:
    """Listens on loopback and gives every connection to `behave(connection)`.

    What `behave` returns is kept in `results`; what it raises, in `errors`.
    """

    def __init__(self, port, behave, host="127.0.0.1"):
        self.port = port
        self.host = host
        self.behave = behave
        self.results = []
        self.errors = []
        self.open = 0
        self.accepted = 0
        self.lock = threading.Lock()
        self.connections = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family, backlog=1024)
        threading.Thread(target=self.accept, name=f"target-{port}", daemon=True).start()

    @property
    def address(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            with self.lock:
                self.accepted += 1
                self.open += 1
                self.connections.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(PATIENT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            result = self.behave(connection)
            with self.lock:
                self.results.append(result)
        except OSError as error:
            with self.lock:
                self.errors.append(error)
        finally:
            with contextlib.suppress(OSError):
                connection.close()
            with self.lock:
                self.open -= 1
                self.connections.discard(connection)

    def close(self):
        # shutdown wakes the accept call, close alone would not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            left = list(self.connections)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def echo(connection):
    """Sends back what comes, then ends its side."""
    count = 0
    while True:
        data = connection.recv(1 << 16)
        if not data:
            connection.shutdown(socket.SHUT_WR)
            return count
        connection.sendall(data)
        count += len(data)


def greets(data):
    """Sends `data` at once, so that a user knows who took it; then an echo."""
    def behave(connection):
        connection.sendall(data)
        return echo(connection)
    return behave


def sink(connection):
    """Swallows everything; result (bytes, SHA-256)."""
    result = receive_stream(connection)
    connection.shutdown(socket.SHUT_WR)
    return result


def source(total):
    """Sends a stream and ends its side; waits for the end of the other. Result: the SHA-256."""
    def behave(connection):
        digest = send_stream(connection, total)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        return digest
    return behave


def both_ways(total):
    """Sends a stream while it receives one; result (sent SHA-256, (bytes, SHA-256) received)."""
    def behave(connection):
        sent = []

        def send():
            sent.append(send_stream(connection, total))
            connection.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        received = receive_stream(connection)
        sender.join(PATIENT)
        return sent[0], received
    return behave


def speaks_first_and_ends(data):
    """Sends and ends its side at once, then reads to the end: half-close from the target."""
    def behave(connection):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return receive_stream(connection)
    return behave


def answers_after_end(connection):
    """Reads to the end, only then answers everything: half-close from the user."""
    data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    return len(data)


def resets_after(count):
    """Reads so many bytes and resets the connection."""
    def behave(connection):
        data = receive_exactly(connection, count)
        reset(connection)
        return len(data)
    return behave


class Gate:
    """Holds connections without reading until it is opened: a slow reader."""

    def __init__(self):
        self.event = threading.Event()

    def open(self):
        self.event.set()

    def __call__(self, connection):
        self.event.wait(PATIENT)
        return sink(connection)
