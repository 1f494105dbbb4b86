"""Ports that no other test on this machine gets at the same time."""

import random
import socket


def ephemeral_start():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def is_free(port, as_ours=False):
    """Bindable on every address by anybody, whom TIME_WAIT hinders; `as_ours`: the way a listener
    of ours binds, whom it does not."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):
        with socket.socket(family) as probe:
            if as_ours:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
                probe.listen()
            except OSError:
                return False
    return True


class Ports:
    """Hands out ports below the ephemeral range, so that no outgoing connection takes one.

    A port is claimed by an abstract Unix socket named after it: other test processes of the same
    network namespace see the claim at once, and it vanishes with this process, however it ends.
    """

    def __init__(self):
        self.claims = {}
        self.candidates = list(range(10000, min(ephemeral_start(), 32000)))
        random.shuffle(self.candidates)

    def take(self):
        while self.candidates:
            port = self.candidates.pop()
            if self.claim(port):
                if is_free(port):
                    return port
                self.release(port)
        raise AssertionError("no free port is left")

    def take_block(self, count, step=1):
        """The first of `count` ports, each `step` above the one before; all are claimed."""
        last = min(ephemeral_start(), 32000) - (count - 1) * step
        for _ in range(2000):
            first = random.randrange(10000, last)
            taken = []
            for port in range(first, first + count * step, step):
                if not self.claim(port):
                    break
                taken.append(port)
                if not is_free(port, as_ours=True):
                    break
            else:
                return first
            for port in taken:
                self.release(port)
        raise AssertionError(f"no {count} neighbouring ports are free")

    def claim(self, port):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0portunus-e2e-port-{port}")
        except OSError:
            claim.close()
            return False
        self.claims[port] = claim
        return True

    def release(self, port):
        self.claims.pop(port).close()

    def release_all(self):
        for port in list(self.claims):
            self.release(port)
