"""``zscape compare``: several models under one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zscape.cli.inputs import Seed, Split
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
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from zscape.evaluation import Comparison


def compare(
    models: Annotated[
        list[str], typer.Argument(help="Models, each as zscape info takes it; zoo:all for the zoo.")
    ],
    data: Annotated[
        str | None, typer.Option(help="Other images than the models' own, for all of them.")
    ] = None,
    split: Split = "test",
    samples: Annotated[
        int, typer.Option(help="Posterior samples of each image; see zscape evaluate.", min=1)
    ] = 1,
    binarize: Annotated[
        Literal["none", "threshold", "dynamic", "given"],
        typer.Option(help="What is done to the pixels; see zscape evaluate."),
    ] = "none",
    seed: Seed = 0,
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="How well the class is told, too.")
    ] = True,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Also draw an image of every class as each model makes it: PNG or SVG."),
    ] = None,
    outs: Outs = None,
) -> None:
    """Print what each model pays for the same images, measured alike, a row each.

    The best of a column is marked. .png and .svg show the measures against latent_dim and
    kld_weight, or model by model where other things differ; .html is one page of all that, and of
    the same pictures, walks and codes of each model side by side. Models that cannot be compared
    are refused.
    """
    from zscape import api, evaluation, figures

    written = check_outs(outs, (*TABLES, *FIGURES, ".html"))
    check_outs([pictures] if pictures else [], FIGURES)
    if len(models) == 1 and models != ["zoo:all"]:
        raise ConfigError(f"a comparison needs at least two models; got {models[0]} alone.")
    protocol = evaluation.Protocol(binarize, samples=samples, seed=seed)
    opened = api.open_models(models)
    with showing_progress() as show:
        found = api.measure_models(
            opened, data, protocol, split=split, probes=probes, progress=show
        )
    print(found.how)
    side = api.plot_models(opened, data, split=split) if pictures else None
    if written:
        write_outs(
            written, figure=lambda: figures.plot_comparison(found.frame()), table=found.table,
            others={
                ".md": lambda: markdown(found),
                ".html": lambda: api.comparison_page(found, opened, data, split=split).encode(),
            },
        )  # fmt: skip
    else:
        show_table(marked(found.shown(), found.best(), "{} *"), with_index=False)
        print(f"± is {found.plus_minus}; * the best of its column, as far as these images can tell")
    if pictures and side:
        save_figure(side, pictures)


def markdown(found: Comparison) -> bytes:
    """The table under its protocol."""
    told = f"{found.how}. ± is {found.plus_minus}.\n\n"
    return told.encode() + format_table(marked(found.shown(), found.best(), "**{}**"), ".md")


def marked(shown: pd.DataFrame, best: dict[str, int], pattern: str) -> pd.DataFrame:
    """A table as text, the best row of every measure inside ``pattern``."""
    for name, row in best.items():
        shown.loc[row, name] = pattern.format(shown.loc[row, name])
    return shown
