"""Clients, their owners' caps and quotas over HTTP (http-api 7, 10)."""

import pytest

from harness.client import Client
from harness.waiting import until

UNKNOWN = "01J00000000000000000000001"
CAPS = "/v1/clients/edge-01/owners/_superadmin/rate-limit"
QUOTA = "/v1/users/_superadmin/quotas/edge-01"
BEFORE = 4102444800  # 2100-01-01
NOW = {"monthly_bytes": 1000}


def row(server, name="edge-01"):
    return next(client for client in server.api.get("/v1/clients").ok(200)
                if client["client_name"] == name)


def test_HTTP_7_1_an_address_is_put(server, edge):
    path = "/v1/clients/edge-01"
    for address, shown in ((" Edge.Example.COM. ", "edge.example.com"),
                           ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2.1", "192.0.2.1")):
        client = server.api.put(path, {"address": address}).ok(200)
        assert client == row(server) and client["client_address"] == shown
        assert client["connected"] and client["remote_addr"].startswith("127.0.0.1:")
    for address in ("", "https://a", "a/b", "a:80", "[::1]", "a_b"):
        server.api.put(path, {"address": address}).refused(400, "invalid_client_address")
    server.api.put(path, {}).refused(422, "invalid_body")
    for name in ("edge-02", UNKNOWN):
        server.api.put(f"/v1/clients/{name}", {"address": "a"}).refused(404, "client_not_found")
    server.api.put("/v1/clients/Edge", {"address": "a"}).refused(400, "invalid_name")
    assert row(server)["client_address"] == "192.0.2.1"


def test_HTTP_7_1_a_rename_keeps_all_but_the_name(lab, server, edge, target):
    other = Client(lab, server, "edge-02")
    before, port = row(server), lab.port()
    rule = server.push("edge-01", port, target().address)
    server.api.put(CAPS, {"concurrent_connections": 5}).ok(200)
    server.api.put(QUOTA, NOW).ok(200)
    path = "/v1/clients/edge-01/name"
    server.api.patch(path, {"client_name": "edge-02"}).refused(409, "client_already_exists")
    server.api.patch(path, {"client_name": "Edge"}).refused(400, "invalid_name")
    server.api.patch(path, {}).refused(422, "invalid_body")
    server.api.patch("/v1/clients/edge-09/name", {"client_name": "x"}).refused(
        404, "client_not_found")
    renamed = server.api.patch(path, {"client_name": "centre"}).ok(200)
    assert renamed == {**before, "client_name": "centre"} == row(server, "centre")
    assert server.rules()[rule]["client_name"] == "centre"
    assert server.api.get(CAPS.replace("edge-01", "centre")).ok(200)["client_name"] == "centre"
    assert server.api.get(QUOTA.replace("edge-01", "centre") + "/status").ok(200)["client_id"] == (
        before["client_id"])
    assert len(edge.life.events("control.connected")) == 1
    # The id is as good a key as the name was.
    assert server.api.patch(f"/v1/clients/{before['client_id']}/name", {"client_name": "edge-01"}
                            ).ok(200)["client_name"] == "edge-01"
    assert other.bundle.exists()


def test_HTTP_7_1_only_a_revoked_client_is_deleted(lab, server, edge, target):
    path, port = "/v1/clients/edge-01", lab.port()
    rule = server.push("edge-01", port, target().address)
    server.api.delete(path).refused(409, "client_not_revoked")
    for name in ("edge-02", UNKNOWN):
        server.api.delete(f"/v1/clients/{name}").refused(404, "client_not_found")
    server.api.delete("/v1/clients/Edge").refused(400, "invalid_name")
    assert server.api.post(path + "/revoke").status == 204
    assert edge.life.wait_exit() == 1
    assert server.api.delete(path).status == 204
    server.life.wait_event("audit.client_delete", client_name="edge-01")
    server.api.delete(path).refused(404, "client_not_found")
    assert server.api.get("/v1/clients").ok(200) == []
    # What was made for it waits under the bare name.
    shown = server.rules()[rule]
    assert (shown["client_name"], shown["client_id"]) == ("edge-01", None)


def test_HTTP_7_2_a_new_code_for_a_client_that_is_there(lab, server, edge):
    answer = server.api.post("/v1/clients/edge-01/enrollment", {"ttl_secs": 60}).ok(201)
    server.register_uri(answer["uri"])
    assert answer["client_name"] == "edge-01"
    assert answer["command"] == f"portunus-client enroll '{answer['uri']}'"
    server.api.post("/v1/clients/edge-01/enrollment", {"ttl_secs": 0}).refused(
        400, "invalid_enrollment_ttl")
    server.api.post("/v1/clients/edge-09/enrollment", {}).refused(404, "client_not_found")
    body = {"name": "edge-01", "address": "a"}
    server.api.post("/v1/client-enrollments", body).refused(409, "client_already_exists")
    assert server.connected("edge-01")  # nothing changes before the code is redeemed
    edge.enroll(answer["uri"])
    assert edge.life.wait_exit() == 1
    assert server.life.wait_event("client.disconnected")["reason"] == "credential_rotated"


def test_HTTP_7_3_owners_and_their_caps(lab, server, edge, target):
    owners = "/v1/clients/edge-01/owners"
    assert server.api.get(owners).ok(200) == []
    server.api.get(CAPS).refused(404, "owner_rate_limit_not_found")
    server.push("edge-01", lab.port(), target().address)
    stored = server.api.put(CAPS, {"bandwidth_in_bps": 1000, "concurrent_connections": 5}).ok(200)
    assert stored == {**stored, "client_id": row(server)["client_id"], "client_name": "edge-01",
                      "owner_id": "_superadmin",
                      "rate_limit": {"bandwidth_in_bps": 1000, "concurrent_connections": 5}}
    assert server.api.get(CAPS).ok(200) == stored
    server.api.put("/v1/clients/edge-01/owners/zoe/rate-limit", {}).ok(200)
    assert server.api.get(owners).ok(200) == [
        {"owner_id": "_superadmin", "has_rate_limit": True, "rule_count": 1},
        {"owner_id": "zoe", "has_rate_limit": True, "rule_count": 0}]
    assert server.api.get("/v1/clients/edge-09/owners").ok(200) == []
    for method, path in (("GET", "/v1/clients/Edge/owners"),
                         ("GET", CAPS.replace("edge-01", "Edge")),
                         ("PUT", CAPS.replace("edge-01", "Edge")),
                         ("DELETE", CAPS.replace("edge-01", "Edge"))):
        body = {} if method == "PUT" else None
        server.api.request(method, path, body).refused(400, "validation.client_name_invalid")
    server.api.put(CAPS.replace("_superadmin", "Zoe"), {}).refused(422, "invalid_user_id")
    assert server.api.delete(CAPS).status == 204
    assert server.api.delete(CAPS).status == 204


@pytest.mark.parametrize("words, code", [
    ([], "rate_limit_no_caps_provided"),
    (["--concurrent-connections", "0"], "rate_limit_cap_zero"),
    (["--new-connections-burst", "5"], "rate_limit_burst_without_rate"),
    (["--bandwidth-in-bps", "1000", "--bandwidth-in-burst", "60001"], "rate_limit_burst_range"),
])
def test_CLI_2_5_caps_that_are_none(server, edge, words, code):
    done = server.cli("owner-cap", "set", "edge-01", "_superadmin", *words)
    assert (done.code, done.out) == (3, "")
    assert done.error.startswith(f"error: validation.{code} (")
    assert server.api.get("/v1/clients/edge-01/owners").ok(200) == []


def test_HTTP_10_quotas_of_a_user_and_of_a_client(server, edge):
    assert server.api.get("/v1/users/_superadmin/quotas").ok(200) == []
    assert server.api.get("/v1/clients/edge-01/quotas").ok(200) == []
    quota = server.api.put(QUOTA, NOW).ok(200)
    assert quota == {**quota, "user_id": "_superadmin", "client_name": "edge-01",
                     "client_id": row(server)["client_id"], "monthly_bytes": 1000,
                     "current_period_bytes_used": 0, "budget_remaining_bytes": 1000,
                     "exhausted": False, "exhausted_at": None}
    for path in ("/v1/users/_superadmin/quotas", "/v1/clients/edge-01/quotas"):
        assert server.api.get(path).ok(200) == [quota]
    server.api.get("/v1/clients/Edge/quotas").refused(400, "invalid_client_name")


def test_HTTP_10_a_quota_is_judged_in_order(server, edge):
    put, patch = server.api.put, server.api.patch
    put(QUOTA.replace("edge-01", "Edge"), {"monthly_bytes": -1}).refused(400, "invalid_quota_size")
    put(QUOTA.replace("edge-01", "Edge"), NOW).refused(400, "invalid_client_name")
    put(QUOTA, {"monthly_bytes": 1 << 63}).refused(400, "invalid_quota_size")
    put(QUOTA, {"monthly_bytes": 1 << 64}).refused(400, "invalid_quota_size")
    put(QUOTA, {}).refused(422, "invalid_body")
    put(QUOTA, {**NOW, "billing_anchor": 1 << 40}).refused(400, "invalid_billing_anchor")
    put(QUOTA, {**NOW, "billing_anchor": -(1 << 64)}).refused(400, "invalid_billing_anchor")
    patch(QUOTA, {"monthly_bytes": -1}).refused(404, "quota_not_found")
    server.api.delete(QUOTA).refused(404, "quota_not_found")
    assert server.api.get("/v1/clients/edge-01/quotas").ok(200) == []
    put(QUOTA, {**NOW, "billing_anchor": BEFORE}).ok(200)
    put(QUOTA, {**NOW, "billing_anchor": BEFORE + 1}).refused(409, "billing_anchor_immutable")
    assert put(QUOTA, {"monthly_bytes": 5, "billing_anchor": BEFORE}).ok(200)["monthly_bytes"] == 5
    patch(QUOTA.replace("edge-01", "Edge"), {"monthly_bytes": -1}).refused(
        400, "invalid_client_name")
    patch(QUOTA, {"monthly_bytes": -1}).refused(400, "invalid_quota_size")
    patch(QUOTA, {"clear_period_usage": "yes"}).refused(422, "invalid_body")
    assert server.api.get(QUOTA + "/status").ok(200)["monthly_bytes"] == 5
    until(lambda: server.metrics().rows("portunus_traffic_quota_bytes_limit") ==
          [({"client": "edge-01", "user": "_superadmin"}, 5)], "the gauge")
