"""Deadlines instead of sleeps. PORTUNUS_E2E_PATIENCE stretches all of them (slow builds)."""

import os
import time

PATIENCE = float(os.environ.get("PORTUNUS_E2E_PATIENCE", "1"))
STEP = 0.02


def until(condition, what, seconds=10.0):
    """The first true value of `condition`; AssertionError naming `what` after the deadline."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds * PATIENCE:g} s: "
                                 f"{what() if callable(what) else what}")
        time.sleep(STEP)


def stays(condition, what, seconds):
    """`condition` holds all the time; for things that must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"did not stay so for {seconds:g} s: {what}"
        time.sleep(STEP)
