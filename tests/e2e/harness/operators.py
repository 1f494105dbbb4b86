"""Operators who change everything all the time, and know exactly what the store must then hold.

Each `Operator` is one thread with people, clients and rules of its own, so that its requests follow
each other. Its `rows` are what its answered requests have made of the store, keyed as in
`store_copy.py`. A request that gets no answer leaves two possible stores, and its audit row or
none; `settle` takes a copy of the store of a killed server, and tells what does not fit.
"""

import dataclasses
import http.client
import random
import threading
import time
from typing import Optional

from .api import Api
from .operator_people import PeopleSteps
from .operator_rules import RuleSteps
from .operator_steps import ANONYMOUS, Refused, Unanswered, sha256


@dataclasses.dataclass
class Entry:
    """An audit row that must come, and when its request was answered (None = it was not)."""
    row: tuple
    answered: Optional[float]


def visible(rows):
    """Without the failed attempts at users who are gone: they go by age."""
    return {key: value for key, value in rows.items()
            if key[0] != "attempts" or ("user", key[1]) in rows}


class Operator(PeopleSteps, RuleSteps):
    def __init__(self, world, number, seed):
        self.world = world
        self.prefix = f"w{number}-"
        self.random = random.Random(f"{seed}-{number}")
        self.first_port = 40000 + number * 2000  # of simulated edges, which bind none
        # Few, so that each is soon taken again; real edges of one host share its ports.
        self.real_ports = {name: [world.lab.port() for _ in range(2)] for name in world.real}
        self.root = f"{self.prefix}root"
        self.api = Api(world.server.api_port)
        self.rows = {}
        self.ids = {}
        self.tokens = {}  # of tokens whose issue was answered: key of the row -> token
        self.cookies = {}
        self.codes = {}  # client name -> the unused code that was answered
        self.edges = {}  # client name -> SimEdge
        self.entries = []  # audit rows since the last settle()
        self.unanswered = None  # the Step
        self.unanswered_at = 0.0
        self.counter = 0
        self.requests = self.answers = 0
        self.kinds = {}
        self.anomalies = []
        self.steps = [(weight, name, getattr(self, f"step_{name}")) for name, weight in (
            ("add_user", 5), ("remove_user", 3), ("issue", 6), ("revoke_token", 3), ("rotate", 3),
            ("add_grant", 7), ("revoke_grant", 3), ("push", 14), ("remove_rule", 4),
            ("change_rule", 3), ("put_quota", 6), ("patch_quota", 5), ("delete_quota", 2),
            ("put_cap", 3), ("delete_cap", 1), ("log_in", 2), ("fail_log_in", 2), ("log_out", 2),
            ("reset_password", 1), ("new_code", 3), ("redeem", 3), ("again", 1), ("rename", 1),
            ("revoke_client", 2), ("delete_client", 2), ("denied", 4), ("stranger", 4),
            ("read", 3))]
        self.idle = threading.Event()
        self.idle.set()
        self.thread = threading.Thread(target=self.work, name=self.root, daemon=True)

    # --- the thread

    def begin(self, issued):
        """With the first credential of its superadmin."""
        key = ("token", self.root, "own")
        self.rows = {("user", self.root): ("superadmin", False),
                     key: (sha256(issued["token"]), False)}
        self.keep_token(key, issued)
        self.thread.start()

    def work(self):
        while self.world.open_for_work(self):
            try:
                self.act()
            except Exception as error:  # noqa: BLE001  a thread that dies would look like peace
                self.anomalies.append(f"{self.root}: {error!r}")
            finally:
                self.idle.set()

    def act(self):
        _, name, make = self.random.choices(self.steps, [step[0] for step in self.steps])[0]
        step = make()
        if step is None:
            return
        self.requests += 1
        try:
            status, answer = self.perform(step)
        except Refused:
            return
        except Unanswered:
            self.unanswered_at = time.monotonic()
            self.unanswered = step  # from here on the world gives it no work
            return
        self.answers += 1
        self.kinds[name] = self.kinds.get(name, 0) + 1
        self.judge(step, status, answer)

    def perform(self, step):
        if step.call is not None:
            return step.ok, step.call()
        try:
            answer = self.api.request(step.method, step.path, step.body, token=step.token,
                                      headers=step.headers)
        except ConnectionRefusedError as error:
            raise Refused from error
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered from error
        if step.path == "/v1/auth/login" and answer.status == 200:
            return 200, answer.headers["Set-Cookie"]
        return answer.status, answer.json if answer.body else None

    def judge(self, step, status, answer):
        code = answer["error"]["code"] if status >= 400 else None
        if status == step.ok:
            step.effect(self.rows, answer)
            step.done(answer)
        elif code == "ack_timeout" and step.lasting:
            step.effect(self.rows, None)
        elif code in step.harmless:
            return
        else:
            self.anomalies.append(f"{step.method} {step.path} {step.body}: {status} {answer}")
            return
        now = time.monotonic()
        self.entries += [Entry(row, now) for row in step.audited]

    # --- after a kill

    def settle(self, copy, actual, audit, killed_at):
        """What of the store does not fit; afterwards the model is what the store holds.

        `actual` and `audit` are all rows of it, `audit` those since the last time. The second value
        is the greatest age, in seconds before the kill, of an answered request without its row.
        """
        mine = visible({key: value for key, value in actual.items() if self.owns(key)})
        flaws, applied = self.compare(mine)
        more, age = self.compare_audit(audit, killed_at, applied)
        self.rows = mine
        self.ids = {key: copy.ids[key] for key in mine}
        for known in (self.tokens, self.cookies):
            for key in list(known):
                if key not in mine:
                    del known[key]
        for name in list(self.codes):
            held = mine.get(("codes", name), ())
            if not held or held[-1] != (sha256(self.codes[name]), False):
                del self.codes[name]
        self.entries = []
        self.unanswered = None
        return flaws + more, age, applied

    def owns(self, key):
        return any(isinstance(part, str) and part.startswith(self.prefix) for part in key[1:])

    def compare(self, mine):
        """Flaws, and which of the possible stores it is: None when it can be several, else whether
        the unanswered request was carried out."""
        before = mine == visible(self.rows)
        if not before and self.unanswered is None:
            return self.differences(mine, visible(self.rows), "answered requests"), None
        step = self.unanswered
        if step is None:
            return [], None
        rows = dict(self.rows)
        step.effect(rows, None)
        after = mine == visible(rows)
        if not before and not after:
            return (self.differences(mine, visible(self.rows), f"without {step.method} {step.path}")
                    + self.differences(mine, visible(rows), "and with it")), None
        return [], None if before and after else after

    def differences(self, mine, wanted, what):
        out = [f"{self.root}, {what}: {key} is {mine.get(key)}, not {wanted.get(key)}"
               for key in {**mine, **wanted} if key not in mine or key not in wanted
               or mine[key] != wanted[key]]
        return out[:5]

    def compare_audit(self, audit, killed_at, applied):
        mine = [row for row in audit if self.wrote(row)]
        step = self.unanswered
        possible = list(self.entries)
        if step is not None:
            possible += [Entry(row, None) for row in step.audited]
        wanted = [entry.row for entry in possible]
        if mine != wanted[:len(mine)]:
            at = next((i for i, row in enumerate(mine) if i >= len(wanted) or row != wanted[i]))
            return [f"{self.root}: audit row {at} of {len(mine)} is {mine[at]}, not "
                    f"{wanted[at] if at < len(wanted) else 'there at all'}; before it "
                    f"{mine[max(0, at - 2):at]}"], 0.0
        flaws = []
        if len(mine) > len(self.entries) and applied is False:
            flaws.append(f"{self.root}: {step.method} {step.path} is in the audit log and was "
                         "not carried out")
        lost = self.entries[len(mine):]
        return flaws, max((killed_at - entry.answered for entry in lost), default=0.0)

    def wrote(self, row):
        actor, _, path, _, _ = row
        return actor.startswith(self.prefix) or (
            actor == ANONYMOUS and path.startswith(f"/v1/rules/{self.first_port}"))
