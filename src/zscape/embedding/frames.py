"""Maps of the same images by several models, in one frame of reference: a film of the space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.embedding.embedding import Embedding, fit_map
from zscape.embedding.methods import Fitted, MapMethod, Tell
from zscape.embedding.neighbours import Floats, nearest_others
from zscape.embedding.tsne import TSNE
from zscape.errors import DataError
from zscape.latents import LatentTable, decode, encode, prototypes
from zscape.model import VAE, mean_elbo
from zscape.words import counted, line

if TYPE_CHECKING:
    import pandas as pd

    from zscape.data import ImageSet


MOST_PICTURES = 10
"""Pictures of a moment."""


class Turn(NamedTuple):
    """A rotation, perhaps with a reflection, and a shift of the plane: p → p @ rotation + shift."""

    rotation: NDArray[np.float64]
    """(2, 2), orthogonal."""
    shift: NDArray[np.float64]
    """(2,)"""

    def __call__(self, points: NDArray[Any]) -> Floats:
        """Points (n, 2), turned."""
        turned: Floats = (points @ self.rotation + self.shift).astype(np.float32)
        return turned


def best_turn(points: NDArray[Any], onto: NDArray[Any]) -> Turn:
    """The turn that brings points (n, 2) nearest to those of the same rows in ``onto`` (n, 2).

    It minimises the sum of squared distances; nothing is stretched.

    References
    ----------
    Schönemann 1966, doi:10.1007/BF02289451 (orthogonal Procrustes problem).
    """
    own, other = points.mean(0, dtype=np.float64), onto.mean(0, dtype=np.float64)
    u, _, v = np.linalg.svd((points - own).T @ (onto - other))
    rotation = u @ v
    return Turn(rotation, other - own @ rotation)


def align_maps(
    tables: Sequence[LatentTable],
    method: str | type[MapMethod],
    *,
    seed: int = 0,
    progress: Tell | None = None,
    **settings: Any,
) -> list[Embedding]:
    """A map of each table, all in the frame of the last.

    The last is drawn as ``fit_map`` draws it. Each of the others, from the last but one to the
    first, starts from the layout of the next later one, if it is of a kind that starts anywhere
    (t-SNE, UMAP), and is turned onto it as a whole (``best_turn``). Maps whose axes mean
    something (``pair``) stay as they are.

    Parameters
    ----------
    tables
        The same images, row by row, as different models put them.
    method, seed, settings
        See ``fit_map``.
    progress
        Told what is being done and the share of it that is done, in [0, 1].

    Raises
    ------
    DataError
        The tables are not of the same images; or ``fit_map`` raises it.
    """
    first = tables[0]
    for table in tables:
        is_same = table.data_fingerprint == first.data_fingerprint
        if not (is_same and np.array_equal(table.indices, first.indices)):
            raise DataError("maps in one frame must be of the same images, row by row.")
    tell = progress or (lambda stage, done: None)
    found: list[Embedding] = []
    for done, table in enumerate(reversed(tables)):

        def inside(stage: str, part: float, done: int = done) -> None:
            tell(f"map {done + 1} of {len(tables)}: {stage}", (done + part) / len(tables))

        start = found[-1].coordinates if found else None
        drawn = fit_map(table, method, seed=seed, start=start, progress=inside, **settings)
        if start is not None and not drawn.settings.has_own_axes:
            drawn = turned(drawn, best_turn(drawn.coordinates, start))
        found.append(drawn)
    return found[::-1]


def turned(embedding: Embedding, turn: Turn) -> Embedding:
    """The same map, turned as a whole; a linear one stays linear."""
    coordinates, state = turn(embedding.coordinates), dict(embedding.fitted.state)
    if {"axes", "centre"} <= set(state):
        state["axes"] = turn.rotation.T @ state["axes"]
        state["centre"] = state["centre"] - turn.shift @ state["axes"]
    return replace(embedding, fitted=Fitted(coordinates, state))


def frame_of(embedding: Embedding) -> str:
    """How maps of this method come into one frame, as a sentence."""
    settings = embedding.settings
    if settings.has_own_axes:
        return "The axes are the neurons' own in all maps; nothing is turned."
    begins = "starts from the next later one and " if settings.starts_anywhere else ""
    return (
        f"Each {settings.label} map {begins}is turned, mirrored and shifted as a whole so that its "
        "images lie as near as can be to where they are on the next later one."
    )


def steadiness(maps: Sequence[Embedding], *, n_neighbors: int = 15, seed: int = 0) -> pd.DataFrame:
    """How well maps of the same images hold one frame: a row for each and the next later one.

    Parameters
    ----------
    maps
        Of the same images, row by row, the first first; two at least.
    n_neighbors
        Size of a neighbourhood.
    seed
        Of the search of neighbours, where it is approximate.

    Returns
    -------
    A table with

    - ``moved``, from 0: how far images move between the two, the root of the mean square, as a
      multiple of their distance from the middle of the later map (the same mean);
    - ``rest``, [0, ``moved``]: the same once the earlier is turned onto the later in the best way.
      It is what the maps themselves differ in, the remainder of ``moved`` is the frame's fault;
    - ``kept``, [0, 1]: which share of the ``n_neighbors`` nearest images on the earlier map are
      among as many nearest on the later one. By chance it were ``n_neighbors`` / (n - 1).

    Raises
    ------
    DataError
        Not more images than ``n_neighbors``.
    """
    import pandas as pd

    n = len(maps[0])
    if n <= n_neighbors:
        raise DataError(f"neighbourhoods of {n_neighbors} need more images than that; got {n}.")
    near = [nearest_others(one.coordinates, n_neighbors, seed).rows for one in maps]
    rows = []
    for k, (one, later) in enumerate(pairwise(maps)):
        a, b = one.coordinates, later.coordinates
        radius = _rms(b - b.mean(0)) or 1.0
        rows.append({
            "moved": _rms(a - b) / radius,
            "rest": _rms(best_turn(a, b)(a) - b) / radius,
            "kept": float(neighbours_kept(near[k], near[k + 1]).mean()),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["moved", "rest", "kept"])


def neighbours_kept(near: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,): which share of each image's neighbours, ``near`` (n, k), are also in ``others``."""
    shared: NDArray[np.float64] = (near[:, :, None] == others[:, None]).any(2).mean(1)
    return shared


def _rms(vectors: NDArray[Any]) -> float:
    return float(np.sqrt((vectors.astype(np.float64) ** 2).sum(1).mean()))


@dataclass(frozen=True, eq=False)
class Film:
    """The same images as several models see them, one after the other, on maps in one frame."""

    titles: tuple[str, ...]
    """What a person calls each moment: ``epoch 2.5``."""
    at: tuple[float, ...]
    """Where each lies on the way, ascending: in epochs, of a training."""
    models: tuple[VAE, ...]
    maps: tuple[Embedding, ...]
    """In ``maps[k].table`` are the latents by ``models[k]``."""
    losses: tuple[float, ...]
    """Of the images of the maps, nats per image, at each moment."""
    pictures: NDArray[np.float32]
    """(moments, m, c, h, w): at each moment the prototype of every class, decoded by its model; or
    the same few images, drawn again, where there are no classes."""
    names: tuple[str, ...]
    """Of the m pictures: classes, or numbers of images."""

    def __repr__(self) -> str:
        moments = counted(len(self), "moment")
        ends = f"from {self.titles[0]} to {self.titles[-1]}"
        return line(self, moments, ends, str(self.maps[-1]))

    def __len__(self) -> int:
        return len(self.models)

    def __getitem__(self, which: Sequence[int]) -> Film:
        """The film of some of its moments."""
        own = ("titles", "at", "models", "maps", "losses")
        parts = {name: tuple(getattr(self, name)[k] for k in which) for name in own}
        return replace(self, pictures=self.pictures[list(which)], **parts)

    @property
    def frame(self) -> str:
        """How the maps come into one frame, and how well that holds, in two sentences."""
        found = steadiness(self.maps, n_neighbors=min(15, len(self.maps[0]) - 1))
        if not len(found):
            return frame_of(self.maps[0])
        moved, rest, kept = found.median()
        return (
            f"{frame_of(self.maps[0])} From one moment to the next an image moves by {moved:.2f} "
            f"of the map's radius, of which {rest:.2f} would remain however a map were turned, and "
            f"keeps {kept:.0%} of its 15 nearest neighbours (medians over the moments)."
        )


def make_film(
    models: Sequence[VAE],
    titles: Sequence[str],
    at: Sequence[float],
    images: ImageSet,
    method: str | None = None,
    *,
    kld_weight: float = 1.0,
    seed: int = 0,
    progress: Tell | None = None,
) -> Film:
    """Encode ``images`` by each model, draw their maps and what the model makes of each class.

    Parameters
    ----------
    models
        One after the other; two at least.
    titles
        What each is called: ``"epoch 2"``.
    at
        When each was, in epochs say: its place along the slider and the loss curve.
    images
        Which all of them encode; those of the model's shape.
    method
        Of the maps; by default the plane itself for 2 neurons, else t-SNE, or PCA where there are
        too few images for it.
    kld_weight
        Of the KL in the loss.
    seed
        Of the maps.
    progress
        Told what is being done and the share of it that is done, in [0, 1].
    """
    tables = [encode(vae, images) for vae in models]
    if method is None and all(vae.latent_dim == 2 for vae in models):
        method = "pair"
    elif method is None:
        method = "tsne" if len(tables[0]) >= TSNE().min_points() else "pca"
    maps = align_maps(tables, method, seed=seed, progress=progress)
    losses = [mean_elbo(vae, images, seed=seed).loss(kld_weight) for vae in models]
    pictures, names = _pictures(models, tables, images)
    return Film(
        tuple(titles), tuple(at), tuple(models), tuple(maps), tuple(losses), pictures, names
    )


def _pictures(
    models: Sequence[VAE], tables: Sequence[LatentTable], images: ImageSet
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """``Film.pictures`` and ``Film.names``."""
    if tables[0].labels is None:
        rows = np.arange(min(MOST_PICTURES, len(images)))
        vectors, names = [table.mu[rows] for table in tables], tuple(map(str, rows))
    else:
        found = [prototypes(table) for table in tables]
        names = found[0].class_names[:MOST_PICTURES]
        vectors = [one.vectors[: len(names)] for one in found]
        by_class = tables[0].rows_by_class()
        rows = np.array([by_class[name][0] for name in names])
    few = images[torch.from_numpy(rows)]
    told = [few if vae.condition is not None else None for vae in models]
    drawn = zip(models, vectors, told, strict=True)
    return np.stack([decode(vae, z, condition=one).numpy() for vae, z, one in drawn]), names
