import socket

import pytest

from harness import readiness
from harness.errors import BenchError

TCP = """  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A
"""


def test_only_sockets_in_the_wanted_state_count():
    assert readiness.parse_bound(TCP, "0A") == {8080}
    assert readiness.parse_bound(TCP6, "0A") == {443}


@pytest.fixture
def narrow(monkeypatch):
    """Ports, with not many to give."""
    monkeypatch.setattr(readiness, "_first_ephemeral", lambda: readiness.LOWEST + 101)
    monkeypatch.setattr(readiness, "_is_free", lambda port: True)
    return readiness.Ports()


def test_a_row_is_the_same_each_time(narrow):
    first = narrow.row(40)
    assert narrow.row(40) == first
    assert readiness.LOWEST <= first <= readiness.LOWEST + 100 - 39


def test_a_row_has_no_gap(narrow, monkeypatch):
    taken = readiness.LOWEST + 50
    monkeypatch.setattr(readiness, "_is_free", lambda port: port != taken)
    first = narrow.row(45)
    assert taken not in range(first, first + 45)


def test_too_long_a_row_is_an_error(narrow):
    with pytest.raises(BenchError):
        narrow.row(200)


def test_a_port_with_a_datagram_socket_is_not_free():
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        assert not readiness._is_free(taken.getsockname()[1])
