"""The operator API of this release: authentication, envelope, transport errors, what is missing."""

import http.client
import json
import socket

import pytest

from harness.lab import Lab, scratch
from harness.server import Server

JSON = {"Content-Type": "application/json"}
RULE = {"client": "edge-01", "listen_port": 80, "target_host": "127.0.0.1", "target_port": 9}
LIST = {"target_host": None, "target_port": None}  # the other shape


@pytest.fixture(scope="module")
def shared():
    """One server for all tests here: they change nothing that another one sees."""
    lab = Lab(scratch() / "http-surface")
    yield Server(lab).start()
    assert lab.close() == []


@pytest.fixture
def api(shared):
    return shared.api


@pytest.mark.parametrize("headers, code", [
    ({}, "unauthenticated"), ({"Authorization": ""}, "unauthenticated"),
    ({"Authorization": "Bearer "}, "unauthenticated"),
    ({"Authorization": "Basic eDp5"}, "unauthenticated"),
    ({"Authorization": "bearer {token}"}, "unauthenticated"),
    ({"Authorization": "{token}"}, "unauthenticated"),
    ({"Authorization": "Bearer " + "A" * 43}, "credential_invalid"),
    ({"Authorization": "Bearer " + "A" * 257}, "credential_invalid"),
    ({"Authorization": "Bearer x"}, "credential_invalid"),
    ({"Authorization": "Bearer {token}x"}, "credential_invalid"),
    ({"Authorization": "Bearer {token}", "Cookie": "portunus_session=bad"}, "credential_invalid"),
])
@pytest.mark.parametrize("method, path", [("GET", "/v1/rules"), ("POST", "/v1/rules"),
                                          ("GET", "/v1/users/me"), ("DELETE", "/v1/rules/1"),
                                          ("PATCH", "/v1/rules")])
def test_bearer_errors_come_before_everything_else(api, headers, code, method, path):
    headers = {key: value.format(token=api.token) for key, value in headers.items()}
    answer = api.request(method, path, token=None, headers=headers).refused(401, code)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_token_is_trimmed(api):
    api.get("/v1/users/me", token=None,
            headers={"Authorization": f"Bearer   {api.token}  "}).ok(200)


def test_users_me(api):
    answer = api.get("/v1/users/me")
    assert answer.ok(200) == {"user_id": "_superadmin", "role": "superadmin",
                              "display_name": "e2e"}
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/v1/users/me", "/v1/rules", "/v1/clients"])
def test_head_is_get_without_its_body(api, path):
    get, head = api.get(path), api.request("HEAD", path)
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == str(len(get.body))
    assert head.headers["Cache-Control"] == get.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1/rules/1/other", "/v1/clients/e/reissue",
                                  "/v1/rules/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_routes(api, path, method):
    answer = api.request(method, path).refused(404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/v1/clients", {"GET", "HEAD"}), ("GET", "/v1/rules/1", {"DELETE"}),
    ("PATCH", "/v1/rules", {"GET", "HEAD", "POST"}), ("OPTIONS", "/v1/rules", {"GET", "POST"}),
    ("DELETE", "/v1/users/me", {"GET", "HEAD"}), ("GET", "/v1/client-enrollments", {"POST"}),
    ("POST", "/v1/rules/1/stats", {"GET", "HEAD"}),
])
def test_known_paths_with_another_method(api, method, path, allowed):
    answer = api.request(method, path).refused(405, "method_not_allowed")
    named = {word.strip() for word in answer.headers["Allow"].split(",")}
    assert allowed <= named and method not in named


@pytest.mark.parametrize("raw, headers, status, code", [
    (b"{", JSON, 400, "invalid_json"), (b"", JSON, 400, "invalid_json"),
    (b"\xff\xfe", JSON, 400, "invalid_json"), (b'{"a":1} x', JSON, 400, "invalid_json"),
    (b"[" * 100000, JSON, 400, "invalid_json"),
    (b"[]", JSON, 422, "invalid_body"), (b"5", JSON, 422, "invalid_body"),
    (b"{}", JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "listen_port": "80"}), JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "listen_port": 65536}), JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "listen_port": -1}), JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "listen_port": 80.5}), JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "client": None}), JSON, 422, "invalid_body"),
    (json.dumps({**RULE, "prefer_ipv6": 1}), JSON, 422, "invalid_body"),
    (json.dumps(RULE), {}, 415, "unsupported_media_type"),
    (json.dumps(RULE), {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    (json.dumps(RULE), {"Content-Type": "application/x-www-form-urlencoded"}, 415,
     "unsupported_media_type"),
    (b" " * (2 * 1024 * 1024 + 1), JSON, 413, "payload_too_large"),
])
def test_body_errors(api, raw, headers, status, code):
    api.post("/v1/rules", raw=raw, headers=headers).refused(status, code)


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8",
                                   "Application/JSON", "application/vnd.x+json"])
def test_media_types_of_json(api, media):
    api.post("/v1/rules", raw=json.dumps(RULE),
             headers={"Content-Type": media}).refused(422, "client_not_connected")


def test_unknown_keys_and_null_on_optional_keys_are_ignored(api):
    body = {**RULE, "added_later": [1], "prefer_ipv6": None, "targets": None, "rate_limit": None,
            "ack_timeout_secs": None, "protocol": None}
    api.post("/v1/rules", body).refused(422, "client_not_connected")


@pytest.mark.parametrize("path, code", [
    ("/v1/rules/seven", "invalid_path"), ("/v1/rules/-1", "invalid_path"),
    ("/v1/rules/18446744073709551616", "invalid_path"), ("/v1/rules/1.0", "invalid_path")])
def test_a_rule_id_is_an_unsigned_integer(api, path, code):
    api.delete(path).refused(400, code)
    api.get(path + "/stats").refused(400, code)


@pytest.mark.parametrize("change, status, code", [
    ({"targets": [{"host": "h", "port": 1}]}, 400, "rule_shape_conflict"),
    ({"target_host": None}, 400, "rule_shape_missing"),
    ({"target_port": None}, 400, "rule_shape_missing"),
    ({"listen_port": 0}, 400, "range_invalid"), ({"listen_port_end": 81}, 400, "range_invalid"),
    ({"client": "Edge"}, 400, "invalid_name"), ({"client": ""}, 400, "invalid_name"),
    ({"client": "01J00000000000000000000001"}, 404, "client_not_found"),
    ({"protocol": "sctp"}, 400, "invalid_protocol"),
    ({"target_host": "a_b"}, 400, "invalid_target_host"),
    ({"target_host": "::1"}, 400, "invalid_target_host"),
    ({"target_host": "123"}, 400, "invalid_target_host"),
    ({"target_host": "-a"}, 400, "invalid_target_host_label_hyphen"),
    ({"target_host": "x" * 64}, 400, "invalid_target_host_label_too_long"),
    ({"target_host": "x." * 127 + "xy"}, 400, "invalid_target_host_too_long"),
    ({"protocol": "udp", "sni_pattern": "a.example.com"}, 400,
     "validation.sni_on_unsupported_rule"),
    ({**LIST, "targets": [{"host": "h", "port": 1}] * 2}, 400, "targets_duplicate"),
    ({**LIST, "targets": [{"host": f"h{n}", "port": 1} for n in range(9)]}, 400,
     "targets_too_many"),
    ({**LIST, "targets": [{"host": "", "port": 1}]}, 400, "target_invalid_host"),
    ({**LIST, "targets": [{"host": "a_b", "port": 1}]}, 400, "target_invalid_host"),
    ({**LIST, "targets": [{"host": "h", "port": 0}]}, 400, "target_invalid_port"),
    ({**LIST, "targets": [{"host": "h", "port": 1}], "health_check_interval_secs": 3601}, 400,
     "health_check_interval_out_of_range"),
    ({**LIST, "targets": [{"host": "h", "port": 1, "proxy_protocol": "v1"}]}, 422,
     "proxy_protocol_unsupported_by_client"),
    ({}, 422, "client_not_connected"),
    # In order: the first miss answers.
    ({"listen_port": 0, "client": "Edge"}, 400, "range_invalid"),
    ({"client": "Edge", "protocol": "sctp"}, 400, "invalid_name"),
    ({"protocol": "sctp", "target_host": "-a"}, 400, "invalid_protocol"),
])
def test_rule_checks(api, change, status, code):
    answer = api.post("/v1/rules", {**RULE, **change}).refused(status, code)
    assert status != 400 or code not in ("range_invalid",) or answer.message.startswith(code)


@pytest.mark.parametrize("body, code", [
    ({"name": "Edge", "address": "h"}, "invalid_name"),
    ({"name": "edge-01", "address": "h", "ttl_secs": 0}, "invalid_enrollment_ttl"),
    ({"name": "edge-01", "address": "h", "ttl_secs": 86401}, "invalid_enrollment_ttl"),
    ({"name": "edge-01", "address": "h:1"}, "invalid_client_address"),
    ({"name": "edge-01", "address": "http://h", "ttl_secs": 0}, "invalid_enrollment_ttl"),
])
def test_enrollment_checks(api, body, code):
    api.post("/v1/client-enrollments", body).refused(400, code)


def test_enrollment_of_an_existing_client_needs_it(api):
    api.post("/v1/clients/edge-77/enrollment", {}).refused(404, "client_not_found")
    api.post("/v1/clients/Edge/enrollment", {}).refused(400, "invalid_name")
    api.post("/v1/client-enrollments", {"name": "edge-01", "address": "h", "ttl_secs": 2 ** 70}
             ).refused(422, "invalid_body")


def test_revoke_is_idempotent_and_takes_any_name(api):
    assert api.post("/v1/clients/edge-77/revoke").status == 204
    api.post("/v1/clients/01J00000000000000000000001/revoke").refused(404, "client_not_found")
    api.post("/v1/clients/Not%20a%20name/revoke").refused(400, "invalid_name")


def test_rule_filter(api):
    assert api.get("/v1/rules").ok(200) == []
    assert api.get("/v1/rules?client=").ok(200) == []
    assert api.get("/v1/rules?client=edge-77&owner=alice").ok(200) == []
    api.get("/v1/rules?client=Edge").refused(400, "invalid_name")
    api.get("/v1/rules?client=01J00000000000000000000001").refused(404, "client_not_found")


@pytest.mark.parametrize("change, status, code", [
    ({"rate_limit": {}}, 400, "validation.rate_limit_on_legacy_shape"),
    ({"rate_limit": {"concurrent_connections": "1"}}, 422, "invalid_body"),
    ({"sni_pattern": "*.com"}, 400, "validation.sni_pattern_malformed"),
    ({"targets": []}, 400, "rule_shape_conflict"),
    ({"target_host": None, "target_port": None, "targets": []}, 400, "targets_empty"),
    ({"sni_pattern": "a.example.com"}, 422, "client_not_connected"),
])
def test_every_shape_is_judged_before_the_session(api, change, status, code):
    api.post("/v1/rules", {**RULE, **change}).refused(status, code)
    assert api.get("/v1/rules").ok(200) == []


def test_a_change_of_a_rule_that_is_not_there(api):
    api.put("/v1/rules/4711", RULE).refused(404, "rule_not_found")
    api.put("/v1/rules/x", RULE).refused(400, "invalid_path")
    api.put("/v1/rules/4711", {}).refused(422, "invalid_body")


def raw(port, data, seconds=10):
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.sendall(data)
        connection.settimeout(seconds)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTQ/1.1\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /v1/rules HTTP/1.1\r\nA" + b"x" * 100_000,
    b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
])
def test_broken_requests_end_the_connection_and_nothing_else(shared, api, data):
    answer = raw(shared.api_port, data, 5)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:100]
    api.get("/v1/users/me").ok(200)


def test_keep_alive_and_pipelining(shared, api):
    connection = http.client.HTTPConnection("127.0.0.1", shared.api_port, timeout=10)
    headers = {"Authorization": f"Bearer {api.token}"}
    for _ in range(5):
        connection.request("GET", "/v1/users/me", headers=headers)
        response = connection.getresponse()
        assert response.status == 200 and response.read()
    connection.close()
    request = (f"GET /v1/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n")
    last = request.replace("Host: x", "Host: x\r\nConnection: close")
    answer = raw(shared.api_port, (request * 2 + last).encode())
    assert answer.count(b"HTTP/1.1 200 ") == 3


def test_a_body_in_chunks_and_expect_continue(shared, api):
    body = json.dumps(RULE).encode()
    head = (f"POST /v1/rules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n")
    chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
    answer = raw(shared.api_port, chunked.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert b"client_not_connected" in answer


def test_a_slow_caller_does_not_hold_the_others(shared, api):
    held = [socket.create_connection(("127.0.0.1", shared.api_port), 10) for _ in range(50)]
    try:
        for connection in held:
            connection.sendall(b"GET /v1/users/me HT")
        api.get("/v1/users/me", timeout=5).ok(200)
    finally:
        for connection in held:
            connection.close()


def test_operator_events_of_requests(shared, api):
    mark = shared.life.mark()
    api.get("/v1/rules?client=secret-query", token="A" * 43).refused(401, "credential_invalid")
    deny = shared.life.wait_event("operator.deny", since=mark)
    assert deny["level"] == "WARN" and deny["actor"] == "_anonymous"
    assert (deny["method"], deny["path"]) == ("GET", "/v1/rules")
    assert (deny["outcome"], deny["reason"]) == ("deny", "credential_invalid")
    mark = shared.life.mark()
    api.post("/v1/clients/edge-77/revoke")
    allow = shared.life.wait_event("operator.allow", since=mark)
    assert (allow["actor"], allow["role"]) == ("_superadmin", "superadmin")
    assert (allow["method"], allow["path"]) == ("POST", "/v1/clients/edge-77/revoke")
    assert allow["auth_method"] == "bearer"
    # A successful read is DEBUG, so it is not in the log of a default run.
    mark = shared.life.mark()
    api.get("/v1/users/me").ok(200)
    api.delete("/v1/rules/4711").refused(404, "rule_not_found")
    assert [event["path"] for event in shared.life.events("operator.allow", since=mark)
            if event["path"] == "/v1/users/me"] == []


@pytest.mark.parametrize("path", ["/", "/index.html", "/metrics", "/favicon.ico"])
def test_outside_of_v1_is_never_an_api_answer(api, path):
    answer = api.get(path, token=None)
    assert answer.status in (200, 404)
    assert b'"error"' not in answer.body and b"portunus_" not in answer.body
