"""Peers of the operator listener that send or take too much, too little or too slowly, beside an
operator who must not notice (http-api 1)."""

import contextlib
import select
import socket
import threading
import time

import pytest

from harness.waiting import PATIENCE, until

PLACES = 512  # connections of the listener
HEAD = "GET /v1/users/me HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def crowd(lab, server):
    """crowd(count, bytes): that many connections, each of which has sent this much."""
    stack = contextlib.ExitStack()

    def come(count, sent=b"", receive_buffer=None):
        peers = []
        for _ in range(count):
            peer = stack.enter_context(socket.socket())
            if receive_buffer is not None:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            peer.settimeout(20 * PATIENCE)
            peer.connect(("127.0.0.1", server.api_port))
            with contextlib.suppress(OSError):  # it may have had to make room already
                peer.sendall(sent)
            peers.append(peer)
        return peers
    with stack:
        yield come


def undisturbed(server, requests=20, seconds=8):
    """An operator's requests, each on a connection of its own, are answered and soon."""
    for _ in range(requests):
        begin = time.monotonic()
        server.api.get("/v1/users/me", timeout=30 * PATIENCE).ok(200)
        assert time.monotonic() - begin < seconds * PATIENCE


def ended(peer):
    """True when the server has closed the connection."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while peer.recv(65536):
            pass
    return True


def one_ended(peers):
    """True when the server has closed at least one of these connections, which it never answers."""
    waiting = select.poll()
    for peer in peers:
        waiting.register(peer, select.POLLIN)
    return bool(waiting.poll(20_000 * PATIENCE))


def answer(server, data):
    with socket.create_connection(("127.0.0.1", server.api_port), 20 * PATIENCE) as peer:
        with contextlib.suppress(OSError):
            peer.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := peer.recv(65536):
                received += chunk
        return received


@pytest.mark.parametrize("sent", [
    b"", HEAD.encode(), b"GET /v1/us", b"\x16\x03\x01\x02\x00",
], ids=["silent", "half a header", "half a line", "tls"])
def test_a_crowd_without_a_request_makes_room(server, crowd, sent):
    peers = crowd(PLACES + 40, sent)
    undisturbed(server)
    # Those that came first made room for those that came last.
    assert ended(peers[0])
    assert server.life.alive
    until(lambda: server.life.descriptors() < PLACES + 100, "the others' descriptors are closed")


def test_a_crowd_of_finished_requests_makes_room(server, crowd):
    request = f"{HEAD}Authorization: Bearer {server.token}\r\n\r\n".encode()
    for peer in crowd(PLACES + 20, request)[-20:]:
        assert peer.recv(12) == b"HTTP/1.1 200"
    undisturbed(server)


def test_dribbled_headers_end_at_their_deadline(server, crowd):
    peer, = crowd(1)
    stop = threading.Event()

    def dribble():
        with contextlib.suppress(OSError):
            for byte in (HEAD + "X: " + "y" * 10_000).encode():
                peer.sendall(bytes([byte]))
                if stop.wait(0.05):
                    return

    sender = threading.Thread(target=dribble)
    sender.start()
    try:
        undisturbed(server, 5)
        begin = time.monotonic()
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := peer.recv(4096):
                received += chunk
        assert received.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begin < 15 * PATIENCE
    finally:
        stop.set()
        sender.join()


def test_slow_bodies_make_room(server, crowd):
    """Which one depends on how many heads have been read when the operator comes."""
    head = (f"POST /v1/rules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    peers = crowd(PLACES, head.encode())
    undisturbed(server, 5, 12)
    assert one_ended(peers)


def test_a_refusal_does_not_wait_for_the_body(server):
    head = ("POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n{")
    begin = time.monotonic()
    assert answer(server, head.encode()).startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - begin < 10 * PATIENCE


def test_HTTP_1_a_large_body_without_room_is_told_to_come_back(server, crowd):
    """32 bodies of just under 2 MiB are what all may have at once."""
    length = 2 * 1024 * 1024 - 1
    head = (f"POST /v1/rules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n")
    unfinished = head.encode() + b" " * (length - 1)

    def send():
        return server.api.request("POST", "/v1/rules", raw=b" " * length,
                                  headers={"Content-Type": "application/json"})
    # One after the other: of many that come at once, some give way with what they had sent.
    peers = []
    while (large := send()).status != 503:
        assert len(peers) < 60
        peers += crowd(1, unfinished)
    large.refused(503, "server_busy")
    assert int(large.headers["Retry-After"]) >= 1
    assert large.headers["Connection"] == "close"
    server.api.post("/v1/rules", {}).refused(422, "invalid_body")
    for peer in peers:
        peer.close()
    until(lambda: send().status == 400, "there is room again")


def test_slow_readers_make_room_and_cost_bounded_memory(server, crowd):
    request = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    crowd(PLACES, request, receive_buffer=4096)
    undisturbed(server, 5, 12)
    with open(f"/proc/{server.life.pid}/status", encoding="ascii") as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    assert resident < 400 * 1024  # KiB


def test_pipelined_requests_are_answered_in_their_order(server):
    requests = [f"{HEAD}Authorization: Bearer {server.token}\r\n\r\n",
                "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n"] * 200
    requests.append("GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    data = "".join(requests).encode()
    received = []
    sender = threading.Thread(target=lambda: received.append(answer(server, data)))
    sender.start()
    undisturbed(server)
    sender.join()
    statuses = [part[:3] for part in received[0].split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404"] * 200 + [b"404"]


@pytest.mark.parametrize("data, status", [
    (HEAD.encode() + b"X: " + b"y" * 20_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (HEAD.encode() + b"a:\r\n" * 5_000 + b"\r\n", 431),
    (b"garbage\r\n\r\n", 400),
    (b"GET /v1/users/me HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/users/me HTTP/1.1 x\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1/users/me HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"GET  /v1/users/me HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1/users/me HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    (b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n", 400),
    (b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"
     b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 501),
])
def test_what_is_no_proper_request_is_refused_and_ends_its_connection(server, data, status):
    received = answer(server, data)
    assert received.startswith(f"HTTP/1.1 {status} ".encode()), received[:200]
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close\r\n" in received and b"Content-Type: text/plain" in received
    undisturbed(server, 1)


def test_bodies_over_the_limit_are_refused_while_others_go_on(server):
    head = (f"POST /v1/rules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n").encode()
    received = []
    senders = [threading.Thread(target=lambda: received.append(answer(server, head + b" " * 10**6)))
               for _ in range(8)]
    for sender in senders:
        sender.start()
    undisturbed(server, 5)
    for sender in senders:
        sender.join()
    assert len(received) == 8
    for text in received:
        assert text.startswith(b"HTTP/1.1 413 ") and b'"payload_too_large"' in text


def test_a_stopping_server_does_not_wait_for_any_of_them(server, crowd):
    crowd(20)
    crowd(20, HEAD.encode())
    crowd(20, b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20, receive_buffer=4096)
    until(lambda: server.life.descriptors() > 60, "the crowd", 10)
    server.stop()
