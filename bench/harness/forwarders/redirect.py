from ..errors import BenchError, Unavailable
from ..namespace import Namespace
from ..targets import Targets
from .base import Forwarder, find_program


class Redirect(Forwarder):
    """iptables REDIRECT: the kernel's own port forwarding.

    It has a namespace and targets to itself. The rules vanish with the namespace, and connection
    tracking, which any NAT rule switches on for a whole namespace, slows nobody else.
    """

    name = "iptables"
    kinds = frozenset({"tcp", "udp"})
    has_process = False

    def __init__(self, setting):
        super().__init__(setting)
        if not setting.isolated:
            raise Unavailable("needs a network namespace of its own, which this machine refuses")
        self._iptables = find_program("iptables")

    def open(self):
        self.namespace = Namespace()
        self.targets = Targets(self.setting, self.namespace)
        # Each closed connection is remembered; the default of two minutes fills the table.
        self.namespace.set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "1")
        self.take_ports()
        for route in self.routes:
            self._redirect(route.transport, self.listen[route.name],
                           self.targets.ports[route.name])
        self.targets.start()

    def stop(self):
        super().stop()
        if self.targets:
            self.targets.stop()
        if self.namespace:
            self.namespace.close()
            self.namespace = None

    def _redirect(self, transport, listen, target):
        try:
            self.setting.children.check(
                "iptables",
                [self._iptables, "-w", "5", "-t", "nat", "-A", "OUTPUT", "-o", "lo",
                 "-p", transport, "-d", "127.0.0.1", "--dport", listen,
                 "-j", "REDIRECT", "--to-ports", target],
                namespace=self.namespace, timeout=10)
        except BenchError as error:
            raise Unavailable(f"the kernel refuses the NAT rule: {error}") from error
