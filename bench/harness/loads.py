"""The loads: each sends one kind of traffic through one forwarder and returns its measures."""

import dataclasses
import json
import re
from collections.abc import Callable

from . import activation, cost, limiter, routes, sni, udp
from .errors import BenchError
from .holding import HOLD_SECONDS, held

OFFERED_BITS_PER_SECOND = 2_000_000_000
WRK_CONNECTIONS = 64
SPARE_DESCRIPTORS = 200


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
        "pingpong", [setting.tool("pingpong"), "ping", forwarder.listen["echo"],
                     setting.sizes.round_trips, limit],
        namespace=forwarder.namespace, timeout=limit + 10)
    answer = json.loads(out)
    return {"rtt_p50": answer["p50_us"], "rtt_p99": answer["p99_us"]}


def idle_connections(wanted, descriptor_limit):
    """What fits: a forwarder takes two descriptors per connection; haproxy keeps pipes in reserve."""
    return max(1, min(wanted, (descriptor_limit - SPARE_DESCRIPTORS) // 3))


def _held(forwarder, count):
    return held(forwarder, [forwarder.setting.tool("hold"), forwarder.listen["echo"], count,
                            HOLD_SECONDS], count)


def memory(forwarder):
    """Needs a forwarder that never held this many: memory kept from before would hide the rest."""
    # What the first connections cost once for all (lazy tables, first use of code) is not theirs.
    with _held(forwarder, 16):
        pass
    pids = forwarder.pids()
    before = cost.settled_user_bytes(pids)
    count = forwarder.setting.sizes.idle_connections
    with _held(forwarder, count):
        after = cost.settled_user_bytes(pids)
    return {"memory_idle": (after - before) / count}


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    run: Callable
    measures: tuple
    route: str = ""  # none: the load is for us alone and finds its own way
    needs_process: bool = False
    needs_fresh: bool = False
    once: bool = False  # in the first round only

    @property
    def kind(self):
        return routes.BY_NAME[self.route].kind if self.route else "own"


LOADS = (
    Load("bulk_1", bulk_1, ("bulk_1",), "iperf"),
    Load("bulk_8", bulk_8, ("bulk_8",), "iperf"),
    Load("cpu", cpu, ("cpu_per_gb",), "iperf", needs_process=True),
    Load("http_keepalive", http_keepalive, ("http_keepalive",), "http"),
    Load("http_close", http_close, ("http_close",), "http"),
    Load("latency", latency, ("rtt_p50", "rtt_p99"), "echo"),
    Load("memory", memory, ("memory_idle",), "echo", needs_process=True, needs_fresh=True),
    *(Load(f"udp_{size}", udp.datagrams(size), udp.measures(size), "udp") for size in udp.SIZES),
    Load("udp_memory", udp.memory, udp.MEMORY_MEASURES, "udp", needs_process=True,
         needs_fresh=True),
    Load("sni", sni.dispatch, ("sni_p50", "sni_p99"), "sni"),
    Load("activation", activation.measure, activation.MEASURES),
    Load("limiter", limiter.measure, limiter.MEASURES, once=True),
)
NAMES = tuple(load.name for load in LOADS)
