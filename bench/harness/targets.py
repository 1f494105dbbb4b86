"""The services that traffic goes to; one set per network namespace.

Only what the routes of a run lead to is started. UDP has a port here and no process: its sink lives
for one measurement, because it tells at its end what has come.
"""

from .readiness import wait_listening

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
        self._services = {service: setting.ports.take() for service in
                          sorted({route.service for route in setting.routes})}
        self.ports = {route.name: self._services[route.service] for route in setting.routes}
        self._children = []
        self._iperf = None

    def start(self):
        starts = {"http": self._start_http, "echo": self._start_echo, "iperf": self.restart_iperf}
        for service, start in starts.items():
            if service in self._services:
                start()

    def _start_http(self):
        folder = self._setting.folder("backend")
        config = folder / "nginx.conf"
        config.write_text(NGINX_BACKEND.format(
            folder=folder, port=self._services["http"],
            workers=max(1, self._setting.cores // 2)))
        self._launch("http", ["nginx", "-e", folder / "error.log", "-p", folder, "-c", config])

    def _start_echo(self):
        tool = self._setting.tool("pingpong")
        self._launch("echo", [tool, "serve", self._services["echo"]])

    def _launch(self, service, argv):
        child = self._setting.children.start(f"{service}-target", argv, namespace=self._namespace)
        self._children.append(child)
        wait_listening(child, [self._services[service]])

    def restart_iperf(self):
        """A test that broke off leaves the server busy with it, so it is replaced."""
        if self._iperf:
            self._setting.children.stop(self._iperf)
        self._iperf = self._setting.children.start(
            "iperf3-server", ["iperf3", "-s", "-B", "127.0.0.1", "-p", self._services["iperf"]],
            namespace=self._namespace)
        wait_listening(self._iperf, [self._services["iperf"]])

    def stop(self):
        self._setting.children.stop(*self._children, *([self._iperf] if self._iperf else []))
        self._children, self._iperf = [], None
