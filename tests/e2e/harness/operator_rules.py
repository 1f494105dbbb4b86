"""Requests about rules, quotas, caps and clients (http-api 7, 8, 10)."""

import json

from .fake_edge import grpc, messages
from .operator_steps import ANY, OFFLINE, Step, Steps, Unanswered, drop_rules, sha256
from .sim_edge import SimEdge


def rebind(rows, client, bound):
    """Records made for a name bind when it enrolls, and return to the name when it is deleted."""
    for key, value in list(rows.items()):
        if key[0] in ("rule", "cap", "quota") and key[2] == client:
            rows[key] = (bound, *value[1:])
        elif key[0] == "grant" and value[0] == client:
            rows[key] = (client, bound, *value[2:])


class RuleSteps(Steps):
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
