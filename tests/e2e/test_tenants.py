"""Tenants on real edges: what grants allow, what each sees, and what cascades tear down (http-api 4)."""

import json
import signal

import pytest

from harness.api import Api
from harness.client import Client
from harness.streams import connect, receive_exactly, refused
from harness.waiting import until


class Tenant:
    """A user of role `user` with a token of his own."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        server.api.post("/v1/users", {"user_id": name, "display_name": name}).ok(201)
        issued = server.api.post(f"/v1/users/{name}/credentials", {}).ok(201)
        self.token = server.lab.secret(issued["token"])
        self.api = Api(server.api_port, self.token)

    def grant(self, first, last, client="edge-01", protocols=("tcp",)):
        body = {"user_id": self.name, "client": client, "listen_port_start": first,
                "listen_port_end": last, "protocols": list(protocols)}
        return self.server.api.post("/v1/grants", body).ok(201)["grant_id"]

    def ask(self, port, target, client="edge-01", **body):
        host, _, target_port = target.address.rpartition(":")
        return self.api.post("/v1/rules", {
            "client": client, "listen_port": port, "target_host": host,
            "target_port": int(target_port), **body})

    def push(self, port, target, **body):
        return self.ask(port, target, **body).ok(201)["rule_id"]


def echoes(port):
    with connect(port) as connection:
        connection.sendall(b"x")
        return receive_exactly(connection, 1) == b"x"


def is_gone(edge, rule, port):
    edge.life.wait_event("rule.removed", rule_id=str(rule))
    until(lambda: refused(port), f"port {port} is closed")


def test_HTTP_4_a_tenant_pushes_within_his_grant_and_nowhere_else(lab, server, edge, target):
    alice, echo = Tenant(server, "alice"), target()
    port, other = lab.port(), lab.port()
    alice.ask(port, echo).refused(403, "client_not_granted")
    alice.grant(port, port)
    rule = alice.push(port, echo)
    assert echoes(port)
    alice.ask(other, echo).refused(403, "port_outside_grant")
    alice.ask(port, echo, protocol="udp").refused(403, "protocol_not_granted")
    alice.ask(port, echo, client="edge-02").refused(403, "client_not_granted")
    assert refused(other)
    row, = alice.api.get("/v1/rules").ok(200)
    assert (row["id"], row["owner_user_id"]) == (rule, "alice")
    denial = server.life.wait_event("operator.deny", reason="port_outside_grant")
    assert (denial["actor"], denial["path"]) == ("alice", "/v1/rules")
    assert server.metrics().value("portunus_operator_requests_total", outcome="deny",
                                  reason="port_outside_grant") == 1
    alice.api.delete(f"/v1/rules/{rule}").ok(204)
    is_gone(edge, rule, port)


def test_HTTP_4_tenants_see_only_their_own(lab, server, edge, target):
    Client(lab, server, "edge-02").start()
    echo = target()
    alice, bob = Tenant(server, "alice"), Tenant(server, "bob")
    ports = [lab.port() for _ in range(3)]
    alice.grant(1, 65535)
    bob.grant(1, 65535, "*")
    server.push("edge-01", ports[0], echo.address)
    hers, his = alice.push(ports[1], echo), bob.push(ports[2], echo, client="edge-02")

    def seen(api, path, key):
        return [row[key] for row in api.get(path).ok(200)]
    assert seen(alice.api, "/v1/rules?owner=bob", "id") == [hers]
    assert seen(bob.api, "/v1/rules?client=edge-01", "id") == []
    assert seen(bob.api, "/v1/rules", "id") == [his]
    assert seen(server.api, "/v1/rules?owner=bob", "id") == [his]
    assert seen(alice.api, "/v1/clients", "client_name") == ["edge-01"]
    assert seen(bob.api, "/v1/clients", "client_name") == ["edge-01", "edge-02"]
    assert json.loads(server.cli("list-rules", "--format", "json",
                                 token=alice.token).ok())[0]["id"] == hers

    bob.api.delete(f"/v1/rules/{hers}").refused(403, "not_owner")
    bob.api.put(f"/v1/rules/{hers}", {"client": "edge-01", "listen_port": ports[1],
                                      "target_host": "127.0.0.1", "target_port": echo.port}
                ).refused(403, "not_owner")
    bob.api.get(f"/v1/rules/{hers}/stats").refused(403, "not_owner")
    server.wait_stats(hers)
    assert alice.api.get(f"/v1/rules/{hers}/stats").ok(200)["rule_id"] == hers
    bob.api.get("/v1/users/alice/quotas").refused(403, "not_owner")
    bob.api.get("/v1/users/alice/credentials").refused(403, "not_owner")
    for path in ("/v1/users", "/v1/grants", "/v1/metrics", "/v1/clients/edge-01/quotas"):
        bob.api.get(path).refused(403, "role_required")
    assert echoes(ports[1]) and echoes(ports[2])


@pytest.mark.parametrize("by", ["cli", "api"])
def test_HTTP_4_a_revoked_grant_tears_its_rules_down_on_the_edge(lab, server, edge, target, by):
    alice, echo = Tenant(server, "alice"), target()
    kept, gone = lab.port(), lab.port()
    alice.grant(kept, kept)
    wide = alice.grant(1, 65535)
    stays, goes = alice.push(kept, echo), alice.push(gone, echo)
    with connect(gone) as connection:
        connection.sendall(b"1")
        assert receive_exactly(connection, 1) == b"1"
        if by == "cli":
            answer = json.loads(server.cli("grant-revoke", wide).ok())
        else:
            answer = server.api.delete(f"/v1/grants/{wide}").ok(200)
        assert answer == {"grant_id": wide, "removed_rule_ids": [goes]}
        until(lambda: refused(gone), "the listener is closed")
        connection.sendall(b"2")  # drains, as after any removal
        assert receive_exactly(connection, 1) == b"2"
    is_gone(edge, goes, gone)
    assert echoes(kept)
    assert list(server.rules()) == [stays]
    server.life.wait_event("audit.rule_remove", rule_id=str(goes), outcome="success")
    event = server.life.wait_event("operator.grant_revoked", grant_id=wide)
    assert (event["target"], event["cascaded_rules"]) == ("alice", 1)
    alice.ask(gone, echo).refused(403, "port_outside_grant")


@pytest.mark.parametrize("by", ["cli", "api"])
def test_HTTP_4_a_removed_user_leaves_nothing_on_the_edge(lab, server, edge, target, by):
    alice, bob, echo = Tenant(server, "alice"), Tenant(server, "bob"), target()
    ports = [lab.port() for _ in range(3)]
    grant = alice.grant(1, 65535)
    bob.grant(1, 65535)
    hers = [alice.push(port, echo) for port in ports[:2]]
    his = bob.push(ports[2], echo)
    server.api.put("/v1/clients/edge-01/owners/alice/rate-limit",
                   {"concurrent_connections": 5}).ok(200)
    if by == "cli":
        answer = json.loads(server.cli("user-remove", "alice").ok())
    else:
        answer = server.api.delete("/v1/users/alice").ok(200)
    assert answer["removed_rule_ids"] == hers and answer["revoked_grant_ids"] == [grant]
    assert len(answer["removed_credential_ids"]) == 1
    for rule, port in zip(hers, ports):
        is_gone(edge, rule, port)
    edge.life.wait_event("control.owner_rate_limit_remove", owner_id="alice")
    assert echoes(ports[2]) and list(server.rules()) == [his]
    alice.api.get("/v1/users/me").refused(401, "credential_invalid")
    server.api.get("/v1/clients/edge-01/owners/alice/rate-limit").refused(
        404, "owner_rate_limit_not_found")
    assert server.metrics().rows("portunus_rule_active_connections", rule=str(hers[0])) == []
    # What a user of that name is given later has nothing of hers.
    assert Tenant(server, "alice").api.get("/v1/rules").ok(200) == []


def test_HTTP_4_a_cascade_while_the_edge_is_away_reaches_it_with_the_replay(lab, server, target):
    edge = Client(lab, server).start()
    alice, echo, port = Tenant(server, "alice"), target(), lab.port()
    alice.grant(port, port)
    rule = alice.push(port, echo)
    edge.life.signal(signal.SIGSTOP)  # the session still stands
    try:
        server.api.delete("/v1/users/alice").ok(200)
        assert server.rules() == {}
        server.kill()
        server.start()
        assert server.rules() == {}
    finally:
        edge.life.signal(signal.SIGCONT)
    is_gone(edge, rule, port)


def test_HTTP_10_a_grant_makes_a_tenant_the_target_of_a_quota(server, edge):
    alice = Tenant(server, "alice")
    path = "/v1/users/alice/quotas/edge-01"
    server.api.put(path, {"monthly_bytes": 1000}).refused(422, "quota_target_not_found")
    alice.grant(80, 80)
    server.api.put(path, {"monthly_bytes": 1000}).ok(200)
    edge.life.wait_event("traffic_quota.applied_set", user="alice")
    assert alice.api.get(path + "/status").ok(200)["monthly_bytes"] == 1000
    alice.api.put(path, {"monthly_bytes": 5}).refused(403, "role_required")
