"""Free ports, and waiting until somebody listens on one."""

import random
import socket
import time

from .errors import BenchError

LOWEST = 2000
# As the kernel's socket tables write it; a UDP socket that is not connected is "closed" there.
BOUND_STATES = {"tcp": "0A", "udp": "07"}


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
        self._rows = {}

    def take(self):
        for _ in range(self._highest - LOWEST + 1):
            port = self._next
            self._next = port + 1 if port < self._highest else LOWEST
            if _is_free(port):
                return port
        raise BenchError("no free port")

    def row(self, count):
        """The first of `count` ports in a row; the same ones each time, for measurements that use
        them one after the other. There are not enough ports for new ones in every round."""
        if count not in self._rows:
            self._rows[count] = self._take_row(count)
        return self._rows[count]

    def _take_row(self, count):
        first = last = self.take()
        for _ in range(2 * (self._highest - LOWEST + 1)):
            if last - first + 1 == count:
                return first
            port = self.take()
            first, last = (first if port == last + 1 else port), port
        raise BenchError(f"no {count} free ports in a row")


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def parse_bound(table, state):
    """The local ports of the sockets in that state, from a /proc/net table."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == state}


def bound_ports(child, transport="tcp"):
    """Reads the socket table of the child's namespace: a probing connection would be traffic."""
    found = set()
    for table in (transport, f"{transport}6"):
        try:
            with open(f"/proc/{child.pid}/net/{table}", encoding="ascii") as file:
                found |= parse_bound(file.read(), BOUND_STATES[transport])
        except OSError:
            pass
    return found


def wait_until(condition, what, *children, timeout=10.0, pause=0.01):
    """Polls until the condition holds; fails early when one of the children dies."""
    deadline = time.monotonic() + timeout
    while not condition():
        for child in children:
            child.check_alive()
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: not within {timeout:g} s")
        time.sleep(pause)


def wait_listening(child, ports, timeout=10.0):
    wait_until(lambda: set(ports) <= bound_ports(child),
               f"{child.name} listening on {sorted(ports)}", child, timeout=timeout)
