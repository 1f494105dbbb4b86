"""Dispatch by TLS server name: from connect() until the first byte from the target is back.

The target is the echo server, so no TLS is spoken: a ClientHello goes there and comes back. The
client's own time is in every figure, direct's too; what is added to direct is free of it.
"""

import socket
import ssl
import struct
import time

from .errors import BenchError
from .routes import SERVER_NAME

WARM_UP = 50
STEP_SECONDS = 5


def client_hello(name):
    """The first flight of a real TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing,
                                                              server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def _dial_ns(port, hello):
    begin = time.perf_counter_ns()
    with socket.socket() as connection:
        # Not settimeout(): it would add a poll() to every step.
        limit = struct.pack("ll", STEP_SECONDS, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        try:
            connection.connect(("127.0.0.1", port))
            connection.sendall(hello)
            first = connection.recv(1)
        except OSError as error:
            raise BenchError(f"dial: {error}") from error
        taken = time.perf_counter_ns() - begin
    if first != hello[:1]:
        raise BenchError("dial: closed without an answer")
    return taken


def dispatch(forwarder):
    port, hello = forwarder.listen["sni"], client_hello(SERVER_NAME)
    for _ in range(WARM_UP):
        _dial_ns(port, hello)
    taken = sorted(_dial_ns(port, hello) for _ in range(forwarder.setting.sizes.dials))
    return {"sni_p50": taken[int((len(taken) - 1) * 0.50)] / 1e3,
            "sni_p99": taken[int((len(taken) - 1) * 0.99)] / 1e3}
