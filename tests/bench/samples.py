"""Runs made of given medians, shaped as session.run() makes them."""

from harness import measures


def make_run(values, skipped=()):
    """values: {measure: {forwarder: median}}; `skipped` forwarders carry a reason instead."""
    names = {name for by_forwarder in values.values() for name in by_forwarder}
    states = {name: {"state": "measured"} for name in sorted(names)}
    states |= {name: {"state": "skipped", "reason": f"{name} is not here"} for name in skipped}
    samples = {measure: {name: [value] * 3 for name, value in by_forwarder.items()}
               for measure, by_forwarder in values.items()}
    return {"started": "2030-01-02T03:04:05Z", "rounds": 3, "isolated": True, "failures": [],
            "sizes": {"seconds": 1}, "forwarders": states,
            "machine": {"cores": 2, "processor": "cpu", "kernel": "6", "load_average_before": 0.0},
            "measures": measures.evaluate(samples)}
