"""Commands that run to their end: exit code, stdout, stderr."""

import dataclasses
import subprocess

from . import log_lines
from .program import before_exec
from .record import RUN
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
    note(words, environment, stdin, done)
    shown = " ".join([words[0].rpartition("/")[2], *words[1:]])
    return Done(shown, done.returncode, done.stdout, done.stderr)



# The subcommands; what runs without one has a name here too.
COMMANDS = {
    "portunus-server": ["serve", "push-rule", "remove-rule", "list-rules", "rule-stats", "user-add",
                        "user-list", "user-get", "user-remove", "credential-issue",
                        "credential-list", "credential-revoke", "credential-rotate", "grant-add",
                        "grant-list", "grant-revoke", "owner-cap", "enroll-client", "revoke",
                        "list-clients", "rename-client", "bootstrap-superadmin", "reset-password",
                        "onboarding-token", "audit", "restore", "reset", "backup", "gen-token",
                        "completion", "help"],
    "portunus-client": ["enroll", "completion", "help"],
    "portunus-standalone": ["stats", "completion", "help"],
}
WITHOUT = {"portunus-client": "agent", "portunus-standalone": "daemon"}
WITH_A_SECOND_WORD = ("owner-cap", "audit")


def identity(words):
    """(program, subcommand) of a command line; (None, None) if it runs no program of ours."""
    for index, word in enumerate(words):
        program = word.rpartition("/")[2]
        if program not in COMMANDS or "/" not in word:
            continue
        rest = words[index + 1:]
        at = next((i for i, word in enumerate(rest) if word in COMMANDS[program]), None)
        if at is None:
            return program, WITHOUT.get(program, "")
        pair = rest[at] in WITH_A_SECOND_WORD and len(rest) > at + 1
        return program, " ".join(rest[at:at + 1 + pair])
    return None, None


def note(words, environment, stdin, done):
    """For the checks of the whole run; what is no program of ours is of no interest there."""
    program, command = identity(words)
    if program is None:
        return
    RUN.secret("bearer", environment.get("PORTUNUS_OPERATOR_TOKEN", ""))
    if command in ("reset-password", "user-add"):
        RUN.secret("password", (stdin or "").partition("\n")[0].rstrip("\r"))
    RUN.ended(program, command, done.returncode, *log_lines.split(done.stderr))
    RUN.command_output(command, done.stdout)
    RUN.log(f"stderr of {program} {command}", done.stderr)
