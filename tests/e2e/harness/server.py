"""portunus-server: its data directory, its lives, its command line and API."""

import contextlib
import http.client
import json
import urllib.request

from .api import Api
from .metrics import Metrics
from .record import RUN
from .waiting import PATIENCE, until


class Server:
    def __init__(self, lab, name="server", bootstrap=True, **config):
        self.lab = lab
        self.name = name
        self.data = lab.folder / name
        self.data.mkdir(mode=0o750)
        self.control_port, self.api_port, self.metrics_port = (lab.port() for _ in range(3))
        self.config = {"control_listen": f"127.0.0.1:{self.control_port}",
                       "operator_http_listen": f"127.0.0.1:{self.api_port}",
                       "metrics_listen": f"127.0.0.1:{self.metrics_port}",
                       "shutdown_drain_timeout_secs": 5, **config}
        self.write_config()
        self.wrapper = []  # words before each command, of what runs it
        self.token = None
        self.life = None
        self.api = Api(self.api_port)
        lab.before_the_end.append(self.last_metrics)
        if bootstrap:
            self.bootstrap()

    @property
    def binary(self):
        return self.lab.bin / "portunus-server"

    def write_config(self, **changes):
        self.config.update(changes)
        # JSON's strings, numbers and booleans are TOML's.
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.config.items()
                       if value is not None)
        (self.data / "server.toml").write_text(text, "utf-8")

    def bootstrap(self, name="e2e"):
        out = self.offline("bootstrap-superadmin", "--name", name).ok()
        self.token = self.lab.secret(out.split("token=")[1].strip())
        self.api.token = self.token

    def launch(self, *arguments, **environment):
        """serve, without waiting for anything."""
        self.life = self.lab.start(self.name, [*self.wrapper, self.binary, "--data-dir", self.data,
                                               "serve", *arguments], **environment)
        return self.life

    def start(self, *arguments, **environment):
        life = self.launch(*arguments, **environment)
        life.wait_event("server.listening", 20)
        key = self.data / "server.key"
        if key.exists():
            for line in key.read_text("ascii").splitlines():
                if len(line) >= 40 and "KEY" not in line:
                    self.lab.secret(line)
        return self

    def stop(self):
        """SIGTERM, and the exit code it must lead to."""
        self.life.process.terminate()
        code = self.life.wait_exit(20)
        assert code == 0, f"serve ended with {code}\n{self.life.tail()}"

    def kill(self):
        self.life.kill()

    def offline(self, *arguments, stdin=None, **environment):
        """A command without operator token or endpoint."""
        return self.lab.run([*self.wrapper, self.binary, "--data-dir", self.data, *arguments],
                            stdin, **environment)

    def cli(self, *arguments, token=True, endpoint=True, stdin=None):
        """A command that may call the API of the running server."""
        words = [*self.wrapper, self.binary, "--data-dir", self.data, *arguments]
        if endpoint:
            words += ["--http-endpoint", f"127.0.0.1:{self.api_port}"]
        value = self.token if token is True else token
        return self.lab.run(words, stdin, PORTUNUS_OPERATOR_TOKEN=value or None)

    def enroll_uri(self, name, *options):
        """A one-time code from the command line; live or direct, whichever applies."""
        out = self.cli("enroll-client", name, *options).ok()
        uri = out.splitlines()[2].split("'")[1]
        self.register_uri(uri)
        return uri

    def register_uri(self, uri):
        code = uri.split("code=")[1].split("&")[0]
        self.lab.secret(code)
        return code

    def push(self, client, listen, target, *options):
        """A pushed rule's id."""
        return int(self.cli("push-rule", client, str(listen), target, *options).ok())

    def create(self, listen, client="edge-01", **body):
        """A rule pushed over the API: its id."""
        body = {"client": client, "listen_port": listen, **body}
        return self.api.post("/v1/rules", body).ok(201)["rule_id"]

    def stats(self, rule, *details):
        """The latest report of a rule; empty before the first. Details: per_port, per_target."""
        query = "&".join(f"{detail}=true" for detail in details)
        answer = self.api.get(f"/v1/rules/{rule}/stats?{query}")
        return answer.json if answer.status == 200 else {}

    def wait_stats(self, rule, seconds=15, **expected):
        def arrived():
            now = self.stats(rule)
            return all(now.get(key) == value for key, value in expected.items()) and now
        return until(arrived, lambda: f"{expected} of rule {rule}, it has {self.stats(rule)}",
                     seconds)

    def rules(self):
        return {rule["id"]: rule for rule in self.api.get("/v1/rules").ok(200)}

    def rule_state(self, rule):
        return self.rules()[rule]["state"]["kind"]

    def wait_rule(self, rule, state="active", seconds=15):
        return until(lambda: self.rule_state(rule) == state and self.rules()[rule],
                     lambda: f"rule {rule} {state}, it is {self.rules().get(rule)}", seconds)

    def health(self, rule):
        """Per target: whether the API shows it healthy; None before the first report."""
        rows = [target["health"] for target in self.rules()[rule]["targets"]]
        return [row and row["healthy"] for row in rows]

    def connected(self, client):
        rows = {row["client_name"]: row for row in self.api.get("/v1/clients").ok(200)}
        return client in rows and rows[client]["connected"]

    def metrics(self, timeout=10):
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=timeout * PATIENCE) as answer:
            text = answer.read().decode()
        RUN.metrics(text)
        return Metrics(text)

    def last_metrics(self):
        """What a server that still runs exports when its test is over; for the record only."""
        if self.life is not None and self.life.alive:
            with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
                self.metrics(timeout=1)

    def wait_bytes(self, rule, expected, seconds=15):
        """The metrics settle on exactly these (in, out); they must never overshoot."""
        def arrived():
            now = self.metrics().rule_bytes(rule)
            assert now[0] <= expected[0] and now[1] <= expected[1], f"{now} exceeds {expected}"
            return now == expected
        return until(arrived, lambda: f"rule {rule}: {self.metrics().rule_bytes(rule)} is not "
                                      f"{expected}", seconds)
