#!/usr/bin/python3
"""Measures the control plane: simulated edges on one server, callers of its API beside them."""

import argparse
import dataclasses
import sys

from harness import control_report, control_run, program
from harness.control_run import Sizes


def steps(text):
    found = tuple(int(part) for part in text.split(","))
    if list(found) != sorted(set(found)) or not 1 <= found[0] <= found[-1] <= 20_000:
        raise ValueError
    return found


def parse(argv):
    parser = argparse.ArgumentParser(prog="bench/control.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few edges, short measurements")
    parser.add_argument("--steps", type=steps, metavar="N,...",
                        help="numbers of edges, ascending")
    parser.add_argument("--api-at", type=int, metavar="N",
                        help="the step at which the API is measured; default 1000 or the last one")
    parser.add_argument("--window", type=int, metavar="SECONDS",
                        help="of each measurement; default 10, with --quick 2")
    program.add_folders(parser)
    options = parser.parse_args(argv)
    if options.window is not None and not 1 <= options.window <= 60:
        parser.error("--window must be in 1..=60")
    return options


def sizes_of(options):
    sizes = Sizes.quick() if options.quick else Sizes.full()
    if options.steps:
        sizes = dataclasses.replace(sizes, steps=options.steps)
    if options.window:
        sizes = dataclasses.replace(sizes, window=options.window)
    at = options.api_at or sizes.api_edges
    return dataclasses.replace(sizes, api_edges=at if at in sizes.steps else sizes.steps[-1])


def main(argv=None):
    options = parse(argv)
    _, status = program.measure(lambda: control_run.run(sizes_of(options), options.bin_dir),
                                control_report, options.results)
    return status


if __name__ == "__main__":
    sys.exit(main())
