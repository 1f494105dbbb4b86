"""Ranges of ports: the mapping, all or nothing, what is counted per port."""

import socket
import time

import pytest

from harness import targets
from harness.datagrams import UdpTarget, UdpUser
from harness.streams import connect, receive_exactly, refused
from harness.targets import Target
from harness.waiting import PATIENCE, until

WIDTH = 5
LONGEST = 1024


def spec(first, width=WIDTH):
    return f"{first}-{first + width - 1}"


def push_range(server, listen, target, *options, width=WIDTH):
    return server.push("edge-01", spec(listen, width), f"127.0.0.1:{spec(target, width)}", *options)


def per_port(server, rule):
    return {row["listen_port"]: row for row in server.stats(rule, "per_port").get("per_port", [])}


def table(server, rule):
    """The lines of `rule-stats --per-port` below the first, as words."""
    _, *rows = server.cli("rule-stats", str(rule), "--per-port").ok().splitlines()
    return [row.split() for row in rows]


def test_RNG_2_a_tcp_range_maps_port_by_port(lab, server, edge):
    listen, base = lab.port_block(WIDTH), lab.port_block(WIDTH)
    behind = [lab.owns(Target(base + number, targets.echo)) for number in range(WIDTH)]
    rule = push_range(server, listen, base)
    activated = edge.life.wait_event("rule.activated", rule_id=str(rule))
    assert (activated["listen_port"], activated["listen_port_end"], activated["range_size"]) == (
        listen, listen + WIDTH - 1, WIDTH)
    for number in range(WIDTH):
        with connect(listen + number) as connection:
            data = bytes([number]) * (100 * (number + 1))
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert receive_exactly(connection, len(data)) == data
            assert connection.recv(1) == b""
    until(lambda: [len(one.results) for one in behind] == [1] * WIDTH, "every target was asked")
    assert [one.results for one in behind] == [[100 * (number + 1)] for number in range(WIDTH)]

    total = sum(100 * (number + 1) for number in range(WIDTH))
    server.wait_bytes(rule, (total, total))
    rows = per_port(server, rule)
    assert {port: (row["bytes_in"], row["bytes_out"]) for port, row in rows.items()} == {
        listen + number: (100 * (number + 1),) * 2 for number in range(WIDTH)}
    head, *lines = table(server, rule)
    assert head == ["PORT", "BYTES_IN", "BYTES_OUT", "ACTIVE"]
    assert lines == [[str(listen + number), str(100 * (number + 1)), str(100 * (number + 1)), "0"]
                     for number in range(WIDTH)]
    # Ports never become metric rows (RNG-4).
    assert len(server.metrics().rows("portunus_rule_bytes_in_total", rule=str(rule))) == 1


def test_RNG_2_a_udp_range_maps_port_by_port_and_UDP_2_has_a_flow_for_each(lab, server, edge):
    listen, base = lab.port_block(WIDTH), lab.port_block(WIDTH)
    for number in range(WIDTH):
        lab.owns(UdpTarget(base + number, lambda data, number=number: bytes([number]) + data))
    rule = push_range(server, listen, base, "--protocol", "udp")
    # One source for all ports: a flow is told apart by the port that was asked.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as user:
        user.settimeout(10)
        user.bind(("127.0.0.1", 0))
        for number in range(WIDTH):
            user.sendto(b"x" * number, ("127.0.0.1", listen + number))
            data, source = user.recvfrom(65535)
            assert (data, source) == (bytes([number]) + b"x" * number,
                                      ("127.0.0.1", listen + number))
        server.wait_stats(rule, active_flows=WIDTH, datagrams_in=WIDTH, datagrams_out=WIDTH)
    head, *lines = table(server, rule)
    assert head == ["PORT", "BYTES_IN", "BYTES_OUT", "DATAGRAMS_IN", "DATAGRAMS_OUT"]
    assert lines == [[str(listen + number), str(number), str(number + 1), "1", "1"]
                     for number in range(WIDTH)]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_RNG_3_one_busy_port_fails_the_whole_range(lab, server, edge, protocol):
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]
    listen, base = lab.port_block(WIDTH), lab.port_block(WIDTH)
    busy = listen + 3
    sockets = len(edge.life.socket_inodes())
    with socket.socket(socket.AF_INET, kind) as foreign:
        # Connections of an earlier test may still be in TIME_WAIT on that port.
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
        foreign.bind(("127.0.0.1", busy))
        if kind == socket.SOCK_STREAM:
            foreign.listen()
        done = server.cli("push-rule", "edge-01", spec(listen), f"127.0.0.1:{spec(base)}",
                          "--protocol", protocol)
        assert (done.code, done.out) == (5, "")
        assert done.error == f"error: port_in_use (port_in_use: port {busy} already in use)"
        shown, = server.rules().values()
        assert shown["state"] == {"kind": "failed", "reason": f"port_in_use:{busy}"}
        failed = edge.life.wait_event("rule.failed", rule_id=str(shown["id"]))
        assert (failed["offending_port"], failed["reason"]) == (busy, f"port_in_use:{busy}")
        assert (failed["listen_port"], failed["listen_port_end"]) == (listen, listen + WIDTH - 1)
        for port in range(listen, listen + WIDTH):
            assert edge.life.listener_inodes(port, protocol) == set()
        until(lambda: len(edge.life.socket_inodes()) <= sockets, "nothing is left open")
        # The same by the API, after the failed rule no longer blocks the ports.
        server.api.delete(f"/v1/rules/{shown['id']}").ok(204)
        answer = server.api.post("/v1/rules", {
            "client": "edge-01", "listen_port": listen, "listen_port_end": listen + WIDTH - 1,
            "target_host": "127.0.0.1", "target_port": base, "target_port_end": base + WIDTH - 1,
            "protocol": protocol}).refused(422, "activation_failed")
        assert answer.message == f"activation_failed: port_in_use:{busy}"
        server.api.delete(f"/v1/rules/{max(server.rules())}").ok(204)
    push_range(server, listen, base, "--protocol", protocol)


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_RNG_1_the_longest_range_is_active_at_once(lab, server, edge, protocol):
    listen = lab.port_block(LONGEST)
    base = lab.port_block(2, step=LONGEST - 1)  # first and last target
    sockets = len(edge.life.socket_inodes())
    for port in (base, base + LONGEST - 1):
        lab.owns(Target(port, targets.echo) if protocol == "tcp" else UdpTarget(port))
    begin = time.monotonic()
    rule = push_range(server, listen, base, "--protocol", protocol, width=LONGEST)
    took = time.monotonic() - begin
    assert took < 3 * PATIENCE, f"{took:.2f} s for {LONGEST} ports"
    for port in (listen, listen + LONGEST - 1):
        if protocol == "tcp":
            with connect(port) as connection:
                connection.sendall(b"ping")
                assert receive_exactly(connection, 4) == b"ping"
        else:
            with UdpUser(port) as user:
                assert user.ask(b"ping") == b"ping"
    server.wait_bytes(rule, (8, 8))
    rows = per_port(server, rule)
    assert {port for port, row in rows.items() if row["bytes_in"]} == {
        listen, listen + LONGEST - 1}
    assert sum(row["bytes_in"] for row in rows.values()) == 8
    server.cli("remove-rule", str(rule)).ok()
    edge.life.wait_event("rule.removed", rule_id=str(rule))
    if protocol == "tcp":
        assert refused(listen) and refused(listen + LONGEST - 1)
    until(lambda: len(edge.life.socket_inodes()) <= sockets,
          lambda: f"every socket of the range closed: {sockets} open before, "
                  f"{len(edge.life.socket_inodes())} now")


def test_RNG_1_a_range_above_the_cap_is_refused(lab, server, edge):
    done = server.cli("push-rule", "edge-01", spec(20000, LONGEST + 1),
                      f"127.0.0.1:{spec(30000, LONGEST + 1)}")
    assert (done.code, done.out) == (3, "")
    assert done.error.startswith("error: exceeds_cap (")
    assert str(LONGEST + 1) in done.error and str(LONGEST) in done.error
    assert server.rules() == {}


def test_DRN_6_a_range_is_adopted_by_the_next_server(lab, server, edge):
    listen, base = lab.port_block(WIDTH), lab.port_block(WIDTH)
    lab.owns(Target(base + 2, targets.echo))
    rule = push_range(server, listen, base)
    inodes = [edge.life.listener_inodes(listen + number) for number in range(WIDTH)]
    assert all(inodes)
    with connect(listen + 2) as held:
        held.sendall(b"1")
        assert held.recv(1) == b"1"
        server.wait_bytes(rule, (1, 1))
        mark = edge.life.mark()
        server.kill()
        held.sendall(b"2")
        assert held.recv(1) == b"2"
        server.start()
        edge.wait_connected(since=mark)
        server.wait_rule(rule)
        held.sendall(b"3")
        assert held.recv(1) == b"3"
        server.wait_bytes(rule, (2, 2))  # what the first life had not seen
    assert [edge.life.listener_inodes(listen + number) for number in range(WIDTH)] == inodes
    assert per_port(server, rule)[listen + 2]["bytes_in"] == 2
