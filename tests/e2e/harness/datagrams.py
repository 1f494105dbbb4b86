"""UDP behind and before a rule: small targets, and users that wait for their answers."""

import contextlib
import select
import socket
import struct
import threading


class UdpTarget:
    """Answers every datagram with what `answer(data)` returns; nothing for None."""

    def __init__(self, port, answer=lambda data: data, host="127.0.0.1"):
        self.port = port
        self.host = host
        self.answer = answer
        self.received = []  # (data, source)
        self.lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((host, port))
        self.thread = threading.Thread(target=self.serve, name=f"udp-target-{port}", daemon=True)
        self.thread.start()

    @property
    def address(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

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
        # The port is taken for as long as anyone receives from it.
        self.thread.join(10)
        self.socket.close()


class UdpUser:
    """One source of datagrams to one port; `source` is its address on loopback."""

    def __init__(self, port, source="127.0.0.1", seconds=10.0, host="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(seconds)
        self.socket.bind((source, 0))
        self.socket.connect((host, port))

    @property
    def address(self):
        """As the events of the edge spell it."""
        return "{}:{}".format(*self.socket.getsockname())

    def send(self, data):
        self.socket.send(data)

    def ask(self, data):
        """The answer to one datagram."""
        self.socket.send(data)
        return self.socket.recv(65535)

    def receive(self):
        return self.socket.recv(65535)

    def answered(self):
        """Whether an answer lies ready."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class UdpTraffic:
    """One source that asks again and again; each answer must be what was asked."""

    def __init__(self, port, pause=0.002, message=600):
        self.user = UdpUser(port, seconds=5.0)
        self.pause = pause
        self.message = message
        self.sent = self.datagrams = 0
        self.errors = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                data = struct.pack(">Q", self.datagrams).ljust(self.message, b"u")
                assert self.user.ask(data) == data, "the answer is not what was asked"
                self.sent += len(data)
                self.datagrams += 1
                self.stopping.wait(self.pause)
        except (OSError, AssertionError) as error:
            self.errors.append(repr(error))

    def stop(self):
        """Lets the exchange finish; the bytes that went each way."""
        self.stopping.set()
        self.thread.join(20)
        assert not self.thread.is_alive(), "traffic hangs"
        assert self.errors == []
        return self.sent

    def close(self):
        self.stopping.set()
        self.thread.join(20)
        self.user.close()
