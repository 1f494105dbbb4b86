import socket
import threading

import pytest

from harness import sni
from harness.errors import BenchError


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def serve(listener, answer):
    def once():
        peer, _ = listener.accept()
        with peer:
            answer(peer, peer.recv(4096))

    thread = threading.Thread(target=once)
    thread.start()
    return thread


def test_the_hello_is_one_record_with_the_name():
    hello = sni.client_hello("a.example")
    assert hello[:2] == b"\x16\x03" and b"a.example" in hello
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5


def test_a_dial_takes_time(listener):
    thread = serve(listener, lambda peer, data: peer.sendall(data))
    assert sni._dial_ns(listener.getsockname()[1], sni.client_hello("a.example")) > 0
    thread.join()


def test_a_closed_connection_is_an_error(listener):
    thread = serve(listener, lambda peer, data: None)
    with pytest.raises(BenchError, match="without an answer"):
        sni._dial_ns(listener.getsockname()[1], b"\x16hello")
    thread.join()
