"""The routes: each leads from a listen port of every forwarder that can carry it to one service."""

import dataclasses

SERVER_NAME = "target.bench.example"  # of the route that is chosen by TLS server name


@dataclasses.dataclass(frozen=True)
class Route:
    name: str
    kind: str  # what a forwarder must be able to do: "tcp", "udp" or "sni"
    service: str  # what stands at its end, see targets.py

    @property
    def transport(self):
        return "udp" if self.kind == "udp" else "tcp"


ROUTES = (
    Route("iperf", "tcp", "iperf"),
    Route("http", "tcp", "http"),
    Route("echo", "tcp", "echo"),
    Route("udp", "udp", "udp"),
    Route("sni", "sni", "echo"),
)
BY_NAME = {route.name: route for route in ROUTES}


def needed(loads):
    """The routes of these loads, each once."""
    return tuple(route for route in ROUTES if any(load.route == route.name for load in loads))
