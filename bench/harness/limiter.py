"""How exactly a bandwidth cap holds and what it costs, from dataplane_limiter_accuracy's table.

The tool runs the engine in its own process beside nothing else, so this is no comparison.
"""

import re

from .errors import BenchError

# KiB/s, as the tool takes them in turn.
CAPS = {"64 KiB/s": 64, "1 MiB/s": 1 << 10, "100 MiB/s": 100 << 10, "1 GiB/s": 1 << 20}
# Out of reach: what the path carries when the cap does not bind.
OPEN_CAP = 4 << 20
CONNECTIONS = (1, 64)
PARKED = ("64 KiB/s", "1 MiB/s")  # where waiting is nearly all there is to do
START_SECONDS = 15

CELLS = tuple((title, cap, connections) for title, cap in CAPS.items()
              for connections in CONNECTIONS)


def error_name(cap, connections):
    return f"limiter_{cap}k_{connections}"


def cpu_name(cap, connections):
    return f"limiter_cpu_{cap}k_{connections}"


def open_name(connections):
    return f"limiter_open_{connections}"


MEASURES = (*(error_name(cap, connections) for _, cap, connections in CELLS),
            *(cpu_name(cap, connections) for title, cap, connections in CELLS if title in PARKED),
            *map(open_name, CONNECTIONS))


def parse(text):
    """{(cap, connections): (KiB/s delivered, per cent off the cap, CPU seconds)}"""
    rows = re.findall(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+(-?[\d.]+)\s+([\d.]+)\s*$", text,
                      re.MULTILINE)
    return {(int(cap), int(connections)): (int(delivered), float(error), float(cpu))
            for cap, connections, delivered, error, cpu in rows}


def evaluate(cells, seconds):
    """The measures of a parsed table. A cap above what the path carries says nothing of the
    limiter, so it has no error."""
    taken = {}
    for connections in CONNECTIONS:
        carried, _, _ = cells[OPEN_CAP, connections]
        taken[open_name(connections)] = carried / 1024
        for title, cap in CAPS.items():
            _, error, cpu = cells[cap, connections]
            if carried > cap:
                taken[error_name(cap, connections)] = abs(error)
            if title in PARKED:
                taken[cpu_name(cap, connections)] = 100 * cpu / seconds
    return taken


def measure(forwarder):
    setting = forwarder.setting
    seconds = setting.sizes.limiter_seconds
    cells = (len(CAPS) + 1) * len(CONNECTIONS)
    out = setting.children.check(
        "limiter", [setting.tool("dataplane_limiter_accuracy"), seconds],
        timeout=cells * (seconds + START_SECONDS))
    table = parse(out)
    if len(table) != cells:
        raise BenchError(f"limiter_accuracy: {out.strip()[-300:]}")
    return evaluate(table, seconds)
