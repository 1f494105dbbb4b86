"""PROXY protocol: the target learns who really speaks (data-plane 10)."""

import json
import socket
import subprocess

import pytest

from harness import proxy_header, targets
from harness.daemons import nginx_behind_proxy_protocol
from harness.streams import connect, receive_exactly
from harness.tls_servers import make_certificate, server_context, tls_connect, tls_greets
from harness.waiting import until

VERSIONS = {"v1": 1, "v2": 2}
EVENTS = ("rule.target.proxy_protocol_write_failed", "rule.conn_error")


def push(server, port, *rows, options=()):
    """Rows: (target port, PROXY word or None)."""
    listed = [{"host": "127.0.0.1", "port": number, "proxy_protocol": word}
              for number, word in rows]
    return int(server.cli("push-rule", "edge-01", str(port), "--targets-json", json.dumps(listed),
                          *options).ok())


def after_header(connection):
    """Takes the header, then echoes; result (header, bytes)."""
    return proxy_header.read(connection), targets.echo(connection)


@pytest.mark.parametrize("word", VERSIONS)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1"])
def test_PP_1_both_ends_of_the_users_connection(lab, server, edge, target, word, host):
    peer, port = target(after_header), lab.port()
    rule = push(server, port, (peer.port, word))
    with connect(port, host=host) as connection:
        user = connection.getsockname()[:2]
        connection.sendall(b"payload")
        connection.shutdown(socket.SHUT_WR)
        assert receive_exactly(connection, 7) == b"payload"
        assert connection.recv(1) == b""
    until(lambda: peer.results, "the target saw the end")
    assert peer.results == [(proxy_header.Header(VERSIONS[word], user, (host, port)), 7)]
    # The header is not the user's: it is counted nowhere (CNT-4).
    server.wait_bytes(rule, (7, 7))
    assert server.rules()[rule]["targets"][0]["proxy_protocol"] == word
    assert [edge.life.events(event) for event in EVENTS] == [[], []]


@pytest.mark.parametrize("word", VERSIONS)
def test_PP_1_the_header_waits_for_no_byte_of_the_user(lab, server, edge, target, word):
    def behave(connection):
        header = proxy_header.read(connection)
        connection.sendall(b"welcome")
        return header, targets.sink(connection)[0]
    peer, port = target(behave), lab.port()
    push(server, port, (peer.port, word))
    with connect(port) as connection:
        assert receive_exactly(connection, 7) == b"welcome"
        user = connection.getsockname()[:2]
    until(lambda: peer.results, "the target saw the end")
    assert peer.results == [(proxy_header.Header(VERSIONS[word], user, ("127.0.0.1", port)), 0)]


@pytest.mark.parametrize("word", VERSIONS)
def test_PP_1_nginx_believes_it(lab, server, edge, word):
    behind, port = lab.port(), lab.port()
    nginx_behind_proxy_protocol(lab, behind)
    push(server, port, (behind, word))
    done = subprocess.run(["curl", "-sS", "--max-time", "10", "--interface", "127.0.0.7", "-w",
                           "%{local_ip} %{local_port} %{remote_ip} %{remote_port}\n",
                           f"http://127.0.0.1:{port}/"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told, was = done.stdout.splitlines()
    assert told == was and told.startswith("127.0.0.7 ")


def test_FO_5_each_target_has_its_own_version(lab, server, edge, target):
    """The first target dies; the next one gets its own kind of header."""
    first, port = target(after_header), lab.port()
    second = target(after_header)
    push(server, port, (first.port, "v1"), (second.port, "v2"))

    def once():
        with connect(port) as connection:
            connection.sendall(b"x")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b"x"
    once()
    until(lambda: first.results, "the first target")
    first.close()
    once()
    until(lambda: second.results, "the second target")
    assert [peer.results[0][0].version for peer in (first, second)] == [1, 2]


def test_SNI_8_the_header_stands_before_the_hello(lab, server, edge, target):
    pair = make_certificate(lab.folder)
    peer = target(tls_greets(b"hi", server_context(pair), before=proxy_header.read))
    port = lab.port()
    push(server, port, (peer.port, "v2"), options=("--sni", "a.example.com"))
    with tls_connect(port, "a.example.com") as user:
        assert user.recv(2) == b"hi"
        source = user.getsockname()
        user.unwrap().close()
    until(lambda: peer.results, "the target saw the end")
    assert peer.results == [proxy_header.Header(2, source, ("127.0.0.1", port))]


@pytest.mark.parametrize("change, status, code", [
    ({"protocol": "udp"}, 400, "validation.proxy_protocol_on_unsupported_rule"),
    ({"word": "v3"}, 400, "validation.proxy_protocol_invalid"),
])
def test_HTTP_8_2_where_a_header_cannot_be(lab, server, edge, change, status, code):
    body = {"client": "edge-01", "listen_port": lab.port(),
            "protocol": change.get("protocol", "tcp"),
            "targets": [{"host": "h", "port": 9, "proxy_protocol": change.get("word", "v1")}]}
    server.api.post("/v1/rules", body).refused(status, code)
    assert server.rules() == {}
