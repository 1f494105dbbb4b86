"""The advertised endpoint: override, seed, the request's host, loopback (http-api 11,
cli-and-config 6)."""

import json

import pytest

from harness.client import Client

PATH = "/v1/settings/advertised-endpoint"


def view(server):
    return server.api.get(PATH).ok(200)


def put(server, value):
    return server.api.put(PATH, {"advertised_endpoint": value})


def endpoint_of(uri):
    return uri.split("//")[1].split("/")[0]


def enroll(server, name, host=None):
    """The URI that the API gives to a caller who knows the server by this host."""
    headers = {"Host": host} if host else None
    body = {"name": name, "address": "edge.example.com"}
    uri = server.api.post("/v1/client-enrollments", body, headers=headers).ok(201)["uri"]
    server.register_uri(uri)
    return uri


def test_HTTP_11_the_view_of_a_server_without_a_seed(server):
    assert view(server) == {"override": None, "source": "loopback", "diagnostic": None,
                            "effective": f"127.0.0.1:{server.control_port}"}


def test_HTTP_11_the_tiers(lab, server):
    # 4 and 3: the host of a request that the certificate covers, else loopback.
    assert endpoint_of(enroll(server, "e1", "localhost:1")) == f"localhost:{server.control_port}"
    assert endpoint_of(enroll(server, "e2", "other.example.com")
                       ) == f"127.0.0.1:{server.control_port}"
    assert server.life.wait_event("advertised.derive_uncovered", host="other.example.com")
    # 2: the seed.
    server.stop()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="localhost:700")
    assert view(server) == {"override": None, "effective": "localhost:700", "source": "seed",
                            "diagnostic": None}
    assert endpoint_of(enroll(server, "e3", "localhost:1")) == "localhost:700"
    # 1: the override.
    changed = put(server, "127.0.0.1:600").ok(200)
    assert changed == {"override": "127.0.0.1:600", "effective": "127.0.0.1:600",
                       "source": "override", "diagnostic": None}
    assert view(server) == changed
    assert endpoint_of(enroll(server, "e4", "localhost:1")) == "127.0.0.1:600"
    server.stop()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="localhost:700")
    assert view(server) == changed
    # Cleared, the seed serves again.
    assert put(server, "").ok(200)["effective"] == "localhost:700"
    assert server.api.put(PATH, {}).ok(200)["override"] is None
    assert endpoint_of(enroll(server, "e5", "localhost:1")) == "localhost:700"


@pytest.mark.parametrize("value, code", [
    ("localhost", "endpoint_invalid"), ("localhost:0", "endpoint_invalid"),
    ("localhost:07443", "endpoint_invalid"), ("https://localhost:1", "endpoint_invalid"),
    ("localhost:1/x", "endpoint_invalid"), ("[::1]:1", "endpoint_invalid"),
    (" localhost:1", "endpoint_invalid"), ("u@localhost:1", "endpoint_invalid"),
    ("x" * 264, "endpoint_invalid"),
    ("other.example.com:1", "endpoint_not_in_cert_san"),
    ("10.0.0.1:1", "endpoint_not_in_cert_san"),
])
def test_HTTP_11_nothing_is_stored_on_error(server, value, code):
    before = put(server, "localhost:600").ok(200)
    put(server, value).refused(422, code)
    put(server, 5).refused(422, "invalid_body")
    assert view(server) == before


def test_HTTP_11_an_enrollment_keeps_the_endpoint_it_was_created_with(lab, server):
    put(server, f"127.0.0.1:{server.control_port}").ok(200)
    uri = enroll(server, "edge-01")
    put(server, "localhost:600").ok(200)
    client = Client(lab, server, enroll=False)
    # It is redeemed where it says, and the edge is told to come back there.
    client.enroll(uri)
    bundle = json.loads(client.bundle.read_text("utf-8"))
    assert bundle["server_endpoint"] == f"127.0.0.1:{server.control_port}"
    client.start()


def test_CLI_6_the_direct_path_knows_the_override(server):
    put(server, "localhost:600").ok(200)
    server.stop()
    out = server.offline("enroll-client", "edge-01").ok()
    assert "portunus://localhost:600/enroll?" in out
    # Before the seed, too.
    out = server.offline("--advertised-endpoint", "127.0.0.1:5", "enroll-client", "edge-02").ok()
    assert "portunus://localhost:600/enroll?" in out


def test_HTTP_11_an_override_that_the_certificate_lost_is_diagnosed_and_hard(lab, server):
    """The seed's host goes out of the generated certificate with the seed."""
    server.stop()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="d.example.com:7443")
    put(server, "d.example.com:600").ok(200)
    code = enroll(server, "edge-01")
    assert endpoint_of(code) == "d.example.com:600"
    server.stop()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="e.example.com:7443")
    shown = view(server)
    assert shown["override"] == "d.example.com:600"
    assert shown["effective"] is None and shown["source"] is None
    assert "endpoint_not_in_cert_san" in shown["diagnostic"]
    body = {"name": "edge-02", "address": "edge.example.com"}
    server.api.post("/v1/client-enrollments", body).refused(422, "endpoint_not_in_cert_san")
    assert put(server, None).ok(200)["effective"] == "e.example.com:7443"
    assert endpoint_of(enroll(server, "edge-02")) == "e.example.com:7443"
