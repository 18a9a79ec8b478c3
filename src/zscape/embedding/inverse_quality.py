"""How good the ways back are, measured on images that no map has seen."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from zscape.data import ImageSet
from zscape.embedding.embedding import Embedding
from zscape.embedding.inverse import inverse_transform, prepare_inverse
from zscape.embedding.neighbours import Floats
from zscape.latents import LatentTable, check_belongs, decode
from zscape.model import VAE, ModelLike, as_vae
from zscape.seeding import numpy_generator

if TYPE_CHECKING:
    import pandas as pd

N_JUDGES = 5
"""Nearest pictures that vote on the class of a decoded one."""


class HeldOut(NamedTuple):
    """Images that no map was fitted on, and the rows of latents they gave."""

    table: LatentTable
    images: ImageSet


def inverse_quality(
    maps: Embedding | Iterable[Embedding],
    ways: str | Iterable[str],
    vae: ModelLike,
    held_out: HeldOut,
    *,
    judge: ImageSet | None = None,
    n_lines: int = 20,
    n_steps: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Every way back from every map it goes with, side by side.

    The held-out images are put on the map by ``transform``, taken back, and decoded.

    Parameters
    ----------
    maps
        One map or several, fitted without the held-out images.
    ways
        Names of inverse methods; ``exact`` is left out on maps that are not linear, ``umap`` on
        those that are not umap's.
    vae
        The model of the maps, or what has one.
    held_out
        The table's ``indices`` say which image a row belongs to.
    judge
        Labelled images; the five nearest in pixels vote on the class of a decoded picture. They
        should be neither the held-out ones nor the model's own reconstructions. Without them, or
        without labels, ``class_agreement`` is NaN.
    n_lines, n_steps
        Lines on the map between random held-out points, and pictures along each.
    seed
        Of the lines, and of what a way back has to learn.

    Returns
    -------
    A table indexed by (map, inverse) with columns

    - ``z_rmse``: root mean squared error of the latent vectors, per neuron;
    - ``picture_rmse``: that of the decoded picture against the image itself, per pixel, [0, 1];
    - ``class_agreement``: how often the judges see the image's class in the decoded one, [0, 1];
    - ``roughness``: along a line, the largest step between pictures (Euclidean) over the mean
      step, averaged over lines; 1 is perfectly even;
    - ``distance``, ``round_trip``: medians, map units (see ``Inverse``);
    - ``ms_per_point``: wall time of the bare answer, after it was prepared.

    A last row, (``none``, ``none``), decodes the true latent vectors: the best any can reach.
    """
    import pandas as pd

    vae = as_vae(vae)
    table, images = held_out
    check_belongs(table, vae, images)
    pixels = images.pixels(torch.from_numpy(table.indices)).flatten(1).cpu().numpy()
    court = _Court(vae, pixels, table, judge)
    rng = numpy_generator(seed, "inverse quality")
    ends = rng.permuted(np.tile(np.arange(len(table)), (n_lines, 1)), axis=1)[:, [0, -1]]
    # A line is drawn as what it starts from, to a model that is told.
    starts = table[ends[:, 0].repeat(n_steps)]
    rows = []
    ways = [ways] if isinstance(ways, str) else list(ways)
    for embedding in [maps] if isinstance(maps, Embedding) else maps:
        check_belongs(embedding.table, vae)
        points = embedding.transform(table.mu)
        lines = _lines(points[ends], n_steps)
        for way in ways:
            if not _goes_with(way, embedding):
                continue
            found = inverse_transform(embedding, points, way)
            start = time.perf_counter()
            along = prepare_inverse(embedding, way)(lines)
            seconds = time.perf_counter() - start
            rows.append(
                {
                    "map": embedding.method,
                    "inverse": way,
                    **court.judge(found.vectors),
                    "roughness": _roughness(court.decode(along, starts), n_lines),
                    "distance": float(np.median(found.distance)),
                    "round_trip": float(np.median(found.round_trip)),
                    "ms_per_point": 1000 * seconds / len(lines),
                }
            )
    rows.append({"map": "none", "inverse": "none", **court.judge(table.mu)})
    return pd.DataFrame(rows).set_index(["map", "inverse"])


class _Court:
    """Compares vectors and their pictures with the truth."""

    def __init__(
        self, vae: VAE, pixels: Floats, table: LatentTable, judge: ImageSet | None
    ) -> None:
        self.vae, self.pixels, self.table, self.vote = vae, pixels, table, None
        if judge is not None and judge.labels is not None and table.labels is not None:
            from sklearn.neighbors import KNeighborsClassifier

            voters = judge.pixels().flatten(1).cpu().numpy()
            self.vote = KNeighborsClassifier(N_JUDGES).fit(voters, judge.labels.cpu().numpy())

    def decode(self, z: NDArray[Any], of: LatentTable) -> Floats:
        pictures: Floats = decode(self.vae, z, condition=of).flatten(1).numpy()
        return pictures

    def judge(self, z: Floats) -> dict[str, float]:
        pictures = self.decode(z, self.table)
        seen = None if self.vote is None else self.vote.predict(pictures)
        return {
            "z_rmse": float(np.sqrt(np.square(z - self.table.mu).mean())),
            "picture_rmse": float(np.sqrt(np.square(pictures - self.pixels).mean())),
            "class_agreement": float("nan" if seen is None else (seen == self.table.labels).mean()),
        }


def _goes_with(way: str, embedding: Embedding) -> bool:
    if way == "exact":
        return "axes" in embedding.fitted.state
    return way != "umap" or embedding.method == "umap"


def _lines(ends: Floats, n_steps: int) -> Floats:
    """(lines * n_steps, 2): points evenly along each line from ``ends`` (lines, 2, 2)."""
    lines = np.linspace(ends[:, 0], ends[:, 1], n_steps, axis=1, dtype=np.float32)
    return lines.reshape(-1, 2)


def _roughness(pictures: Floats, n_lines: int) -> float:
    along = pictures.reshape(n_lines, -1, pictures.shape[1])
    steps = np.linalg.norm(np.diff(along, axis=1), axis=2)
    return float((steps.max(1) / np.maximum(steps.mean(1), np.finfo(np.float32).tiny)).mean())
