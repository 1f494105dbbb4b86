"""Idle connections or flows, held open by a load tool."""

import contextlib
import subprocess

from .errors import BenchError

HOLD_SECONDS = 60


@contextlib.contextmanager
def held(forwarder, argv, count):
    """Within it the tool holds `count` of them, each proven end to end."""
    children = forwarder.setting.children
    child = children.start("hold", argv, namespace=forwarder.namespace, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    try:
        line = child.read_line(HOLD_SECONDS)
        if line != f"held {count}":
            child.check_alive()
            raise BenchError(f"hold: {line or 'no answer'}")
        yield
    finally:
        children.stop(child)
