"""The services that traffic goes to; one set per network namespace."""

from .errors import BenchError
from .readiness import wait_listening

ROUTES = ("iperf", "http", "echo")

NGINX_BACKEND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
worker_processes {workers};
user root root;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type text/plain; return 200 "ok\\n"; }}
  }}
}}
"""


class Targets:
    def __init__(self, setting, namespace=None):
        self._setting = setting
        self._namespace = namespace
        self.ports = {route: setting.ports.take() for route in ROUTES}
        self._children = []
        self._iperf = None

    def start(self):
        children = self._setting.children
        tool = self._setting.bin_dir / "pingpong"
        if not tool.exists():
            raise BenchError(f"{tool} is not built: run `make build` first")
        folder = self._setting.folder("backend")
        config = folder / "nginx.conf"
        config.write_text(NGINX_BACKEND.format(
            folder=folder, port=self.ports["http"],
            workers=max(1, self._setting.cores // 2)))
        backend = children.start("http-backend", ["nginx", "-e", folder / "error.log", "-p", folder,
                                                  "-c", config], namespace=self._namespace)
        echo = children.start("echo", [tool, "serve", self.ports["echo"]],
                              namespace=self._namespace)
        self._children = [backend, echo]
        self.restart_iperf()
        wait_listening(backend, [self.ports["http"]])
        wait_listening(echo, [self.ports["echo"]])

    def restart_iperf(self):
        """A test that broke off leaves the server busy with it, so it is replaced."""
        if self._iperf:
            self._setting.children.stop(self._iperf)
        self._iperf = self._setting.children.start(
            "iperf3-server", ["iperf3", "-s", "-B", "127.0.0.1", "-p", self.ports["iperf"]],
            namespace=self._namespace)
        wait_listening(self._iperf, [self.ports["iperf"]])

    def stop(self):
        self._setting.children.stop(*self._children, *([self._iperf] if self._iperf else []))
        self._children, self._iperf = [], None
