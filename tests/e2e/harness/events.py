"""A reader of server-sent events that sees every byte of the answer."""

import json
import socket

from . import openapi
from .record import RUN
from .waiting import PATIENCE


class EventStream:
    """One GET of an event stream; its header is read, the rest comes when asked for."""

    def __init__(self, api, path, *, receive_buffer=None, method="GET", version="1.1", pipelined=b""):
        self.connection = socket.socket()
        if receive_buffer:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.connection.settimeout(15 * PATIENCE)
        self.connection.connect(("127.0.0.1", api.port))
        self.buffer = b""
        request = f"{method} {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n"
        self.connection.sendall(request.encode() + pipelined)
        head = self._through(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in head[1:] if line)}
        RUN.answer(method, openapi.template_of(path), self.status, self.headers, b"")
        self.chunked = self.headers.get("transfer-encoding") == "chunked"
        self.text = b""

    def _fill(self):
        data = self.connection.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def _through(self, mark):
        while mark not in self.buffer:
            self._fill()
        part, _, self.buffer = self.buffer.partition(mark)
        return part + mark

    def _piece(self):
        """More text; False at the end of the body."""
        if not self.chunked:
            try:
                if not self.buffer:
                    self._fill()
            except EOFError:
                return False
            self.text, self.buffer = self.text + self.buffer, b""
            return True
        size = int(self._through(b"\r\n"), 16)
        while len(self.buffer) < size + 2:
            self._fill()
        self.text += self.buffer[:size]
        assert self.buffer[size:size + 2] == b"\r\n"
        self.buffer = self.buffer[size + 2:]
        return size > 0

    def block(self, seconds=15):
        """The next block up to its empty line; None when the body has ended."""
        self.connection.settimeout(seconds * PATIENCE)
        while b"\n\n" not in self.text:
            if not self._piece():
                assert self.text == b"", "the body ends within a frame"
                return None
        block, _, self.text = self.text.partition(b"\n\n")
        RUN.text("event stream", block.decode())
        return block.decode()

    def frame(self, seconds=15):
        """The object of the next frame."""
        event, data = self.block(seconds).split("\n")
        assert event == "event: stats" and data.startswith("data: "), (event, data)
        return json.loads(data[6:])

    def ends(self, seconds=15):
        """No frame is left and the body ends as it should."""
        assert self.block(seconds) is None
        return True

    def rest(self):
        """What follows the body on the connection, until it closes."""
        try:
            while True:
                self._fill()
        except EOFError:
            return self.buffer

    def close(self):
        self.connection.close()
