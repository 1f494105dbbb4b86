"""One run of one of our programs: its process, its log, its end."""

import ctypes
import os
import resource
import signal
import subprocess

from . import log_lines
from .waiting import PATIENCE, until

DESCRIPTORS = 16384  # LimitNOFILE of the client's unit
PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec, other threads may hold whatever lock the loader needs.
LIBC = ctypes.CDLL(None)


def before_exec():
    """A test run that is killed leaves nothing behind; descriptors as in the unit file. Signals as
    a service has them, also where the run itself was started by nohup."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Program:
    """A started process whose stderr goes to a file, so that it never has to wait for us."""

    def __init__(self, name, command, log, environment, cwd):
        self.name = name
        self.command = [str(word) for word in command]
        self.log = log
        self.out = log.with_suffix(".out")
        with open(log, "wb") as stderr, open(self.out, "wb") as stdout:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=stderr, env=environment, cwd=cwd, start_new_session=True,
                preexec_fn=before_exec)
        self._position = 0
        self._partial = b""
        self._events = []

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process.poll() is None

    @property
    def text(self):
        return self.log.read_text("utf-8", errors="replace")

    def events(self, name=None, since=0, **fields):
        """Events so far, those of one name whose fields have these values."""
        self._read()
        return [event for event in self._events[since:]
                if (name is None or event["event"] == name)
                and all(event.get(key) == value for key, value in fields.items())]

    def mark(self):
        """For `since`: only what is logged from now on."""
        self._read()
        return len(self._events)

    def _read(self):
        with open(self.log, "rb") as file:
            file.seek(self._position)
            data = file.read()
        self._position += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            event = log_lines.parse(line.decode("utf-8", errors="replace"))
            if event is not None:
                self._events.append(event)

    def wait_event(self, name, seconds=10.0, since=0, **fields):
        def seen():
            found = self.events(name, since, **fields)
            # A last look after its end, or a program that logs and exits would be missed.
            if not found and not self.alive:
                found = self.events(name, since, **fields)
                assert found, f"{self.name} ended ({self.process.returncode}) without {name}\n" \
                              f"{self.tail()}"
            return found[0] if found else None
        return until(seen, lambda: f"{name} {fields or ''} of {self.name}\n{self.tail()}", seconds)

    def wait_events(self, name, count, seconds=10.0, since=0, **fields):
        """All of them, once there are `count`: a line is written a little after what it tells."""
        return until(
            lambda: (found := self.events(name, since, **fields)) and len(found) >= count and found,
            lambda: f"{count} x {name} {fields or ''} of {self.name}\n{self.tail()}", seconds)

    def tail(self, count=15):
        return "\n".join(self.text.splitlines()[-count:])

    def wait_exit(self, seconds=15.0):
        """The exit code; AssertionError when it does not end in time."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end\n{self.tail()}") from None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL: what a crash or a power cut looks like."""
        if self.alive:
            self.process.kill()
        self.process.wait()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def socket_inodes(self):
        inodes = set()
        for entry in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                link = os.readlink(f"/proc/{self.pid}/fd/{entry}")
            except FileNotFoundError:
                continue
            if link.startswith("socket:["):
                inodes.add(int(link[8:-1]))
        return inodes

    def listener_inodes(self, port, protocol="tcp"):
        """Identities of the sockets with which this process listens on the port."""
        ours = self.socket_inodes()
        listening = set()
        state = {"tcp": "0A", "udp": "07"}[protocol]
        for table in (protocol, f"{protocol}6"):
            with open(f"/proc/{self.pid}/net/{table}", encoding="ascii") as file:
                for line in list(file)[1:]:
                    columns = line.split()
                    if columns[3] == state and int(columns[1].rpartition(":")[2], 16) == port:
                        listening.add(int(columns[9]))
        return listening & ours
