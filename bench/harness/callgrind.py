"""Instruction counts of fixed work under callgrind: the same on a busy machine as on an idle one."""

from .errors import BenchError

PROGRAMS = ("dataplane_tcp_fixed_work", "dataplane_udp_fixed_work")
RUNS = 3
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


def _count_once(children, scratch, program):
    output = scratch / f"{program.name}.callgrind"
    for old in scratch.glob(f"{output.name}-*"):
        old.unlink()
    children.check(program.name, ["valgrind", "--tool=callgrind", "--separate-threads=yes",
                                  f"--callgrind-out-file={output}", program],
                   timeout=TIMEOUT_SECONDS)
    # One file per thread, of which the first is the program's own: it plays the peers, and what it
    # costs to compare what arrived depends on the machine's memcmp.
    workers = sorted(scratch.glob(f"{output.name}-*"))[1:]
    if not workers:
        raise BenchError(f"{program.name} has no thread but its first")
    return sum(parse_total(worker.read_text(errors="replace")) for worker in workers)


def count(children, scratch, program):
    """What the engine's threads executed. The least of some runs: how often a thread looks at its
    sockets in vain depends on scheduling."""
    if not program.exists():
        raise BenchError(f"{program} is not built: run `make build` first")
    return min(_count_once(children, scratch, program) for _ in range(RUNS))
