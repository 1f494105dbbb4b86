"""Soaks as programs: what both have in common beside their tests."""

import sys

from .lab import Lab, scratch


def run(name, soak):
    """Calls `soak(lab, report)` in a lab of its own and prints the summary that it returns.

    The exit code is 1 when it raised an AssertionError, or when a program of the lab wrote what it
    must not (a secret, a line outside the log contract).
    """
    lab = Lab(scratch() / name)
    failures = []
    try:
        print(soak(lab, lambda text: print(text, flush=True)))
    except AssertionError as error:
        failures.append(f"{error}\nlogs: {lab.folder}")
    finally:
        failures += lab.close()
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0
