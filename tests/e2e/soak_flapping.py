#!/usr/bin/python3
"""Everything around an edge comes and goes for a while; afterwards it holds what it held before.

    tests/e2e/soak_flapping.py --minutes 20      (as root: it runs a name server)

In turn the targets of a failover rule, the name server and what it answers, and the control stream
are ended and brought back, while connections and datagrams run through a literal, a named, a
failover and a UDP rule. The literal rule must not notice anything; the others must work again after
each change. Ends with 0 when the edge then has the descriptors and the memory (within 2 %) that it
had after its first minute, both taken at rest.
"""

import argparse
import contextlib
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import soaking  # noqa: E402
from harness.datagrams import UdpTarget, UdpUser  # noqa: E402
from harness.names import NameServer, edge_asking, name  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.streams import connect, receive_exactly  # noqa: E402
from harness.targets import Target, echo  # noqa: E402
from harness.traffic import Traffic  # noqa: E402
from harness.waiting import until  # noqa: E402

MEMORY_TOLERANCE = 0.02
UDP_IDLE_SECONDS = 30  # the least that a server can set
SURGE = 250
PAUSE = 0.02
# A flow rests for up to 1.25 idle windows: with this pause the attempts have fewer at once than the
# surge, and both together fewer than a rule may (1024), however fast the machine.
UDP_PAUSE = 0.1


class Attempts:
    """Threads that do the same thing again and again; it may fail while its world flaps.

    `works` has the pause in seconds after each.
    """

    def __init__(self, works):
        self.lock = threading.Lock()
        self.resting = threading.Event()
        self.stopping = threading.Event()
        self.successes = dict.fromkeys(works, 0)
        self.failures = dict.fromkeys(works, 0)
        self.threads = [threading.Thread(target=self.run, args=work, daemon=True)
                        for work in works.items()]
        for thread in self.threads:
            thread.start()

    def run(self, work, pause):
        while not self.stopping.is_set():
            if self.resting.is_set():
                self.stopping.wait(0.1)
                continue
            try:
                work()
                with self.lock:
                    self.successes[work] += 1
            except (OSError, AssertionError):
                with self.lock:
                    self.failures[work] += 1
            self.stopping.wait(pause)

    def wait_success(self, what):
        """Each of them succeeds again, soon."""
        with self.lock:
            before = dict(self.successes)
        for work, count in before.items():
            until(lambda work=work, count=count: self.successes[work] > count + 1,
                  f"{work.__name__} after {what}", 30)

    def summary(self):
        return ", ".join(f"{work.__name__} {self.successes[work]} times ({self.failures[work]} "
                         "failed)" for work in self.successes)

    def close(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def memory(pid):
    """Bytes of memory of its own, without files."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def held(edge):
    """(descriptors, bytes) of the edge once all connections and flows have ended.

    The least count is the one at rest: the health checks of the failover rule go on, and each has
    a socket for a moment.
    """
    quiet = {"count": edge.life.descriptors(), "since": time.monotonic()}

    def settled():
        now = edge.life.descriptors()
        if now < quiet["count"]:
            quiet.update(count=now, since=time.monotonic())
        return time.monotonic() - quiet["since"] > UDP_IDLE_SECONDS + 15
    until(settled, "the number of descriptors settles", 4 * UDP_IDLE_SECONDS)
    return quiet["count"], memory(edge.life.pid)


class World:
    """Server, edge, rules, and what flaps around them."""

    def __init__(self, lab):
        self.lab = lab
        self.names = lab.owns(NameServer(lab)).start()
        self.server = Server(lab, shutdown_drain_timeout_secs=2,
                             udp_flow_idle_secs=UDP_IDLE_SECONDS).start()
        self.edge = edge_asking(lab, self.server, self.names)
        self.hosts = ("127.0.0.1", "127.0.0.2")
        named_port = lab.port()
        self.named_targets = [lab.owns(Target(named_port, echo, host)) for host in self.hosts]
        self.flapping_ports = (lab.port(), lab.port())
        self.flapping = [self.listen(port) for port in self.flapping_ports]
        datagrams = lab.owns(UdpTarget(lab.port()))
        steady = lab.owns(Target(lab.port(), echo))
        self.set_host(0)
        self.ports = {kind: lab.port() for kind in ("steady", "named", "failover", "udp")}
        push = self.server.push
        self.steady_rule = push("edge-01", self.ports["steady"], steady.address)
        push("edge-01", self.ports["named"], f"{name('flapping')}:{named_port}")
        targets = [word for port in self.flapping_ports
                   for word in ("--target", f"127.0.0.1:{port}")]
        self.server.cli("push-rule", "edge-01", str(self.ports["failover"]), *targets,
                        "--health-check-interval-secs", "1").ok()
        push("edge-01", self.ports["udp"], f"{name('datagrams')}:{datagrams.port}",
             "--protocol", "udp")
        self.inodes = self.edge.life.listener_inodes(self.ports["steady"])
        self.changes = dict.fromkeys((self.flap_target, self.flap_name_server, self.flap_answer,
                                      self.lose_control), 0)

    def listen(self, port):
        return until(lambda: self.try_listen(port), f"port {port} is free", 30)

    @staticmethod
    def try_listen(port):
        with contextlib.suppress(OSError):
            return Target(port, echo)
        return None

    def set_host(self, index):
        self.names.set_hosts(f"{self.hosts[index]} flapping", f"{self.hosts[0]} datagrams")

    # What works again after each change.

    def exchange(self, kind):
        data = os.urandom(1500)
        with connect(self.ports[kind], 8) as connection:
            connection.sendall(data)
            assert receive_exactly(connection, len(data)) == data, "the echo is not what was sent"

    def named(self):
        self.exchange("named")

    def failover(self):
        self.exchange("failover")

    def udp(self):
        with UdpUser(self.ports["udp"], seconds=3.0) as user:
            data = os.urandom(700)
            assert user.ask(data) == data, "the answer is not what was asked"

    def surge(self):
        """More at once than the rest ever has: the edge keeps the memory of its largest load, so
        what it holds afterwards must not depend on when chance brings that."""
        with contextlib.ExitStack() as stack:
            for kind in ("steady", "named", "failover"):
                for _ in range(SURGE):
                    connection = stack.enter_context(connect(self.ports[kind], 8))
                    connection.sendall(b"x")
                    assert connection.recv(1) == b"x", "the echo is not what was sent"
            for _ in range(2 * SURGE):
                user = stack.enter_context(UdpUser(self.ports["udp"], seconds=3.0))
                assert user.ask(b"x") == b"x", "the answer is not what was asked"

    # The changes; each ends with everything back.

    def flap_target(self):
        which = random.randrange(2)
        self.flapping[which].close()
        time.sleep(random.uniform(0.5, 4))
        self.flapping[which] = self.listen(self.flapping_ports[which])

    def flap_name_server(self):
        self.names.stop()
        time.sleep(random.uniform(0.5, 8))
        self.names.start()

    def flap_answer(self):
        self.set_host(random.randrange(2))
        time.sleep(random.uniform(0.5, 6))

    def lose_control(self):
        mark = self.edge.life.mark()
        random.choice((self.server.stop, self.server.kill))()
        time.sleep(random.uniform(0.2, 4))
        self.server.start()
        self.edge.wait_connected(since=mark)
        self.server.wait_rule(self.steady_rule)

    def change(self):
        one = random.choice(list(self.changes))
        one()
        self.changes[one] += 1
        return one.__name__


def soak(lab, seconds, first=60.0, report=lambda text: None):
    """Returns a summary; AssertionError at the first thing that is wrong."""
    world = World(lab)
    attempts = lab.owns(Attempts({world.named: PAUSE, world.failover: PAUSE,
                                  world.udp: UDP_PAUSE}))
    traffics = []

    def run_for(duration):
        traffic = lab.owns(Traffic(world.ports["steady"], long=2, short=2, pause=0.02))
        traffics.append(traffic)
        end = time.monotonic() + duration
        while time.monotonic() < end:
            what = world.change()
            attempts.wait_success(what)
            traffic.require_clean()
            assert world.edge.life.listener_inodes(world.ports["steady"]) == world.inodes, \
                "the port was bound again"
            report(f"{end - time.monotonic():.0f} s left: {what}; {attempts.summary()}; "
                   f"{world.edge.life.descriptors()} descriptors, "
                   f"{memory(world.edge.life.pid) >> 10} KiB")
        traffic.stop()
        traffic.require_clean()

    def at_rest():
        attempts.resting.set()
        found = held(world.edge)
        attempts.resting.clear()
        return found

    world.surge()
    run_for(first)
    before = at_rest()
    run_for(seconds - first)
    after = at_rest()
    changes = ", ".join(f"{change.__name__} {count}" for change, count in world.changes.items())
    text = (f"{seconds:.0f} s; {changes}; {attempts.summary()}; "
            f"{sum(traffic.exchanges for traffic in traffics)} exchanges of the steady rule without "
            f"an error; descriptors {before[0]} -> {after[0]}, memory {before[1]} -> {after[1]} "
            f"bytes ({after[1] / before[1] - 1:+.1%})")
    assert after[0] == before[0], text
    assert abs(after[1] / before[1] - 1) <= MEMORY_TOLERANCE, text
    attempts.close()
    world.edge.stop()
    world.server.stop()
    return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    options = parser.parse_args(argv)
    return soaking.run("soak_flapping",
                       lambda lab, report: soak(lab, options.minutes * 60, report=report))


if __name__ == "__main__":
    sys.exit(main())
