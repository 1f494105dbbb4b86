"""End-to-end tests over the real programs; PORTUNUS_BIN_DIR says where they are."""

import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
# What reads the rows of the contracts.
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lint"))

from harness import record, targets  # noqa: E402
from harness.client import Client  # noqa: E402
from harness.lab import Lab, bin_dir, scratch  # noqa: E402
from harness.server import Server  # noqa: E402


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        record.begin()
    missing = [name for name in ("portunus-server", "portunus-client")
               if not (bin_dir() / name).exists()]
    # The harness has tests of its own, which need no program.
    if missing and "harness" not in (config.getoption("-k") or ""):
        raise pytest.UsageError(f"{', '.join(missing)} not found in {bin_dir()}; "
                                "run `make build` or set PORTUNUS_BIN_DIR")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    setattr(item, f"report_{outcome.get_result().when}", outcome.get_result())


@pytest.fixture
def lab(request):
    name = re.sub(r"\W+", "-", request.node.name)[:80]
    lab = Lab(scratch() / name)
    yield lab
    flaws = lab.close()
    report = getattr(request.node, "report_call", None)
    if report is not None and report.passed:
        assert not flaws, "\n".join(flaws[:20])
        shutil.rmtree(lab.folder, ignore_errors=True)
    else:
        for program in lab.programs:
            print(f"--- {program.log}\n{program.tail(30)}")


@pytest.fixture
def server(lab):
    return Server(lab).start()


@pytest.fixture
def edge(lab, server):
    return Client(lab, server).start()


@pytest.fixture
def target(lab):
    """A factory: target(behaviour) is a running server behind a future rule."""
    return lambda behave=targets.echo: lab.owns(targets.Target(lab.port(), behave))
