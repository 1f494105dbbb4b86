"""The bench of the control plane: its arithmetic and its text, and, where the programs are built,
a run of a few edges against the real server."""

import http.server
import json
import pathlib
import subprocess
import sys
import threading
import types

import pytest

import control
from harness import callers, control_report, swarm
from harness.callers import Callers
from harness.children import Children
from harness.control_run import Sizes
from harness.errors import BenchError
from harness.setting import REPOSITORY

BINARIES = REPOSITORY / "build" / "release" / "bin"

needs_programs = pytest.mark.skipif(
    not all((BINARIES / name).exists() for name in ("portunus-server", "edge_swarm", "api_load")),
    reason="the release build has not been made")


def times(p99=1.0, **other):
    return {"per_second": 100.0, "p50_ms": 0.5, "p99_ms": p99, "max_ms": 9.0,
            "statuses": {"200": 10}, "broken": 0} | other


def step(edges, p99, **other):
    return {"edges": edges, "rules": 10 * edges, "push": times(p99), "bulk_push": times(),
            "reports_per_second": edges / 5, "server_cpu": 0.5, "swarm_cpu": 0.5, "lost": 0,
            "edge_answer_p99_ms": 0.1, "edge_late_p99_ms": 0.2, "connects_per_second": 300.0,
            "bytes_per_edge": 65536, "bytes_per_rule": 2048, "server_bytes": 1,
            "full": False, "threads": {"portunus-server": 0.3, "store-w": 0.1, "log": 0.001}} | other


def make_run(steps, **other):
    api = {name: times() for name, _ in control_report.CALLS}
    api |= {"rules": 10_000, "list_all": times(bytes=3 << 20), "stats_quiet": times(2.0),
            "stats_beside_logins": times(3.0), "logins": times(statuses={"200": 9, "429": 4})}
    return {"started": "2030-01-02T03:04:05Z", "isolated": True,
            "sizes": {"steps": [entry["edges"] for entry in steps]},
            "machine": {"cores": 2, "processor": "cpu", "kernel": "6", "load_average_before": 0.0},
            "start_seconds_empty": 0.1, "steps": steps, "api": api,
            "enrollment": {"codes_per_second": 900.0, "redeemed_per_second": 200.0},
            "restart": {"edges": 2000, "rules": 20_000, "stop_seconds": 0.5, "start_seconds": 0.3,
                        "replayed_seconds": 4.2, "refused_attempts": 7, "cpu_seconds": 5.0,
                        "server_bytes": 300 << 20, "threads": {"store-r": 2.5}}} | other


def test_the_code_is_found_in_an_enrollment_uri():
    uri = f"portunus://127.0.0.1:7443/enroll?pin=sha256:{'0' * 64}&code=abc-_D&cert=eA"
    assert swarm.code_of(uri) == "abc-_D"
    for broken in ("portunus://127.0.0.1:7443/enroll?pin=x", "?code=a&code=b"):
        with pytest.raises(BenchError):
            swarm.code_of(broken)


def test_a_status_counts_when_its_line_is_whole():
    assert swarm.last_status("") is None
    assert swarm.last_status('{"connected":1') is None
    assert swarm.last_status('{"connected":1}\n{"connected":2}\n{"conn') == {"connected": 2}


def test_what_was_replayed_before_a_restart_is_not_what_is_waited_for(monkeypatch):
    class Alive:
        def check_alive(self):
            pass

    old = {"connected": 2, "replayed": 2, "sessions": 2}
    statuses = [old, {"connected": 1, "replayed": 0, "sessions": 3}, old | {"sessions": 4}]
    edges = swarm.Swarm.__new__(swarm.Swarm)
    edges.child, edges._server = Alive(), types.SimpleNamespace(child=Alive())
    monkeypatch.setattr(edges, "status", lambda: statuses.pop(0))
    assert edges.wait_replayed(2, timeout=10, sessions=4)["sessions"] == 4


def test_a_request_is_one_line():
    assert callers.line("GET", "/v1/rules") == "GET /v1/rules"
    assert callers.line("POST", "/v1/x", {"a": "b c", "n": 1}) == 'POST /v1/x {"a":"b c","n":1}'


def test_only_quick_pushes_count_for_the_goal():
    assert control_report.good_edges(make_run([step(1000, 20), step(2000, 99), step(3000, 101)])
                                     ) == 2000
    assert control_report.good_edges(make_run([step(1000, 100)])) == 0
    broken = step(2000, 5)
    broken["push"]["broken"] = 1
    assert control_report.good_edges(make_run([step(500, 5), broken])) == 500


@pytest.mark.parametrize("steps, verdict", [
    ([step(2000, 50)], "met"), ([step(1000, 50), step(2000, 150)], "SHORT"),
    ([step(500, 50)], "not tried further")])
def test_the_goal_says_whether_it_is_met(steps, verdict):
    line = next(line for line in control_report.render(make_run(steps)).splitlines()
                if line.startswith("edges with push"))
    assert line.endswith(verdict)


def test_the_text_has_every_part():
    text = control_report.render(make_run([step(500, 5.25), step(2000, 50)]))
    assert "ratio 1.50" in text and "refused: 4 × 429" in text
    assert "everything replayed 4.20 s later" in text and "300 MiB" in text
    assert "at the last step: portunus-server 0.30, store-w 0.10\n" in text
    assert "(store-r 2.50)" in text
    row = next(line for line in text.splitlines() if line.startswith("2000 "))
    assert row.split()[1:5] == ["20000", "400", "0.5", "50.0"]
    assert "64.0" in row and "2.00" in row


def test_a_run_without_the_api_has_a_text_too():
    run = make_run([step(50, 5)])
    del run["api"]
    assert "operator API" not in control_report.render(run)


def test_its_files_stand_beside_those_of_the_other_bench(tmp_path):
    path = control_report.write(make_run([step(50, 5)]), tmp_path)
    assert path.name == "control-20300102T030405Z.txt"
    assert json.loads((tmp_path / "control-latest.json").read_text())["api"]["rules"] == 10_000


def test_steps_ascend_and_the_api_is_measured_at_one_of_them():
    assert control.sizes_of(control.parse(["--steps", "5,10"])).api_edges == 10
    assert control.sizes_of(control.parse(["--steps", "5,10", "--api-at", "5"])).api_edges == 5
    assert control.sizes_of(control.parse([])) == Sizes.full()
    assert control.sizes_of(control.parse(["--window", "5"])).window == 5
    for text in ("", "10,5", "5,5", "0,5", "a", "5,20001"):
        with pytest.raises(SystemExit):
            control.parse(["--steps", text])
    with pytest.raises(SystemExit):
        control.parse(["--window", "61"])


class Setting:
    def __init__(self, scratch):
        self.scratch = scratch
        self.children = Children(scratch)

    def tool(self, name):
        return BINARIES / name


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"path": self.path, "who": self.headers["Authorization"]}).encode()
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def api(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Callers(Setting(tmp_path), server.server_address[1], "secret")
        finally:
            server.shutdown()
            thread.join()


@needs_programs
def test_answers_come_in_the_order_of_the_requests(api):
    requests = [callers.line("GET", f"/{n}") for n in range(50)]
    requests.insert(7, callers.line("GET", "/busy"))
    measured, answers = api.once(requests, connections=4)
    assert measured["statuses"] == {"200": 50, "503": 1} and measured["broken"] == 0
    assert measured["good"] == 50 and measured["us_p50"] <= measured["us_p99"]
    assert answers.pop(7) is None
    assert answers == [{"path": f"/{n}", "who": "Bearer secret"} for n in range(50)]
    with pytest.raises(BenchError, match="503"):
        api.all_once(requests, status=200)
    body = {"a": "b c"}
    assert api.all_once([callers.line("POST", "/x", body)], status=201)[1] == [body]


@needs_programs
def test_a_rate_is_kept_and_a_loop_ends_in_time(api):
    measured = api.loop([callers.line("GET", "/a"), callers.line("GET", "/b")], seconds=1, rate=50)
    assert measured["statuses"] == {"200": 50}
    assert 0.9 < measured["seconds"] < 5


@needs_programs
def test_connections_that_break_are_counted_and_not_waited_for(tmp_path):
    setting = Setting(tmp_path)
    measured, answers = Callers(setting, 1, "secret").once([callers.line("GET", "/a")] * 3)
    assert measured["broken"] == 3 and answers == [None] * 3


@needs_programs
def test_a_few_edges_against_the_real_server(tmp_path):
    done = subprocess.run(
        [sys.executable, pathlib.Path(control.__file__), "--quick", "--steps", "3,6",
         "--results", tmp_path], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    run = json.loads((tmp_path / "control-latest.json").read_text())
    assert [entry["rules"] for entry in run["steps"]] == [30, 60]
    assert all(entry["reports_per_second"] > 0 and entry["lost"] == 0 and
               entry["push"]["statuses"].keys() == {"201"} for entry in run["steps"])
    assert run["api"]["logins"]["statuses"].get("200", 0) > 0
    assert run["restart"]["rules"] == 60 and run["restart"]["replayed_seconds"] < 30
    assert "control plane" in done.stdout
