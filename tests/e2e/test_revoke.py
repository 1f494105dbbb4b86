"""A revoked edge stops serving, at once and for good."""

import pytest

from harness.client import Client
from harness.streams import connect, receive_exactly, refused
from harness.waiting import until


@pytest.mark.parametrize("by", ["cli", "api"])
def test_revoke_on_the_live_server_cuts_and_ends_the_client(lab, server, target, by):
    edge = Client(lab, server, **{"shutdown-drain-timeout-secs": 2}).start()
    echo, port = target(), lab.port()
    server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        connection.sendall(b"1")
        assert receive_exactly(connection, 1) == b"1"
        if by == "cli":
            assert server.cli("revoke", "edge-01").ok() == ""
        else:
            server.api.post("/v1/clients/edge-01/revoke").ok(204)
        until(lambda: refused(port), "listeners are closed")
        connection.sendall(b"2")  # DRN-2: drains, as in a removal
        assert receive_exactly(connection, 1) == b"2"
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert edge.life.wait_exit() == 1
    failure = edge.life.wait_event("auth.failure")
    assert (failure["level"], failure["reason"]) == ("WARN", "token_revoked")
    names = [event["event"] for event in edge.life.events()]
    assert names.index("auth.failure") < names.index("control.terminal")

    revoked = server.life.wait_event("audit.revoke", client_name="edge-01")
    assert revoked["was_connected"] is True
    ended = server.life.wait_event("client.disconnected", client_name="edge-01")
    assert (ended["level"], ended["reason"]) == ("WARN", "token_revoked")
    server.life.wait_event("auth.failure", reason="token_revoked")
    metrics = server.metrics()
    assert metrics.value("portunus_auth_failures_total", reason="token_revoked") == 1
    assert metrics.value("portunus_clients_connected", client="edge-01") == 0

    row, = server.api.get("/v1/clients").ok(200)
    assert row["revoked_at"].endswith("Z") and row["connected"] is False
    assert server.cli("revoke", "edge-01").ok() == ""  # again is success
    assert server.cli("revoke", "edge-99").ok() == ""  # unknown too

    edge.launch()
    assert edge.life.wait_exit() == 1
    assert edge.life.wait_event("auth.failure")["reason"] == "token_revoked"


def test_revoke_without_a_server_holds_when_it_comes_back(lab, server, edge):
    server.stop()
    assert server.cli("revoke", "edge-01", token=None).ok() == ""
    server.start()
    assert edge.life.wait_exit() == 1
    assert edge.life.wait_event("auth.failure")["reason"] == "token_revoked"


def test_redeeming_a_new_code_lifts_the_revocation(lab, server, edge):
    server.cli("revoke", "edge-01").ok()
    assert edge.life.wait_exit() == 1
    edge.enroll(server.enroll_uri("edge-01", "--reissue"))
    server.life.wait_event("client.enrollment_redeemed", rotated_existing=True)
    edge.start()
    assert server.connected("edge-01")


def test_a_foreign_token_is_final(lab, server, edge):
    edge.stop()
    text = edge.bundle.read_text("utf-8")
    token = text.split('"token"')[1].split('"')[1]
    edge.bundle.write_text(text.replace(token, "A" * 43), "utf-8")
    edge.launch()
    assert edge.life.wait_exit() == 1
    assert edge.life.wait_event("auth.failure")["reason"] == "token_not_found"
    assert server.metrics().value("portunus_auth_failures_total", reason="token_not_found") == 1
