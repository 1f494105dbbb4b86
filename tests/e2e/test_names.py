"""Targets by name: the host's resolver, its cache, and what a name that is not there costs."""

import contextlib
import json
import time

import pytest

from harness import targets
from harness.datagrams import UdpTarget, UdpUser
from harness.names import NameServer, SilentNameServer, edge_asking, name, wait_asked
from harness.streams import connect, receive_exactly
from harness.targets import Target
from harness.waiting import PATIENCE, until


@pytest.fixture
def names(lab):
    return lab.owns(NameServer(lab)).start()


@pytest.fixture
def asking(lab, server, names):
    return edge_asking(lab, server, names)


def talk(port, data=b"hello"):
    with connect(port) as connection:
        connection.sendall(data)
        assert receive_exactly(connection, len(data)) == data


def greeting(port):
    with connect(port) as connection:
        return connection.recv(1)


def closed_without_a_byte(port):
    with connect(port) as connection, contextlib.suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_DNS_2_a_name_of_the_hosts_file(lab, server, edge, target):
    """No name server is needed for localhost."""
    port = lab.port()
    rule = server.push("edge-01", port, f"LocalHost:{target().port}")
    assert server.rules()[rule]["target_host"].lower() == "localhost"
    talk(port)
    seen = edge.life.wait_event("rule.dns_resolved", rule=str(rule), host="localhost")
    assert seen["chosen_addr"].startswith("127.0.0.1")
    assert server.wait_stats(rule, bytes_in=5)["dns_failures"] == 0


def test_DNS_2_a_name_is_asked_for_once_and_DNS_4_kept(lab, server, asking, names, target):
    names.set_hosts("127.0.0.1 echo")
    udp, port, datagram_port = lab.owns(UdpTarget(lab.port())), lab.port(), lab.port()
    rule = server.push("edge-01", port, f"{name('Echo')}:{target().port}")
    server.push("edge-01", datagram_port, f"{name('echo')}:{udp.port}", "--protocol", "udp")
    # Resolution is lazy: activation asks nothing.
    assert names.queries("echo") == 0
    talk(port)
    for _ in range(3):
        talk(port)
    with UdpUser(datagram_port) as user:
        assert user.ask(b"ping") == b"ping"
    # One cache for all rules and both protocols (DNS-3), five seconds at least (DNS-4).
    assert (names.queries("echo"), names.queries("echo", "AAAA")) == (1, 1)
    resolved, = asking.life.events("rule.dns_resolved")
    assert (resolved["rule"], resolved["host"], resolved["addr_count"], resolved["prefer_ipv6"]) \
        == (str(rule), name("echo"), 1, False)


def test_RNG_4_a_name_is_asked_for_once_for_all_ports_of_a_range(lab, server, asking, names):
    names.set_hosts("127.0.0.1 range")
    listen, base = lab.port_block(3), lab.port_block(3)
    for number in range(3):
        lab.owns(Target(base + number, targets.greets(b"abc"[number:number + 1])))
    server.push("edge-01", f"{listen}-{listen + 2}", f"{name('range')}:{base}-{base + 2}")
    assert [greeting(listen + number) for number in range(3)] == [b"a", b"b", b"c"]
    assert names.queries("range") == 1


def test_DNS_5_the_preferred_family_is_first_and_the_other_a_fallback(lab, server, asking, names):
    names.set_hosts("127.0.0.1 both", "::1 both", "::1 six", "127.0.0.1 six")
    port = lab.port()
    lab.owns(Target(port, targets.greets(b"4")))
    lab.owns(Target(port, targets.greets(b"6"), "::1"))
    only_six = lab.owns(Target(lab.port(), targets.greets(b"6"), "::1"))
    rules = {}
    for options in ((), ("--prefer-ipv6",)):
        rules[options] = lab.port()
        server.push("edge-01", rules[options], f"{name('both')}:{port}", *options)
    assert greeting(rules[()]) == b"4"
    assert greeting(rules[("--prefer-ipv6",)]) == b"6"
    fallback = lab.port()
    server.push("edge-01", fallback, f"{name('six')}:{only_six.port}")
    assert greeting(fallback) == b"6"


def test_DNS_9_a_name_that_does_not_exist_costs_its_connection(lab, server, asking, names, target):
    port, echo = lab.port(), target()
    rule = server.push("edge-01", port, f"{name('late')}:{echo.port}")
    closed_without_a_byte(port)
    failed = asking.life.wait_event("rule.dns_failed", rule=str(rule))
    assert (failed["host"], failed["reason"]) == (name("late"), "nxdomain")
    assert server.wait_stats(rule, dns_failures=1)["active_connections"] == 0
    assert server.rule_state(rule) == "active"
    assert server.metrics().value("portunus_rule_dns_failures_total", rule=str(rule)) == 1
    assert " dns_failures=1 " in server.cli("rule-stats", str(rule)).ok()

    # Three seconds after the failure the name is looked up again.
    names.set_hosts("127.0.0.1 late")

    def served():
        with connect(port) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"x")
            return connection.recv(1) == b"x"
    until(served, "the name that came", 8)
    assert echo.accepted == 1


@pytest.mark.parametrize("host, reason", [
    (name("nowhere"), "nxdomain"), ("not.of-this-zone.example", "servfail")])
def test_DNS_9_a_first_datagram_is_lost_to_a_name(lab, server, asking, names, host, reason):
    port = lab.port()
    rule = server.push("edge-01", port, f"{host}:9", "--protocol", "udp")
    with UdpUser(port) as user:
        user.send(b"lost")
        failed = asking.life.wait_event("rule.udp_dns_failed", rule=str(rule))
        assert (failed["host"], failed["reason"], failed["source"]) == (host, reason, user.address)
        assert failed["listen_port"] == port
    shown = server.wait_stats(rule, dns_failures=1)
    assert (shown["active_flows"], shown["datagrams_in"]) == (0, 0)


def test_LIFE_2_a_silent_resolver_delays_no_activation(lab, server, target):
    names = lab.owns(NameServer(lab))
    lab.owns(SilentNameServer(names.address))
    edge = edge_asking(lab, server, names)
    port, other, echo = lab.port(), lab.port(), target()
    begin = time.monotonic()
    rule = server.push("edge-01", port, f"{name('mute')}:9")
    assert time.monotonic() - begin < 1 * PATIENCE
    server.push("edge-01", other, echo.address)
    with connect(port) as connection, contextlib.suppress(ConnectionResetError):
        # Whoever waits for the name holds up nobody.
        for _ in range(10):
            talk(other)
        begin = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - begin < 4 * PATIENCE
    assert edge.life.wait_event("rule.dns_failed", rule=str(rule))["reason"] == "attempt_timeout"
    server.wait_stats(rule, dns_failures=1)


def test_CLI_2_1_a_silent_resolver_holds_no_command_beyond_its_connect_timeout(lab):
    """The system's resolver would ask for ten seconds, and cannot be interrupted."""
    names = lab.owns(NameServer(lab))
    lab.owns(SilentNameServer(names.address))
    begin = time.monotonic()
    done = lab.run([*names.wrapper, lab.bin / "portunus-server", "list-rules",
                    "--http-endpoint", f"{name('mute')}:7080"])
    assert time.monotonic() - begin < 4 * PATIENCE
    assert (done.code, done.out) == (1, "")
    assert done.error == f"error: http: resolve {name('mute')}: timed out after 2 s"


def test_DNS_10_old_addresses_serve_while_the_resolver_is_away(lab, server, asking, names, target):
    names.set_hosts("127.0.0.1 stale")
    port = lab.port()
    rule = server.push("edge-01", port, f"{name('stale')}:{target().port}")
    talk(port)
    names.stop()

    def stale():
        talk(port)  # never fails
        return server.stats(rule).get("dns_failures", 0) >= 1
    until(stale, "an expired entry", 12)
    assert asking.life.events("rule.dns_failed") == []


def test_FO_5_a_target_without_a_name_is_stepped_over(lab, server, asking, names, target):
    names.set_hosts("127.0.0.1 here")
    port, echo = lab.port(), target()
    rule = server.push("edge-01", port, "--target", f"{name('gone')}:9",
                       "--target", f"{name('here')}:{echo.port}")
    talk(port)
    failed = asking.life.wait_event("rule.dns_failed", rule=str(rule))
    assert (failed["host"], failed["reason"]) == (name("gone"), "nxdomain")
    server.wait_stats(rule, dns_failures=1, bytes_in=5)
    rows = server.stats(rule, "per_target")["per_target"]
    assert [(row["consecutive_failures"], row["bytes_in"]) for row in rows] == [(1, 0), (0, 5)]


def test_FO_8_a_udp_flow_goes_to_the_next_target_when_a_name_fails(lab, server, asking, names):
    udp, port = lab.owns(UdpTarget(lab.port())), lab.port()
    listed = json.dumps([{"host": name("gone"), "port": 9},
                         {"host": "127.0.0.1", "port": udp.port}])
    rule = server.push("edge-01", port, "--targets-json", listed, "--protocol", "udp")
    for number in range(3):
        with UdpUser(port) as user:
            assert user.ask(b"ping") == b"ping"
        if number == 0:
            wait_asked(names, "gone", 1)
    # Three flows that failed there: the first target is given up.
    until(lambda: server.health(rule) == [False, True], "the health of the targets")
    changed = asking.life.wait_event("rule.target.health_changed", rule_id=str(rule))
    assert (changed["target_index"], changed["from"], changed["to"]) == (0, "Healthy", "Failed")
    rows = server.stats(rule, "per_target")["per_target"]
    assert [row["connections_accepted"] for row in rows] == [0, 3]
