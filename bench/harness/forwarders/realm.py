from .base import Forwarder, find_program

ENDPOINT = """
[[endpoints]]
listen = "127.0.0.1:{listen}"
remote = "127.0.0.1:{target}"
"""

UDP_ONLY = """
[endpoints.network]
no_tcp = true
use_udp = true
udp_timeout = 60
"""


class Realm(Forwarder):
    name = "realm"
    kinds = frozenset({"tcp", "udp"})

    def open(self):
        program = find_program("realm")
        self.take_ports()
        config = self.setting.folder(self.name) / "realm.toml"
        config.write_text('[log]\nlevel = "off"\n' + "".join(
            ENDPOINT.format(listen=self.listen[route.name], target=self.targets.ports[route.name])
            + (UDP_ONLY if route.kind == "udp" else "") for route in self.routes))
        self.data_path = [self.launch([program, "-c", config])]
        self.wait_bound()
