"""Twenty seconds of soak_control_loss.py; its long form runs by hand."""

import pytest

from soak_control_loss import soak


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_traffic_does_not_notice_a_server_that_comes_and_goes(lab):
    print(soak(lab, 20, up=(0.2, 1.0), down=(0.1, 1.0)))
