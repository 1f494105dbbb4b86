"""portunus-standalone: its file, its lives, its stats socket."""

import json

from .waiting import until


class Standalone:
    """One configuration; `rules` is TOML text of [[rule]] tables."""

    def __init__(self, lab, rules, settings="", name="standalone"):
        self.lab = lab
        self.name = name
        self.life = None
        # A socket's path must be short; the lab's folder may not be.
        self.socket = lab.short_folder() / f"{name}.sock"
        self.config = lab.folder / f"{name}.toml"
        self.config.write_text(f"{settings}\n[stats]\nsocket_path = {json.dumps(str(self.socket))}\n"
                               f"refresh_ms = 250\n{rules}", "utf-8")

    @property
    def binary(self):
        return self.lab.bin / "portunus-standalone"

    def launch(self, *arguments, **environment):
        self.life = self.lab.start(self.name, [self.binary, "--config", self.config, *arguments],
                                   **environment)
        return self.life

    def start(self, *arguments, **environment):
        life = self.launch(*arguments, **environment)
        life.wait_event("standalone.stats_socket_listening", 20)
        return self

    def run(self, *arguments, **environment):
        return self.lab.run([self.binary, *arguments], **environment)

    def once(self):
        """One reader's hello and snapshot."""
        return json.loads(self.run("stats", "--once", "--socket", str(self.socket)).ok())

    def rule(self, name):
        """A rule's counters in a fresh snapshot."""
        seen = self.once()
        number = next(rule["id"] for rule in seen["hello"]["rules"] if rule["name"] == name)
        return next(row for row in seen["snapshot"]["r"] if row["id"] == number)

    def wait_rule(self, name, **expected):
        def arrived():
            row = self.rule(name)
            return all(row[key] == value for key, value in expected.items()) and row
        return until(arrived, lambda: f"{expected} of {name}, it has {self.rule(name)}")

    def stop(self):
        self.life.process.terminate()
        code = self.life.wait_exit(20)
        assert code == 0, f"ended with {code}\n{self.life.tail()}"


def rule(name, listen, target, *more):
    """A [[rule]] table; `listen` is a port or "lo-hi", `target` text or a list of tables."""
    key = "listen_port" if isinstance(listen, int) else "listen_ports"
    lines = ["[[rule]]", f"name = {json.dumps(name)}", f"{key} = {json.dumps(listen)}"]
    if isinstance(target, str):
        lines.append(f"target = {json.dumps(target)}")
    else:
        rows = ["{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in row.items()) + " }"
                for row in target]
        lines.append(f"targets = [{', '.join(rows)}]")
    return "\n".join([*lines, *more, ""])
