"""What every part of a run is given: programs, scratch space, processes, ports, sizes."""

import dataclasses
import os
import pathlib
import resource

from .children import Children
from .errors import BenchError
from .readiness import Ports

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DESCRIPTORS = 65536
UDP_FLOWS = (1_000, 10_000)  # at which memory per flow is taken


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long and how much; everything in a run is bounded by these."""

    seconds: int
    round_trips: int
    idle_connections: int
    udp_seconds: int
    dials: int
    limiter_seconds: int  # per cell of its table, which is taken once in a run

    @staticmethod
    def full():
        return Sizes(seconds=3, round_trips=20_000, idle_connections=5000, udp_seconds=2,
                     dials=1000, limiter_seconds=10)

    @staticmethod
    def quick():
        return Sizes(seconds=1, round_trips=5_000, idle_connections=5000, udp_seconds=1,
                     dials=300, limiter_seconds=5)


@dataclasses.dataclass
class Setting:
    bin_dir: pathlib.Path
    scratch: pathlib.Path
    children: Children
    ports: Ports
    sizes: Sizes
    cores: int
    isolated: bool  # in a network namespace of our own
    routes: tuple  # those that the chosen loads need

    def tool(self, name):
        """The path of one of our own programs."""
        path = self.bin_dir / name
        if not path.exists():
            raise BenchError(f"{path} is not built: run `make build` first")
        return path

    def folder(self, name):
        """A fresh folder below the scratch directory."""
        path = self.scratch / f"{name}-{len(list(self.scratch.iterdir()))}"
        path.mkdir()
        return path


def cores():
    return len(os.sched_getaffinity(0))


def raise_descriptor_limit():
    """A forwarder needs two descriptors per idle connection; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, DESCRIPTORS), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
