"""The text table of the Portal's bench, ratios first, and the files of a run."""

import json
import shutil

from ..report import number, table
from .measures import MEASURES, SUBJECTS


def _measured(results):
    return [measure for measure in MEASURES if measure.name in results]


def ratio_lines(results, subject):
    others = SUBJECTS[subject]
    rows = [[f"{subject}, ratio", *(f"to {other}" for other in others), "better"]]
    for measure in _measured(results):
        ratios = results[measure.name]["ratios"].get(subject)
        if not ratios or all(value is None for value in ratios.values()):
            continue
        rows.append([measure.title, *(f"{ratios[other]:.2f}" if ratios[other] is not None else "-"
                                      for other in others),
                     "higher" if measure.higher_is_better else "lower"])
    return table(rows) if len(rows) > 1 else []


def absolute_lines(results, names):
    rows = [["median (min-max)", "unit", *names]]
    for measure in _measured(results):
        cells = []
        for name in names:
            entry = results[measure.name]["summary"].get(name)
            cells.append(f"{number(entry['median'])} ({number(entry['min'])}-"
                         f"{number(entry['max'])})" if entry else "-")
        rows.append([measure.title, measure.unit, *cells])
    return table(rows)


def render(run):
    machine, results = run["machine"], run["measures"]
    lines = [f"portal bench {run['started']}  {run['rounds']} rounds of "
             f"{run['sizes']['seconds']} s  {machine['cores']} cores, {machine['processor']}, "
             f"Linux {machine['kernel']}, load {machine['load_average_before']:.1f}", ""]
    for subject in SUBJECTS:
        found = ratio_lines(results, subject)
        lines += [*found, ""] if found else []
    names = [name for name, entry in run["relays"].items() if entry["state"] == "measured"]
    lines += absolute_lines(results, names)
    notes = [f"{name}: {entry['state']}: {entry['reason']}"
             for name, entry in run["relays"].items() if entry["state"] != "measured"]
    notes += [f"{entry['relay']}, {entry['load']}, round {entry['round']}: {entry['reason']}"
              for entry in run["failures"]]
    if not run["isolated"]:
        notes.append("taken on the machine's own loopback, not in a network namespace")
    return "\n".join(lines + (["", *notes] if notes else [])) + "\n"


def write(run, folder):
    """Writes portal-<UTC timestamp>.{json,txt} and their copies portal-latest.*; the text's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "portal-" + run["started"].replace(":", "").replace("-", "")
    for suffix, text in (("json", json.dumps(run, indent=2) + "\n"), ("txt", render(run))):
        path = folder / f"{stem}.{suffix}"
        path.write_text(text, encoding="utf-8")
        shutil.copyfile(path, folder / f"portal-latest.{suffix}")
    return path
