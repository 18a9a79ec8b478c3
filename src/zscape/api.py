"""The verbs: train, resume, load, reconstruct, sample; Python users and the commands share them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zscape.config import ModelConfig, RunConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.errors import ConfigError, ShapeError
from zscape.files import write_atomic
from zscape.latents import decode, encode, sample_prior
from zscape.model import VAE
from zscape.seeding import torch_generator
from zscape.training import Run, TrainingResult, create_progress, fit, load_weights
from zscape.training.hardware import is_first_process
from zscape.training.run import LOSS, RECONSTRUCTIONS, SAMPLES
from zscape.zoo import open_card


def train(
    data: Any = "mnist",
    *,
    out: Path | str | None = None,
    overwrite: bool = False,
    progress: str = "auto",
    **options: Any,
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
    progress
        ``"auto"``, ``"rich"``, ``"tqdm"``, ``"lines"`` or ``"none"``.
    options
        Fields of ``DataConfig``, ``ModelConfig`` and ``TrainConfig`` by name.

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
    source = str(data) if isinstance(data, (str, Path)) else "array"
    config = RunConfig.from_options(data=source, **options)
    splits = load_data(data, config.data, seed=config.train.seed)
    display = create_progress(progress)
    result = fit(config, splits, out=out, overwrite=overwrite, progress=display)
    return _illustrate(result, splits)


def resume(run: Run | Path | str, data: Any = None, *, progress: str = "auto") -> TrainingResult:
    """Go on with a training that was stopped; the outcome is that of one that never was.

    Parameters
    ----------
    run
        The run folder.
    data
        Needed only if the run was trained on an array: the same array.

    Raises
    ------
    CheckpointError
        Not a run, or nothing to continue from.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    splits = run.load_data(data)
    display = create_progress(progress)
    return _illustrate(fit(run.config, splits, resume=run, progress=display), splits)


class Opened(NamedTuple):
    """A model ready to use, and where it comes from."""

    vae: VAE
    model_config: ModelConfig
    run: Run | None
    name: str

    def data(self, source: Any = None) -> Splits:
        """The images the model was trained on, or all those of ``source`` instead.

        They are resized and binarised as in training. Of a run trained on an array, ``source``
        must be that array.

        Raises
        ------
        ShapeError
            The images do not have the model's shape.
        """
        if self.run is None:
            splits = load_data("mnist" if source is None else source)
        elif source is None or self.run.config.data.data == "array":
            splits = self.run.load_data(source)
        else:
            config, seed = self.run.config.data, self.run.config.train.seed
            splits = load_data(source, config.replace(n_train=None, n_test=None), seed=seed)
        if splits.test.image_shape != self.vae.image_shape:
            raise ShapeError(
                f"{self.name} takes images {self.vae.image_shape}, but {splits.test.name} has "
                f"{splits.test.image_shape}; choose other data or resize it."
            )
        return splits


def load(source: Path | str) -> Opened:
    """The model in a run folder, a file of weights (ours or the tutorial's layout), or the zoo.

    Parameters
    ----------
    source
        A path, or ``"zoo:10"`` for a model that ships inside the package.

    Raises
    ------
    CheckpointError
        There is none, or it is damaged or does not fit.
    """
    text = str(source)
    if text.startswith("zoo:"):
        model = open_card(text.removeprefix("zoo:"))
        return Opened(model.vae, model.config, None, text)
    path = Path(source)
    if path.is_dir():
        run = Run.open(path)
        model = run.model()
        return Opened(model.vae, model.config, run, path.name or str(path))
    model = load_weights(path)
    return Opened(model.vae, model.config, None, path.name)


def reconstruct(vae: VAE, images: ImageSet) -> Tensor:
    """What the model makes of ``images``: decoded posterior means, (n, c, h, w) in [0, 1]."""
    return decode(vae, encode(vae, images).mu)


def sample(vae: VAE, n: int, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
    """Pictures of random latents: ``(images (n, c, h, w) in [0, 1], z (n, latent_dim))``.

    z is drawn from the prior N(0, I); without a seed it is new every time.
    """
    generator = None if seed is None else torch_generator(seed, "sample")
    vectors, images = sample_prior(vae, n, generator)
    return images, torch.from_numpy(vectors)


def choose(images: ImageSet, n: int, *, seed: int | None = None) -> ImageSet:
    """``n`` of the images at random; the same ones for the same seed, in the same order."""
    if not 1 <= n <= len(images):
        raise ConfigError(f"n must be in [1, {len(images)}], the {images.split} images; got {n}.")
    generator = None if seed is None else torch_generator(seed, "choose")
    return images[torch.randperm(len(images), generator=generator)[:n]]


def _illustrate(result: TrainingResult, data: Splits) -> TrainingResult:
    """Put loss curve, reconstructions and samples beside the finished model."""
    if result.run is None or not result.is_finished or not is_first_process():
        return result
    from zscape import figures

    chosen = choose(data.test, min(10, len(data.test)), seed=0)
    for name, figure in {
        LOSS: figures.plot_losses(result.history),
        RECONSTRUCTIONS: figures.plot_reconstructions(
            chosen.pixels(), reconstruct(result.model, chosen), chosen.titles()
        ),
        SAMPLES: figures.plot_random_samples(*sample(result.model, 12, seed=0)),
    }.items():
        write_atomic(result.run.path / name, figures.to_png(figure))
    return result
