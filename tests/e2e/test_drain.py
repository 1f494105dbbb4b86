"""SIGTERM: both programs finish what is running and end with 0."""

import os
import signal
import time

import pytest

from harness.client import Client
from harness.server import Server
from harness.streams import connect, receive_exactly, refused
from harness.waiting import until

DATA = os.urandom(50_000)


def exchange(connection):
    connection.sendall(DATA)
    assert receive_exactly(connection, len(DATA)) == DATA


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_DRN_7_the_client_lets_connections_finish(lab, server, target, number):
    edge = Client(lab, server, **{"shutdown-drain-timeout-secs": 20}).start()
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        exchange(connection)
        edge.life.signal(number)
        until(lambda: refused(port), "DRN-1: new connections are refused", 1.5)
        exchange(connection)  # DRN-2: the old one goes on
        edge.life.signal(number)  # a repeated signal changes nothing
        exchange(connection)
        connection.shutdown(1)
        assert connection.recv(1) == b""
    assert edge.life.wait_exit() == 0
    assert edge.life.events("shutdown.signal")[0]["signal"] == number.name
    edge.life.wait_event("rule.removed", rule_id=str(rule))
    assert edge.life.events()[-1]["event"] == "client.stopped"
    server.life.wait_event("client.disconnected", reason="client_closed")
    # What was delivered during the drain is not lost.
    assert server.metrics().rule_bytes(rule) == (3 * len(DATA),) * 2


def test_DRN_2_the_client_aborts_what_outlives_the_drain(lab, server, target):
    edge = Client(lab, server, **{"shutdown-drain-timeout-secs": 1}).start()
    echo, port = target(), lab.port()
    server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        exchange(connection)
        begin = time.monotonic()
        edge.life.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert edge.life.wait_exit() == 0
        assert 0.9 < time.monotonic() - begin < 6
    edge.life.wait_event("rule.conn_error", error="proxy_cancelled")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("program", ["client", "server"])
def test_stop_signals_that_do_not_end_change_nothing(server, edge, program, number):
    life = {"client": edge, "server": server}[program].life
    life.signal(number)
    life.wait_event("shutdown.signal")
    while life.alive:  # up to its last moment
        life.signal(number)
    assert life.wait_exit() == 0
    assert len(life.events("shutdown.signal")) == 1
    assert life.events()[-1]["event"] == f"{program}.stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_in_order_and_the_edge_goes_on(lab, server, edge, target, number):
    echo, port = target(), lab.port()
    server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        exchange(connection)
        server.life.signal(number)
        assert server.life.wait_exit() == 0
        names = [event["event"] for event in server.life.events()]
        assert names[-1] == "server.stopped"
        assert names.index("shutdown.signal") < names.index("server.draining")
        assert server.life.events("shutdown.signal")[0]["signal"] == number.name
        server.life.wait_event("client.disconnected", reason="server_shutdown")
        edge.life.wait_event("control.disconnected")
        exchange(connection)
    for old in (server.control_port, server.api_port, server.metrics_port):
        assert refused(old)


def test_SIGHUP_changes_nothing_on_the_server(lab, server, edge):
    server.life.signal(signal.SIGHUP)
    event = server.life.wait_event("operator.store_reloaded", outcome="ok")
    assert event["superadmin_present"] is True and event["users"] == 1 and event["note"]
    assert server.connected("edge-01")


def test_SIGHUP_ends_the_client(lab, server, edge):
    edge.life.signal(signal.SIGHUP)
    assert edge.life.wait_exit() == -signal.SIGHUP


def test_a_server_without_clients_stops_at_once(lab):
    server = Server(lab, shutdown_drain_timeout_secs=30).start()
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 5


def test_a_stop_during_backoff_is_not_waited_for(lab, server):
    edge = Client(lab, server, **{"reconnect-initial-delay-ms": 30000,
                                  "reconnect-max-delay-secs": 30})
    server.stop()
    edge.launch()
    edge.life.wait_event("control.connect_failed")
    begin = time.monotonic()
    edge.stop()
    assert time.monotonic() - begin < 3
