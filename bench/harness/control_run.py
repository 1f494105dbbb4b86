"""One run against the control plane: more and more edges on one server, callers beside them."""

import dataclasses
import datetime
import os
import random
import time

from . import machine, session
from .callers import Callers, line
from .control_server import ControlServer
from .errors import BenchError
from .readiness import Ports
from .setting import Setting, cores, raise_descriptor_limit
from .swarm import Swarm, code_of, name_of

FIRST_PORT = 20_001
PROBE_PORT = 30_000
USER, PASSWORD = "bench-user", "correct horse battery"
PUSH_LIMIT_MS = 100
# Two cores are never both at 100 % while a test waits for answers between them.
FULL = 0.95


@dataclasses.dataclass(frozen=True)
class Sizes:
    steps: tuple  # edges
    rules_per_edge: int
    api_edges: int  # the step at which the API is measured
    window: int  # seconds of each measurement
    probes: int  # pushes per second in a window
    report_ms: int  # each edge's

    @staticmethod
    def full():
        return Sizes(steps=(500, 1000, 2000, 3000, 4000, 6000), rules_per_edge=10,
                     api_edges=1000, window=10, probes=20, report_ms=5000)

    @staticmethod
    def quick():
        return Sizes(steps=(50, 100), rules_per_edge=10, api_edges=100, window=2, probes=20, report_ms=1000)


def rule(edge, port):
    return line("POST", "/v1/rules", {"client": name_of(edge), "listen_port": port,
                                      "target_host": "127.0.0.1", "target_port": 9,
                                      "ack_timeout_secs": 30})


def times(measured):
    """Of a tool's answer what a reader wants, in ms."""
    return {"per_second": measured["per_second"], "p50_ms": measured["us_p50"] / 1000,
            "p99_ms": measured["us_p99"] / 1000, "max_ms": measured["us_max"] / 1000,
            "statuses": measured["statuses"], "broken": measured["broken"]}


class ControlRun:
    def __init__(self, setting, sizes):
        self._setting = setting
        self._sizes = sizes
        self._random = random.Random(1)
        self._server = ControlServer(setting)
        self._callers = Callers(setting, self._server.http, self._server.token)
        self._swarm = None
        self._rules = []  # ids
        self._edges = 0
        self.result = {"steps": []}

    def run(self):
        self.result["start_seconds_empty"] = self._server.start()
        self._server.api.request("POST", "/v1/users", {
            "user_id": USER, "display_name": "Bench", "initial_password": PASSWORD}, expect=201)
        self._enroll()
        self._swarm.start()
        self._memory = self._server.user_bytes()
        for edges in self._sizes.steps:
            step = self._grow(edges)
            self.result["steps"].append(step)
            session.progress(
                f"{edges} edges: push p99 {step['push']['p99_ms']:.1f} ms, "
                f"server {step['server_cpu']:.2f} and swarm {step['swarm_cpu']:.2f} cores")
            if edges == self._sizes.api_edges:
                self.result["api"] = self._api()
            if step["push"]["p99_ms"] >= PUSH_LIMIT_MS or step["full"]:
                break
        self.result["restart"] = self._restart()

    def _enroll(self):
        count = max(self._sizes.steps)
        session.progress(f"enrolling {count} edges")
        requests = [line("POST", "/v1/client-enrollments",
                         {"name": name_of(n), "address": "127.0.0.1"}) for n in range(count)]
        codes, answers = self._callers.all_once(requests, status=201, timeout=300)
        self._swarm = Swarm(self._setting, self._server,
                            [code_of(answer["uri"]) for answer in answers],
                            report_ms=self._sizes.report_ms)
        begin = time.monotonic()
        self._swarm.enroll()
        self.result["enrollment"] = {"codes_per_second": codes["per_second"],
                                     "redeemed_per_second": count / (time.monotonic() - begin)}

    def _grow(self, edges):
        """To so many edges, each with its rules; then a quiet window with some pushes in it."""
        before, self._edges = self._edges, edges
        begin = time.monotonic()
        self._swarm.hold(edges)
        self._swarm.wait_replayed(edges, timeout=120)
        step = {"edges": edges, "connects_per_second": (edges - before) /
                (time.monotonic() - begin)}
        sessions = self._server.user_bytes()
        requests = [rule(edge, FIRST_PORT + i) for i in range(self._sizes.rules_per_edge)
                    for edge in range(before, edges)]
        pushed, answers = self._callers.all_once(requests, status=201, connections=16,
                                                 timeout=600)
        self._rules += [answer["rule_id"] for answer in answers]
        step["bulk_push"] = times(pushed)
        # A whole interval, so that every edge has reported all its rules.
        time.sleep(1.2 * self._sizes.report_ms / 1000)
        full = self._server.user_bytes()
        step |= {"rules": len(self._rules), "server_bytes": full,
                 "bytes_per_edge": (sessions - self._memory) / (edges - before),
                 "bytes_per_rule": (full - sessions) / len(requests)}
        self._memory = full
        return step | self._window()

    def _probes(self, count):
        """Pushes to edges at random, and how to take them back."""
        edges = self._random.sample(range(self._edges), min(count, self._edges))
        return [rule(edge, PROBE_PORT) for edge in edges]

    def _take_back(self, answers):
        ids = [answer["rule_id"] for answer in answers if answer is not None]
        taken, _ = self._callers.all_once(
            [line("DELETE", f"/v1/rules/{number}") for number in ids], status=204)
        return taken

    def _window(self):
        server, swarm = self._server.cpu_seconds(), self._swarm.status()
        threads = self._server.cpu_by_thread()
        begin = time.monotonic()
        pushed, answers = self._callers.once(
            self._probes(self._sizes.window * self._sizes.probes), connections=32,
            rate=self._sizes.probes)
        # Few edges are probed quickly, and then reports alone are waited for.
        time.sleep(max(0, begin + self._sizes.window - time.monotonic()))
        seconds = time.monotonic() - begin
        server, after = self._server.cpu_seconds() - server, self._swarm.status()
        threads = {name: (used - threads.get(name, 0)) / seconds
                   for name, used in self._server.cpu_by_thread().items()}
        self._take_back(answers)
        span = (after["at_ms"] - swarm["at_ms"]) / 1000
        swarm_cpu = (after["cpu_seconds"] - swarm["cpu_seconds"]) / span
        rows = self._swarm.history(swarm["at_ms"])
        return {"push": times(pushed), "server_cpu": server / seconds, "threads": threads,
                "swarm_cpu": swarm_cpu,
                "reports_per_second": (after["reports"] - swarm["reports"]) / span,
                "lost": after["lost"] - swarm["lost"],
                # How late the edges themselves were: what the server is not to blame for.
                "edge_answer_p99_ms": max(row["answer_us_p99"] for row in rows) / 1000,
                "edge_late_p99_ms": max(row["late_us_p99"] for row in rows) / 1000,
                "full": server / seconds + swarm_cpu >= FULL * self._setting.cores}

    def _api(self):
        """Callers of each kind alone, then calls with and without logins beside them."""
        session.progress(f"operator API with {len(self._rules)} rules")
        window = self._sizes.window
        stats = [line("GET", f"/v1/rules/{number}/stats")
                 for number in self._random.sample(self._rules, min(1000, len(self._rules)))]
        login = [line("POST", "/v1/auth/login", {"user_id": USER, "password": PASSWORD})]
        result = {"rules": len(self._rules)}
        whole = self._callers.loop([line("GET", "/v1/rules")], seconds=window, connections=2)
        result["list_all"] = times(whole) | {
            "bytes": whole["bytes"] // max(1, sum(whole["statuses"].values()))}
        result["list_of_client"] = times(self._callers.loop(
            [line("GET", f"/v1/rules?client={name_of(n)}") for n in range(self._edges)],
            seconds=window))
        result["stats"] = times(self._callers.loop(stats, seconds=window))
        result["metrics"] = times(self._callers.loop([line("GET", "/v1/metrics")],
                                                     seconds=window, connections=1))
        pushed, answers = self._callers.all_once(self._probes(500), status=201)
        result["push"] = times(pushed)
        result["delete"] = times(self._take_back(answers))
        result["stats_quiet"] = times(self._callers.loop(stats, seconds=window, rate=100))
        with self._callers.beside(login, seconds=window + 1, connections=8) as storm:
            time.sleep(0.5)
            result["stats_beside_logins"] = times(
                self._callers.loop(stats, seconds=window, rate=100))
        result["logins"] = times(storm)
        return result

    def _restart(self):
        """An orderly stop and a start at once; every edge comes back by itself."""
        session.progress(f"restart with {self._edges} edges and {len(self._rules)} rules")
        # The edges have taken back the probes, too.
        self._swarm.wait_rules(len(self._rules), timeout=20)
        before = self._swarm.status()
        result = {"edges": self._edges, "rules": before["rules"],
                  "stop_seconds": self._server.stop()}
        begin = time.time()
        result["start_seconds"] = self._server.start()
        status = self._swarm.wait_replayed(self._edges, timeout=180,
                                           sessions=before["sessions"] + self._edges)
        if status["rules"] != before["rules"]:
            raise BenchError(f"{before['rules']} rules before the restart, {status['rules']} "
                             "after it")
        result["replayed_seconds"] = (status["last_replayed_ms"] / 1000 - begin
                                      - result["start_seconds"])
        result["refused_attempts"] = status["refused"] - before["refused"]
        result["cpu_seconds"] = self._server.cpu_seconds()
        result["threads"] = self._server.cpu_by_thread()
        result["server_bytes"] = self._server.user_bytes()
        return result


def run(sizes, bin_dir):
    """Runs it; returns what control_report.py writes."""
    started = datetime.datetime.now(datetime.timezone.utc)
    raise_descriptor_limit()
    load_before = os.getloadavg()[0]
    with session.supervised() as (scratch, children):
        isolated = session.isolate()
        setting = Setting(bin_dir=bin_dir.resolve(), scratch=scratch, children=children,
                          cores=cores(), isolated=isolated, ports=Ports(), sizes=None, routes=())
        control = ControlRun(setting, sizes)
        control.run()
        return {"started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "sizes": dataclasses.asdict(sizes), "isolated": isolated,
                "machine": machine.describe(children) | {"load_average_before": load_before},
                **control.result}
