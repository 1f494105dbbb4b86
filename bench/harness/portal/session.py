"""One run of the Portal's bench: its relays and loads, in the rounds of every bench."""

import dataclasses
import pathlib

from .. import session
from ..setting import Sizes, raise_descriptor_limit
from . import loads, measures, relays

# Held connections cost the load program, the relay and the service.
IDLE_CONNECTIONS = 500
# Of a load, so that five rounds of all take less than ten minutes.
MOST_SECONDS = 2


@dataclasses.dataclass(frozen=True)
class Options:
    rounds: int
    sizes: Sizes
    bin_dir: pathlib.Path
    relays: tuple = relays.NAMES
    loads: tuple = loads.NAMES


def select(only):
    return session.chosen(only, "relays", relays.NAMES, loads.NAMES)


def run(options):
    """Runs the bench; returns what report.py writes."""
    raise_descriptor_limit()
    return session.compare(
        options, dataclasses.replace(options.sizes, idle_connections=IDLE_CONNECTIONS,
                                     seconds=min(options.sizes.seconds, MOST_SECONDS)),
        kind="relay", classes=[cls for cls in relays.ALL if cls.name in options.relays],
        loads=[load for load in loads.LOADS if load.name in options.loads],
        needed_routes=lambda _: (), make_targets=relays.Service, evaluate=measures.evaluate)
