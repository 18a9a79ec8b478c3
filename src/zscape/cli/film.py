"""``zscape film``: a model as it learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import TABLES, Outs, check_outs, show_table, write_outs
from zscape.cli.progress import showing_progress

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".gif", ".png", ".svg", *TABLES)


@with_model("data", "split", "seed", "condition")
def film(
    where: Latents,
    outs: Outs = None,
    n: Annotated[
        int | None, typer.Option("-n", "--n", help="Images on the maps; 2000 by default.", min=2)
    ] = None,
    map_: Annotated[
        str | None,
        typer.Option("--map", help="pca, tsne, …; by default tsne, of 2 neurons the plane itself."),
    ] = None,
    moments: Annotated[
        int, typer.Option(help="Of the strip that .png and .svg show.", min=2, max=12)
    ] = 6,
) -> None:
    """Show how a model learned: RUN was trained with --snapshots 20.

    A .gif plays the map, the prototypes and the loss from the blank network to the end; .png and
    .svg are a strip of a few moments. Without -o, or as a table, it is how well the maps hold one
    frame of reference.
    """
    from zscape import api, figures
    from zscape.embedding import methods, steadiness

    paths = check_outs(outs, SUFFIXES)
    where.check_written(paths, (".png", ".svg"), "moments")
    method = None if map_ is None else methods.allow(map_, here=True)
    with showing_progress() as progress:
        made = api.film(
            where.opened, where.data, split=where.split, n=n, method=method, seed=where.seed,
            progress=progress,
        )  # fmt: skip

    def table() -> pd.DataFrame:
        frame = steadiness(made.maps, n_neighbors=min(15, len(made.maps[0]) - 1))
        frame.insert(0, "from", made.titles[:-1])
        frame.insert(1, "to", made.titles[1:])
        return frame

    with figures.unshown():
        write_outs(
            paths, figure=lambda: figures.plot_film(made, moments), table=table,
            others={".gif": lambda: figures.figures_to_gif(figures.film_frames(made))},
        )  # fmt: skip
    if not paths:
        show_table(table(), with_index=False)
    print(made.frame)
