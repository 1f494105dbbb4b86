"""The server alone, as the bench of the control plane runs it: started, stopped, started again."""

import os
import secrets
import signal
import time

from .cost import cpu_by_thread, cpu_seconds, settled_user_bytes
from .errors import BenchError
from .operator_api import OperatorApi
from .readiness import wait_listening, wait_until

SERVER_TOML = """
control_listen = "127.0.0.1:{control}"
operator_http_listen = "127.0.0.1:{http}"
metrics_listen = "127.0.0.1:{metrics}"
operator_token = "{token}"
shutdown_drain_timeout_secs = 5
"""
STOP_SECONDS = 40


class ControlServer:
    def __init__(self, setting):
        self._setting = setting
        self._program = setting.tool("portunus-server")
        self.token = secrets.token_urlsafe(32)
        self.control, self.http, self._metrics = (setting.ports.take() for _ in range(3))
        # Below build/: the server refuses a data directory on tmpfs, which /tmp often is.
        self._data = setting.folder("server") / "data"
        self._data.mkdir(mode=0o750)
        (self._data / "server.toml").write_text(SERVER_TOML.format(
            control=self.control, http=self.http, metrics=self._metrics, token=self.token))
        self.certificate = self._data / "server.crt"
        self.api = OperatorApi(self.http, self.token)
        self.child = None

    @property
    def env(self):
        return {name: value for name, value in os.environ.items()
                if not name.startswith(("PORTUNUS_", "XDG_"))} | {"PORTUNUS_LOG": "warn"}

    def start(self):
        """Seconds from exec until all ports listen."""
        begin = time.monotonic()
        self.child = self._setting.children.start(
            "server", [self._program, "--data-dir", self._data, "serve"], env=self.env)
        wait_listening(self.child, [self.control, self.http, self._metrics], timeout=60)
        return time.monotonic() - begin

    def stop(self):
        """Seconds an orderly stop takes. The group leader is signalled, as a service manager does;
        what is left after the bound is killed."""
        begin = time.monotonic()
        os.kill(self.child.pid, signal.SIGTERM)
        try:
            wait_until(self.child.has_exited, "the end of the server", timeout=STOP_SECONDS)
        finally:
            self._setting.children.stop(self.child)
        if self.child.process.returncode != 0:
            raise BenchError(f"the server ended with {self.child.process.returncode}")
        return time.monotonic() - begin

    def cpu_seconds(self):
        return cpu_seconds([self.child.pid])

    def cpu_by_thread(self):
        return cpu_by_thread(self.child.pid)

    def user_bytes(self):
        return settled_user_bytes([self.child.pid])
