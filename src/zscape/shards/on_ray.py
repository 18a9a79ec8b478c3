"""Shards on the machines of a Ray cluster, by Ray Data; all of them see the folders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from zscape.cluster import check_installed, connect
from zscape.errors import ConfigError, DiskFull
from zscape.shards.work import Done, Worker

MOST_BLOCKS = 10_000
"""Of shards, that Ray Data keeps account of; each is a task."""


def check() -> None:
    """Raise ``MissingExtraError`` if Ray is not installed."""
    check_installed("data")


class Encoder:
    """A process of the cluster that encodes shard after shard."""

    def __init__(self, worker: Worker) -> None:
        import torch

        torch.set_num_threads(1)
        self.worker = worker

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row of a shard, with what became of it."""
        try:
            return {**asdict(self.worker.encode(row["shard"])), "is_full": False}
        except DiskFull as error:
            return {"shard": row["shard"], "n": 0, "why": str(error), "is_full": True}


def run(worker: Worker, todo: list[str], address: str | None, gpus: float) -> Iterator[Done]:
    """Encode all of ``todo`` on the cluster; a shard whose machine is lost is encoded on another.

    Raises
    ------
    ConfigError
        No Ray answers at the address, or no machine of it has a GPU.
    DiskFull
        Nothing more can be written.
    """
    if not todo:
        return
    connect(address)
    import ray

    try:
        yield from _run(ray, worker, todo, gpus)
    finally:
        ray.shutdown()


def _run(ray: Any, worker: Worker, todo: list[str], gpus: float) -> Iterator[Done]:
    has = ray.cluster_resources()
    if gpus > has.get("GPU", 0.0):
        raise ConfigError(f"gpus_per_worker is {gpus:g}, and the cluster has no such GPU.")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    n_workers = int(has["GPU"] // gpus if gpus else has["CPU"])
    rows = ray.data.from_items(
        [{"shard": shard} for shard in todo],
        override_num_blocks=min(len(todo), MOST_BLOCKS),
    )
    done = rows.map(
        Encoder,
        fn_constructor_args=(worker,),
        num_cpus=None if gpus else 1,
        num_gpus=gpus or None,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(n_workers, len(todo)))),
    )
    for row in done.iter_rows():
        if row.pop("is_full"):
            raise DiskFull(row["why"])
        yield Done(**row)
