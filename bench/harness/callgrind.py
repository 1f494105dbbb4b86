"""Instruction counts of fixed work under callgrind: the same on a busy machine as on an idle one."""

from .errors import BenchError

PROGRAMS = ("dataplane_fixed_work",)
TIMEOUT_SECONDS = 300


def parse_total(text):
    """The Ir total of a callgrind output file."""
    events, total = None, None
    for line in text.splitlines():
        if line.startswith("events:"):
            events = line.split()[1:]
        elif line.startswith("totals:"):
            total = line.split()[1:]
    if not events or not total or "Ir" not in events:
        raise BenchError("callgrind wrote no total")
    return int(total[events.index("Ir")])


def count(children, scratch, program):
    if not program.exists():
        raise BenchError(f"{program} is not built: run `make build` first")
    output = scratch / f"{program.name}.callgrind"
    children.check(program.name, ["valgrind", "--tool=callgrind",
                                  f"--callgrind-out-file={output}", program],
                   timeout=TIMEOUT_SECONDS)
    return parse_total(output.read_text(errors="replace"))
