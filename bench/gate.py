#!/usr/bin/python3
"""Fails where a median is more than 25 % worse than its stored baseline."""

import argparse
import json
import pathlib
import sys

from harness import callgrind, loads, measures, program, regression, report, session
from harness.errors import BenchError
from harness.setting import REPOSITORY, Sizes

BASELINES = REPOSITORY / "bench" / "baselines"
NEEDED = ("direct", "haproxy", "portunus")
GATED = tuple(load.name for load in loads.LOADS
              if any(measures.BY_NAME[name].gated_to for name in load.measures))


def parse(argv):
    parser = argparse.ArgumentParser(prog="bench/gate.py", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--latest", action="store_true",
                        help="judge bench/results/latest.json; default: a fresh quick run")
    source.add_argument("--run", type=pathlib.Path, metavar="JSON", help="judge this run")
    parser.add_argument("--update", action="store_true", help="rewrite the baselines instead")
    program.add_folders(parser)
    parser.add_argument("--baselines", type=pathlib.Path, default=BASELINES)
    return parser.parse_args(argv)


def load_json(path, advice):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchError(f"{path} is missing: {advice}") from None
    except ValueError as error:
        raise BenchError(f"{path}: {error}") from error


def store_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {path}")


def fresh_run(options, rounds, only=GATED):
    for name in ("portunus-server", "portunus-client"):
        if not (options.bin_dir / name).exists():
            raise BenchError(f"{options.bin_dir / name} is not built: run `make build` first")
    run = session.run(session.Options(rounds=rounds, sizes=Sizes.quick(), loads=tuple(only),
                                      bin_dir=options.bin_dir, forwarders=NEEDED))
    # Not "latest": a partial run would stand in for what `make bench` measured.
    report.write(run, options.results, latest=False)
    return run


def first_run(options):
    if options.run or options.latest:
        return load_json(options.run or options.results / "latest.json", "run `make bench` first")
    return fresh_run(options, rounds=5 if options.update else 3)


def missing_forwarders(run):
    return [f"{name}: {run['forwarders'].get(name, {}).get('reason', 'not part of this run')}"
            for name in NEEDED
            if run["forwarders"].get(name, {}).get("state") != "measured"]


def judge_ratios(options, run):
    baseline = load_json(options.baselines / "ratios.json", "write it with gate.py --update")
    found = regression.compare_ratios(regression.ratios_of(run), baseline)
    if not found or options.run or options.latest:
        return found
    # A quick run on a busy machine errs; what is really worse is worse a second time.
    suspects = {entry.measure for entry in found}
    session.progress(f"measuring again: {', '.join(sorted(suspects))}")
    again = fresh_run(options, rounds=5, only=[load.name for load in loads.LOADS
                                               if suspects & set(load.measures)])
    return regression.compare_ratios(
        regression.ratios_of(again),
        {name: ratios for name, ratios in baseline.items() if name in suspects})


def count_instructions(options):
    counts, problems = {}, []
    with session.supervised() as (scratch, children):
        for name in callgrind.PROGRAMS:
            try:
                counts[name] = callgrind.count(children, scratch, options.bin_dir / name)
            except BenchError as error:
                problems.append(f"{name}, instructions: {error}")
    return counts, problems


def update(options):
    run = first_run(options)
    counts, problems = count_instructions(options)
    problems += missing_forwarders(run)
    if problems:
        raise BenchError("the baselines stay as they are: " + "; ".join(problems))
    store_json(options.baselines / "ratios.json", regression.ratios_of(run))
    store_json(options.baselines / "instructions.json", counts)


def check(options):
    """The texts of everything that fails."""
    counts, problems = count_instructions(options)
    try:
        expected = load_json(options.baselines / "instructions.json",
                             "write it with gate.py --update")
        # A program that could not be counted is among the problems already.
        known = {name: value for name, value in expected.items()
                 if name in counts or name not in callgrind.PROGRAMS}
        problems += [entry.text for entry in regression.compare_counts(counts, known)]
    except BenchError as error:
        problems.append(str(error))
    try:
        run = first_run(options)
        problems += missing_forwarders(run) or [
            entry.text for entry in judge_ratios(options, run)]
    except BenchError as error:
        problems.append(str(error))
    return problems


def main(argv=None):
    options = parse(argv)
    try:
        if options.update:
            update(options)
            return 0
        problems = check(options)
    except BenchError as error:
        problems = [str(error)]
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    for problem in problems:
        print(f"FAIL {problem}")
    print("bench gate: " + (f"{len(problems)} failed" if problems else "passed"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
