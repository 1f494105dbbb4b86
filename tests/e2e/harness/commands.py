"""Commands that run to their end: exit code, stdout, stderr."""

import dataclasses
import subprocess

from .program import before_exec
from .waiting import PATIENCE


@dataclasses.dataclass(frozen=True)
class Done:
    command: str
    code: int
    out: str
    err: str

    @property
    def error(self):
        """The last line of stderr that is not a log line."""
        plain = [line for line in self.err.splitlines() if not line.startswith("{")]
        return plain[-1] if plain else ""

    def ok(self):
        assert self.code == 0, f"{self.command}: exit {self.code}\n{self.err}"
        return self.out


def run(command, environment, cwd, stdin=None, seconds=60.0):
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=cwd,
                          input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          timeout=seconds * PATIENCE, preexec_fn=before_exec)
    shown = " ".join([words[0].rpartition("/")[2], *words[1:]])
    return Done(shown, done.returncode, done.stdout, done.stderr)
