"""``zscape encode``: where a model puts every image of a set, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zscape.cli.use import Model
from zscape.errors import ConfigError

SUFFIXES = (".npz", ".parquet", ".csv")


def encode(
    model: Model,
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Table to write: .npz or .parquet (complete), or .csv."),
    ],
    data: Annotated[
        str | None, typer.Option(help="Other images than the model's own (or mnist).")
    ] = None,
    split: Annotated[str, typer.Option(help="train or test.")] = "test",
    describe: Annotated[
        bool, typer.Option("--describe", help="Also print range and spread of every neuron.")
    ] = False,
) -> None:
    """Write the posterior mean of every image, one row each.

    The .csv holds what a spreadsheet wants: class, and one column per latent neuron. The other
    two also hold the variances, and can be loaded again.
    """
    from zscape import api, latents
    from zscape.files import write_atomic

    if out.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{out}: the table must end in {', '.join(SUFFIXES)}.")
    if split not in ("train", "test"):
        raise ConfigError(f"split must be train or test; got {split!r}.")
    opened = api.load(model)
    table = latents.encode(opened.model, getattr(opened.data(data), split))
    try:
        if out.suffix.lower() == ".csv":
            write_atomic(out, table.to_frame().to_csv())
        else:
            table.save(out)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}.") from error
    print(f"Wrote {len(table)} rows of {table.latent_dim} latent neurons to {out}")
    if describe:
        print(table.describe().to_string(float_format="{:.3f}".format))
