"""The answer of a sweep on one page."""

from __future__ import annotations

import shlex
from typing import Any

from zscape import figures
from zscape.api.opening import load
from zscape.data import showing
from zscape.errors import DataError, ZscapeError
from zscape.report import SideBySide
from zscape.report.page import Block, Code, Details, Plate, Section, Table, draw_page
from zscape.report.words import count, listing, sentence
from zscape.sweeping.folder import Sweep
from zscape.sweeping.trial import DIVERGED, FAILED, FINISHED, TRIALS
from zscape.words import number

MOST_DRAWN = 5
"""Configurations whose pictures are shown."""


def draw_sweep(sweep: Sweep, data: Any = None) -> str:
    """One self-contained page: which is best and how sure, what depends on what, all trials.

    Parameters
    ----------
    sweep
        Of which some trials have finished.
    data
        The images, if it was over an array from Python.

    Raises
    ------
    CheckpointError
        No trial has finished yet.
    """
    done = sweep.finished()
    what = listing(sweep.swept) if sweep.swept else "one configuration"
    n = done["seed"].nunique()
    with figures.unshown():
        return draw_page(
            f"A sweep over {what}",
            (_answer(sweep), *_depends(sweep), _images(sweep, data), _trials(sweep)),
            subtitle=sentence(f"{count(len(sweep.trials), 'trial')}, {count(n, 'seed')}; "
                              f"{done['how'].iloc[0]}."),
            stats=[(status, n) for status, n in sweep.counts.items() if n]
            + [("hours of training", number(done["seconds"].sum() / 3600))],
        )  # fmt: skip


def _answer(sweep: Sweep) -> Section:
    shown = sweep.shown()
    bold = {(row, shown.columns.get_loc(name)) for name, row in sweep.best_rows().items()}
    best = shlex.quote(str(sweep.best.folder))
    return Section("The answer", [
        f"{sweep.verdict()} The choice has seen the test images, so on new ones the best "
        "of many is a little worse than here.",
        Table(list(shown), shown.values.tolist(),
              f"A row for each configuration, the best first. In bold the best of a column; ± is "
              f"{sweep.plus_minus}. The trial is the first of its seeds.", bold),
        Code(f"zscape explore {best}\nzscape report {best} -o best.html"),
    ])  # fmt: skip


def _depends(sweep: Sweep) -> list[Section]:
    done = sweep.finished()
    try:
        plates = (figures.plot_swept(done, sweep.swept), figures.plot_pareto(done, sweep.swept))
    except DataError as error:
        return [Section("What it depends on", [sentence(str(error))])]
    return [
        Section("What it depends on", [
            Plate(plates[0], "A dot is a trial, a line joins the means over seeds of those that "
                  "differ in this option alone, and a bar reaches one standard deviation over "
                  "seeds to either side.", "What was measured against each option"),
        ]),
        Section("Pixels against code", [
            "What the pixels cost and what the code says are paid for by each other: whoever says "
            "more about an image draws it better. On the line is whatever no other beats in both.",
            Plate(plates[1], "A large dot is the mean over seeds, with their standard deviation, a "
                  "small one a trial.", "Reconstruction against KL"),
        ]),
    ]  # fmt: skip


def _images(sweep: Sweep, data: Any) -> Section:
    """The same images by the best trials of the best configurations, if the images are there."""
    blocks: list[Block] = []
    try:
        names = sweep.table()["trial"][:MOST_DRAWN]
        opened = [load(sweep.folder / TRIALS / name) for name in names]
        models = {sweep.describe(model.name): model.model for model in opened}
        with showing(opened[0].show_channels):
            beside = SideBySide(models, opened[0].images(data))
            caption = "The same test images, and what the first seed of each draws of them."
            blocks.append(Plate(beside.reconstructions(), caption))
    except ZscapeError as error:
        blocks.append(sentence(str(error)))
    return Section("The same images", blocks)


def _trials(sweep: Sweep) -> Section:
    rows = []
    for trial, outcome, status in zip(sweep.trials, sweep.outcomes, sweep.statuses, strict=True):
        value = outcome.measures.get(sweep.by) if outcome else None
        seconds = f"{outcome.seconds:.0f}" if outcome else "–"
        told = [sweep.shown_value(trial, name) for name in sweep.swept]
        rows.append([trial.name, *told, trial.config.train.seed, status,
                     "–" if value is None else number(value, 3), seconds])  # fmt: skip
    table = Table(["trial", *sweep.swept, "seed", "status", sweep.by, "seconds"], rows,
                  "Every trial; its run folder is trials/NAME.")  # fmt: skip
    bad = [f"{trial.name}: {outcome.why}"
           for trial, outcome in zip(sweep.trials, sweep.outcomes, strict=True)
           if outcome is not None and outcome.status in (DIVERGED, FAILED)]  # fmt: skip
    blocks: list[Block] = ["\n\n".join(bad)] if bad else []
    n = sweep.counts[FINISHED]
    return Section("All trials", [*blocks, Details(f"{count(n, 'finished trial')}", [table])])
