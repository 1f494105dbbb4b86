import pathlib

from ..routes import SERVER_NAME
from ..setting import UDP_FLOWS
from .base import Forwarder, find_program

# Debian ships the stream module as a separate file; elsewhere it is built in.
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

SPARE_CONNECTIONS = 1000

CONFIG = """
{module}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
user root root;
worker_processes {cores};
events {{ worker_connections {connections}; {events} }}
stream {{
  access_log off;
  tcp_nodelay on;
  proxy_connect_timeout 5s;
  proxy_timeout 1h;
{servers}
}}
"""

# Without it a worker waits anew for each datagram, which costs a third more.
EVENTS = {"tcp": "", "udp": "multi_accept on;"}

# UDP has the socket buffers that we ask for too, and our idle window. proxy_responses stays unset:
# with a number, a session would end after as many answers instead of after its idle time.
SERVERS = {
    "tcp": """  server {{
    listen 127.0.0.1:{listen} reuseport backlog=4096;
    proxy_pass 127.0.0.1:{target};
  }}""",
    "udp": """  server {{
    listen 127.0.0.1:{listen} udp reuseport rcvbuf=1m sndbuf=1m;
    proxy_timeout 60s;
    proxy_pass 127.0.0.1:{target};
  }}""",
    "sni": """  map $ssl_preread_server_name $by_name {{
    {name} 127.0.0.1:{target};
  }}
  server {{
    listen 127.0.0.1:{listen} reuseport backlog=4096;
    ssl_preread on;
    proxy_pass $by_name;
  }}""",
}


class NginxStream(Forwarder):
    """An instance for TCP and one for UDP, each set up as serves it best."""

    name = "nginx"
    kinds = frozenset(SERVERS)

    def open(self):
        program = find_program("nginx")
        self.take_ports()
        for transport in EVENTS:
            routes = [route for route in self.routes if route.transport == transport]
            if routes:
                self.data_path.append(self._launch(program, transport, routes))
        self.wait_bound()

    def _launch(self, program, transport, routes):
        folder = self.setting.folder(self.name)
        config = folder / "nginx.conf"
        servers = "\n".join(SERVERS[route.kind].format(
            name=SERVER_NAME, listen=self.listen[route.name],
            target=self.targets.ports[route.name]) for route in routes)
        # A connection or flow takes two of them.
        held = max(self.setting.sizes.idle_connections, *UDP_FLOWS)
        config.write_text(CONFIG.format(
            module=f"load_module {MODULE};" if MODULE.exists() else "", folder=folder,
            cores=self.setting.cores, servers=servers, events=EVENTS[transport],
            connections=2 * held + SPARE_CONNECTIONS))
        return self.launch([program, "-e", folder / "error.log", "-p", folder, "-c", config])
