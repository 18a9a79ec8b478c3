"""``zscape sweep``: many trainings that answer one question."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from zscape.cli.compare import marked
from zscape.cli.options import flag, replacing
from zscape.cli.output import (
    FIGURES,
    TABLES,
    Outs,
    check_outs,
    format_table,
    save_figure,
    show_table,
    write_outs,
)
from zscape.config import CONFIGS, Config, check_heeded

if TYPE_CHECKING:
    from zscape.sweeping import Sweep

RUN = "run"
UNSEEN = ("devices", "num_nodes", "strategy")
"""Options that have one value in a sweep."""


class _RunByDefault(TyperGroup):
    """``zscape sweep --data mnist`` means ``zscape sweep run --data mnist``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See the base class."""
        if args and args[0].startswith("-") and args[0] != "--help":
            args = [RUN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    help="Many trainings that answer one question: which options, and how sure is that.\n\n"
    "`zscape sweep --latent-dim 2,5,10 --seeds 3 --out runs/sweep` is short for "
    "`zscape sweep run --latent-dim …`; `zscape sweep run --help` lists its options.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a sweep.", show_default=False)]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where trials are trained: on this machine, or on a Ray cluster."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Trials side by side, each with its share of threads (by default as many as there "
        "are cores, or GPUs); 0 is one after the other in this process.",
        min=0,
    ),
]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster, host:port or auto; one is started here by default."),
]
Asha = Annotated[bool, typer.Option("--asha", help="With Ray: stop early what falls behind.")]
GpusPerTrial = Annotated[
    float | None, typer.Option(help="Of a GPU, for each trial: 0.5 lets two share one.", max=1.0)
]


def _swept_flag(config: type[Config], field: dataclasses.Field[Any]) -> Any:
    """The flag of an option that takes text: values, or a range."""
    default = "" if field.default in (None, False) else f" (default {field.default})"
    choices = field.metadata["choices"]
    option = typer.Option(
        help=field.metadata["help"] + default, show_default=False,
        metavar=f"[{'|'.join(choices)}]" if choices else "VALUES",
        rich_help_panel=config.__name__.removesuffix("Config"),
    )  # fmt: skip
    return flag(field.name, Annotated[str | None, option], None)


def _typed(**options: str | None) -> dict[str, str]:
    known = {name: value for name, value in options.items() if value is not None}
    check_heeded(known, lambda name: f"--{name.replace('_', '-')}")
    return known


SWEPT = [
    _swept_flag(config, field)
    for config in CONFIGS.values()
    for field in dataclasses.fields(config)  # type: ignore[arg-type]
    if field.metadata["is_flag"] and field.name not in UNSEEN
]


@app.command(RUN)
@replacing("options", SWEPT, _typed)
def run(
    out: Annotated[Path, typer.Option(help="Folder of the sweep.", show_default=False)],
    options: dict[str, str],
    seeds: Annotated[
        int, typer.Option(help="Train each configuration under so many seeds.", min=1)
    ] = 1,
    search: Annotated[
        Literal["grid", "random", "optuna"],
        typer.Option(help="Every value with every other; some at random; or where Optuna hopes."),
    ] = "grid",
    trials: Annotated[
        int | None, typer.Option(help="Configurations that random and optuna try.", min=1)
    ] = None,
    by: Annotated[
        Literal["elbo", "reconstruction", "bits_per_dim", "loss", "linear", "neighbours"],
        typer.Option(help="What the best is the best by."),
    ] = "elbo",
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="How well the class is told, too.")
    ] = True,
    engine: Engine = "local",
    workers: Workers = None,
    gpus_per_trial: GpusPerTrial = None,
    address: Address = None,
    asha: Asha = False,
    at_most: Annotated[
        int, typer.Option(help="Do not begin more trials than this unasked.", min=1)
    ] = 1_000,
    search_seed: Annotated[int, typer.Option(help="Of what is drawn.", min=0)] = 0,
) -> None:
    """Train a model for every configuration that is asked for, and measure all alike.

    An option takes several values with commas between (2,5,10), or a range to draw from with
    --search random or optuna: 1e-3..1e-1, 1e-3..1e-1:log, 2..32 (whole numbers for an option that
    is whole, or with :int). The same command again goes on where it was stopped, killed or not,
    and trains nothing twice. Ctrl-C lets every trial finish its step and save.
    """
    from zscape import sweeping
    from zscape.sweeping.run import TooMany

    told: dict[str, Any] = {
        "out": out, "seeds": seeds, "search": search, "trials": trials, "by": by,
        "probes": probes, "engine": engine, "workers": workers, "gpus_per_trial": gpus_per_trial,
        "address": address, "asha": asha, "search_seed": search_seed, **options,
    }  # fmt: skip
    try:
        found = sweeping.sweep(told.pop("data", "mnist"), at_most=at_most, **told)
    except TooMany as many:
        if not _is_asked():
            raise
        typer.confirm(f"That is {many.n:,} trials. Begin?", abort=True, err=True)
        found = sweeping.sweep(options.get("data", "mnist"), at_most=many.n, **told)
    _report(found)


def _is_asked() -> bool:
    """Whether there is a terminal to ask at."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


@app.command()
def resume(
    folder: Folder, engine: Engine = "local", workers: Workers = None,
    gpus_per_trial: GpusPerTrial = None, address: Address = None, asha: Asha = False,
) -> None:  # fmt: skip
    """Go on with a sweep that was stopped, with all that it was told."""
    from zscape import sweeping

    _report(sweeping.resume_sweep(folder, engine=engine, workers=workers,
                                  gpus_per_trial=gpus_per_trial, address=address,
                                  asha=asha))  # fmt: skip


@app.command()
def status(folder: Folder) -> None:
    """Print how many trials are done, which run, and what went wrong; also while it runs."""
    from zscape.sweeping import Sweep

    found = Sweep.open(folder)
    states = ", ".join(f"{n} {state}" for state, n in found.counts.items() if n)
    print(f"{len(found.trials)} trials: {states}.{' A process works on it.' * found.is_running}")
    for trial, outcome, state in zip(found.trials, found.outcomes, found.statuses, strict=True):
        if state != "waiting":
            why = f": {outcome.why}" if outcome is not None and outcome.why else ""
            what = f"{found.describe(trial.name)}, seed {trial.config.train.seed}"
            print(f"{trial.name}  {state:<8}  {what}{why}")


@app.command()
def show(
    folder: Folder,
    outs: Outs = None,
    pareto: Annotated[
        Path | None,
        typer.Option(help="Also draw reconstruction against KL, and what no other beats in both."),
    ] = None,
) -> None:
    """Print what the finished trials say: the best first, the mean over seeds, ± their spread.

    .csv, .json and .parquet have a row for every trial, .md the printed table; .png and .svg show
    what was measured against each option; .html is one page of all that.
    """
    from zscape import figures
    from zscape.sweeping import Sweep
    from zscape.sweeping.page import draw_sweep

    written = check_outs(outs, (*TABLES, *FIGURES, ".html"))
    check_outs([pareto] if pareto else [], FIGURES)
    found = Sweep.open(folder)
    done = found.finished()
    with figures.unshown():
        if written:
            others = {
                ".md": lambda: _markdown(found), ".html": lambda: draw_sweep(found).encode()
            }  # fmt: skip
            write_outs(
                written, figure=lambda: figures.plot_swept(done, found.swept), table=found.frame,
                others=others,
            )  # fmt: skip
        if pareto:
            save_figure(figures.plot_pareto(done, found.swept), pareto)
    if not written:
        _print_table(found)


@app.command()
def best(folder: Folder) -> None:
    """Print the run folder of the best trial: zscape explore "$(zscape sweep best runs/sweep)"."""
    from zscape.sweeping import Sweep

    print(Sweep.open(folder).best.folder)


def _markdown(found: Sweep) -> bytes:
    how = found.finished()["how"].iloc[0]
    told = f"{found.verdict()} {how}. ± is {found.plus_minus}.\n\n"
    return told.encode() + format_table(marked(found.shown(), found.best_rows(), "**{}**"), ".md")


def _print_table(found: Sweep) -> None:
    show_table(marked(found.shown(), found.best_rows(), "{} *"), with_index=False)
    print(f"± is {found.plus_minus}; * the best of its column, as far as these images can tell")
    print(found.verdict())


def _report(found: Sweep) -> None:
    """Say how a sweep ended, and what can be done next.

    Raises
    ------
    typer.Exit
        With 128 and the number of the signal, if one stopped it; with 1 if a trial failed.
    """
    folder, counts = shlex.quote(str(found.folder)), found.counts
    if found.stopped_by is not None:
        print(f"Stopped and saved, {counts['finished']} of {len(found.trials)} trials finished. "
              f"Go on with: zscape sweep resume {folder}")  # fmt: skip
        raise typer.Exit(128 + found.stopped_by)
    if counts["finished"]:
        _print_table(found)
        print(f"The answer on one page: {found.write_page()}")
        print(f'The best: zscape explore "$(zscape sweep best {folder})"')
    if counts["diverged"] or counts["failed"]:
        print(f"{counts['diverged']} trials diverged and {counts['failed']} failed: "
              f"zscape sweep status {folder}")  # fmt: skip
    if counts["failed"]:
        raise typer.Exit(1)
