from .base import Forwarder, find_program


class Socat(Forwarder):
    """The tool people reach for: a process per flow, so it is not asked to hold ten thousand."""

    name = "socat"
    kinds = frozenset({"udp"})
    max_udp_flows = 1_000

    def open(self):
        program = find_program("socat")
        self.take_ports()
        for route in self.routes:
            listen, target = self.listen[route.name], self.targets.ports[route.name]
            self.data_path.append(self.launch([
                program, "-T", "60", f"udp4-listen:{listen},bind=127.0.0.1,fork,reuseaddr",
                f"udp4:127.0.0.1:{target}"]))
        self.wait_bound()
