"""A few kills of soak_kill_server.py; its long form runs by hand."""

import pytest

from harness.waiting import PATIENCE
from soak_kill_server import soak


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_8_2_sigkill_under_a_load_of_everything_tears_nothing(lab):
    # On a machine that does other things too, "in a burst" counts for the audit log (5).
    print(soak(lab, 5, seed=20260217, up=2, operators=4, audit_seconds=1 * PATIENCE))
