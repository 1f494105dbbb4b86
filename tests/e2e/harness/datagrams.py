"""UDP behind and before a rule: small targets, and users that wait for their answers."""

import contextlib
import socket
import threading


class UdpTarget:
    """Answers every datagram with what `answer(data)` returns; nothing for None."""

    def __init__(self, port, answer=lambda data: data):
        self.port = port
        self.answer = answer
        self.received = []  # (data, source)
        self.lock = threading.Lock()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", port))
        threading.Thread(target=self.serve, name=f"udp-target-{port}", daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def serve(self):
        while True:
            try:
                data, source = self.socket.recvfrom(65535)
            except OSError:
                return  # closed
            if source is None:
                return  # shut down
            with self.lock:
                self.received.append((data, source))
            answer = self.answer(data)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self.socket.sendto(answer, source)

    def close(self):
        # shutdown wakes the receive call, close alone would not.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class UdpUser:
    """One source of datagrams to one port; `source` is its address on loopback."""

    def __init__(self, port, source="127.0.0.1", seconds=10.0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(seconds)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))

    def send(self, data):
        self.socket.send(data)

    def ask(self, data):
        """The answer to one datagram."""
        self.socket.send(data)
        return self.socket.recv(65535)

    def receive(self):
        return self.socket.recv(65535)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
