"""Byte streams that cannot be reordered, shortened or doubled without being noticed."""

import hashlib
import os
import socket
import struct

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


def refused(port, host="127.0.0.1"):
    """Whether nothing listens there."""
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return True
    return False
