import pathlib
import shutil
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bench"))


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """A bin directory with the load tools, compiled here so that no build has to come first."""
    compiler = shutil.which("clang++-19")
    if not compiler:
        pytest.skip("clang++-19 is not installed")
    folder = tmp_path_factory.mktemp("bin")
    sources = REPOSITORY / "bench" / "tools"
    for tool in ("pingpong", "hold"):
        subprocess.run([compiler, "-std=c++23", "-O1", sources / f"{tool}.cpp",
                        sources / "loopback.cpp", "-o", folder / tool], check=True, timeout=120)
    subprocess.run([compiler, "-std=c++23", "-O1",
                    REPOSITORY / "bench" / "dataplane" / "udp_flood.cpp",
                    "-o", folder / "dataplane_udp_flood"], check=True, timeout=120)
    return folder
