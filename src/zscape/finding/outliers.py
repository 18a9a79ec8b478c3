"""Images unlike the others, by what the model makes of them and where it puts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import rankdata

from zscape.data import ImagesLike, as_image_set
from zscape.embedding.neighbours import nearest_others
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.finding.frames import check_neighbours
from zscape.latents import LatentTable, encode
from zscape.model import ModelLike, as_vae
from zscape.model.elbo import reconstruction_costs
from zscape.seeding import derive

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("error", "distance", "density", "width")
LIMITED = MEASURES[:2]
"""Those by which an image can stand out."""
FENCE = 3.0
"""Interquartile ranges above the upper quartile, beyond which a value stands out: Tukey's far out,
where two of a million normal values lie."""
MOST_POSTERIORS = 20_000
"""Of which the density is made at most: all pairs grow with the square."""
_CHUNK = 500


def outliers(
    vae: ModelLike,
    images: ImagesLike,
    *,
    table: LatentTable | None = None,
    by: str = "rank",
    k: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """How unusual every image is, by four measures; the most unusual first.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        In any form of ``zscape.data.as_image_set``.
    table
        The latents of these very images, if they are known already.
    by
        One of the four measures: what the rows are ordered by. ``"rank"``: those that stand out
        come first, by more measures before by fewer, and then the highest ranks.
    k
        Neighbours that ``distance`` is averaged over, in [1, n - 1].
    seed
        Of the posteriors that stand for the set where there are more than ``MOST_POSTERIORS``.

    Returns
    -------
    A row per image, its index being that of the table, with file name, class and columns, and

    - ``error``: nats that drawing the very picture would have saved
      (``ReconstructionCosts.avoidable``),
    - ``distance``: mean distance to the ``k`` nearest other posterior means, latent units,
    - ``density``: log density (nats) of the other images' posteriors together, the aggregate
      posterior, at the posterior mean; here low is unusual,
    - ``width``: geometric mean of the posterior's standard deviations: how unsure the model is,
    - ``rank``: the mean over the four of the share of images that are less unusual, in [0, 1],
    - ``stands_out``: which of error and distance is beyond ``FENCE`` interquartile ranges above
      the upper quartile (of the cube root of the error and the log of the distance, which are
      close to normal), with commas between; mostly empty. Density and width have no such limit:
      the one depends on how narrow the posteriors are, and whole classes are wider than others.

    Raises
    ------
    ConfigError, DataError, ShapeError
        ``k`` or ``by`` is out of range, there is one image only, the model gives numbers that are
        not finite, or the table is not of these images.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    if by not in ("rank", *MEASURES):
        raise ConfigError(f"by must be rank, {', '.join(MEASURES)}; got {by!r}.")
    check_neighbours(k, len(images), images.name)
    table = encode(vae, images) if table is None else table
    if len(table) != len(images):
        raise ShapeError(f"{len(images)} images need as many rows of latents; got {len(table)}.")
    scores: dict[str, NDArray[Any]] = {
        "error": reconstruction_costs(vae, images, table.mu).avoidable,
        "distance": nearest_others(table.mu, k, seed).distances.mean(1),
        "density": log_density(table, seed=seed),
        "width": np.exp(0.5 * table.logvar.mean(1)),
    }
    for name, values in scores.items():
        if not np.isfinite(values).all():
            raise DataError(f"{table.name}: the {name} of some images is not finite.")
    tiny = np.finfo(np.float32).tiny
    unusual = {
        "error": np.cbrt(scores["error"]),
        "distance": np.log(np.maximum(scores["distance"], tiny)),
        "density": -scores["density"],
        "width": np.log(scores["width"]),
    }
    ranks = [(rankdata(values) - 1) / (len(values) - 1) for values in unusual.values()]
    far = {name: _is_far_out(unusual[name]) for name in LIMITED}
    scores["rank"] = np.mean(ranks, axis=0)
    scores["stands_out"] = np.array(
        [", ".join(name for name in LIMITED if far[name][i]) for i in range(len(images))]
    )
    if by == "rank":
        # One may be far out by two measures and nothing special by the others.
        order = np.lexsort((-scores["rank"], -np.sum(list(far.values()), axis=0)))
    else:
        order = np.argsort(-unusual[by], kind="stable")
    return table.scored(scores).iloc[order]


def log_density(table: LatentTable, *, seed: int = 0) -> NDArray[np.float64]:
    """(n,) log of the mean density, at every posterior mean, of the other images' posteriors.

    Of more than ``MOST_POSTERIORS`` images a sample stands for all.
    """
    n = len(table)
    drawn = np.random.default_rng(derive(seed, "density")).permutation(n)[:MOST_POSTERIORS]
    mu, logvar = table.mu[drawn].astype(np.float64), table.logvar[drawn].astype(np.float64)
    precision = np.exp(-logvar)
    constant = -0.5 * (logvar + mu**2 * precision + np.log(2 * np.pi)).sum(1)
    place = np.full(n, -1)
    place[drawn] = np.arange(len(drawn))
    found = np.empty(n)
    for start in range(0, n, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, n))
        z = table.mu[rows].astype(np.float64)
        logs = z @ (mu * precision).T - 0.5 * z**2 @ precision.T + constant
        own = np.flatnonzero(place[rows] >= 0)
        logs[own, place[rows[own]]] = -np.inf
        found[rows] = logsumexp(logs, axis=1) - np.log(len(drawn) - (place[rows] >= 0))
    return found


def _is_far_out(values: NDArray[Any]) -> NDArray[np.bool_]:
    low, high = np.quantile(values, [0.25, 0.75])
    # Where half of the values are one to rounding, nothing is far from them.
    is_spread = high - low > 1e-6 * max(abs(low), abs(high), 1e-6)
    far: NDArray[np.bool_] = (values > high + FENCE * (high - low)) & is_spread
    return far
