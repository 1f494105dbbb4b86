"""A few seconds of soak_portal_auth.py; its long form runs by hand."""

import pytest

from soak_portal_auth import soak


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_S9_every_failure_ends_at_its_deadline_and_correct_clients_do_not_notice(lab):
    print(soak(lab, tries=14, base=1.0))
