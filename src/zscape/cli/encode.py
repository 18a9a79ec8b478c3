"""``zscape encode``: where a model puts every image of a set, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import check_outs

SUFFIXES = (".npz", ".parquet", ".h5ad", ".csv")


@with_model("data", "split")
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
    can be loaded again, .h5ad is AnnData (pip install 'zscape[anndata]').
    """
    from zscape.files import write_atomic
    from zscape.latents.h5ad import load_anndata

    check_outs([out], SUFFIXES)
    if out.suffix.lower() == ".h5ad":
        load_anndata()  # before anything is encoded
    table = where.table
    if out.suffix.lower() == ".csv":
        write_atomic(out, table.to_frame().to_csv())
    else:
        table.save(out)
    print(f"Wrote {len(table)} rows of {table.latent_dim} latent neurons to {out}")
    if describe:
        print(table.describe().to_string(float_format="{:.3f}".format))
