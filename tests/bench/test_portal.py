"""The Portal's bench: what it reads, what it divides, and a whole run with stand-ins."""

import json
import pathlib
import subprocess
import sys

import pytest

from harness.errors import BenchError
from harness.portal import loads, measures, relays, report, session
from harness.setting import REPOSITORY, Sizes

RUN = REPOSITORY / "bench" / "portal_run.py"


@pytest.fixture
def binaries(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    stand_in = pathlib.Path(__file__).with_name("portal_stand_in.py")
    for name, role in (("portunus-portal", "portal"), ("portal_load", "load")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" {role} "$@"\n')
        program.chmod(0o755)
    return folder


def run(binaries, results, only, *options):
    return subprocess.run(
        [sys.executable, RUN, "--quick", "--rounds", "1", "--only", only, "--bin-dir", binaries,
         "--results", results, *options], capture_output=True, text=True, timeout=120)


def test_answer_of_the_load_program():
    assert loads.parse_answer('{"bytes": 8, "seconds": 2}\n', "bytes", "seconds") == [8.0, 2.0]


@pytest.mark.parametrize("text", ["", "error: refused", '{"bytes": 8}', '{"bytes": "x"}', "[]",
                                  '{"bytes": 0, "seconds": 1}', '{"bytes": -1, "seconds": 1}'])
def test_answer_that_says_nothing_is_an_error(text):
    with pytest.raises(BenchError, match="portal_load"):
        loads.parse_answer(text, "bytes", "seconds")


def test_every_measure_of_a_load_has_a_meaning():
    assert {name for load in loads.LOADS for name in load.measures} == set(measures.BY_NAME)


def test_subjects_and_references_are_relays():
    named = set(measures.SUBJECTS) | {other for others in measures.SUBJECTS.values()
                                      for other in others}
    assert named <= set(relays.NAMES)


def test_ratios_are_medians_of_ours_by_medians_of_others():
    result = measures.evaluate({"bulk_up_1": {
        "portal_tls": [6.0, 12.0, 9.0], "haproxy": [10.0, 10.0, None], "portal_quic": [3.0],
        "direct": [None]}})["bulk_up_1"]
    assert result["ratios"]["portal_tls"] == {"haproxy": 0.9, "stunnel": None,
                                              "nowhere_tls": None, "direct": None}
    assert result["ratios"]["portal_quic"]["portal_tls"] == pytest.approx(1 / 3)
    assert result["summary"]["direct"] is None


def test_both_carriers_are_divided_by_haproxy_and_by_stunnel():
    for carrier in ("portal_tls", "portal_quic"):
        assert {"haproxy", "stunnel"} <= set(measures.SUBJECTS[carrier])


def test_a_full_run_takes_less_than_ten_minutes(monkeypatch):
    taken = {}
    monkeypatch.setattr(session.session, "compare",
                        lambda options, sizes, **rest: taken.update(rest, seconds=sizes.seconds))
    session.run(session.Options(5, Sizes.full(), pathlib.Path()))
    measured = sum(cls.takes(load) for load in taken["loads"] for cls in taken["classes"]
                   if not cls.name.startswith("nowhere"))
    # Each has a warm-up and a program to start.
    assert 5 * measured * (taken["seconds"] + 1) < 600


def test_only_selects_relays_and_loads_apart():
    assert session.select(["haproxy", "dials"]) == (("haproxy",), ("dials",))
    assert session.select([]) == (relays.NAMES, loads.NAMES)
    with pytest.raises(BenchError, match="unknown name nothing"):
        session.select(["nothing"])


def test_relays_without_datagrams_are_not_asked_for_packets():
    packets = next(load for load in loads.LOADS if load.kind == "packet")
    assert [cls.name for cls in relays.ALL if not cls.takes(packets)] == ["haproxy", "stunnel"]
    memory = next(load for load in loads.LOADS if load.needs_process)
    assert not relays.DirectRelay.takes(memory)


def test_a_whole_run(binaries, tmp_path):
    done = run(binaries, tmp_path / "results", "direct,portal_tls,portal_quic")
    found = json.loads((tmp_path / "results" / "portal-latest.json").read_text())
    assert found["failures"] == [] and done.returncode == 0, done.stderr
    assert found["measures"]["bulk_down_8"]["summary"]["portal_quic"]["median"] == 10.0
    assert found["measures"]["packets_64"]["summary"]["direct"]["median"] == 25000
    assert found["measures"]["dials"]["ratios"]["portal_tls"]["direct"] == 1.0
    assert found["measures"]["memory"]["summary"]["portal_tls"] is not None
    assert "portal_tls, ratio" in done.stdout and "bulk uplink, 1 flow" in done.stdout


def test_what_fails_is_said_and_the_rest_is_measured(binaries, tmp_path):
    (binaries / "portunus-portal").unlink()
    done = run(binaries, tmp_path / "results", "direct,portal_tls,dials")
    assert done.returncode == 1
    assert "portunus-portal is not built" in done.stdout
    assert "new connections" in done.stdout


def test_failed_load_is_a_note_of_its_round():
    entry = {"started": "2030-01-02T03:04:05Z", "rounds": 1, "isolated": True,
             "sizes": {"seconds": 1}, "relays": {"haproxy": {"state": "measured"}},
             "failures": [{"relay": "haproxy", "load": "dials", "round": 1, "reason": "refused"}],
             "machine": {"cores": 2, "processor": "cpu", "kernel": "6",
                         "load_average_before": 0.0},
             "measures": measures.evaluate({"dials": {"haproxy": [None]}})}
    assert "haproxy, dials, round 1: refused" in report.render(entry)


@pytest.mark.parametrize("cls", [relays.HaproxyTls, relays.Stunnel])
def test_real_relays_come_up(cls, binaries, tmp_path):
    """Their configuration is accepted by the versions that are installed."""
    done = run(binaries, tmp_path / "results", f"{cls.name},dials")
    if f"{cls.name}: skipped" in done.stdout:
        pytest.skip(f"{cls.name} is not installed")
    found = json.loads((tmp_path / "results" / "portal-latest.json").read_text())
    assert found["relays"][cls.name]["state"] == "measured", done.stdout
    assert "not through this one" in found["failures"][0]["reason"]
