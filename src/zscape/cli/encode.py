"""``zscape encode``: where a model puts every image of a set, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import check_outs

SUFFIXES = (".npz", ".parquet", ".h5ad", ".csv")


@with_model("data", "split", "rows", "condition")
def encode(
    where: Latents,
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Table to write: .npz, .parquet, .h5ad or .csv."),
    ],
    describe: Annotated[
        bool, typer.Option("--describe", help="Also print range and spread of every neuron.")
    ] = False,
) -> None:
    """Write the posterior mean of every image, one row each, with file name, class and columns.

    The .csv holds what a spreadsheet wants. The others also hold the variances: .npz and .parquet
    can be loaded again, .h5ad is AnnData (pip install 'zscape[anndata]'). The .csv and the .parquet
    are written as the images are encoded, with no more memory for more of them, unless --describe
    asks for all of them at once.
    """
    from zscape.latents import STREAMED, save_parts
    from zscape.latents.h5ad import load_anndata

    check_outs([out], SUFFIXES)
    if out.suffix.lower() == ".h5ad":
        load_anndata()  # before anything is encoded
    where.check_condition()
    if out.suffix.lower() in STREAMED:
        n = save_parts(out, [where.table] if describe else where.parts())
    else:
        where.table.save(out)
        n = len(where.table)
    print(f"Wrote {n} rows of {where.opened.model.latent_dim} latent neurons to {out}")
    if describe:
        print(where.table.describe().to_string(float_format="{:.3f}".format))
