"""Configuration in, trained model and run folder out."""

from __future__ import annotations

import logging
import math
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor

from zscape.config import RunConfig
from zscape.data import Splits
from zscape.errors import ConfigError
from zscape.model import VAE, build_model, check_objective, describe_model, find_condition
from zscape.training.hardware import find_environment
from zscape.training.interrupt import heeding_signals
from zscape.training.loop import Epoch, Trainer, Wish, count_steps, settle
from zscape.training.progress import Progress
from zscape.training.run import LOCK, Run
from zscape.training.snapshots import moments, save_snapshot
from zscape.training.weights import fit_state_dict
from zscape.words import counted, line

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)


class TrainingResult(NamedTuple):
    """What a training left behind."""

    model: VAE
    """On the CPU, in evaluation mode; the weights of ``model.safetensors`` if finished."""
    history: list[dict[str, Any]]
    """One mapping per epoch, as in ``metrics.jsonl``."""
    run: Run | None
    """The folder, if one was asked for."""
    is_finished: bool
    """False after Ctrl-C, or another signal that asks to stop."""
    stopped_by: signal.Signals | None = None
    """That signal, if it was sent to this process."""

    def __repr__(self) -> str:
        epochs = counted(len(self.history), "epoch")
        epochs = epochs if self.is_finished else f"stopped after {epochs}"
        return line(
            self, describe_model(self.model), epochs,
            f"test loss {self.history[-1]['test']['loss']:.2f}" if self.history else "",
            f"in {self.run.path}" if self.run else "",
        )  # fmt: skip


def fit(
    config: RunConfig,
    data: Splits,
    *,
    out: Path | str | None = None,
    overwrite: bool = False,
    go_on: bool = False,
    resume: Run | None = None,
    start: VAE | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train the model that ``config`` describes on ``data``.

    Parameters
    ----------
    config, data
        What to train, on what; ``config.model.image_shape`` is taken from the data.
    out
        Folder of the new run; without one nothing is written.
    overwrite
        Replace a run that is there.
    go_on
        Go on with a run that is there, if it was told the same but for the number of processes.
    resume
        Go on with this run instead of starting one; ``config`` and ``data`` must be its own.
    start
        Begin with the weights of this model, which must be of the kind that ``config`` describes;
        it is left as it is.
    progress
        What is shown meanwhile; nothing by default.

    Raises
    ------
    ConfigError
        Settings that this machine, the data or the folder cannot meet; nothing is written.
    TrainingDiverged
        A loss or gradient stopped being finite; the last good checkpoint is kept.
    """
    from zscape.training import processes

    progress = progress or Progress()
    config = completed(config, data)
    vae = _begun(config, start)
    launched = config._replace(train=processes.as_launched(config.train))
    count_steps(len(data.train), launched.train)
    if config.train.snapshots and out is None and resume is None:
        raise ConfigError("snapshots are kept in the run folder; say which with out, or keep none.")
    run, is_new = resume, resume is None
    if resume is not None:
        resume.check_images(data)
    if run is None and out is not None:
        run = Run(Path(out), config)
    fabric = processes.create_fabric(launched.train, run.path if run else None)
    with ExitStack() as stack:
        # Nothing that was asked for can be wrong any more, so that an old run may be replaced.
        # Further processes are started by running the program again: only the first has the folder.
        if run is not None and processes.is_first_process():
            if go_on and Run.is_begun(run.path):
                processes.wait_for(run.path / LOCK)
                run, is_new = run.found(data), False
            elif is_new:
                Run.check_free(run.path, overwrite=overwrite)
            stack.enter_context(run.held())
            if is_new:
                run = Run.create(run.path, config, data, overwrite=overwrite)
        stack.enter_context(processes.launched(fabric, launched.train))
        if go_on and run is not None:
            is_new = fabric.broadcast(is_new)
            if not (is_new or fabric.is_global_zero) and processes.is_first_here():
                run.found(data)  # this machine's images may be others
        return _train(launched, vae, data, fabric, run, progress, is_new=is_new)


def _begun(config: RunConfig, start: VAE | None) -> VAE:
    """A new network, with the weights of ``start`` if that is given."""
    vae = build_model(config.model, seed=config.train.seed)
    if start is None:
        return vae
    if start.condition != vae.condition:
        own = start.condition.choices() if start.condition else "none"
        asked = vae.condition.choices() if vae.condition else "none"
        raise ConfigError(
            f"the network to start from was told {own}, and this training tells {asked}; begin "
            "with one that was told the same, or with none."
        )
    fit_state_dict(vae, start.state_dict(), "the network to start from")
    return vae


def completed(config: RunConfig, data: Splits) -> RunConfig:
    """``config`` with what is read from the images: their shape, conditions, the batch size.

    Raises
    ------
    ConfigError, DataError
        It contradicts itself, or the images.
    """
    model = config.model.replace(image_shape=data.train.image_shape)
    if model.condition is not None:
        condition = find_condition(model.condition, data.train)
        condition.codes(data.test)
        model = model.replace(condition_names=condition.names)
    config = config._replace(model=model, train=settle(config.train, len(data.train)))
    check_objective(config.train)
    return config


def _train(
    config: RunConfig,
    vae: VAE,
    data: Splits,
    fabric: Fabric,
    run: Run | None,
    progress: Progress,
    *,
    is_new: bool,
) -> TrainingResult:
    environment = find_environment(fabric)
    log.info("training on %(accelerator)s in precision %(precision)s", environment)
    trainer = Trainer(
        vae, data, config.train, fabric, dynamic_binarization=config.data.binarize == "dynamic"
    )
    history: list[dict[str, Any]] = []
    if run is not None and not is_new:
        is_begun = run.load_checkpoint(trainer)
        if not is_begun and fabric.is_global_zero:
            log.warning("%s stopped before its first checkpoint; it starts anew.", run.path)
        history = run.metrics_until(trainer.epoch)
    if run is not None and fabric.is_global_zero:
        run.write_environment(environment)
    title = (
        f"{config.model.network}, latent_dim {config.model.latent_dim}, "
        f"batch size {config.train.batch_size}, on "
        "%(accelerator)s in %(precision)s, processes: %(devices)s, threads: %(threads)s"
    )
    is_finished, stopped_by = _run(trainer, fabric, run, history, progress, title % environment)
    # As a loaded one has its weights in memory, so that both decode to the same bits.
    model = trainer.final_vae.to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    if is_finished and trainer.best_weights:
        model.load_state_dict(trainer.best_weights)
    elif is_finished and config.train.early_stopping and run is not None and not is_new:
        own = {"network": config.model.network, "likelihood": config.model.likelihood}
        model = run.model(**own).model
    return TrainingResult(model, history, run, is_finished, stopped_by)


def _run(
    trainer: Trainer,
    fabric: Fabric,
    run: Run | None,
    history: list[Any],
    progress: Progress,
    title: str,
) -> tuple[bool, signal.Signals | None]:
    is_first = fabric.is_global_zero
    progress = progress if is_first else Progress()

    wanted = trainer.config.snapshots if is_first else None
    kept = moments(wanted, trainer.n_steps) if wanted is not None else ()

    def keep(trainer: Trainer, *, is_last: bool = False) -> None:
        if run is not None and kept and (is_last or trainer.n_steps_done in kept):
            save_snapshot(run, trainer)

    def after_step(trainer: Trainer) -> None:
        keep(trainer)
        progress.on_step(trainer)

    saved_at = time.monotonic()
    period = 60 * trainer.config.checkpoint_minutes or math.inf

    def finish_epoch(trainer: Trainer, epoch: Epoch) -> None:
        nonlocal saved_at
        history.append(epoch.to_dict())
        if trainer.is_finished:  # it may have been stopped early
            keep(trainer, is_last=True)
        if run is not None and is_first:
            run.save_epoch(trainer, epoch)
        saved_at = time.monotonic()
        _log_scalars(fabric, epoch)
        progress.on_epoch(trainer, epoch)

    def save(trainer: Trainer) -> None:
        nonlocal saved_at
        if run is not None and is_first:
            run.save_checkpoint(trainer)
        saved_at, asked.to_save = time.monotonic(), False

    with heeding_signals() as asked:

        def wish() -> Wish:
            is_due = run is not None and time.monotonic() - saved_at >= period
            is_due = is_due or asked.to_save
            own = Wish.STOP if asked.to_stop else Wish.SAVE if is_due else Wish.GO_ON
            if fabric.world_size == 1:
                return own
            # All processes must stop after the same step, or the others wait for ever.
            wishes = torch.tensor(int(own), device=fabric.device)
            return Wish(int(cast(Tensor, fabric.all_reduce(wishes, reduce_op="max"))))

        try:
            progress.start(trainer, title)
            keep(trainer)  # the start
            is_finished = trainer.run(after_step, finish_epoch, wish, save)
        finally:
            progress.close()
            for logger in fabric.loggers:
                logger.finalize("done")
    fabric.barrier()
    return is_finished, None if is_finished else asked.to_stop


def _log_scalars(fabric: Fabric, epoch: Epoch) -> None:
    if fabric.loggers:
        line = epoch.to_dict()
        scalars = {
            f"{name}/{term}": terms[term]
            for name, terms in line.items()
            if isinstance(terms, dict)
            for term in ("loss", "reconstruction", "kl")
        }
        fabric.log_dict({**scalars, "n_active": line["n_active"]}, step=epoch.number)
