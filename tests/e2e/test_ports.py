"""A port has one owner: another rule, a foreign process, and what is no obstacle."""

import re
import socket
import subprocess

import pytest

from harness import targets
from harness.client import Client
from harness.streams import connect, receive_exactly
from harness.waiting import until


def test_a_port_of_another_rule_is_refused(lab, server, edge, target):
    echo, port = target(), lab.port()
    first = server.push("edge-01", port, echo.address)
    body = {"client": "edge-01", "listen_port": port, "target_host": "127.0.0.1",
            "target_port": echo.port}
    answer = server.api.post("/v1/rules", body).refused(409, "port_in_use")
    assert answer.message == f"port_in_use: port {port} already in use"
    done = server.cli("push-rule", "edge-01", str(port), echo.address)
    assert (done.code, done.out) == (5, "")
    assert done.error == f"error: port_in_use (port_in_use: port {port} already in use)"
    assert set(server.rules()) == {first}


@pytest.mark.parametrize("family, address, reuse", [
    (socket.AF_INET, "0.0.0.0", "none"), (socket.AF_INET, "127.0.0.1", "none"),
    (socket.AF_INET6, "::1", "none"), (socket.AF_INET, "0.0.0.0", "address"),
    (socket.AF_INET, "0.0.0.0", "port"),
], ids=["wildcard", "loopback", "ipv6", "reuseaddr", "reuseport"])
def test_TCP_2_a_port_of_a_foreign_process_is_refused(lab, server, edge, target, family, address,
                                                      reuse):
    echo, port = target(), lab.port()
    with socket.socket(family) as foreign:
        if reuse == "address":
            foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse == "port":
            foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        foreign.bind((address, port))
        foreign.listen()
        done = server.cli("push-rule", "edge-01", str(port), echo.address)
        assert (done.code, done.out) == (5, "")
        # The same line as for a port of another rule.
        assert done.error == f"error: port_in_use (port_in_use: port {port} already in use)"
        failed = edge.life.wait_event("rule.failed")
        assert failed["reason"] == "port_in_use" and failed["listen_port"] == port
        rule, = server.rules().values()
        assert rule["state"] == {"kind": "failed", "reason": "port_in_use"}
        # A failed rule blocks its port until it is removed.
        body = {"client": "edge-01", "listen_port": port, "target_host": "127.0.0.1",
                "target_port": echo.port}
        server.api.post("/v1/rules", body).refused(409, "port_in_use")
        server.api.delete(f"/v1/rules/{rule['id']}").ok(204)
        answer = server.api.post("/v1/rules", body).refused(422, "activation_failed")
        assert answer.message == "activation_failed: port_in_use"
        server.api.delete(f"/v1/rules/{max(server.rules())}").ok(204)
    server.push("edge-01", port, echo.address)


def test_a_failed_rule_is_not_replayed(lab, server, edge, target):
    echo, port = target(), lab.port()
    with socket.create_server(("0.0.0.0", port)):
        assert server.cli("push-rule", "edge-01", str(port), echo.address).code == 5
    mark = edge.life.mark()
    server.stop()
    server.start()
    edge.wait_connected(since=mark)
    other = server.push("edge-01", lab.port(), echo.address)  # behind the replay
    assert [event["rule_id"] for event in edge.life.wait_events(
        "rule.received", 1, since=mark)] == [str(other)]
    rule = next(rule for rule in server.rules().values() if rule["listen_port"] == port)
    assert rule["state"]["kind"] == "failed"


def time_wait(port):
    out = subprocess.run(["ss", "-Htan", "state", "time-wait", f"( sport = :{port} )"],
                         check=True, capture_output=True, text=True).stdout
    return len(out.splitlines())


def leave_time_wait(port):
    """The target ends first, so the edge closes first towards the user and keeps TIME_WAIT."""
    with connect(port) as connection:
        assert receive_exactly(connection, 3) == b"bye"
        assert connection.recv(1) == b""
    until(lambda: time_wait(port) >= 1, "TIME_WAIT on the rule's port", 5)


def test_TIME_WAIT_is_no_obstacle_for_rule_or_process(lab, server, edge, target):
    peer, port = target(targets.speaks_first_and_ends(b"bye")), lab.port()
    rule = server.push("edge-01", port, peer.address)
    leave_time_wait(port)
    server.cli("remove-rule", str(rule)).ok()
    rule = server.push("edge-01", port, peer.address)
    leave_time_wait(port)
    edge.kill()
    edge.start()
    edge.life.wait_event("rule.activated", rule_id=str(rule))
    server.wait_rule(rule)


def test_a_replaced_rule_binds_while_its_predecessor_drains(lab, server, target):
    edge = Client(lab, server, **{"shutdown-drain-timeout-secs": 20}).start()
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    with connect(port) as old:
        old.sendall(b"1")
        assert old.recv(1) == b"1"
        server.cli("remove-rule", str(rule)).ok()
        server.push("edge-01", port, echo.address)
        with connect(port) as new:
            for connection in (old, new, old):
                connection.sendall(b"2")
                assert connection.recv(1) == b"2"
    edge.life.wait_event("rule.removed", rule_id=str(rule))


def test_a_port_below_1024_names_the_reason_without_the_right(lab, server, edge, target):
    """Root may bind it, so only the shape of both outcomes is fixed."""
    port = next(port for port in range(1023, 600, -1) if lab.ports.claim(port)
                and not re.search(rf":{port}\b", subprocess.run(
                    ["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout))
    done = server.cli("push-rule", "edge-01", str(port), target().address)
    if done.code != 0:
        assert done.code == 6
        assert done.error == ("error: activation_failed (activation_failed: permission_denied)")


def test_two_clients_on_one_host_collide(lab, server, edge, target):
    other = Client(lab, server, "edge-02").start()
    echo, port = target(), lab.port()
    server.push("edge-01", port, echo.address)
    done = server.cli("push-rule", "edge-02", str(port), echo.address)
    assert done.code == 5
    other.life.wait_event("rule.failed", reason="port_in_use")
