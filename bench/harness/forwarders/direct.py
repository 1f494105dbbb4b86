from .base import Forwarder


class Direct(Forwarder):
    """No forwarder at all: what loopback and the load tools can do by themselves."""

    name = "direct"
    kinds = frozenset({"tcp", "udp", "sni"})
    has_process = False

    def open(self):
        self.listen = dict(self.targets.ports)
