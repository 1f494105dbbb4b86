"""The loads of the Portal's bench: each runs portal_load through one relay and reads its answer."""

import dataclasses
import json
from collections.abc import Callable

from .. import cost
from ..errors import BenchError
from ..holding import HOLD_SECONDS, held

FLOWS = (1, 8)
DIRECTIONS = ("up", "down")
PACKET_SIZES = (64, 1_100)
PACKET_FLOWS = 8
DIALS_AT_ONCE = 16
WARM_UP_CONNECTIONS = 16


def parse_answer(text, *names):
    """The named numbers of portal_load's JSON line; an error when one is missing or not above 0."""
    try:
        answer = json.loads(text)
        values = [float(answer[name]) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"portal_load: {text.strip()[-300:] or 'no answer'}") from error
    if min(values) <= 0:
        raise BenchError(f"portal_load: nothing passed: {text.strip()[-300:]}")
    return values


def _run(relay, load, *arguments):
    setting = relay.setting
    return setting.children.check(
        "portal-load", [setting.tool("portal_load"), load, relay.carrier, relay.to, relay.target,
                        *arguments], timeout=setting.sizes.seconds + 30)


def bulk(direction, flows):
    name = f"bulk_{direction}_{flows}"

    def run(relay):
        before = cost.cpu_by_pid(relay.pids())
        out = _run(relay, "bulk", direction, flows, relay.setting.sizes.seconds)
        spent = cost.cpu_since(before, relay.pids())
        moved, seconds, total = parse_answer(out, "bytes", "seconds", "total")
        taken = {name: moved * 8 / seconds / 1e9}
        if relay.has_process:
            taken[f"cpu_{direction}_{flows}"] = spent / (total / 1e9)
        return taken

    return run


def packets(size):
    def run(relay):
        out = _run(relay, "packets", size, PACKET_FLOWS, relay.setting.sizes.seconds)
        echoed, seconds = parse_answer(out, "packets", "seconds")
        return {f"packets_{size}": echoed / seconds}

    return run


def dials(relay):
    out = _run(relay, "dials", DIALS_AT_ONCE, relay.setting.sizes.seconds)
    made, seconds = parse_answer(out, "connections", "seconds")
    return {"dials": made / seconds}


def _held(relay, count):
    tool = relay.setting.tool("portal_load")
    return held(relay, [tool, "hold", relay.carrier, relay.to, relay.target, count,
                        HOLD_SECONDS], count)


def memory(relay):
    """Needs a relay that never held this many: memory kept from before would hide the rest."""
    with _held(relay, WARM_UP_CONNECTIONS):
        pass
    before = cost.settled_user_bytes(relay.pids())
    count = relay.setting.sizes.idle_connections
    with _held(relay, count):
        after = cost.settled_user_bytes(relay.pids())
    return {"memory": (after - before) / count}


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    run: Callable
    measures: tuple
    kind: str = "stream"  # what a relay must be able to do: "stream" or "packet"
    needs_process: bool = False
    needs_fresh: bool = False
    once: bool = False


LOADS = (
    *(Load(f"bulk_{direction}_{flows}", bulk(direction, flows),
           (f"bulk_{direction}_{flows}", f"cpu_{direction}_{flows}"))
      for flows in FLOWS for direction in DIRECTIONS),
    *(Load(f"packets_{size}", packets(size), (f"packets_{size}",), "packet")
      for size in PACKET_SIZES),
    Load("dials", dials, ("dials",)),
    Load("memory", memory, ("memory",), needs_process=True, needs_fresh=True),
)
NAMES = tuple(load.name for load in LOADS)
