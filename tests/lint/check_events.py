#!/usr/bin/python3
"""Holds the table of log events (src/common/log/events.hpp) to the code and to the contract.

Every event is used, every name stands in docs/contracts/observability.md and every event that its
tables promise is in ours, nothing outside common/log touches spdlog, and docs/events.md is what
--write generates from the table.
"""

import argparse
import pathlib
import re
import sys

TABLE = "src/common/log/events.hpp"
CONTRACT = "docs/contracts/observability.md"
GENERATED = "docs/events.md"

GROUP = re.compile(r"#define PORTUNUS_EVENTS_(\w+)\(X\)")
ROW = re.compile(r'X\((\w+),\s*"([^"]*)",\s*(\w+),\s*(\w+),\s*"([^"]*)",\s*"([^"]*)"\)')
USE = re.compile(r"\bEvent::(\w+)")
SPDLOG = re.compile(r'\bspdlog::|#\s*include\s*[<"]spdlog/')
QUOTED = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class Row:
    def __init__(self, group, match):
        self.group = group
        self.id, self.name, self.level, self.target, self.fields, self.meaning = match.groups()


def read_table(text):
    rows = []
    group = None
    for line in text.splitlines():
        found = GROUP.search(line)
        if found:
            group = found.group(1).capitalize()
        match = ROW.search(line)
        if match and group:
            rows.append(Row(group, match))
    return rows


def contract_names(text):
    """All event names of the contract; `.x` and `_x` after a name change its tail."""
    names = set()
    for line in text.splitlines():
        last = None
        for word in QUOTED.findall(line):
            if NAME.fullmatch(word):
                last = word
            elif last and re.fullmatch(r"\.[a-z0-9_]+", word):
                last = last.rpartition(".")[0] + word
            elif last and re.fullmatch(r"_[a-z0-9_]+", word):
                last = last.rpartition("_")[0] + word
            else:
                continue
            names.add(last)
    return names


def promised_names(text):
    """The events of the contract's tables: the first column of each that tells level and fields."""
    names = set()
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith("| Event | Level |"):
            inside = True
        elif inside:
            names |= contract_names(line.split("|")[1])
    return names


def sources(root):
    return sorted((root / "src").rglob("*.[hc]pp"))


def check_use(root, rows):
    used = set()
    problems = []
    for path in sources(root):
        relative = path.relative_to(root)
        if str(relative) == TABLE:
            continue
        text = path.read_text("utf-8", errors="replace")
        used.update(USE.findall(text))
        if not str(relative).startswith("src/common/log/"):
            for number, line in enumerate(text.splitlines(), 1):
                if SPDLOG.search(line):
                    problems.append(f"{relative}:{number}: only common/log may touch spdlog")
    problems += [f"{TABLE}: {row.id} ({row.name}) is used nowhere in src/"
                 for row in rows if row.id not in used]
    return problems


def check_contract(root, rows):
    text = (root / CONTRACT).read_text("utf-8")
    known = contract_names(text)
    problems = [f"{TABLE}: {row.name} does not stand in {CONTRACT}"
                for row in rows if row.name not in known]
    promised = promised_names(text)
    if not promised:
        problems.append(f"{CONTRACT}: no table of events was found")
    missing = promised - {row.name for row in rows}
    return problems + [f"{CONTRACT}: {name} is promised, and nothing writes it"
                       for name in sorted(missing)]


def check_rows(rows):
    problems = [] if rows else [f"{TABLE}: no event was found, so nothing was checked"]
    seen = set()
    for row in rows:
        if row.id in seen:
            problems.append(f"{TABLE}: the id {row.id} appears twice")
        seen.add(row.id)
    return problems


def fields(row):
    parts = [f"`{field[:-1]}` (optional)" if field.endswith("?") else f"`{field}`"
             for field in row.fields.split()]
    return ", ".join(parts) or "–"


def render(rows):
    lines = ["# Events", "",
             f"Generated from `{TABLE}` by `tests/lint/check_events.py --write`; do not edit.",
             "When each one is written, and what its fields hold, is in"
             " `contracts/observability.md`.", ""]
    for group in dict.fromkeys(row.group for row in rows):
        lines += [f"## {group}", "", "| Event | Level | Target | Fields | Meaning |",
                  "|---|---|---|---|---|"]
        lines += [f"| `{row.name}` | {row.level.upper()} | `{row.target.replace('_', '.')}` |"
                  f" {fields(row)} | {row.meaning} |" for row in rows if row.group == group]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def check_generated(root, rows):
    path = root / GENERATED
    if path.exists() and path.read_text("utf-8") == render(rows):
        return []
    return [f"{GENERATED} is stale: run tests/lint/check_events.py --write"]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--write", action="store_true", help=f"rewrite {GENERATED}")
    options = parser.parse_args(argv)
    root = options.root.resolve()
    rows = read_table((root / TABLE).read_text("utf-8"))
    if options.write and rows:
        (root / GENERATED).write_text(render(rows), "utf-8")
    problems = check_rows(rows) + check_use(root, rows) + check_contract(root, rows)
    problems += check_generated(root, rows)
    for problem in problems:
        print(problem)
    print(f"check_events: {len(rows)} events, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
