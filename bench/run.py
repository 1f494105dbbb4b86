#!/usr/bin/python3
"""Measures Portunus beside other forwarders, all in one run."""

import sys

from harness import program, report, session


def main(argv=None):
    run, status = program.compare(argv, "bench/run.py", __doc__, "forwarders", session, report)
    if run is None:
        return status
    # A run without us is a fine look at the others, but not what was asked for.
    ours = run["forwarders"].get(report.SUBJECT)
    return 0 if ours is None or ours["state"] == "measured" else 1


if __name__ == "__main__":
    sys.exit(main())
