"""Compares a run with stored baselines. Only what survives a change of machine is compared:
ratios taken within one run, and instruction counts of fixed work."""

import dataclasses

from .measures import MEASURES

TOLERANCE = 0.25
SUBJECT = "portunus"


@dataclasses.dataclass(frozen=True)
class Regression:
    measure: str
    text: str


def worse_by(value, baseline, higher_is_better):
    """The share by which the value is worse than the baseline; negative where it is better."""
    change = value / baseline - 1
    return -change if higher_is_better else change


def ratios_of(run, subject=SUBJECT):
    """{measure: {reference: ratio}} of what the gate watches."""
    found = {}
    for measure in MEASURES:
        result = run["measures"].get(measure.name)
        if not measure.gated_to or not result:
            continue
        ratios = result["ratios"].get(subject, {})
        kept = {name: ratios[name] for name in measure.gated_to if ratios.get(name) is not None}
        if kept:
            found[measure.name] = kept
    return found


def _judge(measure, what, value, baseline, higher_is_better):
    worse = worse_by(value, baseline, higher_is_better)
    # The margin is for rounding: 25 % exactly passes.
    if worse <= TOLERANCE + 1e-9:
        return []
    return [Regression(measure, f"{measure}, {what}: {value:.4g} is {worse:.1%} worse than the "
                                f"baseline {baseline:.4g}")]


def _unguarded(current, baseline):
    return [Regression(name, f"{name}: has no baseline, write it with gate.py --update")
            for name in current if name not in baseline]


def compare_ratios(current, baseline):
    """Regressions of a run's ratios; a measure that is gone is one too."""
    found = []
    directions = {measure.name: measure.higher_is_better for measure in MEASURES}
    for measure, references in baseline.items():
        for reference, expected in references.items():
            value = current.get(measure, {}).get(reference)
            what = f"ratio to {reference}"
            if measure not in directions:
                found.append(Regression(measure, f"{measure}: in the baseline, but not a measure"))
            elif value is None:
                found.append(Regression(measure, f"{measure}, {what}: not measured in this run"))
            else:
                found += _judge(measure, what, value, expected, directions[measure])
    return found + _unguarded(current, baseline)


def compare_counts(current, baseline):
    """Regressions of instruction counts: {program: count}."""
    found = []
    for program, expected in baseline.items():
        if program not in current:
            found.append(Regression(program, f"{program}, instructions: not counted"))
        else:
            found += _judge(program, "instructions", current[program], expected, False)
    return found + _unguarded(current, baseline)
