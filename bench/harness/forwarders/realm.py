from ..readiness import wait_listening
from .base import Forwarder, find_program

ENDPOINT = """
[[endpoints]]
listen = "127.0.0.1:{listen}"
remote = "127.0.0.1:{target}"
"""


class Realm(Forwarder):
    name = "realm"

    def open(self):
        program = find_program("realm")
        self.take_ports()
        config = self.setting.folder(self.name) / "realm.toml"
        config.write_text('[log]\nlevel = "off"\n' + "".join(
            ENDPOINT.format(listen=listen, target=self.targets.ports[route])
            for route, listen in self.listen.items()))
        self.data_path = [self.launch([program, "-c", config])]
        wait_listening(self.data_path[0], self.listen.values())
