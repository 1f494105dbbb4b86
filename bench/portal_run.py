#!/usr/bin/python3
"""Measures the Portal beside other relays that take TLS off, all in one run."""

import argparse
import pathlib
import sys

from harness.errors import BenchError
from harness.portal import report, session
from harness.setting import REPOSITORY, Sizes


def parse(argv):
    parser = argparse.ArgumentParser(prog="bench/portal_run.py", description=__doc__)
    parser.add_argument("--rounds", type=int, help="default 5, with --quick 3")
    parser.add_argument("--only", default="", metavar="NAME,...",
                        help="relays and loads to keep, in any mixture")
    parser.add_argument("--quick", action="store_true", help="shorter measurements")
    parser.add_argument("--bin-dir", type=pathlib.Path,
                        default=REPOSITORY / "build" / "release" / "bin")
    parser.add_argument("--results", type=pathlib.Path,
                        default=REPOSITORY / "bench" / "results",
                        help="folder for the table and its JSON")
    options = parser.parse_args(argv)
    if options.rounds is not None and not 1 <= options.rounds <= 100:
        parser.error("--rounds must be in 1..=100")
    return options


def main(argv=None):
    options = parse(argv)
    try:
        relays, loads = session.select([name for name in options.only.split(",") if name])
        run = session.run(session.Options(
            rounds=options.rounds or (3 if options.quick else 5),
            sizes=Sizes.quick() if options.quick else Sizes.full(),
            bin_dir=options.bin_dir, relays=relays, loads=loads))
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    path = report.write(run, options.results)
    print(report.render(run), end="")
    print(f"\nwritten to {path} and the .json beside it")
    ours = [entry["state"] for name, entry in run["relays"].items() if name.startswith("portal_")]
    return 0 if all(state == "measured" for state in ours) else 1


if __name__ == "__main__":
    sys.exit(main())
