"""The engine is free of everything above it, shown by the built files (nm, ldd)."""

import pathlib
import re
import subprocess

import pytest

from harness.lab import bin_dir

BUILD = bin_dir().parent
ENGINE = ("stats", "tcp", "forwarder")
FOREIGN = re.compile(r"grpc|google::protobuf|sqlite3_|SQLite::|nlohmann|prometheus|CLI::|"
                     r"boost::beast|portunus::(server|client|wire|proto)", re.IGNORECASE)


def archives(pattern="src/**/*.a"):
    return {path.stem.removeprefix("libportunus_"): path for path in BUILD.glob(pattern)}


def symbols(path, *options):
    out = subprocess.run(["nm", "-C", *options, str(path)], check=True, capture_output=True,
                         text=True).stdout
    return [line for line in out.splitlines() if line and not line.endswith(":")]


@pytest.mark.parametrize("name", ENGINE)
def test_an_archive_of_the_engine_references_nothing_foreign(name):
    path = archives()[f"dataplane_{name}"]
    found = symbols(path)
    assert any("portunus::dataplane" in line for line in found), "an empty archive proves nothing"
    assert [line for line in found if FOREIGN.search(line)] == []


def test_the_pattern_finds_what_it_looks_for():
    """The same look at libraries that do use them, or the test above could be blind."""
    everything = archives()
    for name, word in (("server_store", "sqlite"), ("server_control", "grpc"),
                       ("client_agent", "grpc"), ("wire", "google::protobuf")):
        assert any(word in line.lower() for line in symbols(everything[name], "-u")
                   if FOREIGN.search(line)), f"{name} has no {word}"


def test_the_server_contains_no_engine_and_the_client_no_server():
    for program, foreign in (("portunus-server", "portunus::dataplane"),
                             ("portunus-server", "portunus::client"),
                             ("portunus-client", "portunus::server")):
        found = symbols(bin_dir() / program)
        assert len(found) > 1000
        assert [line for line in found if foreign in line] == []


def test_the_client_links_no_database_and_no_metrics():
    out = subprocess.run(["ldd", str(bin_dir() / "portunus-client")], check=True,
                         capture_output=True, text=True).stdout
    libraries = [pathlib.Path(line.split()[0]).name for line in out.splitlines()]
    assert any(name.startswith("libgrpc") for name in libraries)
    assert [name for name in libraries if re.search(r"sqlite|prometheus", name)] == []
