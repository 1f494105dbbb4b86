"""The requests of an operator, and what each makes of the store (http-api 3, 4, 6, 7, 8, 10)."""

import dataclasses
import hashlib
import json
import re
from typing import Any, Callable, Optional

from .fake_edge import grpc, messages
from .sim_edge import SimEdge

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


def covers(grant, client, port):
    granted, _, first, last = grant
    return granted in ("*", client) and first <= port <= last


def drop_rules(rows, doomed):
    """Takes rules out, and the caps of an owner who has no rule left on that client."""
    for key in doomed:
        del rows[key]
    for _, owner, client, _ in doomed:
        if not any(key[0] == "rule" and key[1:3] == (owner, client) for key in rows):
            rows.pop(("cap", owner, client), None)


def rebind(rows, client, bound):
    """Records made for a name bind when it enrolls, and return to the name when it is deleted."""
    for key, value in list(rows.items()):
        if key[0] in ("rule", "cap", "quota") and key[2] == client:
            rows[key] = (bound, *value[1:])
        elif key[0] == "grant" and value[0] == client:
            rows[key] = (client, bound, *value[2:])


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

    # --- people

    def step_add_user(self):
        if self.count("user") > 6:
            return None
        user = self.name("t")
        body = {"user_id": user, "display_name": user}
        password = self.random.random() < 0.3
        if password:
            body["initial_password"] = PASSWORD

        def effect(rows, answer):
            rows[("user", user)] = ("user", password)
        return self.root_step("POST", "/v1/users", body, ok=201, effect=effect,
                              harmless=BUSY)

    def step_remove_user(self):
        # Mostly one who has much to lose.
        rule = self.pick("rule", lambda key, value: key[1] != self.root)
        user = rule[1] if rule and self.random.random() < 0.7 else self.tenant()
        if user is None or (self.count("user") < 4 and self.random.random() < 0.8):
            return None

        def effect(rows, answer):
            of_user = ("user", "token", "grant", "session", "rule", "cap")
            for key in list(rows):
                if key[0] in of_user and key[1] == user:
                    del rows[key]
        return self.root_step("DELETE", f"/v1/users/{user}", effect=effect)

    def step_issue(self):
        user = self.tenant()
        if user is None or self.count("token") > 30:
            return None
        key = ("token", user, self.name("l"))

        def effect(rows, answer):
            rows[key] = (sha256(answer["token"]) if answer else ANY, False)
        return self.root_step("POST", f"/v1/users/{user}/credentials", {"label": key[2]}, ok=201,
                              effect=effect, done=lambda answer: self.keep_token(key, answer))

    def keep_token(self, key, answer):
        self.tokens[key] = self.world.secret(answer["token"])
        self.ids[key] = answer["credential_id"]

    def step_revoke_token(self):
        key = self.pick("token", lambda key, value: key[1] != self.root and not value[1])
        if key is None:
            return None

        def effect(rows, answer):
            rows[key] = (rows[key][0], True)
        return self.root_step("DELETE", f"/v1/users/{key[1]}/credentials/{self.ids[key]}", ok=204,
                              effect=effect)

    def step_rotate(self):
        """By the tenant himself, whose token it may be."""
        old = self.pick("token", lambda key, value: key[1] != self.root and not value[1])
        by = old and self.live_token(old[1])
        if by is None:
            return None
        key = ("token", old[1], self.name("l"))
        path = f"/v1/users/{old[1]}/credentials/{self.ids[old]}/rotate"

        def effect(rows, answer):
            rows[old] = (rows[old][0], True)
            rows[key] = (sha256(answer["token"]) if answer else ANY, False)
        return Step("POST", path, {"label": key[2]}, token=self.tokens[by], effect=effect,
                    audited=((old[1], "POST", path, "allow", None),),
                    done=lambda answer: self.keep_token(key, answer))

    def step_add_grant(self):
        user = self.tenant()
        if user is None or self.count("grant") > 20:
            return None
        client = self.random.choice([*self.world.shared, *self.world.real, "*",
                                     self.own_client() or "*"])
        first = self.first_port + self.random.randrange(1000)
        last = first + self.random.randrange(1000)
        if client in self.world.real:
            first = last = self.random.choice(self.real_ports[client])
        bound = self.is_enrolled(client)
        key = ("grant", user, self.name("n"))
        body = {"user_id": user, "client": client, "listen_port_start": first,
                "listen_port_end": last, "protocols": ["tcp"], "note": key[2]}

        def effect(rows, answer):
            rows[key] = (client, bound, first, last)

        def done(answer):
            self.ids[key] = answer["grant_id"]
        return self.root_step("POST", "/v1/grants", body, ok=201, effect=effect, done=done)

    def step_revoke_grant(self):
        key = self.pick("grant")
        if key is None:
            return None

        def effect(rows, answer):
            del rows[key]
            left = [value for other, value in rows.items()
                    if other[0] == "grant" and other[1] == key[1]]
            drop_rules(rows, [rule for rule in rows if rule[0] == "rule" and rule[1] == key[1]
                              and not any(covers(grant, rule[2], rule[3]) for grant in left)])
        return self.root_step("DELETE", f"/v1/grants/{self.ids[key]}", effect=effect)

    def step_reset_password(self):
        user = self.tenant()
        if user is None:
            return None
        path = f"/v1/users/{user}/password"
        action = "operator.password_reset"

        def effect(rows, answer):
            rows[("user", user)] = ("user", True)
            for key, value in list(rows.items()):
                if key[0] == "token" and key[1] == user:
                    rows[key] = (value[0], True)
                elif key[0] == "session" and key[1] == user:
                    rows[key] = True
        return self.root_step("POST", path, {"new_password": PASSWORD}, effect=effect,
                              harmless=BUSY, audited=(
            (self.root, "", action, "allow", None), (self.root, "POST", path, "allow", None)))

    # --- the browser

    def log_in_step(self, user, password, **fields):
        agent = self.name("a")
        return agent, Step("POST", "/v1/auth/login", {"user_id": user, "password": password},
                           headers={"User-Agent": agent}, harmless=BUSY, **fields)

    def step_log_in(self):
        key = self.pick("user", lambda key, value: value[1])
        if key is None:
            return None
        user = key[1]

        def effect(rows, answer):
            rows[("session", user, agent)] = False
            rows.pop(("attempts", user), None)

        def done(answer):
            secret = re.match(r"portunus_session=([A-Za-z0-9_-]{43}); ", answer)[1]
            self.cookies[("session", user, agent)] = self.world.secret(secret)
        agent, step = self.log_in_step(user, PASSWORD)
        return dataclasses.replace(step, effect=effect, done=done)

    def step_fail_log_in(self):
        user = self.tenant()
        # The fifth failure would lock him for a minute.
        if user is None or self.rows.get(("attempts", user), 0) >= 4:
            return None

        def effect(rows, answer):
            rows[("attempts", user)] = rows.get(("attempts", user), 0) + 1
        return self.log_in_step(user, WRONG, ok=401, effect=effect)[1]

    def step_log_out(self):
        key = self.pick("session", lambda key, value: not value and key in self.cookies)
        if key is None:
            return None

        def effect(rows, answer):
            rows[key] = True
        return Step("POST", "/v1/auth/logout", ok=204, effect=effect,
                    headers={"Cookie": f"portunus_session={self.cookies[key]}",
                             "Origin": f"http://127.0.0.1:{self.api.port}",
                             "X-Portunus-CSRF": "1"})

    # --- rules

    def step_push(self):
        """By a tenant within a grant of his."""
        grant = self.pick("grant")
        by = grant and self.live_token(grant[1])
        if by is None or self.count("rule") > 60:
            return None
        client, _, first, last = self.rows[grant]
        if client == "*":
            client = self.random.choice([*self.world.shared, self.own_client() or "sim-01"])
        port = self.random.randint(first, last)
        if any(key[0] == "rule" and key[2:] == (client, port) for key in self.rows):
            return None
        key = ("rule", grant[1], client, port)
        self.ids.pop(key, None)
        targets = tuple((f"10.0.0.{i + 1}", 80 + i) for i in range(self.random.randint(1, 4)))
        body = {"client": client, "listen_port": port, "ack_timeout_secs": 10,
                "targets": [{"host": host, "port": number} for host, number in targets]}

        def effect(rows, answer):
            rows[key] = (True, False, targets, None)

        def done(answer):
            self.ids[key] = answer["rule_id"]
        return Step("POST", "/v1/rules", body, token=self.tokens[by], ok=201, effect=effect,
                    harmless=OFFLINE, lasting=True, done=done,
                    audited=((grant[1], "POST", "/v1/rules", "allow", None),))

    def known_rule(self):
        """One whose id an answer or the store has told."""
        return self.pick("rule", lambda key, value: key in self.ids)

    def step_remove_rule(self):
        key = self.known_rule()
        if key is None:
            return None
        return self.root_step("DELETE", f"/v1/rules/{self.ids[key]}", ok=204,
                              effect=lambda rows, answer: drop_rules(rows, [key]))

    def step_change_rule(self):
        key = self.known_rule()
        if key is None:
            return None
        _, _, targets, _ = self.rows[key]
        rate = self.random.randrange(1, 1000)
        body = {"client": key[2], "listen_port": key[3],
                "targets": [{"host": host, "port": port} for host, port in targets],
                "rate_limit": {"new_connections_per_sec": rate}}

        def effect(rows, answer):
            rows[key] = (*rows[key][:3], rate)
        return self.root_step("PUT", f"/v1/rules/{self.ids[key]}", body, effect=effect,
                              harmless=OFFLINE, lasting=True)

    # --- quotas and caps

    def step_put_quota(self):
        grant = self.pick("grant")
        if grant is None or self.count("quota") > 40:
            return None
        client = self.rows[grant][0]
        if client == "*":
            client = self.random.choice(self.world.shared)
        bound = self.is_enrolled(client)
        limit = self.random.randrange(1 << 40)

        def effect(rows, answer):
            rows[("quota", grant[1], client)] = (bound, limit)
        return self.root_step("PUT", f"/v1/users/{grant[1]}/quotas/{client}",
                              {"monthly_bytes": limit}, effect=effect)

    def step_patch_quota(self):
        key = self.pick("quota")
        if key is None:
            return None
        limit = self.random.randrange(1 << 40)

        def effect(rows, answer):
            rows[key] = (rows[key][0], limit)
        return self.root_step("PATCH", f"/v1/users/{key[1]}/quotas/{key[2]}",
                              {"monthly_bytes": limit}, effect=effect)

    def step_delete_quota(self):
        key = self.pick("quota")
        if key is None:
            return None
        return self.root_step("DELETE", f"/v1/users/{key[1]}/quotas/{key[2]}", ok=204,
                              effect=lambda rows, answer: rows.pop(key))

    def step_put_cap(self):
        rule = self.pick("rule")
        if rule is None:
            return None
        most = self.random.randrange(1, 10000)

        def effect(rows, answer):
            rows[("cap", rule[1], rule[2])] = (self.rows[rule][0], most)
        return self.root_step("PUT", f"/v1/clients/{rule[2]}/owners/{rule[1]}/rate-limit",
                              {"concurrent_connections": most}, effect=effect, harmless=OFFLINE)

    def step_delete_cap(self):
        key = self.pick("cap")
        if key is None:
            return None
        return self.root_step("DELETE", f"/v1/clients/{key[2]}/owners/{key[1]}/rate-limit", ok=204,
                              effect=lambda rows, answer: rows.pop(key))

    # --- clients

    def step_new_code(self):
        if self.count("client") > 3:
            return None
        # Often the name of a client that is gone and has left something.
        left = self.pick("quota", lambda key, value: not value[0])
        name = left[2] if left and self.random.random() < 0.7 else self.name("c")
        return self.code_step("/v1/client-enrollments", {"name": name, "address": "127.0.0.1"},
                              name)

    def step_again(self):
        name = self.own_client()
        if name is None:
            return None
        return self.code_step(f"/v1/clients/{name}/enrollment", {}, name)

    def code_step(self, path, body, name):
        def effect(rows, answer):
            held = rows.get(("codes", name), ())
            code = sha256(self.code_of(answer)) if answer else ANY
            rows[("codes", name)] = (*((old, True) for old, _ in held), (code, False))

        def done(answer):
            self.codes[name] = self.world.secret(self.code_of(answer))
        return self.root_step("POST", path, body, ok=201, effect=effect, done=done)

    @staticmethod
    def code_of(answer):
        return answer["uri"].split("code=")[1].split("&")[0]

    def step_redeem(self):
        if not self.codes:
            return None
        name = self.random.choice(sorted(self.codes))

        def effect(rows, answer):
            held = rows[("codes", name)]
            rows[("codes", name)] = (*held[:-1], (held[-1][0], True))
            new = ("client", name) not in rows
            rows[("client", name)] = (sha256(answer["token"]) if answer else ANY, False)
            if new:
                rebind(rows, name, True)

        def done(answer):
            self.world.secret(answer["token"])
            self.codes.pop(name)
            self.meet(name, answer)
        code = self.codes[name]
        return Step("", "enroll", effect=effect, done=done, call=lambda: self.redeem(code))

    def redeem(self, code):
        """The bundle for a code, over gRPC."""
        enrollment = messages()["enrollment"]
        certificate = (self.world.server.data / "server.crt").read_bytes()
        address = f"127.0.0.1:{self.world.server.control_port}"
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(certificate)) as channel:
            call = channel.unary_unary(
                "/portunus.v1.ClientEnrollment/Enroll",
                request_serializer=enrollment.EnrollClientRequest.SerializeToString,
                response_deserializer=enrollment.CredentialBundle.FromString)
            try:
                bundle = call(enrollment.EnrollClientRequest(code=code), timeout=20)
            except grpc.RpcError as error:
                if error.code().name in ("UNAVAILABLE", "CANCELLED"):
                    raise Unanswered from error
                raise AssertionError(f"enroll: {error.code()} {error.details()}") from error
        names = ("client_name", "server_endpoint", "server_cert_sha256", "server_cert_pem", "token",
                 "client_id")
        return {"version": 1, **{name: getattr(bundle, name) for name in names}}

    def meet(self, name, bundle):
        """An edge with this bundle from now on, instead of the one before."""
        self.part(name)
        path = self.world.lab.folder / f"{name}.bundle.json"
        path.write_text(json.dumps(bundle), "utf-8")
        self.edges[name] = SimEdge(path)

    def part(self, name):
        edge = self.edges.pop(name, None)
        if edge is not None:
            edge.close()

    def step_rename(self):
        old = self.own_client()
        if old is None:
            return None
        new = self.name("c")

        def effect(rows, answer):
            for key, value in list(rows.items()):
                if key == ("client", old):
                    rows[("client", new)] = rows.pop(key)
                elif key[0] in ("rule", "cap", "quota") and key[2] == old:
                    rows[(*key[:2], new, *key[3:])] = rows.pop(key)
                elif key[0] == "grant" and value[0] == old:
                    rows[key] = (new, *value[1:])
            self.move_codes(rows, old, new)

        def done(answer):
            self.ids.update({(*key[:2], new, *key[3:]): identity
                             for key, identity in self.ids.items()
                             if key[0] == "rule" and key[2] == old})
            for known in (self.codes, self.edges):
                if old in known:
                    known[new] = known.pop(old)
        return self.root_step("PATCH", f"/v1/clients/{old}/name", {"client_name": new},
                              effect=effect, done=done)

    @staticmethod
    def move_codes(rows, old, new):
        """Unused codes go with the name, used ones stay."""
        held = rows.pop(("codes", old), ())
        used = tuple(code for code in held if code[1])
        unused = tuple(code for code in held if not code[1])
        if used:
            rows[("codes", old)] = used
        if unused and new is not None:
            rows[("codes", new)] = unused

    def step_revoke_client(self):
        name = self.own_client(lambda key, value: not value[1])
        if name is None:
            return None

        def effect(rows, answer):
            rows[("client", name)] = (rows[("client", name)][0], True)
        return self.root_step("POST", f"/v1/clients/{name}/revoke", ok=204, effect=effect,
                              done=lambda answer: self.part(name))

    def step_delete_client(self):
        name = self.own_client(lambda key, value: value[1])
        if name is None:
            return None

        def effect(rows, answer):
            del rows[("client", name)]
            rebind(rows, name, False)
            self.move_codes(rows, name, None)

        def done(answer):
            self.codes.pop(name, None)
            self.part(name)
        return self.root_step("DELETE", f"/v1/clients/{name}", ok=204, effect=effect, done=done)

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
