"""The weights of a run at moments along its training, to watch it learn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from zscape import schema
from zscape.errors import CheckpointError
from zscape.files import make_folder
from zscape.model import VAE, Likelihood
from zscape.training.loop import Trainer, count_steps
from zscape.training.run import SNAPSHOTS, Run
from zscape.training.weights import (
    METADATA_KEY,
    LoadedModel,
    load_weights,
    read_tensors,
    save_weights,
)

_ABOUT = {"snapshot": {"run": str, "step": int}}
_NUMBER, _EPOCH = re.compile(r"\d{1,9}"), re.compile(r"epoch:(\d{1,9}(?:\.\d{1,9})?)")


class Snapshot(NamedTuple):
    """A moment of a training whose weights were kept."""

    number: int
    """From 0, in the order of the training."""
    step: int
    """How many steps had been done."""
    epoch: float
    """The same in epochs: 2.5 is half-way through the third."""
    path: Path
    """The weights, in half precision."""


def moments(n: int, n_steps: int) -> tuple[int, ...]:
    """The steps of ``n_steps`` after which ``n`` snapshots are taken, all different.

    The first is 0 and the last ``n_steps``; between them they lie evenly in the logarithm, but at
    least one step apart, as a network changes most at first. Fewer, if there are not so many.
    """
    n = min(n, n_steps + 1)
    steps = [0]
    for step in np.geomspace(n_steps, 1, n - 1).round()[::-1]:
        steps.append(max(steps[-1] + 1, int(step)))
    return tuple(steps)


def save_snapshot(run: Run, trainer: Trainer) -> None:
    """Keep the weights that would be used if the training ended now.

    They are in half precision, but for tensors that do not fit into it. The file says which run
    it is of.
    """
    folder, step = run.path / SNAPSHOTS, trainer.n_steps_done
    make_folder(folder)
    about = {"snapshot": {"run": run.identity, "step": step}}
    path = folder / f"{step:09}.safetensors"
    save_weights(trainer.final_vae, run.config.model, path, dtype=torch.float16, more=about)


def snapshots(run: Run) -> list[Snapshot]:
    """Those that a run has so far, the first first; none if it keeps none."""
    files = sorted((run.path / SNAPSHOTS).glob("[0-9]" * 9 + ".safetensors"))
    if not files or run.images is None:
        return []
    per_epoch = count_steps(run.images["train"]["n"], run.config.train)
    return [
        Snapshot(number, int(file.stem), int(file.stem) / per_epoch, file)
        for number, file in enumerate(files)
    ]


def find_snapshot(run: Run, which: str) -> Snapshot:
    """The snapshot that a person calls ``which``.

    Parameters
    ----------
    run
        A run that was trained with ``snapshots``.
    which
        ``3`` is the fourth, as they are counted from 0; ``epoch:5`` is the last one that is not
        later than the end of epoch 5.

    Raises
    ------
    CheckpointError
        There is no such snapshot, or none at all.
    """
    found = snapshots(run)
    if not found:
        raise CheckpointError(
            f"{run.path} has no snapshots; they are kept along a training with --snapshots 20."
        )
    if _NUMBER.fullmatch(which) and int(which) < len(found):
        return found[int(which)]
    if (match := _EPOCH.fullmatch(which)) and float(match[1]) <= found[-1].epoch:
        return [one for one in found if one.epoch <= float(match[1])][-1]
    last = found[-1]
    raise CheckpointError(
        f"{run.path} has no snapshot {which}; it has @0 to @{last.number}, and @epoch:E for E from "
        f"0 to {last.epoch:g}."
    )


def load_snapshot(
    run: Run,
    snapshot: Snapshot,
    *,
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
) -> LoadedModel:
    """The model of that moment; ``network`` and ``likelihood`` are as for ``load_weights``.

    Raises
    ------
    CheckpointError
        The file is damaged, or of another run.
    """
    _, header = read_tensors(snapshot.path)
    try:
        about = schema.parse(header[METADATA_KEY], _ABOUT)["snapshot"]
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{snapshot.path} is no snapshot: {error}.") from error
    if about != {"run": run.identity, "step": snapshot.step}:
        raise CheckpointError(
            f"{snapshot.path} is of another run or moment than its place in {run.path} says; "
            "remove it."
        )
    return load_weights(snapshot.path, network=network, likelihood=likelihood)


def titles(found: Sequence[Snapshot]) -> list[str]:
    """What a person calls each moment: ``start``, ``step 3`` in the first epoch, ``epoch 2.5``."""
    return [
        "start" if one.step == 0
        else f"step {one.step}" if one.epoch < 1
        else f"epoch {one.epoch:.1f}".removesuffix(".0")
        for one in found
    ]  # fmt: skip
