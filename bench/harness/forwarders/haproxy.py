from ..routes import SERVER_NAME
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

ROUTES = {
    "tcp": """
listen {route}
  bind 127.0.0.1:{listen} backlog 4096
  server target 127.0.0.1:{target}
""",
    "sni": """
frontend {route}
  bind 127.0.0.1:{listen} backlog 4096
  tcp-request inspect-delay 5s
  tcp-request content accept if {{ req.ssl_hello_type 1 }}
  use_backend {route}-target if {{ req.ssl_sni -i {name} }}

backend {route}-target
  server target 127.0.0.1:{target}
""",
}


class Haproxy(Forwarder):
    name = "haproxy"
    kinds = frozenset(ROUTES)

    def open(self):
        program = find_program("haproxy")
        self.take_ports()
        text = GLOBAL.format(cores=self.setting.cores)
        for route in self.routes:
            text += ROUTES[route.kind].format(
                route=route.name, name=SERVER_NAME, listen=self.listen[route.name],
                target=self.targets.ports[route.name])
        config = self.setting.folder(self.name) / "haproxy.cfg"
        config.write_text(text)
        self.data_path = [self.launch([program, "-db", "-f", config])]
        self.wait_bound()
