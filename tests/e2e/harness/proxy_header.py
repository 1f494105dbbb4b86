"""PROXY protocol headers, read by the words of their specification and not by ours."""

import dataclasses
import socket
import struct

from .streams import receive_exactly

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


@dataclasses.dataclass(frozen=True)
class Header:
    version: int
    source: tuple  # (address, port)
    destination: tuple


def read(connection):
    """The header at the start of a connection; not one byte more is taken."""
    start = receive_exactly(connection, 6)
    if start == b"PROXY ":
        return read_v1(connection)
    return read_v2(connection, start)


def read_v1(connection):
    line = b""
    while not line.endswith(b"\r\n"):
        assert len(line) < 101, "a v1 header has at most 107 bytes"
        line += receive_exactly(connection, 1)
    family, source, destination, source_port, destination_port = line[:-2].decode().split(" ")
    number = {"TCP4": socket.AF_INET, "TCP6": socket.AF_INET6}[family]
    for text in (source, destination):
        assert socket.inet_ntop(number, socket.inet_pton(number, text)) == text, "not canonical"
    return Header(1, (source, int(source_port)), (destination, int(destination_port)))


def read_v2(connection, start):
    head = start + receive_exactly(connection, 10)
    signature, version, family, length = struct.unpack(">12sBBH", head)
    assert (signature, version) == (SIGNATURE, 0x21), head
    body = receive_exactly(connection, length)
    number, size = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}[family]
    assert length == 2 * size + 4
    ports = struct.unpack(">HH", body[2 * size:])
    addresses = [socket.inet_ntop(number, body[:size]),
                 socket.inet_ntop(number, body[size:2 * size])]
    return Header(2, (addresses[0], ports[0]), (addresses[1], ports[1]))
