"""Many simulated edges: enrolled one by one at the real services, then held by edge_swarm."""

import json
import subprocess
import urllib.parse

from .errors import BenchError
from .readiness import wait_until

STATUS_MS = 200
ENROLL_AT_ONCE = 4


def name_of(number):
    return f"edge-{number:05d}"


def code_of(uri):
    """The one-time code of an enrollment URI."""
    codes = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query).get("code", [])
    if len(codes) != 1:
        raise BenchError(f"unexpected enrollment URI {uri[:60]!r}")
    return codes[0]


def last_status(text):
    """The last whole line; None before the first."""
    lines = text[:text.rfind("\n") + 1].splitlines()
    return json.loads(lines[-1]) if lines else None


class Swarm:
    """Owns the tool's process; it ends with its stdin, so with the harness at the latest."""

    def __init__(self, setting, server, codes, *, report_ms, threads=1):
        self._setting = setting
        self._server = server
        self._tool = setting.tool("edge_swarm")
        self._tokens = setting.scratch / "tokens"
        self._output = setting.scratch / "swarm.jsonl"
        self._report_ms = report_ms
        self._threads = threads
        self._codes = codes
        self.child = None

    def enroll(self):
        path = self._setting.scratch / "codes"
        path.write_text("".join(f"{code}\n" for code in self._codes))
        self._setting.children.check(
            "enroll", [self._tool, "enroll", self._address, self._server.certificate, path,
                       self._tokens, ENROLL_AT_ONCE], timeout=60 + len(self._codes) // 10)

    @property
    def _address(self):
        return f"127.0.0.1:{self._server.control}"

    def start(self):
        with open(self._output, "wb") as output:
            self.child = self._setting.children.start(
                "swarm", [self._tool, "run", self._address, self._server.certificate,
                          self._tokens, self._report_ms, STATUS_MS, self._threads],
                stdin=subprocess.PIPE, stdout=output)
        wait_until(lambda: self.status() is not None, "edge_swarm", self.child)

    def hold(self, count):
        self.child.process.stdin.write(f"hold {count}\n".encode())
        self.child.process.stdin.flush()

    def status(self):
        # Only its end: the file grows by a line per status for as long as the run takes.
        with open(self._output, "rb") as file:
            start = max(0, file.seek(0, 2) - 4096)
            file.seek(start)
            text = file.read().decode()
        return last_status(text.partition("\n")[2] if start else text)

    def history(self, since_ms):
        """Every status from that Unix time on."""
        with open(self._output, encoding="ascii") as file:
            rows = [json.loads(line) for line in file if line.endswith("\n")]
        return [row for row in rows if row["at_ms"] >= since_ms]

    def wait_rules(self, count, timeout):
        wait_until(lambda: self.status()["rules"] == count, f"{count} rules at the edges",
                   self.child, timeout=timeout, pause=0.1)

    def wait_replayed(self, count, timeout, sessions=0):
        """The status in which that many edges are connected and have their whole replay, after at
        least so many sessions since the start: a status is a moment old, and so the last one of
        before a restart may still be there after it."""
        found = {}

        def complete():
            found.update(self.status() or {})
            return (found["replayed"] == count and found["connected"] == count
                    and found["sessions"] >= sessions)

        wait_until(complete, f"{count} edges with their rules", self.child, self._server.child,
                   timeout=timeout, pause=0.1)
        return found
