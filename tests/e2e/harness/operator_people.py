"""Requests about people: users, tokens, grants, sessions (http-api 3, 4, 6)."""

import dataclasses
import re

from .operator_steps import ANY, BUSY, PASSWORD, WRONG, Step, Steps, drop_rules, sha256


def covers(grant, client, port):
    granted, _, first, last = grant
    return granted in ("*", client) and first <= port <= last


class PeopleSteps(Steps):
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
