import json

from harness import report
from samples import make_run

VALUES = {"bulk_1": {"portunus": 12.0, "haproxy": 10.0, "direct": 24.0},
          "memory_idle": {"portunus": 900.0, "haproxy": 3400.0}}


def test_ratios_come_before_absolute_numbers():
    text = report.render(make_run(VALUES))
    assert text.index("portunus, ratio") < text.index("median (min-max)")
    line = next(line for line in text.splitlines() if line.startswith("bulk, 1 stream"))
    assert line.split()[3:] == ["1.20", "1.20", "0.50", "-", "higher"]


def test_a_measure_without_peers_has_no_row_of_ratios():
    text = report.render(make_run(VALUES | {"activate_rules": {"portunus": 200.0}}))
    ratios, _, absolute = text.partition("median (min-max)")
    assert "1000 rules" not in ratios and "1000 rules" in absolute


def test_goals_are_judged():
    lines = report.render(make_run(VALUES)).splitlines()
    assert any("to haproxy" in line and line.endswith("met") for line in lines)
    slow = report.render(make_run({"bulk_1": {"portunus": 9.0, "haproxy": 10.0}}))
    assert any(line.endswith("SHORT") for line in slow.splitlines())


def test_missing_forwarders_are_named_with_their_reason():
    text = report.render(make_run(VALUES, skipped=["iptables", "realm"]))
    assert "iptables: skipped: iptables is not here" in text
    assert "realm: skipped: realm is not here" in text


def test_without_us_the_others_are_compared():
    run = make_run({"bulk_1": {"haproxy": 10.0, "nginx": 8.0, "direct": 24.0}},
                   skipped=["portunus"])
    assert report.subjects(run) == ["haproxy", "nginx"]
    assert "portunus: skipped" in report.render(run)


def test_nothing_measured_still_renders():
    assert "portunus: skipped" in report.render(make_run({}, skipped=["portunus"]))


def test_failed_samples_are_listed():
    run = make_run(VALUES)
    run["failures"] = [{"load": "cpu", "forwarder": "nginx", "round": 2, "reason": "broke"}]
    assert "nginx, cpu, round 2: broke" in report.render(run)


def test_written_files(tmp_path):
    run = make_run(VALUES)
    path = report.write(run, tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "20300102T030405Z.json", "20300102T030405Z.txt", "latest.json", "latest.txt"]
    assert path.read_text() == report.render(run)
    assert json.loads((tmp_path / "latest.json").read_text()) == run


def test_a_partial_run_does_not_become_the_latest(tmp_path):
    report.write(make_run(VALUES), tmp_path, latest=False)
    assert not (tmp_path / "latest.json").exists()
