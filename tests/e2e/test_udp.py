"""UDP rules: flows, what is counted of them, the cap, and a server that goes away."""

import concurrent.futures
import hashlib
import os
import re
import socket

import pytest

from harness.client import Client
from harness.datagrams import UdpTarget, UdpTraffic, UdpUser
from harness.lives import LifeCounters
from harness.server import Server
from harness.streams import connect, receive_exactly
from harness.waiting import stays, until

UDP_LINE = re.compile(
    r"rule_id=(\d+) client=edge-01 protocol=udp bytes_in=(\d+) bytes_out=(\d+) active_flows=(\d+) "
    r"datagrams_in=(\d+) datagrams_out=(\d+) flows_dropped_overflow=(\d+) dns_failures=(\d+) "
    r"updated_at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n")


@pytest.fixture
def echo(lab):
    return lab.owns(UdpTarget(lab.port()))


def push(server, port, address, *options):
    return server.push("edge-01", port, address, "--protocol", "udp", *options)


def row(server, family, rule):
    return server.metrics().value(f"portunus_rule_{family}", 0, client="edge-01",
                                  owner="_superadmin", rule=str(rule))


def test_UDP_2_every_source_has_a_flow_and_all_is_counted(lab, server, edge, echo):
    port, users, rounds = lab.port(), 20, 25
    rule = push(server, port, echo.address)
    sizes = [(number * 53) % 1400 for number in range(rounds)]

    def talk(number):
        """What one source sent and got, as digests."""
        sent, got = hashlib.sha256(), hashlib.sha256()
        with UdpUser(port) as user:
            for size in sizes:
                data = bytes([number]) * size
                sent.update(data)
                got.update(user.ask(data))
            server.wait_stats(rule, active_flows=users)
            return sent.digest(), got.digest()

    with concurrent.futures.ThreadPoolExecutor(users) as pool:
        for sent, got in pool.map(talk, range(users)):
            assert sent == got
    datagrams, count = users * rounds, users * sum(sizes)
    assert len({source for _, source in echo.received}) == users
    assert sum(len(data) for data, _ in echo.received) == count
    shown = server.wait_stats(rule, datagrams_in=datagrams, datagrams_out=datagrams,
                              bytes_in=count, bytes_out=count)
    assert (shown["protocol"], shown["active_connections"]) == ("udp", 0)
    line = UDP_LINE.fullmatch(server.cli("rule-stats", str(rule)).ok())
    assert [int(text) for text in line.groups()] == [rule, count, count, users, datagrams,
                                                     datagrams, 0, 0]
    server.wait_bytes(rule, (count, count))
    assert row(server, "udp_datagrams_in_total", rule) == datagrams
    assert row(server, "udp_datagrams_out_total", rule) == datagrams
    assert row(server, "active_flows", rule) == users
    assert len(edge.life.wait_events("rule.udp_flow_opened", users, rule_id=str(rule))) == users

    # A removed rule leaves its two byte counters, and its port is free at once (UDP-16).
    server.cli("remove-rule", str(rule)).ok()
    edge.life.wait_event("rule.removed", rule_id=str(rule), protocol="udp")
    assert edge.life.listener_inodes(port, "udp") == set()
    left = {name for name, labels, _ in server.metrics().samples
            if labels.get("rule") == str(rule)}
    assert left == {"portunus_rule_bytes_in_total", "portunus_rule_bytes_out_total"}


def test_UDP_9_every_size_of_datagram(lab, server, edge, echo):
    port = lab.port()
    rule = push(server, port, echo.address)
    sizes = (0, 1, 1472, 1473, 9000, 65507)
    with UdpUser(port) as user:
        for size in sizes:
            data = os.urandom(size)
            assert user.ask(data) == data
    server.wait_stats(rule, datagrams_in=len(sizes), bytes_in=sum(sizes), bytes_out=sum(sizes))


def test_UDP_1_answers_come_from_the_address_that_was_asked(lab, server, edge, echo):
    port = lab.port()
    push(server, port, echo.address)
    for host in ("127.0.0.1", "127.0.0.77"):
        with UdpUser(port, host=host) as user:  # connected: another sender is not heard
            assert user.ask(host.encode()) == host.encode()


@pytest.mark.parametrize("reuse", [None, socket.SO_REUSEADDR, socket.SO_REUSEPORT],
                         ids=["plain", "reuseaddr", "reuseport"])
def test_UDP_1_a_port_of_a_foreign_socket_is_refused(lab, server, edge, echo, reuse):
    port = lab.port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        if reuse is not None:
            foreign.setsockopt(socket.SOL_SOCKET, reuse, 1)
        foreign.bind(("0.0.0.0", port))
        done = server.cli("push-rule", "edge-01", str(port), echo.address, "--protocol", "udp")
        assert (done.code, done.out) == (5, "")
        assert done.error == f"error: port_in_use (port_in_use: port {port} already in use)"
        rule, = server.rules().values()
        assert rule["state"] == {"kind": "failed", "reason": "port_in_use"}


def test_LIFE_3_tcp_and_udp_share_a_port(lab, server, edge, echo, target):
    port = lab.port()
    push(server, port, echo.address)
    server.push("edge-01", port, target().address)
    with UdpUser(port) as user, connect(port) as connection:
        connection.sendall(b"stream")
        assert user.ask(b"datagram") == b"datagram"
        assert receive_exactly(connection, 6) == b"stream"


def test_UDP_4_the_flow_cap_drops_newcomers_and_counts_them(lab):
    server = Server(lab, udp_max_flows_per_rule=3).start()
    edge = Client(lab, server).start()
    assert edge.life.wait_event("control.connected")["udp_max_flows_per_rule"] == 3
    echo, port = lab.owns(UdpTarget(lab.port())), lab.port()
    rule = push(server, port, echo.address)
    live = [lab.owns(UdpUser(port)) for _ in range(3)]
    for user in live:
        assert user.ask(b"first") == b"first"
    late = [lab.owns(UdpUser(port)) for _ in range(4)]
    for user in late:
        user.send(b"no room")
    shown = server.wait_stats(rule, flows_dropped_overflow=4)
    assert shown["active_flows"] == 3
    for user in live:
        assert user.ask(b"second") == b"second"
    assert not any(user.answered() for user in late)
    assert len(echo.received) == 6
    assert row(server, "flows_dropped_overflow_total", rule) == 4
    drop = edge.life.wait_event("rule.udp_flow_dropped_overflow", rule_id=str(rule))
    assert drop["source"] in {user.address for user in late}
    assert " flows_dropped_overflow=4 " in server.cli("rule-stats", str(rule)).ok()


def test_UDP_11_a_flow_whose_target_is_gone_is_ended_and_made_anew(lab, server, edge, echo):
    port = lab.port()
    rule = push(server, port, echo.address)
    with UdpUser(port) as user:
        assert user.ask(b"one") == b"one"
        echo.close()
        user.send(b"two")
        evicted = edge.life.wait_event("rule.udp_flow_evicted_icmp", rule_id=str(rule))
        assert (evicted["source"], evicted["target"]) == (user.address, echo.address)
        server.wait_stats(rule, active_flows=0)
        assert server.rule_state(rule) == "active"
        again = lab.owns(UdpTarget(echo.port))
        assert user.ask(b"three") == b"three"
        assert [data for data, _ in again.received] == [b"three"]
    assert len(edge.life.wait_events("rule.udp_flow_opened", 2, rule_id=str(rule))) == 2
    assert len(edge.life.events("rule.udp_flow_evicted_icmp")) == 1


def test_DRN_6_a_flow_outlives_the_server_and_the_rule_is_adopted(lab, server, edge, echo):
    port = lab.port()
    rule = push(server, port, echo.address)
    inodes = edge.life.listener_inodes(port, "udp")
    assert inodes
    traffic = lab.owns(UdpTraffic(port))
    counters = LifeCounters(server, rule)
    mark = edge.life.mark()
    counters.end_life(server.kill)
    edge.life.wait_event("control.disconnected", since=mark)
    before = traffic.datagrams
    until(lambda: traffic.datagrams > before + 100 or traffic.errors, "traffic without a server")
    server.start()
    edge.wait_connected(since=mark)
    server.wait_rule(rule)
    assert edge.life.listener_inodes(port, "udp") == inodes
    server.wait_stats(rule, active_flows=1)
    sent = traffic.stop()
    counters.wait_total((sent, sent))
    assert len({source for _, source in echo.received}) == 1, "the flow was made anew"
    assert len(edge.life.wait_events("rule.udp_flow_opened", 1)) == 1
    assert len(edge.life.events("rule.activated")) == 1
    for event in ("rule.deactivated", "rule.removed", "rule.failed"):
        assert edge.life.events(event) == []


def test_UDP_4_the_flow_cap_is_one_for_all_ports_of_a_range_RNG_4(lab):
    server = Server(lab, udp_max_flows_per_rule=2).start()
    Client(lab, server).start()
    listen, base = lab.port_block(3), lab.port_block(3)
    behind = [lab.owns(UdpTarget(base + number)) for number in range(3)]
    rule = server.push("edge-01", f"{listen}-{listen + 2}", f"127.0.0.1:{base}-{base + 2}",
                       "--protocol", "udp")
    with UdpUser(listen) as first, UdpUser(listen + 1) as second, UdpUser(listen + 2) as third:
        assert first.ask(b"1") == b"1" and second.ask(b"2") == b"2"
        third.send(b"3")
        server.wait_stats(rule, flows_dropped_overflow=1, active_flows=2)
        assert first.ask(b"1") == b"1" and not third.answered()
    assert behind[2].received == []


def test_UDP_3_a_target_may_have_an_ipv6_address(lab, server, edge):
    port, six = lab.port(), lab.owns(UdpTarget(lab.port(), host="::1"))
    rule = push(server, port, six.address)
    with UdpUser(port) as user:
        assert user.ask(b"from four to six") == b"from four to six"
    server.wait_stats(rule, datagrams_in=1, datagrams_out=1, bytes_in=16, bytes_out=16)


def test_UDP_3_a_stranger_is_not_heard_by_the_user(lab, server, edge, echo):
    """The upstream socket is connected: only the target's answers go back."""
    port = lab.port()
    push(server, port, echo.address)
    with UdpUser(port) as user, UdpUser(port) as stranger:
        assert user.ask(b"mine") == b"mine"
        _, flow = echo.received[0]
        stranger.socket.connect(("127.0.0.1", flow[1]))
        stranger.send(b"forged")
        stays(lambda: not user.answered(), "silence of a stranger", 0.3)
        assert user.ask(b"mine again") == b"mine again"
