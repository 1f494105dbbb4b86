#!/usr/bin/python3
"""Lists the rows of the contracts that nothing proves.

The rows are those of http-api.md, sections 5 (routes) and 15 (codes), and of the exit-code tables
of cli-and-config.md (contract_rows.py).

Without --run: every code of section 15 stands in an end-to-end test, and the list of what cannot
be produced names rows that exist. With --run FOLDER, the record that the end-to-end tests leave
(tests/e2e/harness/record.py): every row was produced by the real programs in that run. Only a
whole run can have them all, so with --junit FILE rows are listed but fail nothing when that run
had to skip tests, as on a machine without root. --list prints every row.
"""

import argparse
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

import contract_rows

HTTP = "docs/contracts/http-api.md"
CLI = "docs/contracts/cli-and-config.md"
TESTS = "tests/e2e"

# What cannot be produced from outside, and why. A row that a run did produce must not stand here.
CANNOT = {
    "http-api 15: 500 internal":
        "an unexpected fault of the program itself (http-api 1); every fault that is known has a "
        "code of its own, and what led here from outside would be a bug",
}


class Run:
    """The record of one run, all its processes together."""

    def __init__(self, folder):
        self.answers = list(self.lines(folder, "answers"))
        self.exits = list(self.lines(folder, "exits"))

    @staticmethod
    def lines(folder, kind):
        for path in sorted(folder.glob(f"*.{kind}")):
            for line in path.read_text("utf-8").splitlines():
                yield json.loads(line)


def in_texts(root, rows):
    """Problems of the tree: a code that no end-to-end test speaks of."""
    texts = [path.read_text("utf-8") for path in sorted((root / TESTS).glob("test_*.py"))]
    for row in rows:
        if isinstance(row, contract_rows.Answer) and row.code and str(row) not in CANNOT:
            word = re.compile(rf"(?<![\w.]){re.escape(row.code)}(?![\w])")
            if not any(word.search(text) for text in texts):
                yield f"{row} stands in no test of {TESTS}"


def in_run(run, rows):
    """Problems of a run: (rows that it did not produce, rows that it should not have)."""
    produced = {str(row) for row in rows if row.is_in(run)}
    missing = [f"{row} was not produced" for row in rows
               if str(row) not in produced and str(row) not in CANNOT]
    return missing, [f"{name} was produced, though it is said to be impossible"
                     for name in CANNOT if name in produced]


def skipped(junit):
    """How many tests of that run were skipped."""
    return sum(int(suite.get("skipped", 0))
               for suite in xml.etree.ElementTree.parse(junit).getroot().iter("testsuite"))


def check(root, folder, junit=None):
    rows = [*contract_rows.answers((root / HTTP).read_text("utf-8")),
            *contract_rows.endings((root / CLI).read_text("utf-8"))]
    names = {str(row) for row in rows}
    problems = [f"{name} is said to be impossible and is no row of a contract"
                for name in CANNOT if name not in names]
    if folder is None:
        problems += in_texts(root, rows)
    else:
        run = Run(folder)
        if not run.answers or not run.exits:
            problems.append(f"{folder} holds no record of a run")
        missing, impossible = in_run(run, rows)
        problems += impossible
        if missing and junit is not None and skipped(junit):
            print(*missing, f"not judged: {skipped(junit)} tests were skipped here", sep="\n")
        else:
            problems += missing
    for kind in (contract_rows.Answer, contract_rows.End):
        if not any(isinstance(row, kind) for row in rows):
            problems.append(f"no {kind.__name__} was found in the contracts")
    return rows, problems


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--run", type=pathlib.Path, metavar="FOLDER",
                        help="the record of a whole run")
    parser.add_argument("--junit", type=pathlib.Path, metavar="FILE", help="that run's results")
    parser.add_argument("--list", action="store_true", help="print every row")
    options = parser.parse_args(argv)
    rows, problems = check(options.root.resolve(), options.run, options.junit)
    if options.list:
        print(*rows, sep="\n")
    for problem in problems:
        print(problem)
    print(f"check_contract_codes: {len(rows)} rows, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
