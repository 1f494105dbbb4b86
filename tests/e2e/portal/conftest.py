"""What the tests of the Portal share. Its log is records for people: it is no Program of the lab."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import KEY, Portal, require_program  # noqa: E402
from tls_peer import Frames  # noqa: E402


@pytest.fixture
def portal(lab):
    """A factory: portal(query, NOW_…=…) is a running Portal."""
    require_program(lab)

    def start(query="", **environment):
        environment.setdefault("NOW_REPORT_INTERVAL", "50ms")
        return Portal(lab, query, **environment).start()
    return start


@pytest.fixture
def frames():
    return Frames(KEY)
