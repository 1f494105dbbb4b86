"""What one test owns: a folder, ports, programs, targets, and the secrets that must not leak."""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import tempfile

from . import commands, log_lines
from .ports import Ports
from .program import Program
from .record import RUN

LARGEST_STORE = 32 * 1024 * 1024  # bytes that are searched
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


def bin_dir():
    return pathlib.Path(os.environ.get("PORTUNUS_BIN_DIR")
                        or REPOSITORY / "build" / "release" / "bin").resolve()


def scratch():
    """Not on tmpfs: the server refuses to keep its store there."""
    base = os.environ.get("PORTUNUS_E2E_DIR") or REPOSITORY / "build" / "e2e"
    return pathlib.Path(base) / os.environ.get("PYTEST_XDIST_WORKER", "main")


class Lab:
    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.home = folder / "home"
        self.home.mkdir()
        self.bin = bin_dir()
        self.ports = Ports()
        self.programs = []
        self.secrets = set()
        self.stack = contextlib.ExitStack()
        self.outputs = []  # of commands, which log to stderr too
        self.before_the_end = []  # called while the programs still run
        # Which lines of the logs a test has provoked that are outside the log contract.
        self.expected_flaws = ()

    def port(self):
        return self.ports.take()

    def port_block(self, count, step=1):
        """The first of `count` neighbouring ports (or ports `step` apart)."""
        return self.ports.take_block(count, step)

    def short_folder(self):
        """A folder with a path short enough for Unix sockets, gone with the lab."""
        folder = tempfile.TemporaryDirectory(prefix="portunus-e2e-")
        self.stack.callback(folder.cleanup)
        return pathlib.Path(folder.name)

    def owns(self, resource):
        """Closes the resource when the test ends."""
        self.stack.callback(resource.close)
        return resource

    def secret(self, value):
        """From now on a leak of this value into any log fails the test."""
        assert len(value) >= 16, "too short to be searched for"
        self.secrets.add(value)
        return RUN.secret("registered", value)

    def environment(self, **extra):
        """Nothing of ours from outside reaches a program."""
        base = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                "HOSTNAME": "e2e-host"}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if key in os.environ:
                base[key] = os.environ[key]
        base.update({key: value for key, value in extra.items() if value is not None})
        return base

    def start(self, name, command, **environment):
        number = sum(program.name == name for program in self.programs) + 1
        program = Program(name, command, self.folder / f"{name}.{number}.log",
                          self.environment(**environment), self.folder)
        self.programs.append(program)
        return program

    def run(self, command, stdin=None, seconds=60.0, **environment):
        done = commands.run(command, self.environment(**environment), self.folder, stdin, seconds)
        self.outputs.append(done)
        return done

    def close(self):
        """Ends everything; returns what the logs and the stores did wrong."""
        for last_words in self.before_the_end:
            last_words()
        for program in reversed(self.programs):
            program.kill()
        self.stack.close()
        self.ports.release_all()
        self.leave_record()
        return self.leaks() + self.log_flaws()

    def leave_record(self):
        """What the programs of this lab said, for the checks of the whole run."""
        strange = set()  # logs of what is no program of ours
        for program in self.programs:
            name, command = commands.identity(program.command)
            if name is None:
                strange.add(program.log)
            else:
                lines, events = log_lines.split(program.text)
                RUN.ended(name, command, program.process.returncode, lines, events)
                RUN.text(f"stdout of {command}", program.out.read_text("utf-8", errors="replace"))
        for log in set(self.folder.rglob("*.log")) - strange:
            RUN.log(log.name, log.read_text("utf-8", errors="replace"))
        for bundle in self.folder.rglob("*.bundle.json"):
            with contextlib.suppress(ValueError, TypeError, KeyError, OSError):
                RUN.secret("client token", json.loads(bundle.read_text("utf-8"))["token"])
        for key in self.folder.rglob("server.key"):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                for line in key.read_text("ascii").splitlines():
                    if len(line) >= 40 and "KEY" not in line:
                        RUN.secret("private key", line)
        for path in self.folder.rglob("state.db"):
            self.leave_store(path)

    @staticmethod
    def leave_store(path):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_STORE:
            return
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as rows:
            for row in rows.execute("SELECT * FROM audit"):
                RUN.text("audit row", " ".join(str(value) for value in row))
        for part in (path, path.with_name("state.db-wal")):
            if part.exists():
                RUN.store(part)

    def leaks(self):
        found = []
        texts = [(program.log.name, program.text) for program in self.programs]
        texts += [(f"stderr of {done.command.split()[0]}", done.err) for done in self.outputs]
        for where, text in texts:
            found += [f"{where}: a secret was logged (…{value[-4:]})"
                      for value in self.secrets if value in text]
        return found

    def log_flaws(self):
        found = []
        for program in self.programs:
            lines = program.text.split("\n")[:-1]  # the last one may be cut off by a kill
            for line in lines:
                flaw = log_lines.flaw(line)
                if flaw and not any(part in line for part in self.expected_flaws):
                    found.append(f"{program.log.name}: {flaw}: {line[:200]}")
        return found
