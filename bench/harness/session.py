"""One run: starts everything, measures round by round, takes everything down again."""

import contextlib
import dataclasses
import datetime
import os
import pathlib
import shutil
import signal
import sys

from . import forwarders, loads, machine, measures, routes
from .children import Children
from .errors import BenchError, Unavailable
from .namespace import move_to_own
from .readiness import Ports
from .setting import REPOSITORY, Setting, Sizes, cores, raise_descriptor_limit
from .stats import rotated
from .targets import Targets


@dataclasses.dataclass(frozen=True)
class Options:
    rounds: int
    sizes: Sizes
    bin_dir: pathlib.Path
    forwarders: tuple = forwarders.NAMES
    loads: tuple = loads.NAMES


def select(only):
    return chosen(only, "forwarders", forwarders.NAMES, loads.NAMES)


def chosen(only, what, names, load_names):
    """(names, loads) of a list that may name either; naming none of a kind means all."""
    unknown = set(only) - set(names) - set(load_names)
    if unknown:
        raise BenchError(f"unknown name {', '.join(sorted(unknown))}; {what}: "
                         f"{', '.join(names)}; loads: {', '.join(load_names)}")
    return (tuple(name for name in names if name in only) or names,
            tuple(name for name in load_names if name in only) or load_names)


def progress(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def supervised():
    """A scratch folder and the owner of all processes, both gone afterwards."""
    with _stopped_by_signals(), _scratch() as scratch, _children(scratch) as children:
        yield scratch, children


@contextlib.contextmanager
def _stopped_by_signals():
    """SIGTERM and SIGHUP unwind like Ctrl-C, so that the children are taken down."""
    def leave(number, _frame):
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _scratch():
    """A folder of this run alone; an error leaves it until the next run, for the logs in it."""
    base = REPOSITORY / "build" / "bench-scratch"
    base.mkdir(parents=True, exist_ok=True)
    for left in base.iterdir():
        if not pathlib.Path("/proc", left.name.partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)
    path = base / f"{os.getpid()}-{datetime.datetime.now():%H%M%S%f}"
    path.mkdir()
    try:
        yield path
    except Exception:
        progress(f"logs are in {path}")
        raise
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _children(scratch):
    children = Children(scratch)
    try:
        yield children
    finally:
        # Bounded by the grace period; a second Ctrl-C must not leave half of them behind.
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
        children.stop_all()
        for number, handler in before.items():
            signal.signal(number, handler)


def isolate():
    try:
        move_to_own()
        return True
    except Unavailable as reason:
        progress(f"no network namespace of our own ({reason}): using the machine's loopback")
        return False


class _Session:
    """Each class once per round, in rotated order. `kind` is what a failure calls one of them."""

    def __init__(self, setting, *, rounds, kind, classes, loads, targets):
        self._rounds = rounds
        self._kind = kind
        self._loads = loads
        self._setting = setting
        self._targets = targets
        self._classes = {cls.name: cls for cls in classes}
        self._running = {}
        self.status = {}
        self.failures = []
        self.samples = {}

    def open(self):
        self._targets.start()
        for name in self._classes:
            try:
                self._running[name] = self._start(name)
                self.status[name] = {"state": "measured"}
            except Unavailable as reason:
                self.status[name] = {"state": "skipped", "reason": str(reason)}
            except BenchError as error:
                self.status[name] = {"state": "failed", "reason": str(error)}
            if name not in self._running:
                progress(f"{name}: {self.status[name]['state']}: {self.status[name]['reason']}")

    def _start(self, name):
        if not any(self._classes[name].takes(load) for load in self._loads):
            raise Unavailable("carries none of the chosen loads")
        forwarder = self._classes[name](self._setting)
        try:
            forwarder.start(self._targets)
        except BaseException:
            forwarder.stop()
            raise
        return forwarder

    def measure(self):
        for turn in range(self._rounds):
            progress(f"round {turn + 1} of {self._rounds}")
            for position, load in enumerate(self._loads):
                if load.once and turn > 0:
                    continue
                names = [name for name, forwarder in self._running.items()
                         if forwarder.takes(load)]
                for name in rotated(names, turn + position):
                    self._sample(load, name, turn)

    def _sample(self, load, name, turn):
        taken = {}
        try:
            if load.needs_fresh:
                forwarder = self._start(name)
                try:
                    taken = load.run(forwarder)
                finally:
                    forwarder.stop()
            else:
                taken = load.run(self._running[name])
            progress(f"  {load.name:<15} {name:<12} " + "  ".join(
                f"{measure} {value:.4g}" for measure, value in taken.items()))
        except BenchError as error:
            progress(f"  {load.name:<15} {name:<12} failed: {error}")
            self.failures.append({"load": load.name, self._kind: name, "round": turn + 1,
                                  "reason": str(error)})
        for measure in load.measures:
            self.samples.setdefault(measure, {}).setdefault(name, []).append(taken.get(measure))


def run(options):
    """Runs the bench; returns what report.py writes."""
    descriptors = raise_descriptor_limit()
    sizes = dataclasses.replace(options.sizes, idle_connections=loads.idle_connections(
        options.sizes.idle_connections, descriptors))
    return compare(options, sizes, kind="forwarder",
                   classes=[cls for cls in forwarders.ALL if cls.name in options.forwarders],
                   loads=[load for load in loads.LOADS if load.name in options.loads],
                   needed_routes=routes.needed, make_targets=Targets, evaluate=measures.evaluate)


def compare(options, sizes, *, kind, classes, loads, needed_routes, make_targets, evaluate):
    """What a report is made of: the loads through each class; everything is gone afterwards."""
    started = datetime.datetime.now(datetime.timezone.utc)
    load_before = os.getloadavg()[0]
    with supervised() as (scratch, children):
        setting = Setting(bin_dir=options.bin_dir.resolve(), scratch=scratch, children=children,
                          cores=cores(), isolated=isolate(), ports=Ports(), sizes=sizes,
                          routes=needed_routes(loads))
        session = _Session(setting, rounds=options.rounds, kind=kind, classes=classes, loads=loads,
                           targets=make_targets(setting))
        session.open()
        session.measure()
        return {"started": started.strftime("%Y-%m-%dT%H:%M:%SZ"), "rounds": options.rounds,
                "sizes": dataclasses.asdict(sizes), "isolated": setting.isolated,
                "machine": machine.describe(children) | {"load_average_before": load_before},
                f"{kind}s": session.status, "failures": session.failures,
                "measures": evaluate(session.samples)}
