"""``zscape encode``: where a model puts every image of a set, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import check_outs

SUFFIXES = (".npz", ".parquet", ".csv")


@with_model("data", "split")
def encode(
    where: Latents,
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Table to write: .npz or .parquet (complete), or .csv."),
    ],
    describe: Annotated[
        bool, typer.Option("--describe", help="Also print range and spread of every neuron.")
    ] = False,
) -> None:
    """Write the posterior mean of every image, one row each.

    The .csv holds what a spreadsheet wants: class, and one column per latent neuron. The other
    two also hold the variances, and can be loaded again.
    """
    from zscape.files import write_atomic

    check_outs([out], SUFFIXES)
    table = where.table
    if out.suffix.lower() == ".csv":
        write_atomic(out, table.to_frame().to_csv())
    else:
        table.save(out)
    print(f"Wrote {len(table)} rows of {table.latent_dim} latent neurons to {out}")
    if describe:
        print(table.describe().to_string(float_format="{:.3f}".format))
