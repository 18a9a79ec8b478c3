"""Scenes of several models, of moments of a training, or of two sets of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zscape.api.filming import MOST_IMAGES, moments
from zscape.api.opening import Openable, Opened, numbers_of, open_model, open_models
from zscape.errors import ConfigError, ShapeError

if TYPE_CHECKING:
    from zscape.data import ImageSet
    from zscape.embedding.methods import Tell
    from zscape.explorer import Scene

MAPS = ("pca", "tsne")
"""Of several models, unless others are asked for: each model has its own."""


class Members(NamedTuple):
    """Models in the order in which the page shows them."""

    models: list[Opened]
    labels: list[str]
    by: str
    """What they differ in."""
    title: str
    is_film: bool


def members_of(source: Openable | list[Openable], *, film: bool = False) -> Members:
    """The models that are meant, and what they differ in.

    Parameters
    ----------
    source
        A run with snapshots, if it is a film; otherwise a list of models. Those that differ in
        ``kld_weight`` alone, or in ``latent_dim`` alone, come in its order, however they are
        given.

    Raises
    ------
    ConfigError
        Fewer than two.
    CheckpointError
        There is no such model, or the run has no snapshots.
    """
    if film:
        (one,) = source if isinstance(source, list) else [source]
        opened = open_model(one)
        found, labels, _ = moments(opened, None)
        return Members(found, labels, "training", f"{opened.name} learns", True)
    models = open_models(source if isinstance(source, list) else [source])
    if len(models) < 2:
        raise ConfigError(f"two models at least are compared; got {len(models)}.")
    told = {model.name: model.settings for model in models}
    by, labels = "model", list(told)
    if all(told.values()):
        weights = {name: one.train.kld_weight for name, one in told.items() if one}
        sizes = {name: one.model.latent_dim for name, one in told.items() if one}
        for what, own, others in (
            ("kld_weight", weights, sizes), ("latent_dim", sizes, weights)
        ):  # fmt: skip
            if len(set(own.values())) == len(own) and len(set(others.values())) == 1:
                by, models = what, sorted(models, key=lambda one: own[one.name])
                labels = [f"{own[one.name]:g}" for one in models]
    names = [one.name for one in models]
    title = " · ".join(names) if len(names) < 4 else f"{names[0]} … {names[-1]}"
    return Members(models, labels, by, title, False)


def scene_of_members(
    members: Members,
    data: Any = None,
    *,
    split: str = "test",
    maps: Sequence[str] | None = None,
    n: int | None = None,
    rows: Any = None,
    weights: str = "f16",
    seed: int = 0,
    progress: Tell | None = None,
) -> tuple[Scene, ImageSet]:
    """One scene with all of them, of the same images, their maps in one frame of reference.

    Raises
    ------
    ShapeError
        The images do not fit one of the models.
    """
    from zscape.explorer import build_scene, join_scenes
    from zscape.explorer.members import KEPT, kept_between, maps_of_members, with_column
    from zscape.explorer.scene import chosen_rows
    from zscape.latents import encode
    from zscape.model import mean_elbo

    tell: Tell = progress or (lambda stage, done: None)
    models, n_models = members.models, len(members.models)
    images = models[-1].images(data, split)
    for one in models:
        if one.model.image_shape != images.image_shape:
            raise ShapeError(
                f"{one.name} takes images {one.model.image_shape}, but {models[-1].name} takes "
                f"{images.image_shape}; only models of the same images can be compared."
            )
    among = numbers_of(rows, len(images))
    available = len(images if among is None else among)
    count = min(available, 10_000 if n_models < 4 else MOST_IMAGES) if n is None else n
    if not 2 <= count <= available:
        raise ConfigError(f"n must be in [2, {available}] to compare models; got {count}.")
    rows = chosen_rows(available, count, seed, among)
    tables = [encode(one.model, images, rows=rows) for one in models]
    if maps is None:
        is_plane = all(one.model.latent_dim == 2 for one in models)
        maps = ("pair",) if is_plane and members.is_film else MAPS
    drawn = maps_of_members(tables, maps, seed, tell)
    scenes = []
    for k, (one, table, own) in enumerate(zip(models, tables, drawn, strict=True)):
        tell(f"scene {k + 1} of {n_models}", k / n_models)
        scenes.append(build_scene(
            one.model, images, table=table, maps=own, title=one.name, n=count, weights=weights,
            seed=seed, is_brief=n_models > 3, near=drawn[0][0].coordinates,
        ))  # fmt: skip
    if n_models == 2:
        kept = kept_between(*tables)
        scenes = [with_column(scene, KEPT, kept) for scene in scenes]
    few = images[torch_rows(rows, MOST_IMAGES)]
    settings = models[-1].settings if members.is_film else None
    weight = settings.train.kld_weight if settings else 1.0
    losses = [mean_elbo(one.model, few, seed=seed).loss(weight) for one in models]
    scene = join_scenes(
        scenes, members.labels, by=members.by, title=members.title, losses=losses,
        first=n_models - 1 if members.is_film else 0, is_film=members.is_film,
    )  # fmt: skip
    return scene, images


def torch_rows(rows: Any, most: int) -> Any:
    """At most ``most`` of the rows, evenly, to index a set with."""
    import torch

    step = -(-len(rows) // most)
    return torch.from_numpy(rows[::step])


def scene_of_sets(
    opened: Opened,
    data: Any,
    others: Any,
    *,
    split: str = "test",
    maps: Sequence[str] | None = None,
    n: int | None = None,
    weights: str = "f16",
    seed: int = 0,
    progress: Tell | None = None,
) -> tuple[Scene, ImageSet]:
    """One model on two sets of images: the second is placed on the maps of the first."""
    from zscape.explorer import build_scene, join_scenes
    from zscape.explorer.maps import draw_maps
    from zscape.explorer.members import placed_on
    from zscape.explorer.scene import DEFAULT_POINTS, chosen_rows, describe_neurons
    from zscape.latents import encode

    tell: Tell = progress or (lambda stage, done: None)
    sets = [opened.images(source, split) for source in (data, others)]
    counts = [min(len(images), DEFAULT_POINTS if n is None else n) for images in sets]
    tables = [
        encode(opened.model, images, rows=chosen_rows(len(images), count, seed))
        for images, count in zip(sets, counts, strict=True)
    ]
    import numpy as np

    kl = np.array([neuron["kl"] for neuron in describe_neurons(tables[0], informs=False)])
    first = draw_maps(tables[0], maps, kl, tell, seed)
    drawn = [first, placed_on(first, tables[1])]
    names = [f"{images.name}, {images.split}" for images in sets]
    scenes = [
        build_scene(
            opened.model, images, table=table, maps=own, title=opened.name, n=count,
            weights=weights, seed=seed, progress=tell,
        )
        for images, table, own, count in zip(sets, tables, drawn, counts, strict=True)
    ]  # fmt: skip
    title = f"{opened.name} on {names[0]} and {names[1]}"
    return join_scenes(scenes, names, by="images", title=title), sets[0]
