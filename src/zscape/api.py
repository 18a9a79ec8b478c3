"""The verbs: train, load, reconstruct, …; Python users and the commands share them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from zscape.config import ModelConfig, RunConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.errors import ConfigError, DataError, MissingExtraError, ShapeError
from zscape.files import check_writable, readable, write_atomic
from zscape.latents import decode, encode, sample_prior
from zscape.model import VAE, Likelihood, allowed
from zscape.seeding import torch_generator
from zscape.training import Run, TrainingResult, create_progress, fit, load_weights
from zscape.training.hardware import is_first_process
from zscape.training.run import LOSS, RECONSTRUCTIONS, SAMPLES
from zscape.zoo import find_card, open_card

if TYPE_CHECKING:
    from zscape.embedding import Embedding
    from zscape.embedding.methods import Tell
    from zscape.explorer import Scene
    from zscape.explorer.widget import ExplorerWidget
    from zscape.report import Subject

_log = logging.getLogger(__name__)


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
        Fields of ``DataConfig``, ``ModelConfig`` and ``TrainConfig`` by name. ``network`` and
        ``likelihood`` may also be a class of yours, or ``module:Class``, which is imported.

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
    source = str(data) if isinstance(data, (str, Path)) else None
    options |= allowed(options.get("network"), options.get("likelihood"))
    config = RunConfig.from_options(data=source, **options)
    splits = load_data(data, config.data, seed=config.train.seed)
    display = create_progress(progress)
    result = fit(config, splits, out=out, overwrite=overwrite, progress=display)
    return _illustrate(result, splits)


def resume(
    run: Run | Path | str,
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
        The run folder.
    data
        Needed only if the run was trained on an array: the same array.
    network, likelihood
        Your own of the run, see ``load``.

    Raises
    ------
    CheckpointError
        Not a run, or nothing to continue from.
    DataError
        The images are not there, or not those that the run was trained on.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    model = run.config.model.replace(**allowed(network, likelihood))
    splits = run.load_data(data)
    display = create_progress(progress)
    config = run.config._replace(model=model)
    return _illustrate(fit(config, splits, resume=run, progress=display), splits)


class Opened(NamedTuple):
    """A model ready to use, and where it comes from."""

    model: VAE
    model_config: ModelConfig
    run: Run | None
    name: str

    def data(self, source: Any = None) -> Splits:
        """The images the model was trained on, or all those of ``source`` instead.

        They are resized and binarised as in training. A run trained on an array knows that array
        when it is passed as ``source``, and takes the subset it was trained on.

        Raises
        ------
        ShapeError
            The images do not have the model's shape.
        DataError
            Those the run was trained on are not there, or have changed.
        """
        if self.run is None:
            splits = load_data("mnist" if source is None else source)
        elif source is None:
            splits = self.run.load_data()
        else:
            splits = self._own_array(source) or self._all_of(source)
        if splits.test.image_shape != self.model.image_shape:
            raise ShapeError(
                f"{self.name} takes images {self.model.image_shape}, but {splits.test.name} has "
                f"{splits.test.image_shape}; choose other data or resize it."
            )
        return splits

    def _own_array(self, source: Any) -> Splits | None:
        assert self.run is not None
        if self.run.config.data.data is not None:
            return None
        try:
            return self.run.load_data(source)
        except DataError:  # other images, or fewer than the subset needs
            return None

    def _all_of(self, source: Any) -> Splits:
        assert self.run is not None
        config, seed = self.run.config.data, self.run.config.train.seed
        return load_data(source, config.replace(n_train=None, n_test=None), seed=seed)


def load(
    source: Path | str,
    *,
    network: str | type[VAE] | None = None,
    likelihood: str | type[Likelihood] | None = None,
) -> Opened:
    """The model in a run folder, a file of weights (ours or the tutorial's layout), or the zoo.

    Parameters
    ----------
    source
        A path, or ``"zoo:10"`` for a model that ships inside the package.
    network, likelihood
        Your own that the model is made of, a class or ``module:Class``. A file may name what is
        registered, and nothing it names is imported; this allows more.

    Raises
    ------
    ConfigError
        ``network`` or ``likelihood`` cannot be imported, or is of another kind.
    CheckpointError
        There is none, or it is damaged or does not fit.
    """
    text, own = str(source), allowed(network, likelihood)
    if text.startswith("zoo:"):
        model = open_card(text.removeprefix("zoo:"))
        return Opened(model.model, model.config, None, text)
    path = Path(source)
    if path.is_dir():
        run = Run.open(path)
        model = run.model(**own)
        return Opened(model.model, model.config, run, readable(path.name or str(path)))
    model = load_weights(path, **own)
    return Opened(model.model, model.config, None, readable(path.name))


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


def write_report(
    source: Opened | Path | str,
    out: Path | str,
    *,
    data: Any = None,
    explorer: str = "",
    seed: int = 0,
    progress: Tell | None = None,
) -> Path:
    """Write the whole walk through a model's latent space as one page that opens offline.

    Parameters
    ----------
    source
        What ``load`` returns or takes: ``"zoo:10"``, a run folder, a file of weights.
    out
        The page, a name that ends in .html; missing folders are made.
    data
        Other images than the model's own.
    explorer
        Address of what ``export`` wrote, seen from the report, to be linked at its top.
    seed
        Of the images and vectors that are chosen, and of the maps.
    progress
        Told what is being done, and the fraction of the whole that is done.

    Returns
    -------
    ``out``.

    Raises
    ------
    ConfigError
        ``out`` is a folder, has another ending, or cannot be written.
    CheckpointError, ShapeError, DataError
        There is no such model, or the images do not fit it or are fewer than four.
    """
    from zscape import report

    path = Path(out)
    _check_page(path)
    opened = source if isinstance(source, Opened) else load(source)
    subject = _subject(opened, data)
    return report.write_report(subject, path, explorer=explorer, seed=seed, progress=progress)


class Prepared(NamedTuple):
    """A scene for the explorer, and what it was made of."""

    scene: Scene
    model: VAE
    images: ImageSet


def prepare_scene(
    source: VAE | Opened | Path | str,
    data: Any = None,
    *,
    split: str = "test",
    maps: Sequence[str | Embedding] | None = None,
    n: int | None = None,
    weights: str = "f16",
    seed: int = 0,
    fresh: bool = False,
    progress: Tell | None = None,
) -> Prepared:
    """Everything the explorer shows of a model, from the user's cache if it was made before.

    Parameters
    ----------
    source
        A model, what ``load`` returns, or what it takes: ``"zoo:10"``, a run folder, a file.
    data
        Other images than the model's own; an ``ImageSet`` is shown as it is.
    split
        ``"train"`` or ``"test"``: which half of any other data.
    maps, n, weights, seed
        See ``zscape.explorer.build_scene``. With maps that are fitted already nothing is cached.
    fresh
        Make it anew.

    Raises
    ------
    ConfigError, ShapeError, DataError, CheckpointError
        There is no such model, an option is out of range, or the images do not fit.
    """
    from zscape.explorer import build_scene, cached_scene

    if isinstance(source, VAE):
        shape = ModelConfig(latent_dim=source.latent_dim, image_shape=source.image_shape)
        opened = Opened(source, shape, None, type(source).__name__)
    else:
        opened = source if isinstance(source, Opened) else load(source)
    vae, title = opened.model, opened.name
    images = data if isinstance(data, ImageSet) else opened.data(data).of(split)
    names = None if maps is None else [item for item in maps if isinstance(item, str)]
    if maps is None or (names and len(names) == len(maps)):
        scene = cached_scene(
            vae, images, maps=names, title=title, n=n, weights=weights, seed=seed, fresh=fresh,
            progress=progress,
        )  # fmt: skip
    else:
        scene = build_scene(
            vae, images, maps=maps, title=title, n=n, weights=weights, seed=seed, progress=progress
        )
    return Prepared(scene, vae, images)


def explore(source: VAE | Opened | Path | str, data: Any = None, **options: Any) -> ExplorerWidget:
    """The explorer as a notebook widget: last in a cell, it shows itself.

    What a person does there comes back as ``z``, ``selection``, ``path``, ``map`` and ``color``,
    and each of them can be set from Python.

    Parameters
    ----------
    source, data, options
        As for ``prepare_scene``; the first time takes a minute, for t-SNE and UMAP.

    Raises
    ------
    MissingExtraError
        anywidget is not installed.
    """
    try:
        from zscape.explorer.widget import ExplorerWidget
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "traitlets", "ipywidgets"):
            raise
        raise MissingExtraError(
            "the explorer in a notebook needs anywidget: pip install 'zscape[notebook]'."
        ) from error
    return ExplorerWidget(*prepare_scene(source, data, **options))


def export(
    source: VAE | Opened | Path | str,
    out: Path | str,
    data: Any = None,
    *,
    onnx: Path | str | None = None,
    **options: Any,
) -> Path:
    """Write the explorer as one HTML file that opens anywhere, offline, without Python.

    Parameters
    ----------
    source, data, options
        As for ``prepare_scene``; ``weights="i8"`` makes the smallest file.
    out
        The page, a name that ends in .html.
    onnx
        Also write ``encoder.onnx`` and ``decoder.onnx`` into this folder.

    Returns
    -------
    The path of the page.

    Raises
    ------
    ConfigError
        ``out`` cannot be written.
    MissingExtraError
        ``onnx`` without the packages it needs.
    """
    from zscape.explorer import check_export, write_export
    from zscape.explorer.onnx import check_onnx, write_onnx

    check_export(out)
    if onnx is not None:
        check_onnx()
    prepared = prepare_scene(source, data, **options)
    if why := prepared.scene.manifest["why"]:
        _log.warning("%s shows the images on their maps, but decodes nothing. %s", out, why)
    if onnx is not None:
        write_onnx(prepared.model, onnx)
    return write_export(prepared.scene, out)


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


def _check_page(path: Path) -> None:
    """Raise now what would otherwise be found out a minute later."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"{path}: the report is a page; give it a name that ends in .html.")
    check_writable(path, makes_folders=True)


def _subject(opened: Opened, data: Any) -> Subject:
    """What the report is to say about a model: its scores hold for its own images only."""
    from zscape.report import Scores, Subject

    images = opened.data(data)
    vae, config = opened.model, opened.model_config
    if opened.name.startswith("zoo:"):
        card = find_card(opened.name.removeprefix("zoo:"))
        said = "on its card, for all 10,000 test images of MNIST"
        known = Scores(card.test_loss, card.reconstruction, card.kl, card.n_active, said)
        facts = [
            ("training", f"{card.epochs} epochs in {card.seconds:.0f} s"),
            ("made with", f"zscape {card.version}"),
            ("SHA-256 of the weights", card.sha256),
        ]
        return Subject(opened.name, vae, config, images, card.run_config, card.history,
                       known if data is None else None, facts)  # fmt: skip
    if opened.run is None:
        return Subject(opened.name, vae, config, images)
    settings, history = opened.run.config, opened.run.metrics()
    environment = opened.run.environment()
    facts = [("training", f"{len(history)} of {settings.train.epochs} epochs in "
              f"{sum(line['seconds'] for line in history):.0f} s")]  # fmt: skip
    if environment:
        facts.append(("trained on", f"{environment['accelerator']} in {environment['precision']}"))
    scores = None
    if history and (data is None or opened.run.is_trained_on(images)):
        # Under early stopping the weights are those of the best epoch.
        lines = history if settings.train.early_stopping else history[-1:]
        best = min(lines, key=lambda line: float(line["test"]["loss"]))
        test = best["test"]
        said = f"from the run, after epoch {best['epoch']}, for all its test images"
        scores = Scores(test["loss"], test["reconstruction"], test["kl"], best["n_active"], said)
    return Subject(opened.name, vae, config, images, settings, history, scores, facts)
