"""An independent client of TLS/TCP: Python's ssl module and the frames of docs/contracts.

The records are moved by hand (MemoryBIO), so that a test sees what came without them: a close_notify,
a bare end, a reset, or bytes before authentication.
"""

import os
import socket
import ssl
import sys
import time

from harness.lab import REPOSITORY
from harness.waiting import PATIENCE

sys.path.insert(0, str(REPOSITORY / "docs" / "contracts"))
sys.dont_write_bytecode, _before = True, sys.dont_write_bytecode
import portal_vectors  # noqa: E402
sys.dont_write_bytecode = _before

PATIENT = 15.0
NOTIFY, END, RESET = "close_notify", "bare end", "reset"


def tls_context(alpn=("now/1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class TlsPeer:
    """One TLS connection to a Portal; not authenticated by itself."""

    def __init__(self, port, host="127.0.0.1", source=None, alpn=("now/1",), handshake=True):
        self.raw = socket.create_connection((host, port), PATIENT * PATIENCE,
                                            source_address=(source, 0) if source else None)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls_context(alpn).wrap_bio(self.incoming, self.outgoing)
        self.ending = None  # NOTIFY, END or RESET once the Portal has ended its side
        self.finished_at = None  # just before the last flight of the handshake left
        if handshake:
            self.shake_hands()

    def shake_hands(self):
        while True:
            try:
                self.tls.do_handshake()
                self.finished_at = time.monotonic()
                self.flush()
                return
            except ssl.SSLWantReadError:
                self.flush()
                if not self.feed():
                    raise ConnectionError(f"handshake ended by {self.ending}") from None

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.raw.sendall(data)

    def feed(self):
        """More records from the socket; False at its end."""
        try:
            data = self.raw.recv(1 << 18)
        except ConnectionResetError:
            self.ending = RESET
            return False
        if not data:
            self.ending = END
            return False
        self.incoming.write(data)
        return True

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view[:1 << 20]):]
            self.flush()
        return self

    def receive(self, size=1 << 18):
        """Some bytes; b"" once the Portal has ended its side, whatever way (`ending`)."""
        while self.ending is None:
            try:
                data = self.tls.read(size)
                if data:
                    return data
                self.ending = NOTIFY
            except ssl.SSLWantReadError:
                if not self.feed():
                    break
            except ssl.SSLZeroReturnError:
                self.ending = NOTIFY
        return b""

    def receive_exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.receive(size - len(data))
            assert part, f"{len(data)} of {size} bytes, then {self.ending}"
            data += part
        return data

    def receive_rest(self):
        return b"".join(iter(self.receive, b""))

    def end_side(self):
        """close_notify: the end of what we send, and of nothing else."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        self.flush()

    def bare_end(self):
        """TCP's end without one of TLS."""
        self.raw.shutdown(socket.SHUT_WR)

    def reset(self):
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.raw.close()

    def close(self):
        self.raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Frames:
    """What a client of this key and spec sends."""

    def __init__(self, key, spec="auto"):
        self.key = key.encode()
        self.spec = portal_vectors.Spec(spec)

    def auth(self):
        return self.spec.auth_frame(self.key, os.urandom(32))

    def tcp(self, target):
        return self.auth() + self.spec.tcp_request(target)

    def request(self, target):
        return self.spec.tcp_request(target)

    def uot(self, target, *packets):
        return (self.auth() + self.spec.tcp_request(portal_vectors.UOT_TARGET) +
                portal_vectors.counted(target.encode()) +
                b"".join(portal_vectors.counted(packet) for packet in packets))


def packet(data):
    return portal_vectors.counted(data)


def receive_packet(peer):
    size = int.from_bytes(peer.receive_exactly(2), "big")
    return peer.receive_exactly(size)


def seconds_until_end(peer):
    """How long the Portal takes to end the connection, and that it says nothing meanwhile."""
    begin = time.monotonic()
    assert peer.receive() == b""
    return time.monotonic() - begin
