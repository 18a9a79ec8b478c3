"""``zscape encode``: where a model puts every image of a set, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from zscape.cli.inputs import Latents, with_model
from zscape.cli.output import check_outs
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError
from zscape.words import counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from zscape.latents import LatentTable

SUFFIXES = (".npz", ".parquet", ".h5ad", ".csv")


@with_model("data", "split", "rows", "condition")
def encode(
    where: Latents,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="Table to write: .npz, .parquet, .h5ad or .csv. Or a folder, of a table for each "
            "shard of --data.",
        ),
    ],
    describe: Annotated[
        bool, typer.Option("--describe", help="Also print range and spread of every neuron.")
    ] = False,
    maps: Annotated[
        list[Path] | None,
        typer.Option(
            "--map",
            help="Also say where every image lies on this saved map of the model, in columns such "
            "as umap_x and umap_y. Repeatable.",
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Where shards are encoded: on this machine, or on a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster, host:port or auto; one is started here by default."),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(help="With Ray: of a GPU, for each worker (by default they have none)."),
    ] = None,
) -> None:
    """Write the posterior mean of every image, one row each, with file name, class and columns.

    The .csv holds what a spreadsheet wants. The others also hold the variances: .npz and .parquet
    can be loaded again, .h5ad is AnnData (pip install 'zscape[anndata]'). The .csv and the .parquet
    are written as the images are encoded, with no more memory for more of them (--describe keeps
    the means); .npz and .h5ad are put together in memory. A map of a few, drawn with -n or
    --fit-on, so places any number: zscape map RUN -n 20000 --method umap -o umap.safetensors, then
    zscape encode RUN --map umap.safetensors -o places.parquet.

    Of a folder of shards (.parquet, or .tar of WebDataset), -o FOLDER writes a table for each,
    named by it. The same command again encodes what has no table yet, whatever was killed.
    """
    if not out.suffix:
        _encode_shards(where, out, maps, engine=engine, address=address,
                       gpus_per_worker=gpus_per_worker)  # fmt: skip
        return
    where.refuse("engine", "address", "gpus_per_worker", why=f"{out} is one table, written here")
    import numpy as np

    from zscape.embedding import Embedding
    from zscape.latents import STREAMED, check_belongs, save_parts
    from zscape.latents.h5ad import load_anndata

    check_outs([out], SUFFIXES)
    if out.suffix.lower() == ".h5ad":
        load_anndata()  # before anything is encoded
    where.check_condition()
    placing = [Embedding.load(path) for path in maps or ()]
    for one in placing:
        check_belongs(one.table, where.opened.model)
    last, means = None, []

    def parts(tables: Iterable[LatentTable]) -> Iterator[LatentTable]:
        nonlocal last
        for table in tables:
            if describe:
                last = table
                means.append(table.mu)
            for one in placing:
                table = one.place(table)
            yield table

    if out.suffix.lower() in STREAMED:
        n = save_parts(out, parts(where.parts()))
    else:
        (table,) = parts([where.table])
        table.save(out)
        n = len(table)
    print(f"Wrote {n} rows of {where.opened.model.latent_dim} latent neurons to {out}")
    if last is not None:
        print(_described(last, np.concatenate(means)).to_string(float_format="{:.3f}".format))


def _encode_shards(where: Latents, out: Path, maps: list[Path] | None, **told: Any) -> None:
    if where.data is None:
        raise ConfigError(
            f"{out} is a folder, of a table for each shard: say where the shards are with --data, "
            f"or write one table, as in {out}.parquet."
        )
    where.refuse(
        "split",
        "rows",
        "condition",
        "describe",
        "columns",
        "on",
        "label",
        "bins",
        why="every shard is encoded as it is",
    )
    from zscape.shards import encode_shards

    with showing_progress() as tell:
        n = encode_shards(
            where.model, where.data, out, maps=maps or (), network=where.own["network"],
            likelihood=where.own["likelihood"], **told,
            progress=lambda total, done, n: tell(f"{n} images encoded", done / total),
        )  # fmt: skip
    print(f"Encoded {counted(n, 'image')} into {out}: every shard of {where.data} has its table.")


def _described(like: LatentTable, mu: NDArray[np.float32]) -> pd.DataFrame:
    """``LatentTable.describe`` of means of which nothing else was kept."""
    import numpy as np

    table = replace(like, mu=mu, logvar=mu, labels=None, class_names=(), columns=None,
                    indices=np.arange(len(mu)))  # fmt: skip
    return table.describe()
