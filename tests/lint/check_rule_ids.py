#!/usr/bin/python3
"""Lists every rule of the data plane that no test names.

A rule is a bold id (**TCP-7**) in docs/contracts/data-plane.md; a test names it as TCP_7 in the
name of a GoogleTest case of a compiled file, or of a pytest function. --list shows who names what.
"""

import argparse
import pathlib
import re
import sys

CONTRACT = "docs/contracts/data-plane.md"

RULE = re.compile(r"\*\*([A-Z]+-[0-9]+[a-z]?)\*\*")
GTEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
PYTEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
NAMED = re.compile(r"(?<![A-Za-z0-9])([A-Z]+)_([0-9]+[a-z]?)(?![A-Za-z0-9])")


def rules(text):
    return list(dict.fromkeys(RULE.findall(text)))


def is_compiled(path):
    """A file in no CMakeLists.txt holds no test, whatever it looks like."""
    lists = path.parent / "CMakeLists.txt"
    return lists.exists() and re.search(rf"(?<![\w/]){re.escape(path.name)}\b",
                                        lists.read_text("utf-8")) is not None


def tests(root):
    """(place, name) of every test that can run."""
    for path in sorted((root / "tests").rglob("*.cpp")):
        if is_compiled(path):
            for suite, name in GTEST.findall(path.read_text("utf-8")):
                if not suite.startswith("DISABLED_") and not name.startswith("DISABLED_"):
                    yield path.relative_to(root), name
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name in PYTEST.findall(path.read_text("utf-8")):
            yield path.relative_to(root), name


def coverage(root):
    named = {rule: [] for rule in rules((root / CONTRACT).read_text("utf-8"))}
    for place, name in tests(root):
        for letters, number in NAMED.findall(name):
            rule = f"{letters}-{number}"
            if rule in named:
                named[rule].append(f"{place}: {name}")
    return named


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--list", action="store_true", help="print every rule with its tests")
    options = parser.parse_args(argv)
    named = coverage(options.root.resolve())
    if not named:
        print(f"{CONTRACT}: no rule was found, so nothing was checked")
        return 1
    if options.list:
        for rule, places in named.items():
            print(rule, *places, sep="\n  ")
    missing = [rule for rule, places in named.items() if not places]
    for rule in missing:
        print(f"{CONTRACT}: {rule} stands in the name of no test")
    print(f"check_rule_ids: {len(named)} rules, {len(missing)} without a test")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
