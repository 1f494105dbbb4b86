"""What the numbers of the Portal's bench mean, and whom ours are divided by."""

import dataclasses

from ..stats import ratio, summary
from .loads import DIRECTIONS, FLOWS, PACKET_SIZES

# Whose ratios are shown, and to whom; the two carriers are also compared with each other.
SUBJECTS = {
    "portal_tls": ("haproxy", "stunnel", "nowhere_tls", "direct"),
    "portal_quic": ("haproxy", "stunnel", "nowhere_quic", "portal_tls", "direct"),
}


@dataclasses.dataclass(frozen=True)
class Measure:
    name: str
    title: str
    unit: str
    higher_is_better: bool


def _bulk(direction, flows):
    what = f"{direction}link, {flows} flow{'s' if flows > 1 else ''}"
    return (Measure(f"bulk_{direction}_{flows}", f"bulk {what}", "Gbit/s", True),
            Measure(f"cpu_{direction}_{flows}", f"CPU per GB, {what}", "s", False))


MEASURES = (
    *(measure for flows in FLOWS for direction in DIRECTIONS
      for measure in _bulk(direction, flows)),
    *(Measure(f"packets_{size}", f"UDP, {size} bytes, echoed", "packets/s", True)
      for size in PACKET_SIZES),
    Measure("dials", "new connections, proven by a byte", "1/s", True),
    Measure("memory", "user memory per idle connection", "B", False),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


def evaluate(samples):
    """From {measure: {relay: [sample per round]}} to summaries and the ratios of our carriers."""
    results = {}
    for measure in MEASURES:
        if measure.name not in samples:
            continue
        values = samples[measure.name]
        summaries = {name: summary(rounds) for name, rounds in values.items()}
        medians = {name: entry["median"] for name, entry in summaries.items() if entry}
        ratios = {subject: {other: ratio(medians[subject], medians.get(other))
                            for other in others}
                  for subject, others in SUBJECTS.items() if subject in medians}
        results[measure.name] = {"unit": measure.unit,
                                 "higher_is_better": measure.higher_is_better,
                                 "samples": values, "summary": summaries, "ratios": ratios}
    return results
