"""Two real processes: a Portal, and `portunus-portal connect` in front of it.

Their logs are records for people, not the events of the other programs, so they are daemons here.
"""

import os
import pathlib
import re
import subprocess
from signal import SIGTERM

import pytest

from harness.program import before_exec
from harness.waiting import PATIENCE, until

KEY = "connect-e2e-key-0123456789"


class Process:
    """One life of portunus-portal; what it says goes to two files."""

    def __init__(self, lab, name, *arguments, **environment):
        number = len(list(lab.folder.glob(f"{name}.*.out"))) + 1
        self.name = name
        self.out = lab.folder / f"{name}.{number}.out"
        self.err = lab.folder / f"{name}.{number}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(lab.bin / "portunus-portal"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, cwd=lab.folder, env=lab.environment(**environment),
                start_new_session=True, preexec_fn=before_exec)
        lab.owns(self)

    @property
    def text(self):
        return (self.out.read_text("utf-8", errors="replace") +
                self.err.read_text("utf-8", errors="replace"))

    def wait_text(self, pattern, seconds=15):
        def found():
            match = re.search(pattern, self.text)
            assert match or self.process.poll() is None, f"{self.name} ended\n{self.text}"
            return match
        return until(found, lambda: f"{self.name} says {pattern!r}\n{self.text}", seconds)

    def signal(self, number=SIGTERM):
        self.process.send_signal(number)

    def wait_exit(self, seconds=15):
        return self.process.wait(seconds * PATIENCE)

    def stop(self, number=SIGTERM):
        """An orderly end; anything else is a failure."""
        self.signal(number)
        assert self.wait_exit() == 0, self.text

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        assert KEY not in self.text, f"{self.name} shows its key"


class Portal:
    """A Portal on a port of its own, which a restart keeps."""

    def __init__(self, lab, query="", **environment):
        self.lab = lab
        self.port = lab.port()
        self.query = query
        self.environment = environment
        self.life = None

    def url(self, key=KEY, host="127.0.0.1"):
        return f"portal://{key}@{host}:{self.port}"

    def start(self):
        self.life = Process(self.lab, "portal", f"{self.url()}?{self.query}", **self.environment)
        self.life.wait_text("portal::run: starting")
        return self

    def checkpoint(self):
        """The numbers of the last CHECK_POINT."""
        lines = re.findall(r"CHECK_POINT\|(.*)", self.life.text)
        return dict(field.split("=", 1) for field in lines[-1].split("|")) if lines else {}

    def wait_checkpoint(self, **wanted):
        expected = {name: str(value) for name, value in wanted.items()}
        return until(lambda: expected.items() <= self.checkpoint().items(),
                     lambda: f"{expected} in {self.checkpoint()}", 15)


class Connect:
    """A local port in front of it."""

    def __init__(self, portal, target, *options, key=KEY, trust=("--insecure",), listen=None):
        self.life = Process(portal.lab, "connect", "connect", portal.url(key),
                            "--listen", listen or "127.0.0.1:0", "--target", target,
                            *trust, *options)
        found = self.life.wait_text(r"portal::connect: listening: \w+ \S*:(\d+) to")
        self.port = int(found[1])


def self_signed(folder, name="localhost"):
    """(certificate, key, pin): PEM files made by openssl, and the SHA-256 of the leaf."""
    certificate, key = folder / "portal.crt", folder / "portal.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-days", "30", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    shown = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                            "-sha256"], check=True, capture_output=True, text=True).stdout
    return certificate, key, shown.strip().partition("=")[2].replace(":", "").lower()


def require_program(lab, name="portunus-portal"):
    """Skips a test where the Portal is left out of the build, its QUIC library not being there.

    Where CI is set nothing may be left out, so there the test fails.
    """
    if pathlib.Path(lab.bin / name).exists():
        return
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(f"{name} is not built here")
    pytest.fail(f"{name} is not built, and CI is set: see what scripts/setup and CMake say of the "
                "Portal", pytrace=False)
