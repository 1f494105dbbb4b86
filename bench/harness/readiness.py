"""Free ports, and waiting until somebody listens on one."""

import random
import socket
import time

from .errors import BenchError

LOWEST = 2000
LISTEN_STATE = "0A"


def _first_ephemeral():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


class Ports:
    """Hands out ports below the ephemeral range, each at most once."""

    def __init__(self):
        self._highest = _first_ephemeral() - 1
        if self._highest <= LOWEST:
            raise BenchError("no ports below the ephemeral range to listen on")
        # A random start keeps two harnesses that share a network apart.
        self._next = random.randint(LOWEST, self._highest)

    def take(self):
        for _ in range(self._highest - LOWEST + 1):
            port = self._next
            self._next = port + 1 if port < self._highest else LOWEST
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return port
        raise BenchError("no free port")


def is_listening(child, port):
    """Reads the socket table of the child's namespace: a probing connection would be traffic."""
    wanted = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{child.pid}/net/{table}", encoding="ascii") as file:
                for line in file:
                    fields = line.split()
                    if fields[1].endswith(wanted) and fields[3] == LISTEN_STATE:
                        return True
        except OSError:
            pass
    return False


def wait_until(condition, what, *children, timeout=10.0):
    """Polls until the condition holds; fails early when one of the children dies."""
    deadline = time.monotonic() + timeout
    while not condition():
        for child in children:
            child.check_alive()
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: not within {timeout:g} s")
        time.sleep(0.01)


def wait_listening(child, ports, timeout=10.0):
    wait_until(lambda: all(is_listening(child, port) for port in ports),
               f"{child.name} listening on {sorted(ports)}", child, timeout=timeout)
