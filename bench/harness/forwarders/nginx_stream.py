import pathlib

from ..readiness import wait_listening
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
events {{ worker_connections {connections}; }}
stream {{
  access_log off;
  tcp_nodelay on;
  proxy_connect_timeout 5s;
  proxy_timeout 1h;
{servers}
}}
"""

SERVER = """  server {{
    listen 127.0.0.1:{listen} reuseport backlog=4096;
    proxy_pass 127.0.0.1:{target};
  }}"""


class NginxStream(Forwarder):
    name = "nginx"

    def open(self):
        program = find_program("nginx")
        self.take_ports()
        folder = self.setting.folder(self.name)
        config = folder / "nginx.conf"
        servers = "\n".join(SERVER.format(listen=listen, target=self.targets.ports[route])
                            for route, listen in self.listen.items())
        config.write_text(CONFIG.format(
            module=f"load_module {MODULE};" if MODULE.exists() else "", folder=folder,
            cores=self.setting.cores, servers=servers,
            connections=2 * self.setting.sizes.idle_connections + SPARE_CONNECTIONS))
        self.data_path = [self.launch([program, "-e", folder / "error.log", "-p", folder,
                                       "-c", config])]
        wait_listening(self.data_path[0], self.listen.values())
