"""The harness as a program: real targets, real load tools, a stand-in for the product."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness import callgrind, session
from harness.errors import BenchError
from harness.setting import REPOSITORY

RUN = REPOSITORY / "bench" / "run.py"
BOUND = 120

needs_targets = pytest.mark.skipif(
    not all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
            for name in ("nginx", "iperf3")), reason="nginx or iperf3 is not installed")


@pytest.fixture
def binaries(tools, tmp_path):
    """The load tools and the stand-in under the product's names."""
    folder = tmp_path / "bin"
    shutil.copytree(tools, folder)
    stand_in = pathlib.Path(__file__).with_name("stand_in.py")
    for name in ("server", "client"):
        program = folder / f"portunus-{name}"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" {name} "$@"\n')
        program.chmod(0o755)
    return folder


def command(binaries, results, only, *options):
    return [sys.executable, RUN, "--quick", "--only", only, "--bin-dir", binaries,
            "--results", results, *options]


def members_of(marker):
    """Processes whose environment carries the marker."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


@needs_targets
def test_a_run_enrolls_pushes_and_measures(binaries, tmp_path):
    done = subprocess.run(
        command(binaries, tmp_path / "results", "direct,portunus,latency,memory,cpu",
                "--rounds", "1"), capture_output=True, text=True, timeout=BOUND)
    run = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert run["forwarders"] == {"direct": {"state": "measured"},
                                 "portunus": {"state": "measured"}}, done.stderr
    assert done.returncode == 0
    ratios = run["measures"]["rtt_p50"]["ratios"]["portunus"]
    assert ratios["direct"] > 0 and ratios["haproxy"] is None
    assert run["measures"]["memory_idle"]["summary"]["portunus"]["median"] > 0
    assert "portunus, ratio" in done.stdout


@needs_targets
def test_datagrams_are_counted_where_they_arrive(tools, tmp_path):
    done = subprocess.run(
        command(tools, tmp_path / "results", "direct,nginx,haproxy,udp_1200", "--rounds", "1"),
        capture_output=True, text=True, timeout=BOUND)
    run = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert run["failures"] == [] and done.returncode == 0, done.stderr
    assert run["forwarders"]["haproxy"]["reason"] == "carries none of the chosen loads"
    summaries = {name: result["summary"] for name, result in run["measures"].items()}
    assert summaries["udp_rate_1200"]["direct"]["median"] > 0
    assert summaries["udp_per_cpu_1200"]["nginx"]["median"] > 0
    assert summaries["udp_per_cpu_1200"]["direct"] is None


@needs_targets
def test_dispatch_by_server_name(binaries, tmp_path):
    done = subprocess.run(
        command(binaries, tmp_path / "results", "direct,nginx,portunus,sni", "--rounds", "1"),
        capture_output=True, text=True, timeout=BOUND)
    run = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert run["failures"] == [] and done.returncode == 0, done.stderr
    summary = run["measures"]["sni_p50"]["summary"]
    assert all(summary[name]["median"] > 0 for name in ("direct", "nginx", "portunus"))


@needs_targets
def test_missing_product_is_said_and_fails_the_run(tools, tmp_path):
    done = subprocess.run(
        command(tools, tmp_path / "results", "direct,portunus,latency", "--rounds", "1"),
        capture_output=True, text=True, timeout=BOUND)
    assert done.returncode == 1
    assert "portunus-server is not built: run `make build` first" in done.stdout
    assert "64-byte round trip p50" in done.stdout


@needs_targets
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_harness(binaries, tmp_path, number):
    marker = f"BENCH_TEST_MARKER={os.getpid()}-{number}"
    name, _, value = marker.partition("=")
    process = subprocess.Popen(
        command(binaries, tmp_path / "results", "direct,portunus,cpu,latency",
                "--rounds", "50"),
        env=os.environ | {name: value}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True)
    try:
        for line in process.stderr:
            if "rtt_p50" in line:
                break
        assert len(members_of(marker)) > 4
        process.send_signal(number)
        process.stderr.close()
        assert process.wait(timeout=30) != 0
        deadline = time.monotonic() + 10
        while members_of(marker) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert members_of(marker) == []
    finally:
        process.kill()
        process.wait()


def test_unknown_names_are_refused():
    done = subprocess.run([sys.executable, RUN, "--only", "haproxi"], capture_output=True,
                          text=True, timeout=BOUND)
    assert done.returncode == 1 and "unknown name haproxi" in done.stderr


def test_only_selects_forwarders_and_loads_apart():
    forwarders, loads = session.select(["latency", "haproxy", "direct"])
    assert forwarders == ("direct", "haproxy") and loads == ("latency",)
    assert session.select([]) == (session.forwarders.NAMES, session.loads.NAMES)
    with pytest.raises(BenchError):
        session.select(["nothing"])


THREADED = """
#include <thread>
int main() {
  volatile int sum = 0;
  for (int i = 0; i < 1'000'000; ++i) sum = sum + i;
  std::thread([&] { for (int i = 0; i < 100'000; ++i) sum = sum + i; }).join();
}
"""


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_callgrind_counts_the_workers_of_a_real_program(tools, tmp_path):
    program = tmp_path / "threaded"
    subprocess.run(["clang++-19", "-std=c++23", "-x", "c++", "-", "-o", program],
                   input=THREADED, text=True, check=True, timeout=BOUND)
    # Called without arguments it prints its usage and exits 2, which must not pass for work done.
    with session.supervised() as (scratch, children):
        with pytest.raises(BenchError, match="exited with 2"):
            callgrind.count(children, scratch, tools / "hold")
        # The main thread's loop alone is ten times as long.
        assert 100_000 < callgrind.count(children, scratch, program) < 2_000_000
        with pytest.raises(BenchError, match="no thread but its first"):
            callgrind.count(children, scratch, pathlib.Path("/bin/true"))
        with pytest.raises(BenchError, match="is not built"):
            callgrind.count(children, scratch, tmp_path / "absent")
