"""Training a model, and going on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from torch import nn

from zscape.api.using import choose, reconstruct, sample
from zscape.config import RunConfig, check_heeded
from zscape.data import Splits, load_data, showing
from zscape.errors import ConfigError
from zscape.files import write_atomic
from zscape.model import VAE, Likelihood, allowed
from zscape.options import TrainOptions
from zscape.training import Run, TrainingResult, create_progress, fit
from zscape.training.run import LOSS, RECONSTRUCTIONS, SAMPLES


def train(
    data: Any = "mnist",
    *,
    out: Path | str | None = None,
    overwrite: bool = False,
    go_on: bool = False,
    progress: str = "auto",
    **options: Unpack[TrainOptions],
) -> TrainingResult:
    """Train a model, and keep everything about it in the folder ``out``.

    Parameters
    ----------
    data
        A source by its string (``"mnist"``, a folder, an ``.npz`` …), an array or tensor of
        images, ``(images, labels)``, an ``ImageSet`` or ``Splits``.
    out
        The run folder; without one nothing is written.
    overwrite
        Replace a run that is there.
    go_on
        Go on with a run that is there, if it was told the same: so a program that is started again,
        as ``torchrun`` and schedulers do, ends what it began. How many processes it has may differ.
    progress
        ``"auto"``, ``"rich"``, ``"tqdm"``, ``"lines"`` or ``"none"``.
    options
        Fields of ``DataConfig``, ``ModelConfig`` and ``TrainConfig`` by name. ``network`` and
        ``likelihood`` may also be a class of yours, or ``module:Class``, which is imported; a
        ``network`` also a model, whose weights are begun with.

    Raises
    ------
    ConfigError, DataError
        An option or the data is not what it should be; nothing is written.
    TrainingDiverged
        A loss or gradient stopped being finite.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> images = np.random.default_rng(0).random((40, 16, 16), dtype=np.float32)
    >>> result = zscape.train(images, latent_dim=2, epochs=1, batch_size=20, progress="none")
    >>> len(result.history), result.model.latent_dim
    (1, 2)
    """
    if go_on and (overwrite or out is None):
        why = "overwrite would replace it" if overwrite else "say which with out"
        raise ConfigError(f"go_on goes on with the run that is there; {why}.")
    source = str(data) if isinstance(data, (str, Path)) else None
    given: dict[str, Any] = {**options}
    if given.get("columns") is not None:  # to be found from any folder later
        given["columns"] = str(Path(given["columns"]).expanduser().absolute())
    start = given.get("network")
    given |= _like(start, given) if isinstance(start, nn.Module) else {}
    given |= allowed(given.get("network"), given.get("likelihood"))
    check_heeded(given)
    config = RunConfig.from_options(data=source, **given)
    splits = load_data(data, config.data, seed=config.train.seed)
    display = create_progress(progress)
    start = start if isinstance(start, VAE) else None
    result = fit(config, splits, out=out, overwrite=overwrite, go_on=go_on, start=start,
                 progress=display)  # fmt: skip
    return _illustrate(result, splits)


def _like(network: nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    """The options that describe a model; those that were given must not say otherwise."""
    if not isinstance(network, VAE):
        raise ConfigError(
            f"network must be a zscape.VAE to be trained; got a {type(network).__name__}: see "
            "docs/your-own-network.md, or look into one trained elsewhere with zscape.wrap."
        )
    if (asked := options.get("latent_dim", network.latent_dim)) != network.latent_dim:
        raise ConfigError(f"latent_dim is that of the network, {network.latent_dim}; got {asked}.")
    own = network.condition and network.condition.column
    if (asked := options.get("condition", own)) != own:
        raise ConfigError(f"condition is that of the network, {own or 'none'}; got {asked}.")
    return {
        "network": type(network),
        "latent_dim": network.latent_dim,
        "likelihood": options.get("likelihood", type(network.likelihood)),
        "condition": own,
    }


def resume(
    run: TrainingResult | Run | Path | str,
    data: Any = None,
    *,
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
    progress: str = "auto",
) -> TrainingResult:
    """Go on with a training that was stopped; the outcome is that of one that never was.

    Parameters
    ----------
    run
        The run folder, or what ``train`` returned.
    data
        Needed only if the run was trained on an array: the same array.
    network, likelihood
        Your own of the run, see ``load``.
    progress
        ``"auto"``, ``"rich"``, ``"tqdm"``, ``"lines"`` or ``"none"``.

    Raises
    ------
    ConfigError
        That training kept nothing, or ``network`` or ``likelihood`` cannot be imported.
    CheckpointError
        Not a run, or nothing to continue from.
    DataError
        The images are not there, or not those that the run was trained on.
    """
    if isinstance(run, TrainingResult):
        if run.run is None:
            raise ConfigError("that training kept nothing to go on with; train with out='…'.")
        run = run.run
    run = run if isinstance(run, Run) else Run.open(run)
    model = run.config.model.replace(**allowed(network, likelihood))
    splits = run.load_data(data)
    display = create_progress(progress)
    config = run.config._replace(model=model)
    return _illustrate(fit(config, splits, resume=run, progress=display), splits)


def _illustrate(result: TrainingResult, data: Splits) -> TrainingResult:
    """Put loss curve, reconstructions and samples beside the finished model."""
    from zscape.training.processes import is_first_process

    if result.run is None or not result.is_finished or not is_first_process():
        return result
    from zscape import figures

    chosen = choose(data.test, min(10, len(data.test)), seed=0)
    drawn = sample(result.model, 12, seed=0)
    made = reconstruct(result.model, chosen)
    with figures.unshown(), showing(result.run.config.data.show_channels):
        pictures = {
            LOSS: figures.plot_losses(result.history),
            RECONSTRUCTIONS: figures.plot_reconstructions(chosen.pixels(), made, chosen.titles()),
            SAMPLES: figures.plot_random_samples(drawn.images, drawn.vectors),
        }
    for name, figure in pictures.items():
        write_atomic(result.run.path / name, figures.to_png(figure))
    return result
