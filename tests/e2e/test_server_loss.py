"""The server goes away under traffic: forwarding does not notice, rules are adopted (D7, D8)."""

import contextlib
import signal

import pytest

from harness import targets
from harness.client import Client
from harness.lives import LifeCounters
from harness.streams import connect, receive_stream, send_stream
from harness.traffic import Traffic
from harness.waiting import stays, until


def test_DRN_6_kill_of_the_server_loses_no_byte_and_rules_are_adopted(lab, server, edge, target):
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    inodes = edge.life.listener_inodes(port)
    assert inodes
    traffic = lab.owns(Traffic(port))
    counters = LifeCounters(server, rule)
    for _ in range(3):
        mark = edge.life.mark()
        counters.end_life(server.kill)
        before = traffic.exchanges
        edge.life.wait_event("control.disconnected", since=mark)
        until(lambda: traffic.exchanges > before + 100, "traffic without a server")
        server.start()
        edge.wait_connected(since=mark)
        assert server.wait_rule(rule)["state"] == {"kind": "active"}
        # Adopted in place: the same sockets, nothing activated or removed again.
        assert edge.life.listener_inodes(port) == inodes
    sent = traffic.stop()
    traffic.require_clean()
    assert sent[0] > 0
    counters.wait_total(sent)
    for event in ("rule.removed", "rule.failed", "rule.conn_error"):
        assert edge.life.events(event) == []
    assert len(edge.life.events("rule.activated")) == 1


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_running_transfer_outlives_the_server(lab, server, edge, target, end):
    gate = targets.Gate()
    peer, port = target(gate), lab.port()
    rule = server.push("edge-01", port, peer.address)
    total = 32 << 20
    with connect(port, 60) as connection:
        connection.sendall(b"")
        getattr(server, end)()
        gate.open()
        digest = send_stream(connection, total)
        connection.shutdown(1)
        assert connection.recv(1) == b""
    until(lambda: peer.results, "the target saw the end")
    assert peer.results == [(total, digest)]
    server.start()
    # Carried over from the time without a server.
    server.wait_bytes(rule, (total, 0))


def test_what_was_removed_while_the_edge_was_away_is_gone_after_the_replay(lab, server, edge,
                                                                           target):
    """The replay is the complete truth (control-wire 5.1)."""
    echo, kept_port, gone_port = target(), lab.port(), lab.port()
    kept = server.push("edge-01", kept_port, echo.address)
    gone = server.push("edge-01", gone_port, echo.address)
    kept_inodes = edge.life.listener_inodes(kept_port)
    server.kill()
    edge.life.signal(signal.SIGSTOP)
    try:
        server.start()
        server.api.delete(f"/v1/rules/{gone}").ok(204)
        server.life.wait_event("audit.rule_remove", outcome="client_unreachable",
                               rule_id=str(gone))
    finally:
        edge.life.signal(signal.SIGCONT)
    edge.life.wait_event("rule.removed", rule_id=str(gone))
    assert server.wait_rule(kept)
    assert edge.life.listener_inodes(kept_port) == kept_inodes
    assert edge.life.listener_inodes(gone_port) == set()


def test_a_session_that_ends_early_removes_nothing(lab, server, edge, target):
    """Without the end of a replay nothing is taken away: forwarding for ever without a centre."""
    echo, port = target(), lab.port()
    server.push("edge-01", port, echo.address)
    server.kill()
    traffic = lab.owns(Traffic(port, long=1, short=1))
    stays(lambda: edge.life.alive and not edge.life.events("rule.removed"), "forwarding", 3)
    traffic.stop()
    traffic.require_clean()
    assert len(edge.life.events("control.connect_failed")) >= 2


def test_kill_of_the_client_is_repaired_by_its_next_life(lab, server, target):
    edge = Client(lab, server).start()
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    traffic = lab.owns(Traffic(port, long=0, short=1))
    until(lambda: server.metrics().rule_bytes(rule)[0] > 0, "a report")
    traffic.stop()
    traffic.require_clean()
    until(lambda: server.metrics().rule_bytes(rule) == (traffic.sent, traffic.received), "reports")
    with connect(port) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        server.wait_bytes(rule, (traffic.sent + 1, traffic.received + 1))
        edge.kill()
        server.life.wait_event("client.disconnected", reason="transport_error")
        server.life.wait_event("client.transport_error", client_name="edge-01")
        assert not server.connected("edge-01")
        with contextlib.suppress(ConnectionResetError):
            assert held.recv(1) == b""
    edge.start()
    edge.life.wait_event("rule.activated", rule_id=str(rule))
    server.wait_rule(rule)
    with connect(port) as connection:
        connection.sendall(b"abc")
        connection.shutdown(1)
        assert receive_stream(connection)[0] == 3
    # A new process starts at 0; the server's counters go on from where they were.
    server.wait_bytes(rule, (traffic.sent + 4, traffic.received + 4))


def test_counters_never_fall_and_gauges_follow_the_session(lab, server, edge, target):
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    gauge = lambda: server.metrics().value("portunus_clients_connected", client="edge-01")  # noqa: E731
    active = lambda: server.metrics().value("portunus_rule_active_connections", 0,  # noqa: E731
                                            rule=str(rule), client="edge-01", owner="_superadmin")
    assert gauge() == 1
    with connect(port), connect(port):
        until(lambda: active() == 2, "two active connections")
    until(lambda: active() == 0, "no active connection")
    edge.stop()
    until(lambda: gauge() == 0, "the gauge after the session")
    edge.start()
    until(lambda: gauge() == 1, "the gauge in the next session")
