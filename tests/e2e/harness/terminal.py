"""What a person types and sees at a terminal."""

import fcntl
import os
import pty
import re
import subprocess
import termios

from . import log_lines
from .commands import identity
from .program import before_exec
from .record import RUN
from .waiting import PATIENCE, until


class Terminal:
    """A command with a terminal of its own, which types and reads what is echoed."""

    def __init__(self, lab, command):
        self.master, slave = pty.openpty()

        def take_terminal():
            before_exec()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, stdin=slave, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=lab.environment(), cwd=lab.folder, start_new_session=True,
            preexec_fn=take_terminal)
        os.close(slave)
        for stream in (self.process.stderr.fileno(), self.master):
            os.set_blocking(stream, False)
        self.errors = b""
        self.echoed = b""

    @staticmethod
    def _read(descriptor):
        try:
            return os.read(descriptor, 65536)
        except OSError:  # nothing yet, or nobody at the other end any more
            return b""

    def wait_prompt(self, prompt):
        def seen():
            self.errors += self._read(self.process.stderr.fileno())
            return prompt.encode() in self.errors
        until(seen, lambda: f"the prompt {prompt!r} after {self.errors!r}")

    def type(self, text):
        os.write(self.master, text.encode())

    def read_echo(self):
        self.echoed += self._read(self.master)

    def wait_end(self):
        """(exit code, stdout)."""
        out = self.process.stdout.read().decode()
        code = self.process.wait(20 * PATIENCE)
        self.errors += self._read(self.process.stderr.fileno())
        # The newline after a prompt is the terminal's echo of the one that was typed.
        text = re.sub(r"(New|Confirm) password: ", "", self.errors.decode())
        RUN.ended(*identity(self.command), code, *log_lines.split(text))
        return code, out

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        os.close(self.master)
