"""Byte streams that cannot be reordered, shortened or doubled without being noticed."""

import contextlib
import hashlib
import os
import socket
import struct
import threading

CHUNK = 1 << 20
_BLOCK = os.urandom(CHUNK)


def chunks(total, size=CHUNK):
    """Pieces of a stream of `total` bytes; each begins with its number."""
    number = 0
    while total > 0:
        length = min(size, total)
        piece = (struct.pack(">Q", number) + _BLOCK[8:])[:length]
        yield piece
        number += 1
        total -= length


def send_stream(connection, total, size=CHUNK):
    """Sends a stream; its SHA-256."""
    digest = hashlib.sha256()
    for piece in chunks(total, size):
        digest.update(piece)
        connection.sendall(piece)
    return digest.hexdigest()


class Sender:
    """Sends a stream in the background and ends its side."""

    def __init__(self, connection, total):
        self.digest = None
        self.thread = threading.Thread(target=self.run, args=(connection, total), daemon=True)
        self.thread.start()

    def run(self, connection, total):
        digest = send_stream(connection, total)
        connection.shutdown(socket.SHUT_WR)
        self.digest = digest

    def join(self, seconds=30):
        """The SHA-256 of what was sent."""
        self.thread.join(seconds)
        assert self.digest is not None, "the stream was not sent to its end"
        return self.digest


def receive_stream(connection, size=1 << 18):
    """Everything until end of stream: (bytes, SHA-256)."""
    digest = hashlib.sha256()
    count = 0
    buffer = bytearray(size)
    view = memoryview(buffer)
    while True:
        received = connection.recv_into(buffer)
        if received == 0:
            return count, digest.hexdigest()
        count += received
        digest.update(view[:received])


def receive_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 18))
        if not part:
            raise ConnectionError(f"end of stream after {len(data)} of {count} bytes")
        data += part
    return bytes(data)


def reset(connection):
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def connect(port, seconds=30.0, host="127.0.0.1"):
    connection = socket.create_connection((host, port), seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def admitted(port, host="127.0.0.1"):
    """Whether a greeting target (targets.greets) took a new connection; False = it was reset."""
    try:
        with connect(port, host=host) as connection:
            greeting = connection.recv(1)
    except ConnectionResetError:
        return False
    assert greeting, "closed without a reset"
    return True


def send_until_cut(connection, total):
    """Sends a stream whose end may come from the other side."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        send_stream(connection, total)
        connection.shutdown(socket.SHUT_WR)


def prefix_digest(count):
    """The SHA-256 of the first `count` bytes of a stream of at least so many."""
    digest = hashlib.sha256()
    for piece in chunks(-(-count // CHUNK) * CHUNK):
        digest.update(piece[:min(count, CHUNK)])
        count -= min(count, CHUNK)
    return digest.hexdigest()


def refused(port, host="127.0.0.1"):
    """Whether nothing listens there."""
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # it was waiting to be accepted when the listener closed
    return False
