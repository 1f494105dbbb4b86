"""Arithmetic on samples. A sample is None where that round's measurement failed."""

import statistics


def summary(samples):
    """Median, extremes and count of the samples that exist; None if there is none."""
    good = [sample for sample in samples if sample is not None]
    if not good:
        return None
    return {"median": statistics.median(good), "min": min(good), "max": max(good),
            "count": len(good)}


def ratio(value, reference):
    """None where a ratio says nothing: something missing, or a value that is not above zero."""
    if value is None or reference is None or value <= 0 or reference <= 0:
        return None
    return value / reference


def better_of(values, higher_is_better):
    good = [value for value in values if value is not None and value > 0]
    if not good:
        return None
    return max(good) if higher_is_better else min(good)


def added(samples, direct):
    """Round by round what a forwarder adds to the direct path."""
    return [None if ours is None or theirs is None else ours - theirs
            for ours, theirs in zip(samples, direct)]


def rotated(names, turn):
    """Each round starts with another forwarder, so drift of the machine favours none."""
    if not names:
        return []
    first = turn % len(names)
    return list(names[first:]) + list(names[:first])
