import pytest

from harness import udp
from harness.errors import BenchError


def test_sent_and_received_are_read_from_the_tool():
    assert udp.parse_sent("sent 64000 replies 12\n") == 64000
    assert udp.parse_received("received 63990 datagrams 4095360 bytes\n") == 63990


@pytest.mark.parametrize("text", ["", "error: socket: Too many open files", "sent 0 replies 0"])
def test_a_sender_that_sent_nothing_is_an_error(text):
    with pytest.raises(BenchError):
        udp.parse_sent(text)


@pytest.mark.parametrize("text", ["", "ready", "received 0 datagrams 0 bytes"])
def test_a_sink_that_got_nothing_is_an_error(text):
    with pytest.raises(BenchError):
        udp.parse_received(text)
