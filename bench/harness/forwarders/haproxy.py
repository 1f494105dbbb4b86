from ..readiness import wait_listening
from .base import Forwarder, find_program

# No maxconn: haproxy derives it from the descriptor limit, counting the pipes for splice too.
GLOBAL = """
global
  nbthread {cores}
  hard-stop-after 1s

defaults
  mode tcp
  option splice-auto
  option splice-request
  option splice-response
  timeout connect 5s
  timeout client 1h
  timeout server 1h
"""

ROUTE = """
listen {route}
  bind 127.0.0.1:{listen} backlog 4096
  server target 127.0.0.1:{target}
"""


class Haproxy(Forwarder):
    name = "haproxy"

    def open(self):
        program = find_program("haproxy")
        self.take_ports()
        text = GLOBAL.format(cores=self.setting.cores)
        for route, listen in self.listen.items():
            text += ROUTE.format(route=route, listen=listen, target=self.targets.ports[route])
        config = self.setting.folder(self.name) / "haproxy.cfg"
        config.write_text(text)
        self.data_path = [self.launch([program, "-db", "-f", config])]
        wait_listening(self.data_path[0], self.listen.values())
