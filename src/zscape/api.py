"""The verbs: train, load, encode, decode, …; Python users and the commands share them.

Where a verb takes a model, it takes whatever ``open_model`` does; where it takes images, whatever
``Opened.images`` does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn

from zscape import latents
from zscape.config import DataConfig, ModelConfig, RunConfig, check_heeded, name_unknown
from zscape.data import ImageSet, ImagesLike, Splits, as_image_set, load_data, showing
from zscape.data.joining import join_all, show_by
from zscape.errors import ConfigError, DataError, ShapeError, needing
from zscape.files import check_writable, readable, write_atomic
from zscape.latents import LatentTable, VectorLike, Walk, sample_prior
from zscape.model import (
    VAE,
    Likelihood,
    ModelLike,
    WrappedVAE,
    allowed,
    as_vae,
    describe_model,
    likelihoods,
    networks,
)
from zscape.registry import Registry
from zscape.seeding import torch_stream
from zscape.training import Run, TrainingResult, create_progress, fit, load_weights
from zscape.training.hardware import is_first_process
from zscape.training.run import LOSS, RECONSTRUCTIONS, SAMPLES
from zscape.words import line
from zscape.zoo import find_card, open_card

if TYPE_CHECKING:
    from zscape.embedding import Embedding
    from zscape.embedding.methods import Tell
    from zscape.evaluation import Comparison, Diagnosis, Evaluation, Protocol
    from zscape.explorer import Scene
    from zscape.explorer.widget import ExplorerWidget
    from zscape.report import Subject

OF_ONE_SOURCE = dict.fromkeys(
    ("n_train", "n_test", "columns", "on", "label", "bins", "split_by"), None
)
"""Options of a run's own images, which other images do not share."""

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
    source = str(data) if isinstance(data, (str, Path)) else None
    if options.get("columns") is not None:  # to be found from any folder later
        options["columns"] = str(Path(options["columns"]).expanduser().absolute())
    start = options.get("network")
    options |= _like(start, options) if isinstance(start, nn.Module) else {}
    options |= allowed(options.get("network"), options.get("likelihood"))
    check_heeded(options)
    config = RunConfig.from_options(data=source, **options)
    splits = load_data(data, config.data, seed=config.train.seed)
    display = create_progress(progress)
    start = start if isinstance(start, VAE) else None
    result = fit(config, splits, out=out, overwrite=overwrite, start=start, progress=display)
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
    return {
        "network": type(network),
        "latent_dim": network.latent_dim,
        "likelihood": options.get("likelihood", type(network.likelihood)),
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

    Raises
    ------
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


class Opened(NamedTuple):
    """A model ready to use, and where it comes from."""

    model: VAE
    model_config: ModelConfig
    run: Run | None
    name: str
    more: tuple[DataConfig, ...] = ()
    """What ``with_columns`` was told."""

    @property
    def show_channels(self) -> str | None:
        """Which channels of the run's pictures are drawn; see ``zscape.data.showing``."""
        return self.run.config.data.show_channels if self.run else None

    def __repr__(self) -> str:
        return line(self, self.name, describe_model(self.model))

    def with_columns(
        self,
        columns: Path | str | None = None,
        *,
        on: str | None = None,
        label: str | None = None,
        bins: int | None = None,
    ) -> Opened:
        """The same model, more being known of its images wherever they are looked at.

        Parameters
        ----------
        columns, on
            A table to join to the images, as for ``train``; rows count the whole source, its
            training images first, whatever part of it the model was trained on.
        label, bins
            The column whose values are shown as the classes, or ranges of its numbers. Which
            images are of which split stays.

        Raises
        ------
        ConfigError
            ``on`` without ``columns``, ``bins`` without ``label``, or one out of range. What is
            in the table is looked at when the images are.

        Examples
        --------
        ``zscape.load("runs/cells").with_columns("cells.csv", label="area", bins=4)``
        """
        for name, needed in (("on", "columns"), ("bins", "label")):
            if locals()[name] is not None and locals()[needed] is None:
                raise ConfigError(f"{name} goes with {needed}; without it, it changes nothing.")
        path = None if columns is None else os.fspath(columns)
        told = DataConfig(columns=path, on=on, label=label, bins=bins)
        return self._replace(more=(*self.more, told))

    def data(self, source: Any = None) -> Splits:
        """The images the model was trained on, or all those of ``source`` instead.

        They are resized and binarised as in training, and have the columns of ``with_columns``,
        unless ``source`` is ``Splits`` already. A run trained on an array knows that array when it
        is passed as ``source``, and takes the subset it was trained on.

        Raises
        ------
        ShapeError
            The images do not have the model's shape.
        DataError
            Those the run was trained on are not there, or have changed; or the table of columns
            does not fit them.
        """
        if self.run is None:
            splits = load_data("mnist" if source is None else source, more=self._more(source))
        elif source is None:
            splits = self.run.load_data(more=self.more)
        else:
            splits = self._own_array(source) or self._all_of(source)
        if splits.test.image_shape != self.model.image_shape:
            raise ShapeError(
                f"{self.name} takes images {self.model.image_shape}, but {splits.test.name} has "
                f"{splits.test.image_shape}; choose other data or resize it."
            )
        return splits

    def images(self, source: ImagesLike = None, split: str = "test") -> ImageSet:
        """One set of images for the model, as every verb takes them.

        Parameters
        ----------
        source
            None for the model's own; an ``ImageSet``, which is taken as it is; or other images in
            any form of ``zscape.data.as_image_set``. What is in memory is taken whole, unless
            it is what the run was trained on. Others are resized and binarised as in training.
        split
            Which half, ``"train"`` or ``"test"``, where there are two.

        Raises
        ------
        ShapeError, DataError, ConfigError
            The images do not fit the model, are no images, or there is no such half.
        """
        if source is None or isinstance(source, (str, os.PathLike, Splits)):
            return self.data(source).of(split)
        if self.run is not None and (own := self._own_array(source)):
            return own.of(split)
        found = as_image_set(source, split, image_shape=self.model.image_shape)
        if isinstance(source, ImageSet):
            return found
        if self.run is not None:
            found = self._all_of(Splits(found, found)).of(split)
        return cast(ImageSet, show_by(join_all(found, self.more), self.more))

    def _more(self, source: Any) -> tuple[DataConfig, ...]:
        """What is joined to images of ``source``: those that are a set have all they shall have."""
        return () if isinstance(source, Splits) else self.more

    def _own_array(self, source: Any) -> Splits | None:
        assert self.run is not None
        if self.run.config.data.data is not None:
            return None
        try:
            return self.run.load_data(source, more=self._more(source))
        except DataError:  # other images, or fewer than the subset needs
            return None

    def _all_of(self, source: Any) -> Splits:
        assert self.run is not None
        config, seed = self.run.config.data, self.run.config.train.seed
        config = config.replace(**OF_ONE_SOURCE)
        return load_data(source, config, seed=seed, more=self._more(source))


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
        ``network`` or ``likelihood`` cannot be imported, is of another kind, or is given for a
        model of the zoo.
    CheckpointError
        There is none, or it is damaged or does not fit.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise ConfigError(f"load takes a path or 'zoo:10'; got a {type(source).__name__}.")
    text, own = str(source), allowed(network, likelihood)
    if text.startswith("zoo:"):
        if own:
            raise ConfigError(
                f"{text} is made of what ships inside; it takes no {' or '.join(own)} of your own."
            )
        model = open_card(text.removeprefix("zoo:"))
        return Opened(model.model, model.config, None, text)
    path = Path(source)
    if path.is_dir():
        run = Run.open(path)
        model = run.model(**own)
        return Opened(model.model, model.config, run, readable(path.name or str(path)))
    model = load_weights(path, **own)
    return Opened(model.model, model.config, None, readable(path.name))


Openable: TypeAlias = ModelLike | Run | Path | str
"""Whatever ``open_model`` takes."""


def open_model(source: Openable) -> Opened:
    """The model that is meant: the one home of this conversion.

    Parameters
    ----------
    source
        A model; what ``load``, ``train`` or ``load_weights`` returned; a run; or what ``load``
        takes: ``"zoo:10"``, a run folder, a file of weights.

    Raises
    ------
    ConfigError
        It is none of these.
    CheckpointError
        There is no such model.
    """
    if isinstance(source, Opened):
        return source
    if isinstance(source, (str, os.PathLike, Run)):
        return load(source.path if isinstance(source, Run) else source)
    vae, run = as_vae(source), getattr(source, "run", None)
    config = run.config.model if run else getattr(source, "config", None)
    if config is None:
        config = ModelConfig(
            latent_dim=vae.latent_dim,
            image_shape=vae.image_shape,
            network=_name_of(type(vae), networks),
            likelihood=_name_of(type(vae.likelihood), likelihoods),
        )
    own = type(vae.module if isinstance(vae, WrappedVAE) else vae)
    return Opened(vae, config, run, run.path.name if run else own.__name__)


def _name_of(entry: type, registry: Registry[Any]) -> str:
    return next((name for name in registry if registry[name] is entry), entry.__name__)


def encode(
    model: Openable,
    images: ImagesLike = None,
    *,
    split: str = "test",
    progress: Callable[[int], None] | None = None,
) -> LatentTable:
    """Where the model puts images: the posterior of each, one row of a table.

    Parameters
    ----------
    model
        See ``open_model``.
    images, split
        See ``Opened.images``; the model's own test images by default.
    progress
        Called after every batch with the number of images done so far.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, or the images do not fit it.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> zscape.encode("zoo:10", np.zeros((3, 28, 28), np.uint8)).mu.shape
    (3, 10)
    """
    opened = open_model(model)
    return latents.encode(opened.model, opened.images(images, split), progress=progress)


def decode(model: Openable, z: VectorLike) -> Tensor:
    """Pictures (n, c, h, w) in [0, 1] of latent vectors in any form of ``latents.as_vectors``."""
    return latents.decode(open_model(model).model, z)


def reconstruct(model: Openable, images: ImagesLike = None, *, split: str = "test") -> Tensor:
    """What the model makes of images: decoded posterior means, (n, c, h, w) in [0, 1].

    ``model``, ``images`` and ``split`` are those of ``encode``.
    """
    opened = open_model(model)
    return decode(opened, encode(opened, images, split=split).mu)


def sample(model: Openable, n: int = 10, *, seed: int | None = None) -> Walk:
    """``n`` latent vectors drawn from the prior N(0, I), and their pictures.

    Parameters
    ----------
    seed
        The same gives the same vectors; without one they are new every time.

    Returns
    -------
    ``vectors`` (n, latent_dim) and ``images`` (n, c, h, w) in [0, 1], in this order.
    """
    return sample_prior(open_model(model).model, n, seed=seed)


def evaluate(
    model: Openable,
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """What the model pays for images: reconstruction, KL, ELBO and a closer bound on log p(x).

    Parameters
    ----------
    model, images, split
        See ``encode``.
    protocol
        How it is measured, which the figures carry; ``zscape.Protocol(samples=5000)`` for the
        importance-weighted bound of 5 000 samples.
    progress
        Told the share that is done.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it, or the protocol does not fit either.

    Examples
    --------
    >>> import numpy as np, zscape
    >>> found = zscape.evaluate("zoo:10", np.zeros((3, 28, 28), np.uint8))
    >>> found.table().index.tolist(), found.kl.shape
    (['reconstruction', 'kl', 'elbo'], (3, 10))
    """
    from zscape import evaluation

    opened = open_model(model)
    return evaluation.evaluate(
        opened.model, opened.images(images, split), protocol, name=opened.name, progress=progress
    )


def compare(
    models: Sequence[Openable],
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    probes: bool = True,
    progress: Tell | None = None,
) -> Comparison:
    """Several models on the same images, measured alike: ``table()`` has a row for each.

    Parameters
    ----------
    models
        Each as ``open_model`` takes it; ``"zoo:all"`` stands for all that ship.
    images, split, protocol
        As for ``evaluate``; by default each model's own test images, which must be the same.
    probes
        Also fit probes of the class on the training images, where all images have one.
    progress
        Told what is being done, and the share of the whole that is done.

    Raises
    ------
    ConfigError
        Two models cannot be compared: other images, or nats of something else.
    ShapeError, DataError, CheckpointError
        There is no such model, or the images do not fit it.
    """
    from zscape import evaluation

    opened = open_models(models)
    shown = [model.images(images, split) for model in opened]
    for model, own in zip(opened, shown, strict=True):
        if own.fingerprint != shown[0].fingerprint:
            raise ConfigError(
                f"{opened[0].name} and {model.name} cannot be compared: their {split} images are "
                f"{shown[0].name} ({shown[0].fingerprint}) and {own.name} ({own.fingerprint}); "
                "choose images for both."
            )
    found = []
    for k, (model, own) in enumerate(zip(opened, shown, strict=True)):

        def tell(done: float, k: int = k, name: str = model.name) -> None:
            if progress is not None:
                progress(name, (k + done) / len(opened))

        fit_on = model.data().train if probes and images is None else None
        found.append(
            evaluation.measure(
                model.model, own, protocol or evaluation.Protocol(), name=model.name,
                config=_trained_with(model),
                fit_on=fit_on if fit_on is not None and fit_on.has_labels else None, progress=tell,
            )
        )  # fmt: skip
    return evaluation.compare(found)


def open_models(models: Sequence[Openable]) -> list[Opened]:
    """Each as ``open_model`` takes it; ``"zoo:all"`` stands for all that ship."""
    from zscape.zoo import read_cards

    named: list[Openable] = []
    for model in models:
        named += [f"zoo:{name}" for name in read_cards()] if model == "zoo:all" else [model]
    return [open_model(model) for model in named]


def _trained_with(opened: Opened) -> RunConfig | None:
    if opened.run is not None:
        return opened.run.config
    is_zoo = opened.name.startswith("zoo:")
    return find_card(opened.name.removeprefix("zoo:")).run_config if is_zoo else None


def doctor(
    model: Openable, data: Any = None, *, seed: int = 0, progress: Tell | None = None
) -> Diagnosis:
    """What is wrong with a model: findings, the gravest first, each with one thing to try.

    Looks at its codes, its decoder and its layers, at how much better it is on images it was
    trained on, and at how its training went, as far as that is known.

    Parameters
    ----------
    model
        See ``open_model``.
    data
        Other images than the model's own, as for ``Opened.data``.
    seed
        Of the images and codes that are drawn.
    progress
        Told what is being done, and the share that is done.

    Raises
    ------
    ShapeError, DataError, ConfigError, CheckpointError
        There is no such model, the images do not fit it or are too few, or it gives numbers that
        are not finite.

    Examples
    --------
    >>> import zscape
    >>> zscape.doctor("zoo:10").serious
    ()
    """
    return _subject(open_model(model), data).diagnose(seed, progress)


def write_report(
    source: Openable,
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
        A model, see ``open_model``: ``"zoo:10"``, a run folder, what ``train`` returned.
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
    opened = open_model(source)
    subject = _subject(opened, data)
    with showing(opened.show_channels):
        return report.write_report(subject, path, explorer=explorer, seed=seed, progress=progress)


class Prepared(NamedTuple):
    """A scene for the explorer, and what it was made of."""

    scene: Scene
    model: VAE
    images: ImageSet

    def __repr__(self) -> str:
        return line(self, str(self.scene), describe_model(self.model), str(self.images))


def prepare_scene(
    source: Openable,
    data: Any = None,
    *,
    split: str = "test",
    maps: str | Embedding | Sequence[str | Embedding] | None = None,
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
        A model, see ``open_model``: ``"zoo:10"``, a run folder, what ``train`` returned.
    data, split
        Which images, see ``Opened.images``; the model's own test images by default.
    maps, n, weights, seed
        See ``zscape.explorer.build_scene``. With maps that are fitted already nothing is cached.
    fresh
        Make it anew.

    Raises
    ------
    ConfigError, ShapeError, DataError, CheckpointError
        There is no such model, an option is out of range, or the images do not fit.
    """
    from zscape.embedding import Embedding
    from zscape.explorer import build_scene, cached_scene

    opened = open_model(source)
    vae, title, images = opened.model, opened.name, opened.images(data, split)
    if maps is not None:
        maps = [maps] if isinstance(maps, (str, Embedding)) else list(maps)
    names = None if maps is None else [item for item in maps if isinstance(item, str)]
    told: dict[str, Any] = {
        "title": title, "n": n, "weights": weights, "seed": seed, "progress": progress
    }  # fmt: skip
    with showing(opened.show_channels):
        if maps is None or (names and len(names) == len(maps)):
            scene = cached_scene(vae, images, maps=names, fresh=fresh, **told)
        else:
            scene = build_scene(vae, images, maps=maps, **told)
    return Prepared(scene, vae, images)


def explore(source: Openable, data: Any = None, **options: Any) -> ExplorerWidget:
    """The explorer as a notebook widget: last in a cell, it shows itself.

    What a person does there comes back as ``z``, ``selection``, ``path``, ``map``, ``color`` and
    ``filter``, and each of them can be set from Python.

    Parameters
    ----------
    source, data, options
        As for ``prepare_scene``; the first time takes a minute, for t-SNE and UMAP.

    Raises
    ------
    MissingExtraError
        anywidget is not installed.
    """
    with needing("notebook", "the explorer in a notebook"):
        from zscape.explorer.widget import ExplorerWidget
    _check_options("explore", options)
    return ExplorerWidget(*prepare_scene(source, data, **options))


def export(
    source: Openable,
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
    _check_options("export", options)
    if onnx is not None:
        check_onnx()
    prepared = prepare_scene(source, data, **options)
    if why := prepared.scene.manifest["why"]:
        _log.warning("%s shows the images on their maps, but decodes nothing. %s", out, why)
    if onnx is not None:
        write_onnx(prepared.model, onnx)
    return write_export(prepared.scene, out)


def _check_options(verb: str, options: dict[str, Any]) -> None:
    known = list(signature(prepare_scene).parameters)[2:]
    if unknown := set(options) - set(known):
        raise ConfigError(f"{verb} has no option {name_unknown(unknown, known)}.")


def choose(images: ImagesLike, n: int, *, seed: int | None = None) -> ImageSet:
    """``n`` of the images at random; the same ones for the same seed, in the same order."""
    found = as_image_set(images)
    if not 1 <= n <= len(found):
        raise ConfigError(f"n must be in [1, {len(found)}], the {found.split} images; got {n}.")
    return found[torch.randperm(len(found), generator=torch_stream(seed, "choose"))[:n]]


def _illustrate(result: TrainingResult, data: Splits) -> TrainingResult:
    """Put loss curve, reconstructions and samples beside the finished model."""
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
        known = Scores(card.test_loss, card.reconstruction, card.kl, said)
        is_own = data is None or (isinstance(data, str) and data == "mnist")
        facts = [
            ("training", f"{card.epochs} epochs in {card.seconds:.0f} s"),
            ("made with", f"zscape {card.version}"),
            ("SHA-256 of the weights", card.sha256),
        ]
        return Subject(opened.name, vae, config, images, is_own, card.run_config, card.history,
                       known if is_own else None, facts)  # fmt: skip
    if opened.run is None:
        return Subject(opened.name, vae, config, images, is_own=False)
    settings, history = opened.run.config, opened.run.metrics()
    environment = opened.run.environment()
    facts = [("training", f"{len(history)} of {settings.train.epochs} epochs in "
              f"{sum(line['seconds'] for line in history):.0f} s")]  # fmt: skip
    if environment:
        facts.append(("trained on", f"{environment['accelerator']} in {environment['precision']}"))
    scores = None
    is_own = data is None or opened.run.is_trained_on(images)
    if history and is_own:
        # Under early stopping the weights are those of the best epoch.
        lines = history if settings.train.early_stopping else history[-1:]
        best = min(lines, key=lambda line: float(line["test"]["loss"]))
        test = best["test"]
        said = f"from the run, after epoch {best['epoch']}, for all its test images"
        scores = Scores(test["loss"], test["reconstruction"], test["kl"], said)
    raw = None
    if (weights := opened.run.raw_weights()) is not None:
        raw = deepcopy(vae)
        raw.load_state_dict(weights)
    return Subject(opened.name, vae, config, images, is_own, settings, history, scores, facts, raw)
