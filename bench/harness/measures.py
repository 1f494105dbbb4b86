"""The measures: what a number means, which way is better, what is promised for it."""

import dataclasses

from . import limiter, udp
from .setting import UDP_FLOWS
from .stats import added, better_of, ratio, summary

REFERENCES = ("haproxy", "best_proxy", "direct", "iptables")
REFERENCE_TITLES = {"haproxy": "to haproxy", "best_proxy": "to better of haproxy, nginx",
                    "direct": "to direct", "iptables": "to iptables"}


@dataclasses.dataclass(frozen=True)
class Measure:
    name: str
    title: str
    unit: str
    higher_is_better: bool
    gated_to: tuple = ("direct", "haproxy")  # whose ratios the gate watches
    added_from: str = ""  # derived: this measure minus direct's


def _udp(size):
    what = f"UDP, {size} bytes"
    return (
        Measure(f"udp_rate_{size}", f"{what}, flooded", "datagrams/s", True, gated_to=()),
        Measure(f"udp_rate_per_cpu_{size}", f"{what}, flooded, per CPU second", "datagrams", True,
                gated_to=()),
        Measure(f"udp_per_cpu_{size}", f"{what}, at fixed rate, per CPU second", "datagrams", True,
                gated_to=()),
        Measure(f"udp_loss_{size}", f"{what}, lost at fixed rate", "%", False, gated_to=()))


def _limiter():
    held = [Measure(limiter.error_name(cap, connections),
                    f"cap {title}, {connections} conn.: off by", "%", False, gated_to=())
            for title, cap, connections in limiter.CELLS]
    cost = [Measure(limiter.cpu_name(cap, connections),
                    f"cap {title}, {connections} conn.: CPU", "% of a core", False, gated_to=())
            for title, cap, connections in limiter.CELLS if title in limiter.PARKED]
    free = [Measure(limiter.open_name(connections),
                    f"cap out of reach, {connections} conn.", "MiB/s", True, gated_to=())
            for connections in limiter.CONNECTIONS]
    return (*held, *cost, *free)


# Whether an idle core must be woken for each message changes the direct round trip fourfold and a
# proxy's less, so only proxies compare. p99 swings with whatever else the machine does, and what is
# added to direct can be near zero, where ratios explode: both are reported, neither is gated. UDP
# is to be compared with nginx, which the gate does not run; the rest below has no peer, or swings
# as connection set-up does.
MEASURES = (
    Measure("bulk_1", "bulk, 1 stream", "Gbit/s", True),
    Measure("bulk_8", "bulk, 8 streams", "Gbit/s", True),
    Measure("cpu_per_gb", "CPU per GB at fixed rate", "s", False),
    Measure("http_keepalive", "HTTP keep-alive", "req/s", True),
    Measure("http_close", "HTTP one request per connection", "req/s", True),
    Measure("rtt_p50", "64-byte round trip p50", "us", False, gated_to=("haproxy",)),
    Measure("rtt_p99", "64-byte round trip p99", "us", False, gated_to=()),
    Measure("added_p50", "added round trip p50", "us", False, gated_to=(), added_from="rtt_p50"),
    Measure("added_p99", "added round trip p99", "us", False, gated_to=(), added_from="rtt_p99"),
    Measure("memory_idle", "user memory per idle connection", "B", False),
    *(measure for size in udp.SIZES for measure in _udp(size)),
    *(Measure(name, f"user memory per UDP flow at {count}", "B", False, gated_to=())
      for name, count in zip(udp.MEMORY_MEASURES, UDP_FLOWS)),
    Measure("sni_p50", "by server name, to first byte p50", "us", False, gated_to=()),
    Measure("sni_p99", "by server name, to first byte p99", "us", False, gated_to=()),
    Measure("added_sni_p50", "by server name, added p50", "us", False, gated_to=(),
            added_from="sni_p50"),
    Measure("activate_rules", "standalone up with 1000 rules", "ms", False, gated_to=()),
    Measure("activate_range", "standalone up with a 1024-port range", "ms", False, gated_to=()),
    Measure("activate_range_api", "1024-port range through the API", "ms", False, gated_to=()),
    *_limiter(),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclasses.dataclass(frozen=True)
class Goal:
    measure: str
    reference: str  # one of REFERENCES, or "" for the absolute median
    bound: float


GOALS = (
    Goal("bulk_1", "haproxy", 1.0),
    Goal("http_keepalive", "best_proxy", 1.0),
    Goal("http_close", "best_proxy", 0.9),
    Goal("cpu_per_gb", "haproxy", 1.0),
    Goal("memory_idle", "", 4096),
    # For UDP the better of haproxy and nginx is nginx.
    Goal("udp_rate_per_cpu_64", "best_proxy", 1.0),
    Goal("udp_rate_per_cpu_1200", "best_proxy", 1.5),
    Goal("udp_per_cpu_64", "best_proxy", 1.0),
    Goal("udp_per_cpu_1200", "best_proxy", 1.5),
    Goal("udp_memory_10000", "", 2048),
    Goal("activate_range_api", "", 1000),
    *(Goal(limiter.error_name(cap, connections), "", 2.0)
      for _, cap, connections in limiter.CELLS),
)


def evaluate(samples):
    """From {measure: {forwarder: [sample per round]}} to medians and ratios of each measure."""
    samples = dict(samples)
    for measure in MEASURES:
        raw = samples.get(measure.added_from)
        if raw and "direct" in raw:
            samples[measure.name] = {name: added(values, raw["direct"])
                                     for name, values in raw.items() if name != "direct"}
    results = {}
    for measure in MEASURES:
        if measure.name not in samples:
            continue
        values = samples[measure.name]
        summaries = {name: summary(rounds) for name, rounds in values.items()}
        results[measure.name] = {"unit": measure.unit,
                                 "higher_is_better": measure.higher_is_better,
                                 "samples": values, "summary": summaries,
                                 "ratios": _ratios(measure, summaries)}
    return results


def _ratios(measure, summaries):
    medians = {name: entry["median"] for name, entry in summaries.items() if entry}
    references = dict(medians)
    references["best_proxy"] = better_of(
        [medians.get("haproxy"), medians.get("nginx")], measure.higher_is_better)
    return {name: {reference: ratio(median, references.get(reference))
                   for reference in REFERENCES if reference != name}
            for name, median in medians.items()}


def judge(goal, results, subject):
    """(value, met) of a goal; (None, None) where the run does not tell."""
    measure, result = BY_NAME[goal.measure], results.get(goal.measure)
    if not result or not result["summary"].get(subject):
        return None, None
    value = (result["ratios"][subject].get(goal.reference) if goal.reference
             else result["summary"][subject]["median"])
    if value is None:
        return None, None
    return value, value >= goal.bound if measure.higher_is_better else value <= goal.bound
