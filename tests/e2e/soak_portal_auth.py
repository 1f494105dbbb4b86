#!/usr/bin/python3
"""Fails to authenticate at a Portal in every way and by both carriers, and times each end.

    tests/e2e/soak_portal_auth.py --tries 100

Every failure has a loopback address of its own and goes on at several connections at once, all of
them together within the Portal's admission limits (portal contract, section 9). Each try must end
between 0.8 and 1.2 times NOW_HANDSHAKE_TIMEOUT after its handshake: on TLS without a byte, on QUIC
with code 1, `access denied`. Meanwhile correct clients authenticate one after the other, each in
less than 100 ms. Ends with 0 when all of that holds; prints cause by carrier.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import select
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent / "portal"))

from harness import soaking  # noqa: E402
from harness.program import before_exec  # noqa: E402
from harness.waiting import PATIENCE, until  # noqa: E402
from connect_harness import KEY, Portal, require_program  # noqa: E402
from tls_peer import Frames, TlsPeer  # noqa: E402

EARLIEST, LATEST = 0.8, 1.2  # of the base
# Between the Portal's clock and ours lie two threads that must be woken.
WAKING = 0.05 * PATIENCE
QUICK = 0.1 * PATIENCE  # seconds of a correct client's authentication
ADMITTED, ADMITTED_OF_ONE = 256, 32


def changed(frame, index):
    return frame[:index] + bytes([frame[index] ^ 1]) + frame[index + 1:]


def dribble(peer, frames, base):
    """The right frame in single bytes, too slowly for the latest deadline."""
    frame = frames.auth()
    for index in range(len(frame)):
        if select.select([peer.raw], [], [], 1.5 * base / len(frame))[0]:
            return
        with contextlib.suppress(OSError):  # ended this very moment
            peer.send(frame[index:index + 1])
    raise AssertionError("dribbled to its end")


def sends(make):
    return lambda peer, frames, base: peer.send(make(frames))


def short(frames):
    return frames.auth()[:-1]


# What a peer does after its TLS handshake. The fields of `auto`: tag 0, magic 32, length 40,
# padding 41, nonce. Whatever follows a frame is the request, so a right frame cannot be too long.
TLS_CAUSES = {
    "silence": lambda peer, frames, base: None,
    "dribble": dribble,
    "wrong key": sends(lambda frames: Frames("not the key").auth()),
    # Its frame is longer than ours, so it is judged, and not waited for.
    "wrong spec": sends(lambda frames: Frames(KEY, "nightfall").auth()),
    "wrong tag": sends(lambda frames: changed(frames.auth(), 0)),
    "wrong magic": sends(lambda frames: changed(frames.auth(), 32)),
    "wrong length": sends(lambda frames: changed(frames.auth(), 40)),
    "wrong padding": sends(lambda frames: changed(frames.auth(), 41)),
    "garbage": sends(lambda frames: os.urandom(len(frames.auth()))),
    "oversized": sends(lambda frames: os.urandom(200_000)),
    "truncated": lambda peer, frames, base: peer.send(short(frames)).end_side(),
    "truncated, open": sends(short),
    "truncated, bare end": lambda peer, frames, base: peer.send(short(frames)).bare_end(),
    "no TLS record": lambda peer, frames, base: peer.raw.sendall(b"GET / HTTP/1.1\r\n\r\n"),
}


class Ends:
    """How the tries of one cause and carrier ended: times in parts of the base."""

    def __init__(self, base):
        self.base = base
        self.ratios = []  # from the handshake as the peer saw it
        self.flaws = []

    def add(self, at_most, at_least, flaw=None):
        """Seconds since two moments between which the Portal's clock has begun."""
        self.ratios.append(at_least / self.base)
        if at_most < EARLIEST * self.base:
            self.flaws.append(f"ended after {at_most / self.base:.3f}")
        if at_least > LATEST * self.base + WAKING:
            self.flaws.append(f"ended after {at_least / self.base:.3f}")
        if flaw:
            self.flaws.append(flaw)


def try_tls(portal, source, cause, frames, ends):
    with TlsPeer(portal.port, source=source) as peer:
        connected = time.monotonic()
        TLS_CAUSES[cause](peer, frames, ends.base)
        try:
            # The records themselves: not even a ticket or an alert may come.
            data = peer.raw.recv(1000)
        except ConnectionResetError:
            data = b""
        now = time.monotonic()
    ends.add(now - peer.finished_at, now - connected, f"{len(data)} bytes came" if data else None)


def flood_tls(portal, source, cause, tries, lanes, base):
    ends = Ends(base)

    def lane(number):
        frames = Frames(KEY)
        # Not all at the same instant: their handshakes would measure one another.
        time.sleep(base * number / lanes)
        for _ in range(number, tries, lanes):
            try_tls(portal, source, cause, frames, ends)

    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(lane, number) for number in range(lanes)]:
            done.result()
    return ends


def peer_program(lab, *arguments, **streams):
    return subprocess.Popen([lab.bin / "portal_peer", *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=lab.folder,
                            env=lab.environment(), preexec_fn=before_exec, **streams)


def flood_quic(portal, source, cause, tries, lanes, base):
    ends = Ends(base)
    program = peer_program(portal.lab, "denied", portal.port, KEY, cause, tries, lanes, source,
                           round(base * 1000))
    out, err = program.communicate(timeout=(tries / lanes + 4) * base * 1.2 + 60 * PATIENCE)
    assert program.returncode == 0, err
    for line in out.splitlines():
        since_connect, since_handshake, end = line.split(" ", 2)
        ends.add(float(since_connect), float(since_handshake),
                 None if end == "1 access denied" else f"ended by {end}")
    return ends


class Welcome:
    """Correct clients of one carrier, one after the other."""

    def __init__(self, portal, carrier, pause_ms=20):
        self.program = peer_program(portal.lab, "welcome", portal.port, KEY, carrier, pause_ms,
                                    stdin=subprocess.PIPE)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.program.stdout:
            self.lines.append([float(word) for word in line.split()])

    def close(self):
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait()

    def stop(self):
        """(seconds of the handshakes, seconds of the authentications)"""
        self.program.stdin.close()
        assert self.program.wait(20) == 0, self.program.stderr.read()
        self.reader.join(10)
        assert len(self.lines) >= 10, f"only {len(self.lines)} correct clients had a turn"
        return [sorted(times) for times in zip(*self.lines)]


def part(values, share):
    """The value below which that share of the sorted values lies."""
    return values[min(len(values) - 1, int(share * len(values)))]


def table(results):
    lines = [f"{'cause':<22}{'carrier':<9}{'n':>5}{'min':>8}{'p50':>8}{'max':>8}  of the deadline"]
    for (cause, carrier), ends in results.items():
        values = sorted(ends.ratios)
        lines.append(f"{cause:<22}{carrier:<9}{len(values):>5}{values[0]:>8.3f}"
                     f"{part(values, 0.5):>8.3f}{values[-1]:>8.3f}"
                     f"{'  FAILED' if ends.flaws else ''}")
    return lines


def welcome_line(carrier, handshakes, times):
    shown = [f"{name} {value * 1000:.1f}" for name, value in (
        ("p50", part(times, 0.5)), ("p99", part(times, 0.99)), ("max", times[-1]))]
    return (f"correct client, {carrier}: {len(times)} authentications, ms: {', '.join(shown)}; "
            f"its handshake before that: p99 {part(handshakes, 0.99) * 1000:.1f}")


def places_are_free(portal, source):
    """As many as one address may have get as far as the end of the handshake."""
    def all_admitted():
        with contextlib.ExitStack() as stack, contextlib.suppress(ConnectionError):
            for _ in range(ADMITTED_OF_ONE):
                stack.enter_context(TlsPeer(portal.port, source=source))
            return True
        return False
    until(all_admitted, f"every place of {source} is free again")


def soak(lab, tries, base=5.0, lanes=7, report=lambda text: None):
    """Returns a summary; AssertionError at the end when something was wrong."""
    require_program(lab)
    require_program(lab, "portal_peer")
    listed = peer_program(lab, "causes").communicate(timeout=20)[0].splitlines()
    groups = [(cause, "tls", flood_tls) for cause in TLS_CAUSES]
    groups += [(cause, "quic", flood_quic) for cause in listed]
    # Two places are for the correct clients.
    assert len(groups) * lanes <= ADMITTED - 2 and lanes <= ADMITTED_OF_ONE
    portal = Portal(lab, NOW_HANDSHAKE_TIMEOUT=f"{round(base * 1000)}ms",
                    NOW_REPORT_INTERVAL="200ms").start()
    begin = time.monotonic()
    correct = {carrier: lab.owns(Welcome(portal, carrier)) for carrier in ("tls", "quic")}
    report(f"{len(groups)} causes, {tries} tries of each, {lanes} of each at once")
    with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
        running = {(cause, carrier): pool.submit(flood, portal, f"127.0.0.{10 + number}", cause,
                                                 tries, lanes, base)
                   for number, (cause, carrier, flood) in enumerate(groups)}
        results = {group: done.result() for group, done in running.items()}
    lines = table(results)
    flaws = [f"{cause}, {carrier}: {flaw}" for (cause, carrier), ends in results.items()
             for flaw in ends.flaws]
    flaws += [f"{cause}, {carrier}: {len(ends.ratios)} of {tries} tries"
              for (cause, carrier), ends in results.items() if len(ends.ratios) != tries]
    for carrier, welcome in correct.items():
        handshakes, times = welcome.stop()
        lines.append(welcome_line(carrier, handshakes, times))
        if times[-1] >= QUICK:
            flaws.append(f"a correct client waited {times[-1]:.3f} s over {carrier}")
    places_are_free(portal, "127.0.0.10")
    portal.wait_checkpoint(POOL=0, TCPS=0, UDPS=0)
    portal.life.stop()
    text = "\n".join([*lines, f"{time.monotonic() - begin:.0f} s in all"])
    assert not flaws, "\n".join([text, *flaws[:20]])
    return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=100, help="of each cause and carrier")
    parser.add_argument("--base", type=float, default=5.0, metavar="SECONDS",
                        help="NOW_HANDSHAKE_TIMEOUT of the Portal")
    options = parser.parse_args(argv)
    return soaking.run("soak", lambda lab, report: soak(
        lab, options.tries, options.base, report=report))


if __name__ == "__main__":
    sys.exit(main())
