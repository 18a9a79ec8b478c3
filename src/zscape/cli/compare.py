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
    from matplotlib.figure import Figure

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

    In .md and on the terminal the best of a column is marked; .png and .svg show the measures
    against latent_dim and kld_weight. Models that cannot be compared are refused.
    """
    from zscape import api, evaluation, figures

    written = check_outs(outs, (*TABLES, *FIGURES))
    check_outs([pictures] if pictures else [], FIGURES)
    if len(models) == 1 and models != ["zoo:all"]:
        raise ConfigError(f"a comparison needs at least two models; got {models[0]} alone.")
    protocol = evaluation.Protocol(binarize, samples=samples, seed=seed)
    with showing_progress() as show:
        found = api.measure_models(
            models, data, protocol, split=split, probes=probes, progress=show
        )
    print(found.how)
    if written:
        others = {".md": lambda: format_table(marked(found, "**{}**"), ".md")}
        write_outs(
            written, figure=lambda: figures.plot_comparison(found.frame()), table=found.table,
            others=others,
        )  # fmt: skip
    else:
        show_table(marked(found, "{} *"), with_index=False)
        print("* the best of its column, as far as these images can tell")
    if pictures:
        save_figure(_side_by_side(models, data, split), pictures)


def _side_by_side(models: list[str], data: str | None, split: str) -> Figure:
    """The first image of every class, or the first ten, and what each model makes of them."""
    import numpy as np

    from zscape import api, figures

    opened = api.open_models(models)
    images = opened[0].images(data, split)
    first = range(min(10, len(images)))
    rows = first if images.labels is None else np.unique(images.labels, return_index=True)[1]
    chosen = images[[int(row) for row in rows]]
    made = {model.name: api.reconstruct(model, chosen) for model in opened}
    return figures.plot_side_by_side(chosen.pixels(), made)


def marked(found: Comparison, pattern: str) -> pd.DataFrame:
    """The table as text, the best of every column inside ``pattern``."""
    table = found.table()
    shown = table.astype(object).map(lambda value: f"{value:.4g}" if _is_real(value) else value)
    for name, row in found.best().items():
        shown.loc[row, name] = pattern.format(shown.loc[row, name])
    return shown.where(table.notna(), "–")


def _is_real(value: object) -> bool:
    return isinstance(value, float)
