"""Backups of a server that commits all the time; soak_backup.py holds them to a full rate."""

import pytest

from harness.waiting import PATIENCE
from soak_backup import soak


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_SQ_8_1_backup_during_heavy_writes_restores_to_a_consistent_store(lab):
    # A floor for slow machines; the contract's 1000 a second are the soak's.
    print(soak(lab, 6, rate=200 / PATIENCE, megabytes=10))
