"""The text of a run against the control plane, and its files."""

from .report import table, write_files
from .stats import ratio

GOAL_EDGES = 2000
GOAL_PUSH_MS = 100

CALLS = (("list_all", "list of all rules"), ("list_of_client", "list of one client's rules"),
         ("stats", "statistics of a rule"), ("metrics", "metrics of all rules"),
         ("push", "push"), ("delete", "delete"),
         ("logins", "login"))


def good_edges(run):
    """The most edges at which a push was still as quick as promised; 0 where none was."""
    return max((step["edges"] for step in run["steps"]
                if step["push"]["p99_ms"] < GOAL_PUSH_MS and not step["push"]["broken"]),
               default=0)


def _ms(value):
    return f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"


def _goal_lines(run):
    edges = good_edges(run)
    verdict = "met" if edges >= GOAL_EDGES else "SHORT"
    if edges < GOAL_EDGES and edges == max(run["sizes"]["steps"]):
        verdict = "not tried further"
    return table([["goal", "bound", "is", ""],
                  [f"edges with push p99 < {GOAL_PUSH_MS} ms", f">= {GOAL_EDGES}", str(edges),
                   verdict]])


def _step_lines(run):
    rows = [["edges", "rules", "reports/s", "push p50 ms", "p99 ms", "server cores",
             "swarm cores", "edge late p99 ms", "connects/s", "bulk push/s", "KiB/edge",
             "KiB/rule"]]
    for step in run["steps"]:
        rows.append([str(step["edges"]), str(step["rules"]),
                     f"{step['reports_per_second']:.0f}", _ms(step["push"]["p50_ms"]),
                     _ms(step["push"]["p99_ms"]), f"{step['server_cpu']:.2f}",
                     f"{step['swarm_cpu']:.2f}",
                     _ms(max(step["edge_answer_p99_ms"], step["edge_late_p99_ms"])),
                     f"{step['connects_per_second']:.0f}",
                     f"{step['bulk_push']['per_second']:.0f}",
                     f"{step['bytes_per_edge'] / 1024:.1f}",
                     f"{step['bytes_per_rule'] / 1024:.2f}"])
    return table(rows)


def _threads(used):
    """The threads that did something, the busiest first."""
    return ", ".join(f"{name} {value:.2f}" for name, value in
                     sorted(used.items(), key=lambda entry: -entry[1]) if value >= 0.005)


def _api_lines(api):
    rows = [[f"operator API, {api['rules']} rules", "per second", "p50 ms", "p99 ms", "max ms"]]
    for name, title in CALLS:
        entry = api[name]
        rows.append([title, f"{entry['per_second']:.1f}", _ms(entry["p50_ms"]),
                     _ms(entry["p99_ms"]), _ms(entry["max_ms"])])
    lines = table(rows)
    quiet, storm = api["stats_quiet"]["p99_ms"], api["stats_beside_logins"]["p99_ms"]
    times = ratio(storm, quiet)
    lines += ["", f"statistics at 100/s: p99 {_ms(quiet)} ms, beside logins {_ms(storm)} ms"
              + (f", ratio {times:.2f}" if times else ""),
              f"the list of all rules has {api['list_all']['bytes'] / 1024:.0f} KiB"]
    refused = {status: count for name, _ in CALLS
               for status, count in api[name]["statuses"].items() if not status.startswith("2")}
    if refused:
        lines.append("refused: " + ", ".join(f"{count} × {status}"
                                             for status, count in sorted(refused.items())))
    return lines


def _restart_lines(restart):
    return [f"restart with {restart['edges']} edges and {restart['rules']} rules: "
            f"stopped in {restart['stop_seconds']:.2f} s, listening after "
            f"{restart['start_seconds']:.2f} s, everything replayed "
            f"{restart['replayed_seconds']:.2f} s later",
            f"it took {restart['cpu_seconds']:.1f} s of CPU ({_threads(restart['threads'])}) and "
            f"{restart['refused_attempts']} attempts in vain; the server then holds "
            f"{restart['server_bytes'] / 2**20:.0f} MiB"]


def render(run):
    machine = run["machine"]
    lines = [f"control plane {run['started']}  {machine['cores']} cores, {machine['processor']}, "
             f"Linux {machine['kernel']}, load {machine['load_average_before']:.1f}", "",
             *_goal_lines(run), "", *_step_lines(run),
             f"cores by thread at the last step: {_threads(run['steps'][-1]['threads'])}", ""]
    if "api" in run:
        lines += [*_api_lines(run["api"]), ""]
    enrollment = run["enrollment"]
    lines += [f"enrollment: {enrollment['codes_per_second']:.0f} codes/s, "
              f"{enrollment['redeemed_per_second']:.0f} redeemed/s; an empty server listens "
              f"after {run['start_seconds_empty']:.2f} s"]
    if "restart" in run:
        lines += _restart_lines(run["restart"])
    if not run["isolated"]:
        lines += ["", "taken on the machine's own loopback, not in a network namespace"]
    return "\n".join(lines) + "\n"


def write(run, folder):
    """Writes control-<UTC timestamp>.{json,txt} and control-latest.*; returns the text's path."""
    return write_files(run, render(run), folder, prefix="control-")
