"""Several rules on one port, told apart by the name a TLS user asks for (data-plane 11)."""

import contextlib
import re
import socket
import subprocess
import time

import pytest

from harness.streams import connect, receive_exactly
from harness.targets import Target
from harness.tls_servers import (client_hello, make_certificate, server_context, tls_connect,
                                 tls_greets)
from harness.waiting import PATIENCE, until

ROUTES = {"exact": "a.example.com", "wildcard": "*.example.com", "fallback": None}


@pytest.fixture
def tls_target(lab):
    """tls_target("name") is a TLS server with a certificate for that name, which it greets with."""
    def make(text):
        pair = make_certificate(lab.folder, text)
        return lab.owns(Target(lab.port(), tls_greets(text.encode() + b"\n", server_context(pair))))
    return make


@pytest.fixture
def group(lab, server, edge, tls_target):
    """A port with an exact rule, a wildcard and a fallback: (port, rules by kind)."""
    port = lab.port()
    rules = {kind: push(server, port, tls_target(kind), pattern)
             for kind, pattern in ROUTES.items()}
    return port, rules


def push(server, port, target, pattern):
    options = ("--sni", pattern) if pattern is not None else ()
    return server.push("edge-01", port, target.address, *options)


def asked(port, name):
    """The greeting of whoever a user of this name gets to."""
    with tls_connect(port, name) as user:
        return user.makefile("rb").readline().decode().strip()


def dropped(port, data):
    """Sends these bytes and is closed without any in return (SNI-7)."""
    with connect(port) as connection:
        connection.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def routes(server, rule):
    rows = server.metrics().rows("portunus_tls_sni_route_total", rule=str(rule))
    return {labels["result"]: value for labels, value in rows}


def of_port(server, family, port):
    return server.metrics().value(f"portunus_tls_{family}", 0, client="edge-01", port=str(port))


def test_SNI_6_exact_before_wildcard_before_fallback(lab, server, edge, group):
    port, rules = group
    for name, kind in [("a.example.com", "exact"), ("A.Example.COM", "exact"),
                       ("b.example.com", "wildcard"), ("example.com", "fallback"),
                       ("a.b.example.com", "fallback"), ("elsewhere.org", "fallback"),
                       (None, "fallback")]:
        assert asked(port, name) == kind, name
    until(lambda: routes(server, rules["fallback"]) == {"fallback": 4}, "the report")
    assert routes(server, rules["exact"]) == {"exact": 2}
    assert routes(server, rules["wildcard"]) == {"wildcard": 1}
    assert server.metrics().value("portunus_tls_sni_routes_active") == 2
    # All seven were looked at, and none was lost.
    assert of_port(server, "client_hello_peek_duration_seconds_count", port) == 7
    assert of_port(server, "sni_listener_miss_total", port) == 0
    routed = edge.life.wait_event("tls.sni_routed", server_name="b.example.com")
    assert (routed["match_kind"], routed["rule_id"], routed["listen_port"]) == (
        "wildcard", str(rules["wildcard"]), port)
    assert edge.life.wait_event("tls.no_sni")["fallback_used"] is True
    for rule in rules.values():
        assert server.stats(rule)["bytes_in"] > 0 and server.stats(rule)["bytes_out"] > 0


def test_SNI_6_openssl_and_curl_get_the_right_certificate(lab, server, edge, group):
    port, _ = group
    for name, kind in [("a.example.com", "exact"), ("z.example.com", "wildcard"),
                       ("other.net", "fallback")]:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
                               "-servername", name], input="", capture_output=True, text=True,
                              timeout=20)
        assert re.search(rf"^subject=CN ?= ?{kind}$", done.stdout, re.MULTILINE), done.stdout[:600]
        curl = subprocess.run(["curl", "-svk", "--max-time", "2", "--http0.9", "--resolve",
                               f"{name}:{port}:127.0.0.1", f"https://{name}:{port}/"],
                              capture_output=True, text=True, timeout=20)
        assert f"CN={kind}" in curl.stderr, curl.stderr[:1000]


def test_SNI_6_without_a_fallback_no_match_is_closed(lab, server, edge, tls_target):
    port = lab.port()
    peer = tls_target("exact")
    rule = push(server, port, peer, "a.example.com")
    push(server, port, tls_target("wildcard"), "*.example.com")
    for name in ("example.com", "b.a.example.com", "b.org", None):
        dropped(port, client_hello(name))
    assert asked(port, "a.example.com") == "exact"
    until(lambda: of_port(server, "sni_listener_miss_total", port) == 4, "four misses")
    assert peer.accepted == 1
    missed = edge.life.wait_event("tls.sni_no_match")
    assert missed["server_name"] == "example.com" and missed["listen_port"] == port
    assert edge.life.wait_event("tls.no_sni")["fallback_used"] is False
    assert routes(server, rule) == {"exact": 1}
    # A user sees its stream end before any alert, which is what curl calls it, too.
    with pytest.raises(OSError):
        tls_connect(port, "b.org").close()


def test_SNI_5_what_is_no_hello_is_closed_even_with_a_fallback(lab, server, edge, group):
    port, rules = group
    hello = client_hello("a.example.com")
    for data in (b"GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n", b"\x16\x02\x00\x00\x05hello",
                 hello[:5] + b"\x02" + hello[6:]):
        dropped(port, data)
    cut = connect(port)
    cut.sendall(hello[:20])
    cut.close()
    until(lambda: of_port(server, "sni_listener_parse_failures_total", port) == 4, "four failures")
    assert edge.life.wait_event("tls.parse_failed")["error"] == "not_tls"
    assert of_port(server, "client_hello_peek_duration_seconds_count", port) == 4
    for rule in rules.values():
        assert routes(server, rule) == {}
        assert server.metrics().rule_bytes(rule) == (0, 0)


def test_SNI_5_a_hello_may_come_byte_by_byte_but_not_slower_than_three_seconds(
        lab, server, edge, target):
    received = []

    def behave(connection):
        received.append(receive_exactly(connection, len(hello) + 4))
        connection.sendall(b"thanks")
    hello = client_hello("a.example.com")
    peer, port = target(behave), lab.port()
    rule = push(server, port, peer, "a.example.com")
    slow = connect(port)
    slow.sendall(hello[:-1])
    begin = time.monotonic()
    with connect(port) as connection:
        for index in range(len(hello)):
            connection.sendall(hello[index:index + 1])
        connection.sendall(b"more")
        assert receive_exactly(connection, 6) == b"thanks"
    # Unmodified, and counted once it was delivered (SNI-8, CNT-4).
    assert received == [hello + b"more"]
    server.wait_bytes(rule, (len(hello) + 4, 6))
    with slow, contextlib.suppress(ConnectionResetError):
        assert slow.recv(1) == b""
    waited = time.monotonic() - begin
    assert 2.5 < waited < 5 * PATIENCE, waited
    assert edge.life.wait_event("tls.client_hello_timeout")["bytes_read"] == len(hello) - 1
    until(lambda: of_port(server, "sni_listener_parse_failures_total", port) == 1, "the timeout")


def test_SNI_2_what_a_port_takes(lab, server, edge, group, tls_target, target):
    port, _ = group
    again = tls_target("again")
    for pattern, code in [("A.example.com", "conflict.sni_route_duplicate"),
                          (None, "conflict.sni_fallback_duplicate")]:
        done = server.cli("push-rule", "edge-01", str(port), again.address,
                          *(("--sni", pattern) if pattern else ()))
        assert done.code == 1 and done.error.startswith(f"error: {code} (")
    rule = push(server, port, again, "c.example.com")
    assert asked(port, "c.example.com") == "again"
    plain = lab.port()
    server.push("edge-01", plain, target().address)
    done = server.cli("push-rule", "edge-01", str(plain), again.address, "--sni", "a.b")
    assert done.error.startswith("error: conflict.legacy_to_sni_unsupported (")
    # A member that goes leaves its siblings (DRN-4): its name falls to the wildcard.
    with tls_connect(port, "a.example.com") as held:
        assert held.recv(100) == b"exact\n"
        server.cli("remove-rule", str(rule)).ok()
        edge.life.wait_event("rule.removed", rule_id=str(rule))
        assert asked(port, "c.example.com") == "wildcard"
        held.sendall(b"on")
        assert held.recv(2) == b"on"


def test_DRN_6_a_group_outlives_the_server_and_LIFE_6_is_rebuilt_by_a_new_edge(
        lab, server, edge, group):
    port, rules = group
    inodes = edge.life.listener_inodes(port)
    with tls_connect(port, "a.example.com") as held:
        assert held.recv(100) == b"exact\n"
        mark = edge.life.mark()
        server.kill()
        assert asked(port, "b.example.com") == "wildcard"
        held.sendall(b"1")
        assert held.recv(1) == b"1"
        server.start()
        edge.wait_connected(since=mark)
        for rule in rules.values():
            server.wait_rule(rule)
        held.sendall(b"2")
        assert held.recv(1) == b"2"
    assert edge.life.listener_inodes(port) == inodes
    assert edge.life.events("rule.removed") == []
    edge.kill()
    edge.start()
    for rule in rules.values():
        edge.life.wait_event("rule.activated", rule_id=str(rule))
    for name, kind in (("a.example.com", "exact"), ("b.example.com", "wildcard"),
                       ("c.org", "fallback")):
        assert asked(port, name) == kind


def test_SNI_9_caps_are_those_of_the_matched_rule(lab, server, edge, tls_target):
    port = lab.port()
    capped = server.create(port, sni_pattern="a.example.com", rate_limit={
        "concurrent_connections": 1}, targets=[
            {"host": "127.0.0.1", "port": tls_target("capped").port}])
    push(server, port, tls_target("free"), "b.example.com")
    with tls_connect(port, "a.example.com") as held:
        assert held.recv(100) == b"capped\n"
        with connect(port) as refused:
            refused.sendall(client_hello("a.example.com"))
            with pytest.raises(ConnectionResetError):
                refused.recv(1)
        assert asked(port, "b.example.com") == "free"
    until(lambda: server.metrics().value("portunus_rate_limit_reject_total", 0, rule=str(capped),
                                         reason="conn_concurrent") == 1, "the refusal")
    # A refused connection was routed all the same.
    assert routes(server, capped).get("exact", 0) >= 1


def test_SNI_2_ipv6_users_are_routed_too(lab, server, edge, group):
    port, _ = group
    with tls_connect(port, "b.example.com", host="::1") as user:
        assert user.family == socket.AF_INET6
        assert user.recv(100) == b"wildcard\n"
