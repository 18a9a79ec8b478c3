"""A model as it learned, or several models one after the other, as a film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zscape.api.opening import Openable, Opened, open_model, open_models
from zscape.errors import CheckpointError, ConfigError
from zscape.seeding import torch_generator
from zscape.training import find_snapshot, load_snapshot, snapshots
from zscape.training.snapshots import titles

if TYPE_CHECKING:
    from zscape.data import ImageSet
    from zscape.embedding import Film
    from zscape.embedding.methods import Tell

MOST_IMAGES = 2_000
"""Images on the maps of a film, unless more are asked for: every moment has a map of its own."""


def film(
    source: Openable | list[Openable],
    data: Any = None,
    *,
    split: str = "test",
    n: int | None = None,
    method: str | None = None,
    most: int | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Film:
    """The same images at every snapshot of a training, on maps in one frame of reference.

    Parameters
    ----------
    source
        A run that was trained with ``snapshots=20``; or a list of models, which are shown one
        after the other.
    data, split
        Which images, see ``Opened.images``; the test images of the first model by default.
    n
        How many of them, drawn with ``seed``; 2 000 by default, if there are so many.
    method
        Of the maps: ``"pca"``, ``"tsne"``, … By default the two neurons themselves if there are
        two, else t-SNE.
    most
        Not more moments than that, evenly among those there are.
    seed
        Of the images that are drawn, and of the maps.
    progress
        Told what is being done and how much of it is done.

    Raises
    ------
    CheckpointError
        There is no such model, or the run has no snapshots.
    ConfigError, ShapeError, DataError
        An option is out of range, or the images do not fit the models.
    """
    from zscape.embedding import make_film

    if isinstance(source, list):
        opened = open_models(source)
        names, at = [one.name for one in opened], [float(k) for k in range(len(opened))]
    else:
        opened, names, at = moments(open_model(source), most)
    if len(opened) < 2:
        raise ConfigError(f"a film needs two models or moments at least; got {len(opened)}.")
    settings = opened[-1].settings
    return make_film(
        [one.model for one in opened], names, at, some(opened[-1].images(data, split), n, seed),
        method, kld_weight=settings.train.kld_weight if settings else 1.0, seed=seed,
        progress=progress,
    )  # fmt: skip


def some(images: ImageSet, n: int | None, seed: int) -> ImageSet:
    """``n`` of the images, or ``MOST_IMAGES`` if it is not said how many."""
    count = min(len(images), MOST_IMAGES) if n is None else n
    if not 2 <= count <= len(images):
        raise ConfigError(
            f"n must be in [2, {len(images)}], the {images.split} images of {images.name}; got "
            f"{count}."
        )
    return images.subset(count, torch_generator(seed, "film"))


def moments(opened: Opened, most: int | None) -> tuple[list[Opened], list[str], list[float]]:
    """The run at each of its snapshots, and what each is called and when it was."""
    if opened.run is None:
        raise CheckpointError(
            f"{opened.name} has no snapshots; a film is of a run that was trained with "
            "--snapshots 20."
        )
    _ = find_snapshot(opened.run, "0")  # or it says how to have some
    found = snapshots(opened.run)
    if most is not None and len(found) > most:
        found = [found[round(k * (len(found) - 1) / (most - 1))] for k in range(most)]
    network, likelihood = type(opened.model), type(opened.model.likelihood)
    models = [
        load_snapshot(opened.run, one, network=network, likelihood=likelihood).model
        for one in found
    ]
    loaded = [
        opened._replace(model=model, snapshot=one) for model, one in zip(models, found, strict=True)
    ]
    if chosen := opened.model.chosen:
        loaded = [one.given(chosen) for one in loaded]
    return loaded, titles(found), [one.epoch for one in found]
