#!/usr/bin/python3
"""Measures the Portal beside other relays that take TLS off, all in one run."""

import sys

from harness import program
from harness.portal import report, session


def main(argv=None):
    run, status = program.compare(argv, "bench/portal_run.py", __doc__, "relays", session, report)
    if run is None:
        return status
    ours = [entry["state"] for name, entry in run["relays"].items() if name.startswith("portal_")]
    return 0 if all(state == "measured" for state in ours) else 1


if __name__ == "__main__":
    sys.exit(main())
