"""The loads: each sends one kind of traffic through one forwarder and returns its measures."""

import dataclasses
import json
import re
import select
import subprocess
import time
from collections.abc import Callable

from . import cost
from .errors import BenchError

OFFERED_BITS_PER_SECOND = 2_000_000_000
WRK_CONNECTIONS = 64
SPARE_DESCRIPTORS = 200
HOLD_SECONDS = 60


def parse_iperf(text):
    """(bits per second, bytes) that arrived, from iperf3's JSON."""
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise BenchError(f"iperf3: {text.strip()[-300:]}") from error
    if "error" in answer:
        raise BenchError(f"iperf3: {answer['error']}")
    arrived = answer["end"]["sum_received"]
    return arrived["bits_per_second"], arrived["bytes"]


def parse_wrk(text):
    """Requests per second; an error if answers other than 2xx or broken connections show."""
    rate = re.search(r"^Requests/sec:\s+([0-9.]+)", text, re.MULTILINE)
    total = re.search(r"^\s*(\d+) requests in", text, re.MULTILINE)
    if not rate or not total or int(total[1]) == 0:
        raise BenchError(f"wrk: {text.strip()[-300:]}")
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
                       text)
    failed = sum(map(int, broken.groups())) if broken else 0
    odd = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed += int(odd[1]) if odd else 0
    # A rate that counts failures would reward a forwarder for refusing quickly.
    if failed > int(total[1]) / 1000:
        raise BenchError(f"wrk: {failed} of {total[1]} requests failed")
    return float(rate[1])


def _iperf(forwarder, *options):
    setting = forwarder.setting
    seconds = setting.sizes.seconds
    argv = ["iperf3", "-c", "127.0.0.1", "-p", forwarder.listen["iperf"], "-t", seconds, "-J",
            "--connect-timeout", "3000", *options]
    try:
        _, out, err = setting.children.run("iperf3", argv, namespace=forwarder.namespace,
                                           timeout=seconds + 10)
        return parse_iperf(out or err)
    except BenchError:
        forwarder.targets.restart_iperf()
        raise


def bulk_1(forwarder):
    return {"bulk_1": _iperf(forwarder)[0] / 1e9}


def bulk_8(forwarder):
    return {"bulk_8": _iperf(forwarder, "-P", 8)[0] / 1e9}


def cpu(forwarder):
    pids = forwarder.pids()
    before = cost.cpu_seconds(pids)
    rate, arrived = _iperf(forwarder, "-b", OFFERED_BITS_PER_SECOND)
    spent = cost.cpu_seconds(pids) - before
    if rate < 0.9 * OFFERED_BITS_PER_SECOND:
        raise BenchError(f"carried only {rate / 1e9:.2f} of the offered "
                         f"{OFFERED_BITS_PER_SECOND / 1e9:g} Gbit/s")
    return {"cpu_per_gb": spent / (arrived / 1e9)}


def _wrk(forwarder, *options):
    setting = forwarder.setting
    threads = max(1, setting.cores // 2)
    out = setting.children.check(
        "wrk", ["wrk", "-t", threads, "-c", WRK_CONNECTIONS * threads,
                "-d", f"{setting.sizes.seconds}s", *options,
                f"http://127.0.0.1:{forwarder.listen['http']}/"],
        namespace=forwarder.namespace, timeout=setting.sizes.seconds + 10)
    return parse_wrk(out)


def http_keepalive(forwarder):
    return {"http_keepalive": _wrk(forwarder)}


def http_close(forwarder):
    return {"http_close": _wrk(forwarder, "-H", "Connection: close")}


def latency(forwarder):
    setting = forwarder.setting
    limit = setting.sizes.seconds + 2
    out = setting.children.check(
        "pingpong", [setting.bin_dir / "pingpong", "ping", forwarder.listen["echo"],
                     setting.sizes.round_trips, limit],
        namespace=forwarder.namespace, timeout=limit + 10)
    answer = json.loads(out)
    return {"rtt_p50": answer["p50_us"], "rtt_p99": answer["p99_us"]}


def idle_connections(wanted, descriptor_limit):
    """What fits: a forwarder takes two descriptors per connection; haproxy keeps pipes in reserve."""
    return max(1, min(wanted, (descriptor_limit - SPARE_DESCRIPTORS) // 3))


def _await_held(child, count, timeout):
    output = child.process.stdout
    deadline = time.monotonic() + timeout
    ready, _, _ = select.select([output], [], [], max(0, deadline - time.monotonic()))
    line = output.readline().decode().strip() if ready else ""
    if line != f"held {count}":
        child.check_alive()
        raise BenchError(f"hold: {line or 'no answer'}")


def _hold(forwarder, count):
    setting = forwarder.setting
    child = setting.children.start(
        "hold", [setting.bin_dir / "hold", forwarder.listen["echo"], count, HOLD_SECONDS],
        namespace=forwarder.namespace, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        _await_held(child, count, HOLD_SECONDS)
    except BenchError:
        setting.children.stop(child)
        raise
    return child


def memory(forwarder):
    """Needs a forwarder that never held this many: memory kept from before would hide the rest."""
    setting = forwarder.setting
    # What the first connections cost once for all (lazy tables, first use of code) is not theirs.
    setting.children.stop(_hold(forwarder, 16))
    pids = forwarder.pids()
    before = cost.settled_user_bytes(pids)
    held = _hold(forwarder, setting.sizes.idle_connections)
    try:
        after = cost.settled_user_bytes(pids)
    finally:
        setting.children.stop(held)
    return {"memory_idle": (after - before) / setting.sizes.idle_connections}


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    run: Callable
    measures: tuple
    needs_process: bool = False
    needs_fresh: bool = False


LOADS = (
    Load("bulk_1", bulk_1, ("bulk_1",)),
    Load("bulk_8", bulk_8, ("bulk_8",)),
    Load("cpu", cpu, ("cpu_per_gb",), needs_process=True),
    Load("http_keepalive", http_keepalive, ("http_keepalive",)),
    Load("http_close", http_close, ("http_close",)),
    Load("latency", latency, ("rtt_p50", "rtt_p99")),
    Load("memory", memory, ("memory_idle",), needs_process=True, needs_fresh=True),
)
NAMES = tuple(load.name for load in LOADS)
