"""Reads the tables of the contracts whose rows a program must have produced in a run.

Two kinds of rows: an answer of the API (method, route, status, code) and the end of a program
(exit code, a line on stderr, an event). Each can be asked whether a record of a run has it.
"""

import dataclasses
import re

import check_openapi

SPAN = re.compile(r"`([^`]+)`")
PEOPLE = re.compile(r"^(user|credential|grant)-")


# --- Markdown

def cells(line):
    return [cell.strip().replace("\\|", "|")
            for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def tables(text):
    """(head, rows) of each table, cells as text."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = block.splitlines()
        yield cells(head), [cells(row) for row in rows]


def table(text, *columns):
    """The rows of the one table that has these columns, those cells first to last."""
    found = [[[row[head.index(name)] for name in columns] for row in rows]
             for head, rows in tables(text) if set(columns) <= set(head)]
    return found[0] if found else []


def section(text, number):
    """A section with its subsections, or a subsection."""
    level = "###" if "." in number else "##"
    match = re.search(rf"^{level} {re.escape(number)}\.? .*?(?=^##{'#?' * (level == '###')} |\Z)",
                      text, re.MULTILINE | re.DOTALL)
    return match[0] if match else ""


def without_spans(text):
    return re.sub(r"\([^)]*\)", "", SPAN.sub("", text))


def messages(cell):
    """What stands in a cell for a line on stderr; name[_a|_b] stands for three of them."""
    found = []
    for span in SPAN.findall(cell):
        if not span.startswith(("error: ", "serve failed: ", "warning: ")):
            continue
        ends = re.search(r"\[([^\]]*\|[^\]]*)\]", span)
        for end in [""] + (ends[1].split("|") if ends else []):
            text = span.replace(ends[0], end) if ends else span
            if text not in found:
                found.append(text)
    return found


def events(cell):
    return [match[1] for span in SPAN.findall(cell)
            if (match := re.match(r"([a-z_]+\.[a-z_.]+)(?: \{|$)", span))]


def pattern(message, prefix=False):
    """<x> and … stand for anything."""
    parts = re.split(r"(<[^>]+>|…)", message)
    text = "".join(".+" if part.startswith("<") else ".*" if part == "…" else re.escape(part)
                   for part in parts)
    return re.compile(text + (".*" if prefix else ""))


# --- rows

@dataclasses.dataclass(frozen=True)
class Answer:
    """Of the API; None is any."""
    place: str
    status: int
    code: str = None
    method: str = None
    route: str = None

    def __str__(self):
        what = [self.method, self.route, self.status, self.code]
        return f"{self.place}: {' '.join(str(part) for part in what if part is not None)}"

    def is_in(self, record):
        return any(entry["status"] == self.status
                   and self.code in (None, entry["code"]) and self.method in (None, entry["method"])
                   and self.route in (None, entry["route"]) for entry in record.answers)


@dataclasses.dataclass(frozen=True)
class End:
    """Of a program; None is any. `commands` are subcommands as the record names them."""
    place: str
    program: str
    commands: tuple = None
    code: int = None
    message: str = None
    event: str = None
    prefix: bool = False

    def __str__(self):
        names = list(self.commands or ())
        what = [self.program.removeprefix("portunus-"),
                "/".join(names if len(names) < 4 else [*names[:2], "…"]) or None,
                None if self.code is None else f"exit {self.code}",
                self.message and f"`{self.message}`", self.event]
        return f"{self.place}: {' '.join(part for part in what if part is not None)}"

    def is_in(self, record):
        wanted = pattern(self.message, self.prefix) if self.message else None
        return any(entry["program"] == self.program
                   and (self.commands is None or entry["command"] in self.commands)
                   and self.code in (None, entry["exit"])
                   and (self.event is None or self.event in entry["events"])
                   and (wanted is None or any(wanted.fullmatch(line) for line in entry["lines"]))
                   for entry in record.exits)


def answers(text):
    """Section 15 row by row, and section 5: each route answers its success."""
    rows = [Answer("http-api 15", int(status), code)
            for code, status in check_openapi.codes(text).items()]
    rows += [Answer("http-api 5", int(status), None, method.upper(), path)
             for (method, path), status in check_openapi.routes(text).items()]
    return rows


SERVER, CLIENT, STANDALONE = "portunus-server", "portunus-client", "portunus-standalone"


def command_names(cell):
    """The subcommands of a first column; their arguments are no part of the name."""
    names = []
    for span in SPAN.findall(cell):
        words = re.split(r"\s+[<\[-]", span)[0].split()
        names.append(" ".join(words))
    return names


def classes(text):
    """{class of 2.1: its commands}, `user-*` spelled out from 2.4."""
    every = [name for cell, in table(section(text, "2.4"), "Command") for name in command_names(cell)]
    found = {}
    for name, cell in table(section(text, "2.1"), "Class", "Commands"):
        found[name] = []
        for span in SPAN.findall(cell):
            stem = span.removesuffix("*").strip().removesuffix(" --confirm")
            found[name] += [one for one in every if one.startswith(stem)] or [stem]
    return found


def store_rows(text, kinds):
    """2.1: what the store says to a command, and how a call of the API may fail."""
    place = "cli 2.1"
    part = section(text, "2.1")
    for exits, stderr in table(part, "Any command that opens the store", "stderr"):
        code = int(re.search(r"exit (\d+)", exits)[1])
        for message in messages(stderr):
            yield End(place, SERVER, None, code, message)
    for name in kinds["Offline"] + kinds["Dual"]:
        yield End(place, SERVER, (name,), 75, "error: store_in_use: <path>")
    calls = tuple(kinds["API"] + kinds["Dual"])
    for stderr, code in table(part, "stderr", "Exit"):
        for message in messages(stderr):
            yield End(place, SERVER, calls, int(code) if code.isdigit() else None, message)
    for message in messages(part[part.index("Missing token"):]):
        for name in kinds["API"]:
            if PEOPLE.match(name):
                yield End(place, SERVER, (name,), 4, message)


def daemon_rows(text):
    """2.2 and 2.3: the commands of the store, and how serve ends."""
    place = "cli 2.2"
    part = section(text, "2.2")
    for command, failures in table(part, "Command", "Failures"):
        names = tuple(command_names(command))
        if names != ("serve",):
            yield End(place, SERVER, names, 0)
        for piece in re.split(r";(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", failures):
            numbers = re.match(r"\s*(\d+(?:, \d+)*)\b", without_spans(piece))
            for code in numbers[1].split(", ") if numbers else []:
                yield End(place, SERVER, names, int(code))
                for message in messages(piece):
                    yield End(place, SERVER, names, int(code), message)
    for stderr, code in table(part, "stderr", "Exit"):
        for message in messages(stderr):
            yield End(place, SERVER, None, int(code), message)
    for message in messages(part.rpartition("|")[2]):
        if message.startswith("warning: "):
            yield End(place, SERVER, None, 0, message)
    place = "cli 2.3"
    for code, stderr, names in table(section(text, "2.3"), "Exit", "stderr (last line)",
                                     "ERROR event"):
        for message in messages(stderr) or [None]:
            for event in events(names) or [None]:
                yield End(place, SERVER, ("serve",), int(code), message, event)


def call_rows(text, kinds):
    """2.4, 2.5, 2.7: the commands that call the API."""
    for row in table(section(text, "2.4"), "Command", "Arguments"):
        for name in command_names(row[0]):
            yield End("cli 2.4", SERVER, (name,), 0)
            for message in messages(row[1]):
                code = int(re.search(r"exit (\d+)", row[1])[1])
                yield End("cli 2.4", SERVER, (name,), code, message)
    place = "cli 2.5"
    calls = kinds["API"]
    groups = {"Rule commands": [name for name in calls if "rule" in name],
              "`owner-cap`": [name for name in calls if name.startswith("owner-cap")],
              "`user-*` `credential-*` `grant-*`": [name for name in calls if PEOPLE.match(name)],
              "Dual commands": kinds["Dual"]}
    shared = []  # 4, 5, 6 of the row before
    for group, cell in table(section(text, "2.5"), "Group",
                             section_head(text, "2.5")[1]):
        found = [(int(match[1]), code) for match in re.finditer(r"(\d) ← ([^;]*)", cell)
                 for code in SPAN.findall(re.sub(r"\([^)]*\)", "", match[2]))]
        if "as in the previous row" in cell:
            found += [(number, code) for number, code in shared if number in (4, 5, 6)]
        shared = found
        for number, code in found:
            message = f"error: {code.replace('*', '<x>')} (<message>)"
            yield End(place, SERVER, tuple(groups[group]), number, message)
    for stderr, code in table(section(text, "2.7"), "stderr starts", "Exit"):
        for message in messages(stderr):
            yield End("cli 2.7", SERVER, ("push-rule",), int(code), message, prefix=True)


def section_head(text, number):
    return next(tables(section(text, number)))[0]


def client_rows(text):
    """7: how the edge's program ends."""
    part = section(text, "7")
    for cell, code in table(part, "Event / stderr", "Exit"):
        number = int(code) if code.isdigit() else None
        for message in messages(cell):
            yield End("cli 7", CLIENT, None, number, message)
        for event in events(cell):
            yield End("cli 7", CLIENT, None, number, event=event)
    kinds = re.search(r"^`enroll` kinds: (.*?)\n\n", part, re.MULTILINE | re.DOTALL)[1]
    for match in re.finditer(r"`([^`]+)`(?: \(([^)]*)\))?", kinds):
        details = SPAN.findall(match[2] or "")
        for detail in details or ["<detail>"]:
            detail = detail.replace("<f>", "<field>")
            # A detail may be followed by more of it.
            yield End("cli 7", CLIENT, ("enroll",), 1, f"error: {match[1]}: {detail}", prefix=True)
    for match in re.finditer(r"`(client\.[a-z_]+) \{[^`]*\}` exit (\d+)", section(text, "11")):
        yield End("cli 11", CLIENT, ("agent",), int(match[2]), event=match[1])


def standalone_rows(text):
    """8: how the program of one host ends."""
    part = section(text, "8")
    for code in re.findall(r"(?:^Exit: |; )(\d) ", part, re.MULTILINE):
        yield End("cli 8", STANDALONE, None, int(code))
    for match in re.finditer(r"(?:stderr )?`(error: [^`]+)`(?:, exit (\d))?",
                             part[:part.index("### 8.1")] + section(text, "8.2")):
        yield End("cli 8", STANDALONE, None, int(match[2]) if match[2] else 1, match[1])
    for cell, in table(section(text, "8.1"), "Text"):
        cell = re.sub(r"\(contains [^)]*\)", "", cell)
        for span in re.findall(r"``\s?(.+?)\s?``|`([^`]+)`", cell):
            if " " in "".join(span):  # not the name of a table
                yield End("cli 8.1", STANDALONE, None, 2, "error: " + "".join(span))


def endings(text):
    kinds = classes(text)
    rows = [*store_rows(text, kinds), *daemon_rows(text), *call_rows(text, kinds),
            *client_rows(text), *standalone_rows(text)]
    rows += [End("cli 1", program, None, 2) for program in (SERVER, CLIENT, STANDALONE)]
    return list(dict.fromkeys(rows))
