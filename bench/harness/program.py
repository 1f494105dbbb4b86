"""The command line that the benches share, and how each of them ends."""

import argparse
import pathlib
import sys

from .errors import BenchError
from .setting import REPOSITORY, Sizes

RESULTS = REPOSITORY / "bench" / "results"
BINARIES = REPOSITORY / "build" / "release" / "bin"


def add_folders(parser):
    parser.add_argument("--bin-dir", type=pathlib.Path, default=BINARIES)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS,
                        help="folder for the table and its JSON")


def measure(take, report, folder):
    """(what take() returned, written and printed, and 0), or (None, the exit status of a run that
    came to nothing)."""
    try:
        run = take()
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return None, 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return None, 130
    path = report.write(run, folder)
    print(report.render(run), end="")
    print(f"\nwritten to {path} and the .json beside it")
    return run, 0


def _parse(argv, name, description, what):
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--rounds", type=int, help="default 5, with --quick 3")
    parser.add_argument("--only", default="", metavar="NAME,...",
                        help=f"{what} and loads to keep, in any mixture")
    parser.add_argument("--quick", action="store_true", help="shorter measurements")
    add_folders(parser)
    options = parser.parse_args(argv)
    if options.rounds is not None and not 1 <= options.rounds <= 100:
        parser.error("--rounds must be in 1..=100")
    return options


def compare(argv, name, description, what, session, report):
    """A bench that measures some of its kind beside each other, round by round: (run, status)."""
    options = _parse(argv, name, description, what)

    def take():
        chosen, loads = session.select([part for part in options.only.split(",") if part])
        return session.run(session.Options(
            options.rounds or (3 if options.quick else 5),
            Sizes.quick() if options.quick else Sizes.full(), options.bin_dir, chosen, loads))

    return measure(take, report, options.results)
