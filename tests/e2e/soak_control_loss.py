#!/usr/bin/python3
"""Stops and starts the server every few seconds under traffic; the traffic must not notice.

    tests/e2e/soak_control_loss.py --minutes 30

Long and short connections run through one edge all the time, while the server is ended by SIGTERM
and SIGKILL in turn. Ends with 0 when no connection saw an error, no listener was bound again and
the counters of all server lives together are exactly what was sent.
"""

import argparse
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import soaking  # noqa: E402
from harness.client import Client  # noqa: E402
from harness.lives import LifeCounters  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.targets import Target, echo  # noqa: E402
from harness.traffic import Traffic  # noqa: E402
from harness.waiting import until  # noqa: E402


def pause(traffic, seconds):
    """Waits, but not longer than the traffic is sound."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        traffic.require_clean()
        time.sleep(0.1)


def soak(lab, seconds, up=(1.0, 4.0), down=(0.2, 4.0), rest=0.005, report=lambda text: None):
    """Returns a summary; AssertionError at the first thing that is wrong."""
    server = Server(lab, shutdown_drain_timeout_secs=2).start()
    edge = Client(lab, server).start()
    target = lab.owns(Target(lab.port(), echo))
    port = lab.port()
    rule = server.push("edge-01", port, target.address)
    inodes = edge.life.listener_inodes(port)
    counters = LifeCounters(server, rule)
    traffic = lab.owns(Traffic(port, long=4, short=4, pause=rest))
    ends = {"stop": 0, "kill": 0}
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        way = "stop" if ends["stop"] <= ends["kill"] else "kill"
        mark = edge.life.mark()
        counters.end_life(getattr(server, way))
        ends[way] += 1
        pause(traffic, random.uniform(*down))
        server.start()
        edge.wait_connected(since=mark)
        server.wait_rule(rule)
        assert edge.life.listener_inodes(port) == inodes, "the port was bound again"
        pause(traffic, random.uniform(*up))
        report(f"{time.monotonic() - begin:.0f} s: {ends['stop']} stops, {ends['kill']} kills, "
               f"{traffic.connections} short connections, {traffic.exchanges} exchanges, "
               f"{len(traffic.errors)} errors")
    sent = traffic.stop()
    traffic.require_clean()
    counters.wait_total(sent)
    for event in ("rule.removed", "rule.failed", "rule.conn_error"):
        assert edge.life.events(event) == [], event
    assert len(edge.life.events("rule.activated")) == 1
    until(lambda: target.open == 0, "the target's connections end")
    edge.stop()
    server.stop()
    return (f"{ends['stop']} stops and {ends['kill']} kills of the server in "
            f"{time.monotonic() - begin:.0f} s; {traffic.connections} connections ended, "
            f"{traffic.exchanges} exchanges, {sent[0]} bytes each way counted exactly, no error")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rest", type=float, default=0.005, metavar="SECONDS",
                        help="of each connection between two exchanges; longer spares the machine")
    options = parser.parse_args(argv)
    return soaking.run("soak", lambda lab, report: soak(
        lab, options.minutes * 60, rest=options.rest, report=report))


if __name__ == "__main__":
    sys.exit(main())
