"""One run of the Portal's bench: every relay once per round, in rotated order."""

import dataclasses
import datetime
import os
import pathlib

from .. import machine
from ..errors import BenchError, Unavailable
from ..readiness import Ports
from ..session import isolate, progress, supervised
from ..setting import Setting, Sizes, cores, raise_descriptor_limit
from ..stats import rotated
from . import loads, measures, relays

# Held connections cost the load program, the relay and the service.
IDLE_CONNECTIONS = 500


@dataclasses.dataclass(frozen=True)
class Options:
    rounds: int
    sizes: Sizes
    bin_dir: pathlib.Path
    relays: tuple = relays.NAMES
    loads: tuple = loads.NAMES


def select(only):
    """(relays, loads) of a list that may name either; naming none of a kind means all."""
    unknown = set(only) - set(relays.NAMES) - set(loads.NAMES)
    if unknown:
        raise BenchError(f"unknown name {', '.join(sorted(unknown))}; relays: "
                         f"{', '.join(relays.NAMES)}; loads: {', '.join(loads.NAMES)}")
    return (tuple(name for name in relays.NAMES if name in only) or relays.NAMES,
            tuple(name for name in loads.NAMES if name in only) or loads.NAMES)


class Session:
    def __init__(self, options, setting):
        self._rounds = options.rounds
        self._loads = [load for load in loads.LOADS if load.name in options.loads]
        self._classes = [cls for cls in relays.ALL if cls.name in options.relays]
        self._setting = setting
        self._service = relays.Service(setting)
        self._running = {}
        self.status = {}
        self.failures = []
        self.samples = {}

    def open(self):
        self._service.start()
        for cls in self._classes:
            try:
                self._running[cls.name] = self._start(cls)
                self.status[cls.name] = {"state": "measured"}
            except Unavailable as reason:
                self.status[cls.name] = {"state": "skipped", "reason": str(reason)}
            except BenchError as error:
                self.status[cls.name] = {"state": "failed", "reason": str(error)}
            if cls.name not in self._running:
                entry = self.status[cls.name]
                progress(f"{cls.name}: {entry['state']}: {entry['reason']}")

    def _start(self, cls):
        relay = cls(self._setting)
        try:
            relay.start(self._service)
        except BaseException:
            relay.stop()
            raise
        return relay

    def measure(self):
        for turn in range(self._rounds):
            progress(f"round {turn + 1} of {self._rounds}")
            for position, load in enumerate(self._loads):
                names = [name for name, relay in self._running.items() if relay.takes(load)]
                for name in rotated(names, turn + position):
                    self._sample(load, self._running[name], turn)

    def _sample(self, load, relay, turn):
        taken = {}
        try:
            taken = self._take(load, relay)
            progress(f"  {load.name:<14} {relay.name:<12} " + "  ".join(
                f"{measure} {value:.4g}" for measure, value in taken.items()))
        except BenchError as error:
            progress(f"  {load.name:<14} {relay.name:<12} failed: {error}")
            self.failures.append({"load": load.name, "relay": relay.name, "round": turn + 1,
                                  "reason": str(error)})
        for measure in load.measures:
            self.samples.setdefault(measure, {}).setdefault(relay.name, []).append(
                taken.get(measure))

    def _take(self, load, relay):
        if not load.needs_fresh:
            return load.run(relay)
        fresh = self._start(type(relay))
        try:
            return load.run(fresh)
        finally:
            fresh.stop()


def run(options):
    """Runs the bench; returns what report.py writes."""
    started = datetime.datetime.now(datetime.timezone.utc)
    raise_descriptor_limit()
    load_before = os.getloadavg()[0]
    sizes = dataclasses.replace(options.sizes, idle_connections=IDLE_CONNECTIONS)
    with supervised() as (scratch, children):
        setting = Setting(bin_dir=options.bin_dir.resolve(), scratch=scratch, children=children,
                          cores=cores(), isolated=isolate(), ports=Ports(), sizes=sizes, routes=())
        session = Session(options, setting)
        session.open()
        session.measure()
        return {"started": started.strftime("%Y-%m-%dT%H:%M:%SZ"), "rounds": options.rounds,
                "sizes": dataclasses.asdict(sizes), "isolated": setting.isolated,
                "machine": machine.describe(children) | {"load_average_before": load_before},
                "relays": session.status, "failures": session.failures,
                "measures": measures.evaluate(session.samples)}
