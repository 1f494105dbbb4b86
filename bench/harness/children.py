"""Child processes: each leads its own process group and none outlives the harness."""

import ctypes
import os
import select
import signal
import subprocess
import time

from .errors import BenchError
from .namespace import enter

PR_SET_PDEATHSIG = 1
TERM_GRACE_SECONDS = 2.0

_libc = ctypes.CDLL(None, use_errno=True)


def tail(path, limit=600):
    try:
        return path.read_text(errors="replace").strip()[-limit:]
    except OSError:
        return ""


class Child:
    def __init__(self, name, process, log):
        self.name = name
        self.process = process
        self.log = log

    @property
    def pid(self):
        return self.process.pid

    def read_line(self, timeout):
        """The next line of its stdout, which must be a pipe; empty if none comes in time."""
        output = self.process.stdout
        ready, _, _ = select.select([output], [], [], timeout)
        return output.readline().decode(errors="replace").strip() if ready else ""

    def has_exited(self):
        # WNOWAIT keeps the zombie, and with it the group id, until stop() is through.
        if self.process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def check_alive(self):
        if self.has_exited():
            code = self.process.wait()
            raise BenchError(f"{self.name} exited with {code}: {tail(self.log)}")


class Children:
    """Owns every process of a run. Not thread-safe; used from the main thread only."""

    def __init__(self, scratch):
        self._scratch = scratch
        self._live = []
        self._count = 0

    def start(self, name, argv, *, namespace=None, env=None, **pipes):
        self._count += 1
        log = self._scratch / f"{self._count:04d}-{name}.log"
        parent = os.getpid()
        descriptor = namespace.descriptor if namespace else None

        def prepare():
            if descriptor is not None:
                enter(descriptor)
            # Covers even a SIGKILL of the harness.
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        with open(log, "wb") as output:
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output} | pipes
            try:
                process = subprocess.Popen([str(part) for part in argv], env=env,
                                           start_new_session=True, preexec_fn=prepare,
                                           **streams)
            except OSError as error:
                raise BenchError(f"cannot start {argv[0]}: {error}") from error
        child = Child(name, process, log)
        self._live.append(child)
        return child

    def run(self, name, argv, *, timeout, namespace=None, env=None):
        """Runs to completion; returns (exit code, stdout text, stderr text)."""
        child = self.start(name, argv, namespace=namespace, env=env, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        try:
            out, err = child.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{name} did not finish within {timeout} s") from None
        finally:
            self.stop(child)
        return child.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")

    def check(self, name, argv, **options):
        """As run(), but any exit code other than 0 is an error; returns stdout."""
        code, out, err = self.run(name, argv, **options)
        if code != 0:
            raise BenchError(f"{name} exited with {code}: {(err or out).strip()[-600:]}")
        return out

    def stop(self, *children):
        for child in children:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + TERM_GRACE_SECONDS
        for child in children:
            while not child.has_exited() and time.monotonic() < deadline:
                time.sleep(0.005)
            # The leader may be gone while its workers are not.
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
            for pipe in (child.process.stdin, child.process.stdout, child.process.stderr):
                if pipe:
                    pipe.close()
            if child in self._live:
                self._live.remove(child)

    def stop_all(self):
        self.stop(*self._live)


def _signal_group(child, number):
    if child.process.returncode is not None:
        return
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass
