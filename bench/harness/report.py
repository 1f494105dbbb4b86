"""The text table, ratios first, and the files of a run."""

import json
import shutil

from .measures import BY_NAME, GOALS, MEASURES, REFERENCE_TITLES, REFERENCES, judge

SUBJECT = "portunus"


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def number(value):
    if abs(value) >= 10_000:
        return f"{value / 1000:.1f}k"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _measured(results):
    return [measure for measure in MEASURES if measure.name in results]


def subjects(run):
    """Whose ratios are shown: ours; without us, everybody's, so that a run still tells something."""
    measured = [name for name, entry in run["forwarders"].items()
                if entry["state"] == "measured" and name != "direct"]
    return [SUBJECT] if SUBJECT in measured else measured


def ratio_lines(results, subject):
    rows = [[f"{subject}, ratio", *REFERENCE_TITLES.values(), "better"]]
    for measure in _measured(results):
        ratios = results[measure.name]["ratios"].get(subject)
        if not ratios or all(value is None for value in ratios.values()):
            continue
        cells = [f"{ratios[name]:.2f}" if ratios.get(name) is not None else "-"
                 for name in REFERENCES]
        rows.append([measure.title, *cells, "higher" if measure.higher_is_better else "lower"])
    return table(rows)


def goal_lines(results):
    rows = [["goal", "bound", "is", ""]]
    for goal in GOALS:
        value, met = judge(goal, results, SUBJECT)
        if met is None:
            continue
        measure = BY_NAME[goal.measure]
        sign = ">=" if measure.higher_is_better else "<="
        title = f"{measure.title}, {REFERENCE_TITLES[goal.reference]}" if goal.reference else (
            f"{measure.title}, {measure.unit}")
        rows.append([title, f"{sign} {goal.bound:g}", number(value), "met" if met else "SHORT"])
    return table(rows) if len(rows) > 1 else []


def absolute_lines(measures, results, names):
    rows = [["median (min-max)", "unit", *names]]
    for measure in measures:
        summaries = results[measure.name]["summary"]
        cells = []
        for name in names:
            entry = summaries.get(name)
            cells.append(f"{number(entry['median'])} ({number(entry['min'])}-"
                         f"{number(entry['max'])})" if entry else "-")
        rows.append([measure.title, measure.unit, *cells])
    return table(rows)


def render(run):
    machine, results = run["machine"], run["measures"]
    lines = [f"bench {run['started']}  {run['rounds']} rounds of {run['sizes']['seconds']} s  "
             f"{machine['cores']} cores, {machine['processor']}, Linux {machine['kernel']}, "
             f"load {machine['load_average_before']:.1f}", ""]
    for subject in subjects(run):
        lines += [*ratio_lines(results, subject), ""]
    goals = goal_lines(results)
    if goals:
        lines += [*goals, ""]
    names = [name for name, entry in run["forwarders"].items() if entry["state"] == "measured"]
    lines += [*absolute_lines(_measured(results), results, names), *note_lines(run, "forwarder")]
    return "\n".join(lines) + "\n"


def note_lines(run, kind):
    """What was not measured, and under what the rest was; empty where there is nothing to say."""
    notes = [f"{name}: {entry['state']}: {entry['reason']}"
             for name, entry in run[f"{kind}s"].items() if entry["state"] != "measured"]
    notes += [f"{entry[kind]}, {entry['load']}, round {entry['round']}: {entry['reason']}"
              for entry in run["failures"]]
    if not run["isolated"]:
        notes.append("taken on the machine's own loopback, not in a network namespace")
    return ["", *notes] if notes else []


def write_files(run, text, folder, *, prefix="", latest=True):
    """Writes <prefix><UTC timestamp>.{json,txt} and their copies <prefix>latest.*; returns the
    text's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = prefix + run["started"].replace(":", "").replace("-", "")
    for suffix, content in (("json", json.dumps(run, indent=2) + "\n"), ("txt", text)):
        path = folder / f"{stem}.{suffix}"
        path.write_text(content, encoding="utf-8")
        if latest:
            shutil.copyfile(path, folder / f"{prefix}latest.{suffix}")
    return path


def write(run, folder, *, latest=True):
    return write_files(run, render(run), folder, latest=latest)
