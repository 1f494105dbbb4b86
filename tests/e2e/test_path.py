"""The main job: enroll, connect, push, forward; by command line and by API."""

import json
import re
import socket
import stat

from harness import targets
from harness.client import Client
from harness.streams import connect, receive_exactly, refused
from harness.waiting import until

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def talk(port, text=b"hello through the rule", host="127.0.0.1"):
    with connect(port, host=host) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        assert receive_exactly(connection, len(text)) == text
        assert connection.recv(1) == b""


def test_from_enrollment_to_traffic_by_command_line(lab, server, target):
    echo, port = target(), lab.port()

    out = server.cli("enroll-client", "edge-01", "--address", "127.0.0.1").ok().splitlines()
    assert len(out) == 3
    assert out[0] == "client_name=edge-01"
    assert re.fullmatch(r"expires_at=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC", out[1])
    uri = re.fullmatch(r"portunus-client enroll '(portunus://127\.0\.0\.1:(\d+)/enroll\?"
                       r"pin=sha256:[0-9a-f]{64}&code=[\w-]{43}&cert=[\w-]+)'", out[2])
    assert uri and int(uri[2]) == server.control_port
    server.register_uri(uri[1])

    client = Client(lab, server, enroll=False)
    assert client.enroll(uri[1]).out == f"{client.bundle}\n"
    bundle = json.loads(client.bundle.read_text("utf-8"))
    assert stat.S_IMODE(client.bundle.stat().st_mode) == 0o600
    assert bundle["version"] == 1 and bundle["client_name"] == "edge-01"
    assert bundle["server_endpoint"] == f"127.0.0.1:{server.control_port}"
    assert re.fullmatch(r"[\w-]{43}", bundle["token"])
    assert ULID.fullmatch(bundle["client_id"])
    server.life.wait_event("client.enrollment_redeemed", client_name="edge-01",
                           rotated_existing=False)

    client.start()
    assert client.life.events()[0]["event"] == "process.start"
    client.life.wait_event("client.bundle_loaded", client_name="edge-01",
                           endpoint=bundle["server_endpoint"])
    assert client.life.events("control.connecting")[0]["attempt"] == 1
    client.life.wait_event("control.tls_pinned", fingerprint_sha256=bundle["server_cert_sha256"])
    connected = server.life.wait_event("client.connected", client_name="edge-01")
    assert connected["supported_protocols"]
    assert server.connected("edge-01")

    rule = server.push("edge-01", port, echo.address)
    assert rule >= 1
    activated = client.life.wait_event("rule.activated", rule_id=str(rule))
    assert activated["listen_port"] == activated["listen_port_end"] == port
    assert activated["range_size"] == 1
    client.life.wait_event("rule.received", rule_id=str(rule), listen_port=port)
    sent = server.life.wait_event("audit.rule_push", outcome="sent", rule_id=str(rule))
    server.life.wait_event("audit.rule_push", outcome="activated",
                           request_id=sent["request_id"])

    talk(port)
    talk(port, host="::1")
    server.wait_bytes(rule, (44, 44))
    stats = json.loads(server.cli("rule-stats", str(rule), "--format", "json").ok())
    assert (stats["bytes_in"], stats["bytes_out"]) == (44, 44)

    assert server.cli("remove-rule", str(rule)).ok() == ""
    client.life.wait_event("rule.removed", rule_id=str(rule))
    until(lambda: refused(port), "the listener is closed")
    assert server.rules() == {}


def test_from_enrollment_to_traffic_by_api(lab, server, target):
    echo, port = target(), lab.port()
    answer = server.api.post("/v1/client-enrollments",
                             {"name": "edge-01", "address": "Edge.Example.COM."})
    enrollment = answer.ok(201)
    assert set(enrollment) == {"client_name", "expires_at", "uri", "command"}
    assert enrollment["expires_at"].endswith("+00:00")
    assert enrollment["command"] == f"portunus-client enroll '{enrollment['uri']}'"
    server.register_uri(enrollment["uri"])

    client = Client(lab, server, enroll=False)
    client.enroll(enrollment["uri"])
    client.start()
    listed, = server.api.get("/v1/clients").ok(200)
    assert set(listed) == {"client_id", "client_name", "provisioned_at", "revoked_at", "connected",
                           "client_address", "remote_addr", "connected_at"}
    assert listed["client_name"] == "edge-01" and listed["client_address"] == "edge.example.com"
    assert listed["connected"] is True and listed["revoked_at"] is None
    assert listed["remote_addr"].startswith("127.0.0.1:") and listed["connected_at"].endswith("Z")

    pushed = server.api.post("/v1/rules", {
        "client": "edge-01", "listen_port": port, "target_host": "127.0.0.1",
        "target_port": echo.port}).ok(201)
    rule = pushed["rule_id"]
    assert pushed == {"rule_id": rule, "status": "Active", "target_host": "127.0.0.1",
                      "prefer_ipv6": False, "protocol": "tcp", "owner": "_superadmin"}
    talk(port)

    shown = server.rules()[rule]
    assert shown["state"] == {"kind": "active"}
    assert shown["client_id"] == listed["client_id"] and shown["owner_user_id"] == "_superadmin"
    assert shown["targets"] == [{"host": "127.0.0.1", "port": echo.port, "priority": 0,
                                 "proxy_protocol": None, "health": None}]
    for absent in ("listen_port_end", "target_port_end", "health_check_interval_secs",
                   "sni_pattern", "rate_limit"):
        assert absent not in shown
    # A client may be named by its id wherever its name is taken.
    assert server.api.get(f"/v1/rules?client={listed['client_id']}").ok(200)[0]["id"] == rule

    server.wait_bytes(rule, (22, 22))
    stats = until(lambda: server.api.get(f"/v1/rules/{rule}/stats").ok(200), "stats")
    assert (stats["bytes_in"], stats["bytes_out"], stats["protocol"]) == (22, 22, "tcp")
    assert "per_port" not in stats and "per_target" not in stats
    flagged = server.api.get(f"/v1/rules/{rule}/stats?per_port=1&per_target=yes").ok(200)
    assert flagged["per_target"] == [] and "per_port" not in flagged

    assert server.api.delete(f"/v1/rules/{rule}").status == 204
    until(lambda: refused(port), "the listener is closed")
    server.api.get(f"/v1/rules/{rule}/stats").refused(404, "rule_not_found")
    server.api.delete(f"/v1/rules/{rule}").refused(404, "rule_not_found")


def test_an_enrollment_code_works_once(lab, server):
    first, second = Client(lab, server, enroll=False), Client(lab, server, "edge-02", enroll=False)
    voided = server.enroll_uri("edge-01")
    uri = server.enroll_uri("edge-01")
    for code, kind in ((voided, "enrollment_used"), (voided[:-400], None)):
        done = lab.run([first.binary, "enroll", code, "--out", first.bundle])
        assert done.code == 1 and done.error.startswith("error: ")
        assert kind is None or done.error.startswith(f"error: rpc: {kind}")
        assert not first.bundle.exists()
    first.enroll(uri)
    done = lab.run([second.binary, "enroll", uri, "--out", second.bundle])
    assert (done.code, done.error) == (1, "error: rpc: enrollment_used")
    assert "client.enrollment_failed" in done.err and not second.bundle.exists()


def test_reissuing_a_client_cuts_its_session(lab, server, edge):
    old = edge.life
    first_id = json.loads(edge.bundle.read_text("utf-8"))["client_id"]
    done = server.cli("enroll-client", "edge-01")
    assert done.code == 2 and done.error.startswith("error: client_already_exists (")
    uri = server.enroll_uri("edge-01", "--reissue")
    assert old.alive  # nothing is cut before the code is redeemed
    edge.enroll(uri)
    assert old.wait_exit() == 1
    assert old.wait_event("auth.failure")["reason"] == "token_not_found"
    server.life.wait_event("client.disconnected", reason="credential_rotated")
    edge.start()
    assert json.loads(edge.bundle.read_text("utf-8"))["client_id"] == first_id


def test_rules_need_a_connected_client(lab, server, target):
    done = server.cli("push-rule", "edge-01", str(lab.port()), target().address)
    assert done.code == 4 and done.error.startswith("error: client_not_connected")
    assert server.rules() == {}


def test_a_dead_target_closes_the_connection_and_leaves_the_rule(lab, server, edge):
    port = lab.port()
    rule = server.push("edge-01", port, f"127.0.0.1:{lab.port()}")
    with connect(port) as connection:
        try:
            assert connection.recv(1) == b""
        except ConnectionResetError:
            pass
    edge.life.wait_event("rule.conn_error", rule_id=str(rule))
    assert server.rule_state(rule) == "active"


def test_name_of_a_spoken_target_is_carried(lab, server, edge, target):
    """The target speaks first: nothing waits for a byte of the user."""
    greeter, port = target(targets.speaks_first_and_ends(b"220 ready\r\n")), lab.port()
    server.push("edge-01", port, greeter.address)
    with connect(port) as connection:
        assert receive_exactly(connection, 11) == b"220 ready\r\n"
        assert connection.recv(1) == b""
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
    until(lambda: greeter.results, "the target saw the end")
    assert greeter.results[0][0] == 3
