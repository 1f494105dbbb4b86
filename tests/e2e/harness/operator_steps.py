"""What all requests of an operator have in common: how one is written down and made."""

import dataclasses
import hashlib
from typing import Any, Callable, Optional

PASSWORD = "correct horse battery"
WRONG = "incorrect horse battery"
# Lost with the session, or turned away because there is none: http-api 8.5.
OFFLINE = frozenset({"client_not_connected", "rate_limit_unsupported_by_client"})
BUSY = frozenset({"rate_limited"})  # too many passwords at once
ANONYMOUS = "_anonymous"


class Unknown:
    """Equals everything: what only an answer would have told."""

    def __eq__(self, other):
        return True

    __hash__ = None


ANY = Unknown()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass
class Step:
    """One request and what it does."""
    method: str
    path: str
    body: Any = None
    token: Optional[str] = None
    headers: dict = dataclasses.field(default_factory=dict)
    ok: int = 200
    effect: Callable = lambda rows, answer: None  # changes rows; answer is None when there is none
    harmless: frozenset = frozenset()  # codes of refusals that leave nothing
    lasting: bool = False  # the effect stays in spite of ack_timeout
    audited: tuple = ()  # rows as (actor, method, path, outcome, reason)
    done: Callable = lambda answer: None  # what the operator remembers of the answer
    call: Optional[Callable] = None  # instead of HTTP: returns the JSON of the answer


class Unanswered(Exception):
    """The server went away: the request may have been carried out or not."""


class Refused(Exception):
    """Nobody listened: the request was not sent."""


def drop_rules(rows, doomed):
    """Takes rules out, and the caps of an owner who has no rule left on that client."""
    for key in doomed:
        del rows[key]
    for _, owner, client, _ in doomed:
        if not any(key[0] == "rule" and key[1:3] == (owner, client) for key in rows):
            rows.pop(("cap", owner, client), None)


class Steps:
    """Makes the next request of a kind from what an operator's `rows` hold; None when it cannot.

    An effect changes the rows that it is given; without an answer (None) what only that would have
    told is ANY.
    """

    # --- what it looks at

    def name(self, kind):
        self.counter += 1
        return f"{self.prefix}{kind}{self.counter}"

    def pick(self, kind, wanted=lambda key, value: True):
        """One of its rows of that kind."""
        found = [key for key, value in self.rows.items() if key[0] == kind and wanted(key, value)]
        return self.random.choice(found) if found else None

    def count(self, kind):
        return sum(key[0] == kind for key in self.rows)

    def tenant(self):
        key = self.pick("user", lambda key, value: key[1] != self.root)
        return key and key[1]

    def live_token(self, user):
        """The key of a token that can be used."""
        return self.pick("token", lambda key, value: key[1] == user and not value[1]
                         and key in self.tokens)

    def own_client(self, wanted=lambda key, value: True):
        key = self.pick("client", wanted)
        return key and key[1]

    def is_enrolled(self, client):
        return ("client", client) in self.rows or client in self.world.shared + self.world.real

    def root_step(self, method, path, body=None, **fields):
        """A change by its superadmin, which leaves one row."""
        return Step(method, path, body, token=self.tokens[("token", self.root, "own")],
                    **{"audited": ((self.root, method, path, "allow", None),), **fields})

    # --- what changes nothing

    def step_denied(self):
        user = self.tenant()
        by = user and self.live_token(user)
        if by is None:
            return None
        return Step("GET", "/v1/users", token=self.tokens[by], ok=403,
                    audited=((user, "GET", "/v1/users", "deny", "role_required"),))

    def step_stranger(self):
        self.counter += 1
        path = f"/v1/rules/{self.first_port}{self.counter:08}/stats"
        return Step("GET", path, ok=401,
                    audited=((ANONYMOUS, "GET", path, "deny", "unauthenticated"),))

    def step_read(self):
        path = self.random.choice(["/v1/rules", "/v1/users", "/v1/grants", "/v1/clients",
                                   "/v1/audit?limit=20"])
        return self.root_step("GET", path, audited=())
