"""What every part of a run is given: programs, scratch space, processes, ports, sizes."""

import dataclasses
import os
import pathlib
import resource

from .children import Children
from .readiness import Ports

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DESCRIPTORS = 65536


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long and how much; everything in a run is bounded by these."""

    seconds: int
    round_trips: int
    idle_connections: int

    @staticmethod
    def full():
        return Sizes(seconds=3, round_trips=20_000, idle_connections=5000)

    @staticmethod
    def quick():
        return Sizes(seconds=1, round_trips=5_000, idle_connections=5000)


@dataclasses.dataclass
class Setting:
    bin_dir: pathlib.Path
    scratch: pathlib.Path
    children: Children
    ports: Ports
    sizes: Sizes
    cores: int
    isolated: bool  # in a network namespace of our own

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
