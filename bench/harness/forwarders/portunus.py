import os
import secrets
import shlex

from ..errors import BenchError, Unavailable
from ..operator_api import OperatorApi
from ..readiness import wait_listening, wait_until
from ..routes import SERVER_NAME
from .base import Forwarder

EDGE = "bench-edge"
CLIENT_NOT_CONNECTED = 4

SERVER_TOML = """
control_listen = "127.0.0.1:{control}"
operator_http_listen = "127.0.0.1:{http}"
metrics_listen = "127.0.0.1:{metrics}"
operator_token = "{token}"
shutdown_drain_timeout_secs = 1
udp_max_flows_per_rule = 65535
"""

PUSH_OPTIONS = {"tcp": (), "udp": ("--protocol", "udp"), "sni": ("--sni", SERVER_NAME)}


class Portunus(Forwarder):
    """The real pair as an operator runs it: server, one enrolled edge, rules pushed to it.

    The edge alone carries traffic, so CPU and memory are the edge's.
    """

    name = "portunus"
    kinds = frozenset({*PUSH_OPTIONS, "own"})

    def __init__(self, setting):
        super().__init__(setting)
        self._server = setting.bin_dir / "portunus-server"
        self._client = setting.bin_dir / "portunus-client"
        for program in (self._server, self._client):
            if not program.exists():
                raise Unavailable(f"{program} is not built: run `make build` first")
        self._token = secrets.token_urlsafe(32)
        self._env = {name: value for name, value in os.environ.items()
                     if not name.startswith(("PORTUNUS_", "XDG_"))}
        self._env |= {"PORTUNUS_OPERATOR_TOKEN": self._token, "PORTUNUS_LOG": "info"}

    def open(self):
        # Below build/: the server refuses a data directory on tmpfs, which /tmp often is.
        folder = self.setting.folder(self.name)
        self._data = folder / "data"
        self._data.mkdir(mode=0o750)
        control, self._http, metrics = (self.setting.ports.take() for _ in range(3))
        (self._data / "server.toml").write_text(SERVER_TOML.format(
            control=control, http=self._http, metrics=metrics, token=self._token))

        server = self.launch([self._server, "--data-dir", self._data, "serve"], env=self._env)
        wait_listening(server, [control, self._http, metrics])
        bundle = self._enroll(folder / "client.bundle.json")
        edge = self.launch([self._client, "--bundle", bundle, "--reconnect-initial-delay-ms", "50",
                            "--shutdown-drain-timeout-secs", "1"], env=self._env)
        self.data_path = [edge]
        self.take_ports()
        for route in self.routes:
            self._push(route)
        self.wait_bound()
        self._api = OperatorApi(self._http, self._token)

    def push_range(self, first, count, target):
        """The rule's id, once the server has heard from the edge that every port is bound."""
        return self._api.request("POST", "/v1/rules", {
            "client": EDGE, "protocol": "tcp", "ack_timeout_secs": 10,
            "listen_port": first, "listen_port_end": first + count - 1,
            "target_host": "127.0.0.1", "target_port": target,
            "target_port_end": target + count - 1}, expect=201)["rule_id"]

    def remove_rule(self, rule):
        self._api.request("DELETE", f"/v1/rules/{rule}", expect=204)

    def _enroll(self, bundle):
        answer = self._ask_server("enroll-client", EDGE)
        command = shlex.split(answer.strip().splitlines()[-1])
        if len(command) != 3 or command[:2] != ["portunus-client", "enroll"]:
            raise BenchError(f"unexpected answer of enroll-client: {answer!r}")
        self.setting.children.check("enroll", [self._client, "enroll", command[2],
                                               "--out", bundle], env=self._env, timeout=15)
        return bundle

    def _push(self, route):
        arguments = self._server_command(
            "push-rule", EDGE, self.listen[route.name],
            f"127.0.0.1:{self.targets.ports[route.name]}", *PUSH_OPTIONS[route.kind])

        def pushed():
            code, out, err = self.setting.children.run("push-rule", arguments, env=self._env,
                                                       timeout=40)
            if code not in (0, CLIENT_NOT_CONNECTED):
                raise BenchError(f"push-rule exited with {code}: {(err or out).strip()[-600:]}")
            return code == 0

        wait_until(pushed, "push-rule", *self.children, timeout=15)

    def _server_command(self, command, *arguments):
        return [self._server, "--data-dir", self._data, command, *arguments,
                "--http-endpoint", f"127.0.0.1:{self._http}"]

    def _ask_server(self, command, *arguments):
        return self.setting.children.check(command, self._server_command(command, *arguments),
                                           env=self._env, timeout=40)
