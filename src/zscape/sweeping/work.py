"""What is done for one trial, in whatever process: it is trained, measured, and written down."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from zscape.data import Splits, load_data
from zscape.errors import (
    CheckpointError,
    ConfigError,
    DiskFull,
    TrainingDiverged,
    ZscapeError,
    is_full,
)
from zscape.evaluation import Protocol, compare, measure
from zscape.model import VAE
from zscape.sweeping.trial import DIVERGED, FAILED, FINISHED, STOPPED, Outcome, Trial
from zscape.training import Epoch, Progress, Run, Trainer, fit
from zscape.training.run import CONFIG
from zscape.training.train import completed

Tell: TypeAlias = Callable[[dict[str, Any]], None]
"""Told ``{"epoch": …, "of": …, "share": …}`` while a trial trains, and after an epoch ``"loss"``,
``"elbo"`` and ``"reconstruction"`` of the test images."""


def train_trial(trial: Trial, data: Any, tell: Tell, *, probes: bool = True) -> Outcome:
    """Train it, or go on where it was stopped; measure it, and write down what became of it.

    Parameters
    ----------
    data
        The images, if they are not to be found by their name.
    tell
        Told of its progress.
    probes
        Also measure how well its latents tell the class, where all images have one.

    Raises
    ------
    DiskFull
        Nothing more can be written; what was is whole.
    """
    try:
        outcome = _train(trial, data, tell, probes)
    except TrainingDiverged as error:
        outcome = Outcome(DIVERGED, str(error), *_spent(trial))
    except ZscapeError as error:
        if is_full(error):
            raise DiskFull(str(error)) from error
        outcome = Outcome(FAILED, str(error), *_spent(trial))
    # Code of a person's own, and memory that is not there: the other trials may be spared.
    except Exception as error:
        outcome = Outcome(FAILED, f"{type(error).__name__}: {error}", *_spent(trial))
    try:
        trial.keep(outcome)
    except ConfigError as error:
        raise DiskFull(str(error)) from error
    return outcome


def _train(trial: Trial, data: Any, tell: Tell, probes: bool) -> Outcome:
    config = trial.config
    splits = load_data(
        config.data.data if data is None else data, config.data, seed=config.train.seed
    )
    run = Run.open(trial.folder) if (trial.folder / CONFIG).is_file() else None
    if run is not None and run.config != completed(config, splits):
        raise CheckpointError(
            f"{trial.folder} holds another training than its name says; remove it."
        )
    result = fit(config, splits, out=trial.folder, resume=run, progress=_Telling(tell))
    if not result.is_finished:
        stopped_by = result.stopped_by or signal.SIGINT
        return Outcome(STOPPED, stopped_by.name, *_spent(trial))
    began = time.monotonic()
    measures = _measure(trial, result.model, splits, probes)
    seconds, epochs = _spent(trial)
    return Outcome(FINISHED, "", seconds + time.monotonic() - began, epochs, measures)


def _measure(trial: Trial, model: VAE, splits: Splits, probes: bool) -> dict[str, Any]:
    """The row that ``compare`` would have of it."""
    fit_on = splits.train if probes and splits.train.has_labels else None
    found = measure(
        model, splits.test, Protocol(), name=trial.name, config=trial.config, fit_on=fit_on
    )
    (row,) = compare([found]).frame().to_dict("records")
    # Of the weights that are kept, which under early stopping are not those of the last epoch.
    row["loss"] = row["reconstruction"] + trial.config.train.kld_weight * row["kl"]
    return {name: value for name, value in row.items() if not _is_missing(value)}


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _spent(trial: Trial) -> tuple[float, int]:
    """Seconds and number of the epochs that are on the disk."""
    try:
        lines = Run.open(trial.folder).metrics()
    except ZscapeError:
        return 0.0, 0
    return sum(line["seconds"] for line in lines), len(lines)


class _Telling(Progress):
    """Tells of epochs, and of steps now and then."""

    EVERY = 0.5
    """Seconds."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.told = tell, 0.0

    def start(self, trainer: Trainer, title: str) -> None:
        """See ``Progress``."""
        self._say(trainer)

    def on_step(self, trainer: Trainer) -> None:
        """See ``Progress``."""
        if time.monotonic() - self.told >= self.EVERY:
            self._say(trainer)

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """See ``Progress``."""
        test = epoch.test
        self._say(trainer, loss=test.loss(trainer.config.kld_weight), elbo=test.loss(1.0),
                  reconstruction=test.reconstruction)  # fmt: skip

    def _say(self, trainer: Trainer, **more: float) -> None:
        self.told = time.monotonic()
        share = trainer.step / trainer.n_steps_per_epoch
        self.tell({"epoch": trainer.epoch, "of": trainer.config.epochs, "share": share, **more})
