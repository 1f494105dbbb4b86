"""What `make package` has made, for the tests of it; PORTUNUS_PACKAGE_DIR says where it is."""

import os
import pathlib

import pytest

from debs import NAMES, REPOSITORY, Package, output


@pytest.fixture(scope="session")
def packages():
    folder = pathlib.Path(os.environ.get("PORTUNUS_PACKAGE_DIR")
                          or REPOSITORY / "build" / "packages")
    found = {path.name.partition("_")[0]: Package(path) for path in folder.glob("*.deb")}
    built = REPOSITORY / "build" / "release" / "bin"
    expected = [name for name in NAMES if name != NAMES[-1] or (built / name).exists()]
    assert sorted(found) == sorted(expected), f"{folder} has not the packages: make package"
    return {name: found[name] for name in expected}


@pytest.fixture(params=NAMES)
def name(request, packages):
    if request.param not in packages:
        pytest.skip("the Portal is not built here")
    return request.param


@pytest.fixture(scope="session")
def unpacked(packages, tmp_path_factory):
    """All four packages below one folder, without their scripts."""
    root = tmp_path_factory.mktemp("unpacked")
    for package in packages.values():
        output("dpkg-deb", "--extract", package.path, root)
    return root
