"""The description of the API, as the program serves it (http-api 16)."""

import json

import pytest

from harness import openapi
from harness.lab import REPOSITORY
from harness.server import Server

DOCUMENT = REPOSITORY / "docs" / "openapi.json"


def test_HTTP_16_the_description_is_public_and_that_of_the_tree(lab, server):
    answer = server.api.get("/v1/openapi.json", token=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == DOCUMENT.read_bytes()
    head = server.api.request("HEAD", "/v1/openapi.json", token=None)
    assert (head.status, int(head.headers["Content-Length"])) == (200, len(answer.body))
    # A bad credential does not matter where none is asked for.
    assert server.api.get("/v1/openapi.json", token="A" * 43).status == 200
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        refusal = server.api.request(method, "/v1/openapi.json").refused(405, "method_not_allowed")
        assert refusal.headers["Allow"] == "GET, HEAD"


def test_HTTP_16_the_description_is_there_before_a_superadmin_is(lab):
    server = Server(lab, bootstrap=False).start()
    assert json.loads(server.api.get("/v1/openapi.json").body)["openapi"] == "3.1.0"


HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}
ME = {"user_id": "alice", "role": "user", "display_name": "Alice"}
GONE = {"error": {"code": "not_found", "message": "x"}}


def flaw(method, target, status, value, **headers):
    body = b"" if value is None else json.dumps(value).encode()
    return openapi.flaw(method, target, status, {**HEADERS, **headers}, body)


@pytest.mark.parametrize("method, target, status, value", [
    ("GET", "/v1/users/me", 200, ME),
    ("GET", "/v1/users/me?x=1", 200, ME),
    ("HEAD", "/v1/users/me", 200, None),
    ("GET", "/v1/nothing", 404, GONE),
    ("POST", "/v1/users/me", 405, {"error": {"code": "method_not_allowed", "message": "x"}}),
    ("POST", "/v1/users/me", 401, {"error": {"code": "unauthenticated", "message": "x"}}),
    ("DELETE", "/v1/rules/7", 204, None),
    ("GET", "/metrics", 200, "anything"),
])
def test_harness_accepts_what_the_document_allows(method, target, status, value):
    assert flaw(method, target, status, value) is None


@pytest.mark.parametrize("method, target, status, value, text", [
    ("GET", "/v1/users/me", 200, {**ME, "token": "x"}, "token"),
    ("GET", "/v1/users/me", 200, {"user_id": "alice", "role": "user"}, "display_name"),
    ("GET", "/v1/users/me", 200, {**ME, "role": "king"}, "role"),
    ("GET", "/v1/users/me", 201, ME, "not documented"),
    ("GET", "/v1/users/me", 403, {"error": {"code": "csrf_x", "message": "x"}}, "not documented"),
    ("GET", "/v1/users/me", 401, {"error": {"code": "invalid_login", "message": "x"}}, "code"),
    ("GET", "/v1/users/me", 401, {"error": {"code": "unauthenticated"}}, "message"),
    ("GET", "/v1/nothing", 200, {}, "not documented"),
    ("DELETE", "/v1/rules/7", 204, {}, "a body where none"),
])
def test_harness_names_what_the_document_forbids(method, target, status, value, text):
    assert text in flaw(method, target, status, value)


def test_harness_wants_the_media_type_and_the_caching_of_the_contract():
    wrong = {**HEADERS, "Content-Type": "text/html"}
    body = json.dumps(ME).encode()
    assert "text/html" in openapi.flaw("GET", "/v1/users/me", 200, wrong, body)
    assert "Cache-Control" in openapi.flaw("GET", "/v1/users/me", 200,
                                           {"Content-Type": "application/json"}, body)
    assert openapi.flaw("GET", "/v1/users/me", 200, HEADERS, b"{") is not None
