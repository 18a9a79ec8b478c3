"""What a model is, however it is named: the one home of this conversion, and of its images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from zscape.config import DataConfig, ModelConfig, RunConfig
from zscape.data import ImageSet, ImagesLike, Splits, as_image_set, load_data, place_of
from zscape.data.joining import join_all, read_rows, show_by
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.files import readable
from zscape.model import (
    CLASS,
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
from zscape.training import Run, Snapshot, find_snapshot, load_snapshot, load_weights
from zscape.words import line
from zscape.zoo import find_card, open_card, read_cards

OF_A_PART: dict[str, Any] = dict.fromkeys(("n_train", "n_test"))
"""Options that say which of its images a run was trained on."""
OF_ONE_SOURCE = OF_A_PART | dict.fromkeys(("columns", "on", "label", "bins", "split_by"))
"""Options of a run's own images, which other images do not share."""


class Opened(NamedTuple):
    """A model ready to use, and where it comes from."""

    model: VAE
    model_config: ModelConfig
    run: Run | None
    name: str
    more: tuple[DataConfig, ...] = ()
    """What ``with_columns`` was told."""
    snapshot: Snapshot | None = None
    """The moment of the run's training that it is of; None: the model to use."""

    @property
    def settings(self) -> RunConfig | None:
        """What it was trained with; None where that is not known."""
        if self.run is not None:
            return self.run.config
        is_zoo = self.name.startswith("zoo:")
        return find_card(self.name.removeprefix("zoo:")).run_config if is_zoo else None

    def given(self, condition: Any = None) -> Opened:
        """The same model, told what is to be decoded: ``condition``, as for ``VAE.given``."""
        return self._replace(model=self.model.given(condition))

    @property
    def history(self) -> list[dict[str, Any]]:
        """The lines of the run's ``metrics.jsonl`` up to the model; empty without a run."""
        lines = self.run.metrics() if self.run else []
        return lines[: int(self.snapshot.epoch)] if self.snapshot else lines

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
        self._check_label(label, bins)
        path = None if columns is None else os.fspath(columns)
        told = DataConfig(columns=path, on=on, label=label, bins=bins)
        return self._replace(more=(*self.more, told))

    def _check_label(self, label: str | None, bins: int | None) -> None:
        """Raise ``ConfigError`` if others would become the classes that the model is told."""
        condition = self.model.condition
        if label is None or condition is None or condition.column != CLASS:
            return
        own = self.run.config.data if self.run else DataConfig()
        if (label, bins) != (own.label, own.bins):
            raise ConfigError(
                f"{self.name} is told the class of every image, {condition.choices()}, so no other "
                f"column can be the class; leave out label {label}."
            )

    def data(self, source: Any = None) -> Splits:
        """The images the model was trained on, or all those of ``source`` instead.

        They are resized and binarised as in training, and have the columns of ``with_columns``,
        unless ``source`` is ``Splits`` already. A run trained on an array knows that array when it
        is passed as ``source``, and takes the subset it was trained on. Of the path that it was
        trained on all images are taken, split, labelled and with columns as they were.

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
        # Dealt otherwise, its own images would be tested on that it was trained on.
        place = place_of(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else None
        own = (self.run.images or {}).get("place")
        is_own = bool(place and own) and os.path.realpath(str(place)) == os.path.realpath(str(own))
        config = config.replace(**(OF_A_PART if is_own else OF_ONE_SOURCE))
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
        A path, or ``"zoo:10"`` for a model that ships inside the package. ``"RUN@3"`` is a run as
        it was at the fourth snapshot of its training, ``"RUN@epoch:5"`` at the last one that is
        not later than the end of epoch 5.
    network, likelihood
        Your own that the model is made of, a class or ``module:Class``. A file may name what is
        registered, and nothing it names is imported; this allows more.

    Raises
    ------
    ConfigError
        ``network`` or ``likelihood`` cannot be imported, is of another kind, or is given for a
        model of the zoo.
    CheckpointError
        There is none, or it is damaged or does not fit; or the run has no such snapshot.
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
    folder, at, which = text.rpartition("@")
    if at and not path.exists() and Path(folder).is_dir():
        run = Run.open(folder)
        snapshot = find_snapshot(run, which)
        model = load_snapshot(run, snapshot, **own)
        name = f"{readable(run.path.name or folder)}@{snapshot.number}"
        return Opened(model.model, model.config, run, name, snapshot=snapshot)
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
            condition=vae.condition and vae.condition.column,
            condition_names=vae.condition.names if vae.condition else (),
        )
    own = type(vae.module if isinstance(vae, WrappedVAE) else vae)
    return Opened(vae, config, run, run.path.name if run else own.__name__)


def _name_of(entry: type, registry: Registry[Any]) -> str:
    return next((name for name in registry if registry[name] is entry), entry.__name__)


def _several(source: Openable) -> list[str]:
    """Names of models of the zoo that one name stands for; none if it stands for itself."""
    told = {name: find_card(name).run_config for name in read_cards()}
    if source == "zoo:all":
        return list(told)
    if source == "zoo:kld":
        return [name for name, one in told.items() if one.model.latent_dim == 10]
    if source == "zoo:dims":
        return [name for name, one in told.items() if one.train.kld_weight == 1]
    return []


def open_models(sources: Sequence[Openable]) -> list[Opened]:
    """Each as ``open_model`` takes it, under a name of its own.

    ``"zoo:all"`` is all that ship, ``"zoo:kld"`` those of 10 neurons with different weights of the
    KL, ``"zoo:dims"`` those with different numbers of neurons and the weight 1.

    Raises
    ------
    ConfigError
        One of them stands there twice, or ``open_model`` raises it.
    CheckpointError
        There is no such model.
    """
    named: list[Openable] = []
    for source in sources:
        named += [f"zoo:{name}" for name in _several(source)] or [source]
    found: dict[str, Opened] = {}
    places: set[object] = set()
    for source in named:
        model, is_path = open_model(source), isinstance(source, (str, os.PathLike))
        place = os.path.realpath(str(source)) if is_path else id(model.model)
        if place in places:
            raise ConfigError(f"{model.name} is there twice; name each model once.")
        places.add(place)
        name = model.name
        if name in found and is_path:  # two folders of one name
            name = readable(str(source))
        if name in found:
            name = next(new for k in count(2) if (new := f"{name} ({k})") not in found)
        found[name] = model._replace(name=name)
    return list(found.values())


def numbers_of(rows: Any, n: int) -> NDArray[np.int64] | None:
    """Which of ``n`` images are meant, ascending and each once; None for all.

    Parameters
    ----------
    rows
        Numbers from 0, or the path of a table that lists them; see ``zscape.data.joining``.

    Raises
    ------
    ConfigError, DataError
        There are none, or others than numbers of these images.
    """
    if rows is None:
        return None
    if isinstance(rows, (str, os.PathLike)):
        found = read_rows(Path(rows), n)
    else:
        wanted = np.asarray(rows)
        is_whole = wanted.ndim == 1 and (wanted.size == 0 or wanted.dtype.kind in "iu")
        if not is_whole or ((wanted < 0) | (wanted >= n)).any():
            raise ConfigError(f"rows must be whole numbers in [0, {n - 1}]; got {rows!r}.")
        found = np.unique(wanted).astype(np.int64)
    if not len(found):
        raise ConfigError("rows must name an image at least; there is none in it.")
    return found
