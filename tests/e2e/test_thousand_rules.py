"""A thousand stored rules survive every restart."""

import time

import pytest

from harness.streams import connect, receive_exactly
from harness.waiting import until

RULES = 1000


def all_active(server):
    states = [rule["state"]["kind"] for rule in server.api.get("/v1/rules").ok(200)]
    assert "failed" not in states
    return states == ["active"] * RULES


def spot_check(ports):
    for port in ports[::100]:
        with connect(port) as connection:
            connection.sendall(b"ping")
            assert receive_exactly(connection, 4) == b"ping"


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_a_restart_with_a_thousand_rules(lab, server, edge, target, record_property):
    echo = target()
    ports = [lab.port() for _ in range(RULES)]
    times = {}

    def timed(name, begin):
        times[name] = round(time.monotonic() - begin, 2)
        record_property(name, times[name])

    begin = time.monotonic()
    for port in ports:
        server.api.post("/v1/rules", {"client": "edge-01", "listen_port": port,
                                      "target_host": "127.0.0.1",
                                      "target_port": echo.port}).ok(201)
    timed("push", begin)
    # The edge's lines come a little after its answers.
    until(lambda: len(edge.life.events("rule.activated")) == RULES, "the line of every rule")
    mark = edge.life.mark()

    server.stop()
    begin = time.monotonic()
    server.start()
    until(lambda: all_active(server), "all rules active after the server's restart", 60)
    timed("server_restart", begin)
    assert server.life.wait_event("rules.hydrated")["count"] == RULES
    # Adopted, not bound again.
    assert edge.life.events("rule.activated", since=mark) == []
    spot_check(ports)

    edge.kill()
    begin = time.monotonic()
    edge.start()
    until(lambda: len(edge.life.events("rule.activated")) == RULES, "all bound again", 60)
    until(lambda: all_active(server), "all rules active after the client's restart", 60)
    timed("client_restart", begin)
    spot_check(ports)
    print(f"{RULES} rules: {times}")
