"""The text table of the Portal's bench, ratios first, and the files of a run."""

from ..report import absolute_lines, note_lines, table, write_files
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


def render(run):
    machine, results = run["machine"], run["measures"]
    lines = [f"portal bench {run['started']}  {run['rounds']} rounds of "
             f"{run['sizes']['seconds']} s  {machine['cores']} cores, {machine['processor']}, "
             f"Linux {machine['kernel']}, load {machine['load_average_before']:.1f}", ""]
    for subject in SUBJECTS:
        found = ratio_lines(results, subject)
        lines += [*found, ""] if found else []
    names = [name for name, entry in run["relays"].items() if entry["state"] == "measured"]
    lines += [*absolute_lines(_measured(results), results, names), *note_lines(run, "relay")]
    return "\n".join(lines) + "\n"


def write(run, folder):
    """Writes portal-<UTC timestamp>.{json,txt} and their copies portal-latest.*; the text's path."""
    return write_files(run, render(run), folder, prefix="portal-")
