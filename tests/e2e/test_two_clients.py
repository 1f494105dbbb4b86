"""Two processes with one bundle: the latest wins, again and again, and nothing is left behind."""

from harness.client import Client
from harness.waiting import until

ROUNDS = 30


def test_one_session_at_a_time_and_no_leak(lab, server):
    edge = Client(lab, server).start()
    until(lambda: server.connected("edge-01"), "the session")
    before = server.life.descriptors()
    twin = Client(lab, server, enroll=False)
    twin.bundle = edge.bundle
    twin.launch("edge-01-twin")

    def superseded():
        return len(server.life.events("client.disconnected", reason="superseded"))
    while superseded() < ROUNDS:
        count = superseded()
        assert server.metrics().value("portunus_clients_connected", client="edge-01") in (0, 1)
        until(lambda: superseded() > count, "the next turn")
    assert edge.life.alive and twin.life.alive
    assert server.life.descriptors() <= before + 8

    twin.stop()

    def ids(event):
        return [entry["session_id"] for entry in server.life.events(event)]
    # Nobody supersedes the first one any more: its session is the last that began.
    until(lambda: set(ids("client.connected")) - set(ids("client.disconnected")) ==
          {ids("client.connected")[-1]}, "one session is left")
    for event in ("client.connected", "client.disconnected"):
        assert len(set(ids(event))) == len(ids(event)), f"a session is twice in {event}"
    assert server.connected("edge-01")
    assert server.metrics().value("portunus_clients_connected", client="edge-01") == 1
    until(lambda: server.life.descriptors() <= before + 4, lambda:
          f"{server.life.descriptors()} descriptors, {before} with one client")
    edge.stop()
    until(lambda: server.metrics().value("portunus_clients_connected", client="edge-01") == 0,
          "the gauge with no client")
