"""portunus-client: its bundle and its lives."""

import json


class Client:
    def __init__(self, lab, server, name="edge-01", enroll=True, **options):
        self.lab = lab
        self.server = server
        self.name = name
        self.bundle = lab.folder / f"{name}.bundle.json"
        self.wrapper = []  # words before the command, of what runs it
        self.options = {"stats-report-interval-secs": 1, "shutdown-drain-timeout-secs": 3,
                        "reconnect-initial-delay-ms": 100, "reconnect-max-delay-secs": 1,
                        **options}
        self.life = None
        if enroll:
            self.enroll(server.enroll_uri(name))

    @property
    def binary(self):
        return self.lab.bin / "portunus-client"

    def enroll(self, uri):
        done = self.lab.run([self.binary, "enroll", uri, "--out", self.bundle])
        done.ok()
        self.lab.secret(json.loads(self.bundle.read_text("utf-8"))["token"])
        return done

    def command(self):
        words = [*self.wrapper, self.binary, "--bundle", self.bundle]
        for key, value in self.options.items():
            words += [f"--{key}", str(value)]
        return words

    def launch(self, program_name=None, **environment):
        self.life = self.lab.start(program_name or self.name, self.command(), **environment)
        return self.life

    def start(self, **environment):
        self.launch(**environment)
        self.wait_connected()
        return self

    def wait_connected(self, since=0, seconds=20):
        return self.life.wait_event("control.connected", seconds, since)

    def stop(self):
        self.life.process.terminate()
        code = self.life.wait_exit(20)
        assert code == 0, f"the client ended with {code}\n{self.life.tail()}"

    def kill(self):
        self.life.kill()
