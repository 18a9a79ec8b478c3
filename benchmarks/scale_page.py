"""``scale.json`` as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.tables import table

STEPS = {
    "listed": "the order of an epoch, listed", "computed": "the order of an epoch, computed",
    "parquet": "latents of 10 neurons into Parquet, in parts",
    "in memory": "the same as a table in memory", "pca": "PCA of all",
    "tiles": "tiles of where they lie, 5 levels",
}  # fmt: skip


def as_markdown(found: dict[str, Any]) -> str:
    """One section per part that has been measured."""
    loads = [one["load"] for part in SECTIONS for one in found.get(part, {}).values()
             if "load" in one]  # fmt: skip
    lines = [
        "# Ten million images",
        "",
        f"Made by `python -m benchmarks scale` on {found['machine']}; a process for every "
        f"measurement, one at a time. Other processes ran beside some of them: the load before is "
        f"{min(loads, default=0):.1f} to {max(loads, default=0):.1f}, and in `scale.json` with "
        f"each.",
    ]
    for name, section in SECTIONS.items():
        if found.get(name):
            lines += ["", *section(list(found[name].values()))]
    return "\n".join(lines) + "\n"


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def neighbours(rows: list[dict[str, Any]]) -> list[str]:
    """A table for each number of points and dimensions."""
    lines = ["## Nearest neighbours", ""]
    lines += [
        "Seconds of all processors to build, and to build and find the 15 or 90 nearest others of "
        "every point (reckoned from 10,000 of them), and by the clock. Recall is over "
        "1,000, against all pairs. Memory is what the process took beyond the points and torch.",
    ]
    for n, dim in dict.fromkeys((one["n"], one["dim"]) for one in rows):
        own = [one for one in rows if (one["n"], one["dim"]) == (n, dim)]
        measured = [one for one in own if "why_not" not in one]
        lines += ["", f"### {n:,} points, {dim} dimensions", ""]
        if measured:
            lines += table(
                ("", "built", "all, 15", "all, 90", "all, 90, wall", "recall, 15", "recall, 90",
                 "memory, MB", "load"),
                [
                    (f"{one['library']} {one['version']}", *(_seconds(one[key]) for key in
                     ("build_cpu_s", "all_15_cpu_s", "all_90_cpu_s", "all_90_s")),
                     f"{one['recall_15']:.3f}", f"{one['recall_90']:.3f}",
                     f"{one['memory_mb']:,.0f}", f"{one['load']:.1f}")
                    for one in measured
                ],
            )  # fmt: skip
        rest = [f"{one['library']} ({one['why_not']})" for one in own if "why_not" in one]
        if rest:
            lines += ["", f"Not measured: {', '.join(rest)}."]
    return lines


def fit(rows: list[dict[str, Any]]) -> list[str]:
    """What a map of a sample takes."""
    measured = [one for one in rows if "why_not" not in one]
    return [
        "## Maps of a sample",
        "",
        *table(("map", "fitted on", "CPU seconds", "seconds", "memory, MB", "load"),
               [(one["method"], f"{one['fit_on']:,}", _seconds(one["cpu_s"]),
                 _seconds(one["seconds"]),
                 f"{one['memory_mb']:,.0f}", f"{one['load']:.1f}") for one in measured]),
    ]  # fmt: skip


def place(rows: list[dict[str, Any]]) -> list[str]:
    """What placing the others takes, and how good both are."""
    measured = [one for one in rows if "why_not" not in one]
    rest = [f"{one['method']} of {one['fit_on']:,}, {one['n']:,} ({one['why_not']})"
            for one in rows if "why_not" in one]  # fmt: skip
    return [
        "## All others placed by it",
        "",
        *table(("map", "fitted on", "placed", "CPU seconds", "seconds", "memory, MB",
                "trustworthiness, fitted",
                "placed", "label accuracy, fitted", "placed", "of the latents", "load"),
               [(one["method"], f"{one['fit_on']:,}", f"{one['n']:,}", _seconds(one["cpu_s"]),
                 _seconds(one["seconds"]), f"{one['memory_mb']:,.0f}",
                 f"{one['trustworthiness_fitted']:.3f}",
                 f"{one['trustworthiness_placed']:.3f}", f"{one['label_accuracy_fitted']:.3f}",
                 f"{one['label_accuracy_placed']:.3f}", f"{one['label_accuracy_z']:.3f}",
                 f"{one['load']:.1f}") for one in measured]),
        "",
        "10,000 at a time. Trustworthiness and the vote of the 15 nearest on the map are of 2,000 "
        "points, among all that were fitted, and among 60,000 of the placed.",
        *(["", f"Not measured: {', '.join(rest)}."] if rest else []),
    ]  # fmt: skip


def steps(rows: list[dict[str, Any]]) -> list[str]:
    """The other steps."""
    measured = [one for one in rows if "why_not" not in one]
    rest = [f"{STEPS[one['step']]}, {one['n']:,} ({one['why_not']})"
            for one in rows if "why_not" in one]  # fmt: skip
    return [
        "## The other steps",
        "",
        *table(("step", "images", "CPU seconds", "seconds", "memory, MB", "MB kept", "load"),
               [(STEPS[one["step"]], f"{one['n']:,}", _seconds(one["cpu_s"]),
                 _seconds(one["seconds"]), f"{one['memory_mb']:,.0f}",
                 f"{one['bytes'] / 1e6:,.1f}", f"{one['load']:.1f}")
                for one in measured]),
        *(["", f"Not measured: {', '.join(rest)}."] if rest else []),
    ]  # fmt: skip


SECTIONS: dict[str, Callable[[list[dict[str, Any]]], list[str]]] = {
    "neighbours": neighbours, "fit": fit, "place": place, "steps": steps,
}  # fmt: skip
