"""What a run has produced, kept for the checks that follow a full run.

Each test process writes files of its own into one folder (PORTUNUS_E2E_RECORD, else build/e2e/record):

  <worker>.answers   JSON lines: what the API answered where, once each
  <worker>.exits     JSON lines: how each program ended, with its plain stderr lines and its events
  <worker>.secrets   kind and value of every secret that the run created or sent
  <worker>.texts     what programs wrote, answered and audited, line by line, with where it stood;
                     a secret is cut out of the one place by which the contract hands it out
  <worker>.stores    the printable runs of every database file

tests/lint/check_contract_codes.py --run and tests/e2e/check_secrets.py read them.
"""

import json
import os
import pathlib
import re
import shutil

SHORTEST = 12  # characters; what is shorter is no secret of ours and stands everywhere
CUT = "<handed out>"
# A 43-character secret by the words before it, and the commands whose stdout hands it out so.
HANDED_OUT = [
    ("superadmin token", "bootstrap-superadmin", re.compile(r"token=([\w-]{43})")),
    ("setup token", "onboarding-token", re.compile(r"setup_token=([\w-]{43})")),
    ("temporary password", "reset-password", re.compile(r"temporary_password=([\w-]{43})")),
    ("API token", "credential-issue", re.compile(r'"token": "([\w-]{43})"')),
    ("API token", "credential-rotate", re.compile(r'"token": "([\w-]{43})"')),
    ("enrollment code", "enroll-client", re.compile(r"code=([\w-]{43})")),
    ("generated token", "gen-token", re.compile(r"^([\w-]{43})$", re.MULTILINE)),
]
SETUP_LINE = re.compile(r"^Portunus onboarding setup token: ([\w-]{43})$", re.MULTILINE)
CODE_OF_URI = re.compile(r"code=([\w-]{43})")
SESSION = re.compile(r"portunus_session=([^;\s]+)")
# Members of JSON that are secrets wherever they stand.
MEMBERS = {"token": "API token", "temporary_password": "temporary password",
           "setup_token": "setup token", "password": "password", "password_confirm": "password",
           "current_password": "password", "new_password": "password",
           "new_password_confirm": "password", "initial_password": "password"}
# The answers that hand one out, and the member that does.
ANSWERS = {("POST", "/v1/users/{user_id}/credentials"): ("token",),
           ("POST", "/v1/users/{user_id}/credentials/{credential_id}/rotate"): ("token",),
           ("POST", "/v1/users/{user_id}/password"): ("temporary_password",),
           ("POST", "/v1/client-enrollments"): ("uri", "command"),
           ("POST", "/v1/clients/{client}/enrollment"): ("uri", "command")}
LOG_IN = ("POST", "/v1/auth/login")


def folder():
    base = os.environ.get("PORTUNUS_E2E_DIR") or (
        pathlib.Path(__file__).resolve().parents[3] / "build" / "e2e")
    return pathlib.Path(os.environ.get("PORTUNUS_E2E_RECORD") or pathlib.Path(base) / "record")


def begin():
    """Of a whole run, before any test process starts: what an earlier one left is gone."""
    shutil.rmtree(folder(), ignore_errors=True)


class Record:
    def __init__(self):
        self.files = {}
        self.seen = set()

    def write(self, kind, line):
        """Each line once; several runs of one process may say the same."""
        if (kind, line) in self.seen:
            return
        if len(line) < 10_000:
            self.seen.add((kind, line))
        if kind not in self.files:
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            name = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.{kind}"
            self.files[kind] = open(folder() / name, "a", 1, encoding="utf-8", errors="replace")
        self.files[kind].write(line + "\n")

    def secret(self, kind, value):
        if len(value) >= SHORTEST and "\n" not in value:
            self.write("secrets", f"{kind}\t{value}")
        return value

    def text(self, where, text):
        for line in text.splitlines():
            self.write("texts", f"{where}\t{line}")

    def store(self, path):
        for run in re.findall(rb"[\x20-\x7e]{16,}", path.read_bytes()):
            self.write("stores", f"{path.name}\t{run.decode('ascii')}")

    # --- programs

    def ended(self, program, command, code, stderr, events):
        """`stderr` without log lines; a code below zero is the signal that ended it."""
        self.write("exits", json.dumps({"program": program, "command": command, "exit": code,
                                        "lines": stderr, "events": sorted(set(events))}))

    def command_output(self, command, out):
        """stdout of a command: what it hands out becomes known and is cut."""
        for kind, name, pattern in HANDED_OUT:
            for value in pattern.findall(out):
                self.secret(kind, value)
            if name == command:
                out = pattern.sub(CUT, out)
        self.text(f"stdout of {command}", out)

    def log(self, where, text):
        """stderr of a program; the setup token has one line of its own."""
        for value in SETUP_LINE.findall(text):
            self.secret("setup token", value)
        self.text(where, SETUP_LINE.sub(CUT, text))

    # --- the API

    def request(self, headers, body):
        """What a caller sends that nobody may see again."""
        for name, value in headers.items():
            if name.lower() == "authorization":
                self.secret("bearer", value.removeprefix("Bearer ").strip())
            elif name.lower() == "cookie":
                for session in SESSION.findall(value):
                    self.secret("session", session)
        self.members(body)

    def members(self, value):
        """Every secret member of a JSON value."""
        if isinstance(value, list):
            for item in value:
                self.members(item)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key in MEMBERS and isinstance(item, str):
                    self.secret(MEMBERS[key], item)
                else:
                    self.members(item)

    def answer(self, method, route, status, headers, body):
        """One answer; `route` is its template, None for what is no route of the API."""
        text = body.decode("utf-8", errors="replace")
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        error = value.get("error") if isinstance(value, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        self.write("answers", json.dumps({"method": method, "route": route, "status": status,
                                          "code": code}))
        where = f"answer of {method} {route}"
        self.members(value)
        if (method, route) in ANSWERS and isinstance(value, dict):
            for code_of_uri in CODE_OF_URI.findall(str(value.get("uri", ""))):
                self.secret("enrollment code", code_of_uri)
            handed = {key: CUT for key in ANSWERS[method, route] if key in value}
            text = json.dumps({**value, **handed}) if handed else text
        head = "\n".join(f"{name}: {content}" for name, content in headers.items()
                         if name.lower() not in ("date", "content-length"))
        for session in SESSION.findall(head):
            self.secret("session", session)
        if (method, route) == LOG_IN:
            head = SESSION.sub(CUT, head)
        self.text(where, head)
        self.text(where, text)

    def metrics(self, text):
        """Names and labels; the numbers hide nothing and change all the time."""
        for line in text.splitlines():
            self.write("texts", "metrics\t" + line.rpartition(" ")[0])


RUN = Record()
