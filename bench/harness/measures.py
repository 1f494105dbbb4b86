"""The measures: what a number means, which way is better, what is promised for it."""

import dataclasses

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


# Whether an idle core must be woken for each message changes the direct round trip fourfold and a
# proxy's less, so only proxies compare. p99 swings with whatever else the machine does, and what is
# added to direct can be near zero, where ratios explode: both are reported, neither is gated.
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
