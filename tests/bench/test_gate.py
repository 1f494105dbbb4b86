import json

import pytest

import gate
from harness import callgrind, regression
from harness.errors import BenchError
from samples import make_run

BASE = {"bulk_1": {"direct": 24.0, "haproxy": 10.0, "portunus": 12.0},
        "cpu_per_gb": {"haproxy": 0.5, "portunus": 0.4},
        "rtt_p99": {"direct": 90.0, "haproxy": 150.0, "portunus": 120.0}}


def changed(measure, factor):
    values = {name: dict(by_forwarder) for name, by_forwarder in BASE.items()}
    values[measure]["portunus"] *= factor
    return make_run(values)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """judged(run, instructions) -> (exit code, FAIL lines) against the baselines of BASE."""
    for program in callgrind.PROGRAMS:
        (tmp_path / program).touch()
    baselines = tmp_path / "baselines"
    baselines.mkdir()
    (baselines / "ratios.json").write_text(json.dumps(regression.ratios_of(make_run(BASE))))
    (baselines / "instructions.json").write_text(json.dumps(
        dict.fromkeys(callgrind.PROGRAMS, 1_000_000)))

    def judge(run, capsys, instructions=1_000_000):
        monkeypatch.setattr(callgrind, "count", lambda *_: instructions)
        path = tmp_path / "run.json"
        path.write_text(json.dumps(run))
        code = gate.main(["--run", str(path), "--baselines", str(baselines),
                          "--bin-dir", str(tmp_path)])
        lines = capsys.readouterr().out.splitlines()
        return code, [line for line in lines if line.startswith("FAIL")]

    judge.baselines = baselines
    return judge


def test_the_same_run_passes(judged, capsys):
    assert judged(make_run(BASE), capsys) == (0, [])


def test_24_percent_less_throughput_passes(judged, capsys):
    assert judged(changed("bulk_1", 0.76), capsys) == (0, [])


def test_26_percent_less_throughput_fails_and_is_named(judged, capsys):
    code, lines = judged(changed("bulk_1", 0.74), capsys)
    assert code == 1
    assert [line.split(":")[0] for line in lines] == ["FAIL bulk_1, ratio to direct",
                                                      "FAIL bulk_1, ratio to haproxy"]
    assert "26.0% worse" in lines[0]


def test_24_percent_more_cpu_passes(judged, capsys):
    assert judged(changed("cpu_per_gb", 1.24), capsys) == (0, [])


def test_26_percent_more_cpu_fails(judged, capsys):
    code, lines = judged(changed("cpu_per_gb", 1.26), capsys)
    assert code == 1 and len(lines) == 1 and "cpu_per_gb, ratio to haproxy" in lines[0]


def test_better_is_never_a_failure(judged, capsys):
    assert judged(changed("bulk_1", 3), capsys) == (0, [])
    assert judged(changed("cpu_per_gb", 0.1), capsys) == (0, [])


def test_p99_does_not_fail_the_gate(judged, capsys):
    assert judged(changed("rtt_p99", 2), capsys) == (0, [])


def test_round_trips_are_gated_to_haproxy_only():
    run = make_run({"rtt_p50": {"direct": 20.0, "haproxy": 80.0, "portunus": 60.0}})
    assert regression.ratios_of(run) == {"rtt_p50": {"haproxy": 0.75}}


def test_only_loads_with_something_gated_are_run():
    assert gate.GATED == ("bulk_1", "bulk_8", "cpu", "http_keepalive", "http_close", "latency",
                          "memory")


def test_instruction_counts(judged, capsys):
    assert judged(make_run(BASE), capsys, 1_240_000) == (0, [])
    code, lines = judged(make_run(BASE), capsys, 1_260_000)
    assert code == 1
    assert [line.split(":")[0] for line in lines] == [
        "FAIL dataplane_tcp_fixed_work, instructions",
        "FAIL dataplane_udp_fixed_work, instructions"]


def test_a_missing_forwarder_fails_by_name(judged, capsys):
    values = {name: {key: value for key, value in by_forwarder.items() if key != "haproxy"}
              for name, by_forwarder in BASE.items()}
    code, lines = judged(make_run(values, skipped=["haproxy"]), capsys)
    assert code == 1 and lines == ["FAIL haproxy: haproxy is not here"]


def test_a_measure_that_is_gone_fails(judged, capsys):
    values = {name: by_forwarder for name, by_forwarder in BASE.items() if name != "bulk_1"}
    code, lines = judged(make_run(values), capsys)
    assert code == 1 and "bulk_1, ratio to direct: not measured" in lines[0]


def test_a_measure_without_a_baseline_fails(judged, capsys):
    values = BASE | {"http_close": {"direct": 2.0, "haproxy": 1.0, "portunus": 1.0}}
    code, lines = judged(make_run(values), capsys)
    assert code == 1 and lines == [
        "FAIL http_close: has no baseline, write it with gate.py --update"]


def test_missing_baselines_fail(judged, capsys):
    (judged.baselines / "ratios.json").unlink()
    code, lines = judged(make_run(BASE), capsys)
    assert code == 1 and "ratios.json is missing" in lines[0]


def test_a_missing_fixed_work_program_fails(judged, capsys, tmp_path, monkeypatch):
    (tmp_path / "dataplane_udp_fixed_work").unlink()
    real = callgrind.count
    path = tmp_path / "r.json"
    path.write_text(json.dumps(make_run(BASE)))
    monkeypatch.setattr(callgrind, "count", real)
    code = gate.main(["--run", str(path), "--baselines", str(judged.baselines),
                      "--bin-dir", str(tmp_path)])
    out = capsys.readouterr().out
    assert code == 1 and "dataplane_udp_fixed_work is not built" in out


def test_missing_binaries_fail_before_a_run_is_spent(judged, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(callgrind, "count", lambda *_: 1_000_000)
    code = gate.main(["--baselines", str(judged.baselines), "--bin-dir", str(tmp_path)])
    assert code == 1 and "portunus-server is not built" in capsys.readouterr().out


def test_a_suspect_is_measured_again_and_judged_on_that(judged, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(callgrind, "count", lambda *_: 1_000_000)
    asked = []

    def measured_twice(_options, rounds, only=None):
        asked.append(only)
        return runs.pop(0)

    monkeypatch.setattr(gate, "fresh_run", measured_twice)
    arguments = ["--baselines", str(judged.baselines), "--bin-dir", str(tmp_path)]
    bulk_only = {"bulk_1": BASE["bulk_1"]}
    runs = [changed("bulk_1", 0.5), make_run(bulk_only)]
    assert gate.main(arguments) == 0
    assert asked == [None, ["bulk_1"]]
    runs = [changed("bulk_1", 0.5), changed("bulk_1", 0.5)]
    assert gate.main(arguments) == 1


def test_update_writes_what_the_next_gate_reads(judged, capsys, tmp_path, monkeypatch):
    run = changed("bulk_1", 0.5)
    path = tmp_path / "new.json"
    path.write_text(json.dumps(run))
    monkeypatch.setattr(callgrind, "count", lambda *_: 2_000_000)
    assert gate.main(["--update", "--run", str(path), "--baselines", str(judged.baselines),
                      "--bin-dir", str(tmp_path)]) == 0
    assert judged(run, capsys, 2_000_000) == (0, [])


def test_update_refuses_a_run_without_us(judged, capsys, tmp_path, monkeypatch):
    path = tmp_path / "new.json"
    path.write_text(json.dumps(make_run({}, skipped=["portunus"])))
    monkeypatch.setattr(callgrind, "count", lambda *_: 1)
    before = (judged.baselines / "ratios.json").read_text()
    assert gate.main(["--update", "--run", str(path), "--baselines", str(judged.baselines),
                      "--bin-dir", str(tmp_path)]) == 1
    assert (judged.baselines / "ratios.json").read_text() == before


def test_exactly_25_percent_passes():
    assert regression.compare_counts({"p": 125}, {"p": 100}) == []
    assert regression.compare_ratios({"bulk_1": {"direct": 0.75}},
                                     {"bulk_1": {"direct": 1.0}}) == []


def test_callgrind_total():
    assert callgrind.parse_total("version: 1\nevents: Ir\nfn=a\n1 2\ntotals: 12345\n") == 12345
    assert callgrind.parse_total("events: Dr Ir\ntotals: 5 77\n") == 77
    with pytest.raises(BenchError):
        callgrind.parse_total("events: Ir\n")
