"""The UDP loads: datagrams one way, as fast as it goes and at a fixed rate, and idle flows.

Both ends are dataplane_udp_flood. What the sink received counts; the sender's number is only for
the loss.
"""

import contextlib
import re
import resource
import signal
import subprocess

from . import cost
from .errors import BenchError
from .holding import HOLD_SECONDS, held
from .setting import UDP_FLOWS

SIZES = (64, 1_200)
SENDERS = 8
BURST = 32
# Little enough for all but the slowest, so that the CPU time is that of datagrams that arrive.
OFFERED_PER_SECOND = 50_000
SINK_SECONDS = 120
ANSWER_SECONDS = 5
WARM_UP_FLOWS = 16
SPARE_DESCRIPTORS = 200

MEMORY_MEASURES = tuple(f"udp_memory_{count}" for count in UDP_FLOWS)


def measures(size):
    return tuple(f"{name}_{size}" for name in (
        "udp_rate", "udp_rate_per_cpu", "udp_loss", "udp_per_cpu"))


def parse_sent(text):
    found = re.search(r"^sent (\d+) replies \d+$", text, re.MULTILINE)
    if not found or int(found[1]) == 0:
        raise BenchError(f"udp_flood send: {text.strip()[-300:] or 'nothing sent'}")
    return int(found[1])


def parse_received(text):
    found = re.fullmatch(r"received (\d+) datagrams \d+ bytes", text.strip())
    if not found:
        raise BenchError(f"udp_flood sink: {text.strip()[-300:] or 'no answer'}")
    if int(found[1]) == 0:
        raise BenchError("no datagram arrived")
    return int(found[1])


@contextlib.contextmanager
def _sink(forwarder, *mode):
    setting = forwarder.setting
    child = setting.children.start(
        "udp-sink", [setting.tool("dataplane_udp_flood"), "sink", forwarder.targets.ports["udp"],
                     SINK_SECONDS, *mode],
        namespace=forwarder.namespace, stdout=subprocess.PIPE)
    try:
        if child.read_line(ANSWER_SECONDS) != "ready":
            child.check_alive()
            raise BenchError("udp_flood sink: no answer")
        yield child
    finally:
        setting.children.stop(child)


def _send(forwarder, size, *rate):
    """(sent, arrived, CPU seconds of the forwarder)"""
    setting = forwarder.setting
    seconds = setting.sizes.udp_seconds
    argv = [setting.tool("dataplane_udp_flood"), "send", forwarder.listen["udp"], SENDERS, size,
            BURST, seconds, *rate]
    with _sink(forwarder) as sink:
        before = cost.cpu_by_pid(forwarder.pids())
        out = setting.children.check("udp-send", argv, namespace=forwarder.namespace,
                                     timeout=seconds + 10)
        spent = cost.cpu_since(before, forwarder.pids())
        sink.process.send_signal(signal.SIGTERM)
        return parse_sent(out), parse_received(sink.read_line(ANSWER_SECONDS)), spent


def datagrams(size):
    """The load of that payload size."""
    def run(forwarder):
        _, flooded, flood_cost = _send(forwarder, size)
        sent, arrived, paced_cost = _send(forwarder, size, OFFERED_PER_SECOND)
        taken = {f"udp_rate_{size}": flooded / forwarder.setting.sizes.udp_seconds,
                 f"udp_loss_{size}": 100 * (sent - arrived) / sent}
        if forwarder.has_process:
            taken[f"udp_rate_per_cpu_{size}"] = flooded / flood_cost
            taken[f"udp_per_cpu_{size}"] = arrived / paced_cost
        return taken

    return run


def _flows(forwarder, count):
    tool = forwarder.setting.tool("dataplane_udp_flood")
    return held(forwarder, [tool, "hold", forwarder.listen["udp"], count, HOLD_SECONDS], count)


def memory(forwarder):
    """As loads.memory(), with flows; the same ones are part of the larger count."""
    counts = [count for count in UDP_FLOWS if count <= forwarder.max_udp_flows]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if counts[-1] + SPARE_DESCRIPTORS > limit:
        raise BenchError(f"{counts[-1]} flows need more than the {limit} descriptors allowed here")
    taken = {}
    with _sink(forwarder, "echo"), contextlib.ExitStack() as holders:
        with _flows(forwarder, WARM_UP_FLOWS):
            pass
        before = cost.settled_user_bytes(forwarder.pids())
        already = 0
        for count in counts:
            holders.enter_context(_flows(forwarder, count - already))
            already = count
            taken[f"udp_memory_{count}"] = (
                cost.settled_user_bytes(forwarder.pids()) - before) / count
    return taken
