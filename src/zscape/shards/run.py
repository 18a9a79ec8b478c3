"""``zscape.encode_shards``: any number of images, a table for each file of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from zscape.errors import ConfigError, DataError
from zscape.latents import fingerprint
from zscape.shards import on_ray
from zscape.shards.folder import Tables, Told, find_shards
from zscape.shards.work import Done, Worker
from zscape.words import counted

ENGINES = ("local", "ray")
_NAMED = 3


def encode_shards(
    model: Path | str,
    data: Path | str,
    out: Path | str,
    *,
    maps: Sequence[Path | str] = (),
    engine: str = "local",
    address: str | None = None,
    gpus_per_worker: float | None = None,
    network: str | None = None,
    likelihood: str | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> int:
    """Encode the images of every shard of a folder into a table of its own.

    What is done stays done: the same call again encodes the shards that have no table yet, or are
    newer than theirs. So every image is in one table once, whatever was killed on the way.

    Parameters
    ----------
    model
        As ``load`` takes it.
    data
        A folder with ``.parquet`` files or ``.tar`` files of WebDataset, in folders or not.
    out
        The folder of the tables: ``a/0.tar`` becomes ``a/0.tar.latents.parquet``, with a row for
        each image as ``LatentTable.save`` writes it.
    maps
        Saved maps of the model on which every image is placed, in columns such as ``umap_x``.
    engine
        ``"local"``, one shard after the other; or ``"ray"``, on the machines of a Ray cluster,
        which all have to see model, maps and both folders.
    address
        Of the cluster, ``host:port`` or ``"auto"``; one is started here by default.
    gpus_per_worker
        Of a GPU, for each worker of the cluster; they compute on the processor by default.
    network, likelihood
        Your own of the model, ``module:Class``.
    progress
        Told how many shards there are, how many are done, and how many images were encoded now.

    Returns
    -------
    How many images were encoded now.

    Raises
    ------
    DataError
        There are no shards, or some could not be encoded: all others were.
    ConfigError
        The folder is another's, is being written, or the disk is full; no Ray answers.
    """
    if engine not in ENGINES:
        raise ConfigError(f"engine must be {' or '.join(ENGINES)}; got {engine!r}.")
    if engine == "local" and (address is not None or gpus_per_worker is not None):
        name = "address" if address is not None else "gpus_per_worker"
        raise ConfigError(f"{name} goes with engine ray.")
    source, out = Path(data).absolute(), Path(out).absolute()
    shards = find_shards(source)
    where = str(Path(model).absolute()) if Path(model).exists() else str(model)
    device = "cuda" if gpus_per_worker else "cpu"
    paths = tuple(Path(path).absolute() for path in maps)
    worker = Worker(where, source, out, paths, network, likelihood, device)
    told = _told(replace(worker, device="cpu"))
    tables = Tables(out, source)
    tables.check(told)
    if engine == "ray":
        on_ray.check()
    with tables.held(told):
        todo = [shard for shard in shards if not tables.is_done(shard)]
        if engine == "ray":
            found = on_ray.run(worker, todo, address, gpus_per_worker or 0.0)
        else:
            found = map(worker.encode, todo)
        return _gathered(found, len(shards), len(shards) - len(todo), progress)


def _told(worker: Worker) -> Told:
    """What the tables depend on; opens model and maps, so that what is wrong is said now."""
    maps = [
        f"{one.method} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
        for one, path in zip(worker.drawn, worker.maps, strict=True)
    ]
    return Told(fingerprint(worker.opened.model), maps, worker.config.to_dict())


def _gathered(
    found: Iterator[Done], total: int, before: int,
    progress: Callable[[int, int, int], None] | None,
) -> int:  # fmt: skip
    n, failed = 0, []
    for number, done in enumerate(found, before + 1):
        n += done.n
        if done.why:
            failed.append(done.why)
        if progress is not None:
            progress(total, number, n)
    if failed:
        more = len(failed) - _NAMED
        listed = " ".join(sorted(failed)[:_NAMED]) + (f" And {more} more." if more > 0 else "")
        raise DataError(
            f"{counted(len(failed), 'shard')} of {total} could not be encoded, the others were: "
            f"{listed}"
        )
    return n
