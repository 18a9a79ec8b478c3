"""Ways through the latent space: vectors, and the pictures decoded from them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImageSet
from zscape.errors import ConfigError, ShapeError
from zscape.latents.encode import decode, locate
from zscape.latents.table import LatentTable
from zscape.latents.vectors import VectorLike, as_neurons, as_numbers, as_vector, as_vectors
from zscape.model import VAE, ModelLike, as_vae, is_told
from zscape.seeding import torch_stream
from zscape.words import counted, line, sides

PATHS = ("line", "slerp")


class Walk(NamedTuple):
    """Places and their pictures; a grid of places has two axes before the last."""

    vectors: NDArray[np.float32]
    """(n, latent_dim), or (rows, columns, latent_dim) of a grid."""
    images: Tensor
    """(n, c, h, w), or (rows, columns, c, h, w) of a grid; in [0, 1], on the CPU."""

    def __repr__(self) -> str:
        *grid, latent_dim = self.vectors.shape
        places = counted(grid[0], "place") if len(grid) == 1 else f"{sides(grid)} places"
        pictures = f"pictures {sides(self.images.shape[-3:])}"
        return line(self, f"{places} of {counted(latent_dim, 'latent neuron')}", pictures)


class Neighbours(NamedTuple):
    """Rows of a table and how far each is from the point, the nearest first."""

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    """Euclidean, in latent units."""

    def __repr__(self) -> str:
        ends = f"{self.distances[0]:.3g} to {self.distances[-1]:.3g} away"
        return line(self, counted(len(self.rows), "row"), ends)


def walk(vae: ModelLike, vectors: VectorLike, *, condition: Any = None) -> Walk:
    """The pictures of any vectors: of prototypes, of their sums and differences, of a table's.

    ``condition`` is as for ``decode``.
    """
    vae = as_vae(vae)
    z = as_vectors(vectors, vae.latent_dim)
    return Walk(z, decode(vae, z, condition=condition))


def sample_prior(
    vae: ModelLike, n: int = 10, *, condition: Any = None, seed: int | None = None
) -> Walk:
    """``n`` pictures of vectors drawn from the prior N(0, I); new ones without a seed.

    A model that is told what a picture is draws every class in turn, unless ``condition`` (as for
    ``decode``) says otherwise.
    """
    vae = as_vae(vae)
    _check_count(n)
    if vae.condition and condition is None and not is_told(vae):
        condition = torch.arange(n) % len(vae.condition.names)
    z = torch.randn(n, vae.latent_dim, generator=torch_stream(seed, "sample"))
    return walk(vae, z, condition=condition)


def between(
    vae: ModelLike,
    start: VectorLike | ImageSet,
    end: VectorLike | ImageSet,
    n: int = 10,
    *,
    path: str = "line",
) -> Walk:
    """From one place to another in ``n`` pictures, both ends included (n = 1: only the start).

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    start, end
        Vectors, or sets of one image each, which are encoded; see ``locate``.
    n
        How many pictures, at least 1.
    path
        ``"line"``, or ``"slerp"`` for the great circle; see ``slerp``.

    Raises
    ------
    ConfigError, ShapeError
        Unknown path, n below 1, a vector that does not fit, or no one great circle.
    """
    vae = as_vae(vae)
    if path not in PATHS:
        raise ConfigError(f"path must be one of {', '.join(PATHS)}; got {path!r}.")
    ends = locate(vae, start), locate(vae, end)
    if path == "slerp":
        return walk(vae, slerp(*ends, n))
    _check_count(n)
    return walk(vae, np.linspace(*ends, n, dtype=np.float64))


def slerp(
    start: NDArray[Any] | Sequence[float],
    end: NDArray[Any] | Sequence[float],
    n: int = 10,
) -> NDArray[np.float32]:
    """Points evenly along the great circle from ``start`` to ``end``, ends included.

    The direction turns at a constant rate while the length goes evenly from one to the other.
    For ends of one length these are the points of the paper; for others, the paper's formula
    makes the way between leave the range of the two lengths.

    Parameters
    ----------
    start, end
        Both (latent_dim,). If one is the origin, which has no direction, or both point the same
        way, the great circle is the straight line.
    n
        How many points, at least 1.

    Returns
    -------
    (n, latent_dim) float32; ``start`` alone for n = 1.

    Raises
    ------
    ConfigError
        The ends point in opposite directions, so that no great circle is shorter than the others
        (with one latent neuron, there is none); or n below 1.
    ShapeError
        The vectors differ in length.

    References
    ----------
    White 2016, arXiv:1609.04468, section 2.1; Shoemake 1985, doi:10.1145/325165.325242.
    """
    _check_count(n)
    first = as_numbers(start, "start")
    second = as_numbers(end, "end")
    if first.ndim != 1 or first.shape != second.shape:
        raise ShapeError(
            f"start and end must both be (latent_dim,); got {first.shape} and {second.shape}."
        )
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if 0 in lengths:
        return np.linspace(a, b, n).astype(np.float32)
    u, v = a / lengths[0], b / lengths[1]
    # float32 ends know their directions to about 1e-7: closer than this to opposite, rounding
    # alone would choose the circle.
    if np.linalg.norm(u + v) < 1e-6:
        raise ConfigError(
            "start and end point in opposite directions, so no great circle between them is the "
            "shortest; take the line, or go by way of a third point."
        )
    # Accurate for small and large angles alike, as the arc cosine is not.
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    t = np.linspace(0, 1, n)[:, None]
    # sin(t angle) / sin(angle), by way of sinc(x) = sin(pi x) / (pi x), which is defined at 0.
    turned = [s * np.sinc(s * angle / np.pi) / np.sinc(angle / np.pi) for s in (1 - t, t)]
    length = (1 - t) * lengths[0] + t * lengths[1]
    points: NDArray[np.float32] = (length * (turned[0] * u + turned[1] * v)).astype(np.float32)
    return points


def traversal(
    vae: ModelLike,
    z: VectorLike | ImageSet | None = None,
    neurons: int | str | Sequence[int | str] | None = None,
    values: Any = None,
) -> Walk:
    """A grid with one row per neuron, in which that neuron alone takes the ``values``.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    z
        Where all the others stay; see ``locate``. The origin by default.
    neurons
        Which, in the order of the rows; all by default.
    values
        (n_columns,) in latent units; -3, -2, …, 3 by default.

    Returns
    -------
    ``vectors`` (n_neurons, n_values, latent_dim), and as many images.

    Raises
    ------
    ConfigError, ShapeError
        A neuron or vector that does not fit, or values that are not finite numbers.
    """
    vae = as_vae(vae)
    rows = as_neurons(neurons, vae.latent_dim)
    columns = np.linspace(-3, 3, 7) if values is None else _as_values(values)
    grid = np.tile(locate(vae, z), (len(rows), len(columns), 1))
    grid[np.arange(len(rows)), :, rows] = columns
    return _grid_walk(vae, grid)


def manifold(
    vae: ModelLike,
    neurons: Sequence[int | str] = (0, 1),
    *,
    x_values: Any = None,
    y_values: Any = None,
    z: VectorLike | ImageSet | None = None,
) -> Walk:
    """A grid of pictures over two neurons, laid out as a plot: y grows upwards.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    neurons
        The x neuron and the y neuron.
    x_values, y_values
        (n_columns,) and (n_rows,) in latent units, in any order; 20 from -3 to 3 by default.
        ``prior_quantiles(20)`` gives every tile the same share of the prior instead.
    z
        Where all other neurons stay; see ``locate``. The origin by default.

    Returns
    -------
    ``vectors`` (n_rows, n_columns, latent_dim), and as many images. Row 0 has the largest y,
    column 0 the smallest x, so that images laid out in rows show a plot with its y axis upwards.

    Raises
    ------
    ConfigError, ShapeError
        Not two different neurons of the model, a vector that does not fit, or values that are
        not finite numbers.
    """
    vae = as_vae(vae)
    pair = as_neurons(neurons, vae.latent_dim)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ConfigError(f"a manifold needs two different latent neurons; got {pair}.")
    x, y = (
        np.linspace(-3, 3, 20) if values is None else np.sort(_as_values(values))
        for values in (x_values, y_values)
    )
    grid = np.tile(locate(vae, z), (len(y), len(x), 1))
    grid[:, :, pair[0]] = x
    grid[:, :, pair[1]] = y[::-1, None]
    return _grid_walk(vae, grid)


def prior_quantiles(n: int) -> NDArray[np.float64]:
    """The middles, by probability, of ``n`` slices of N(0, 1) that are equally probable.

    >>> prior_quantiles(3).round(2).tolist()
    [-0.97, 0.0, 0.97]
    """
    _check_count(n)
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    quantiles: NDArray[np.float64] = torch.special.ndtri(middles).numpy()
    return quantiles


def neighbourhood(
    vae: ModelLike,
    z: VectorLike | ImageSet,
    radius: float,
    n: int = 10,
    *,
    seed: int | None = None,
) -> Walk:
    """``n`` places all at distance ``radius`` from ``z``, in directions drawn evenly.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    z
        See ``locate``.
    radius
        Euclidean, in latent units, at least 0.
    n
        How many, at least 1.
    seed
        Decides the directions; new ones at every call without it.

    Raises
    ------
    ConfigError, ShapeError
        ``radius`` or ``n`` out of range, or a vector that does not fit.
    """
    vae = as_vae(vae)
    _check_count(n)
    if not 0 <= radius < float("inf"):
        raise ConfigError(f"radius must be a finite number, at least 0; got {radius}.")
    generator = torch_stream(seed, "around")
    directions = torch.randn(n, vae.latent_dim, generator=generator, dtype=torch.float64).numpy()
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return walk(vae, locate(vae, z) + radius * directions)


def nearest(table: LatentTable, z: VectorLike, k: int = 10) -> Neighbours:
    """The ``k`` rows of ``table`` whose posterior means lie closest to ``z``.

    Raises
    ------
    ConfigError, ShapeError
        k is not in [1, len(table)], or ``z`` does not fit.
    """
    if not 1 <= k <= len(table):
        raise ConfigError(f"k must be in [1, {len(table)}], the rows of the table; got {k}.")
    # In float64, so that of two near rows the nearer comes first.
    offsets = table.mu - as_vector(z, table.latent_dim).astype(np.float64)
    distances = np.linalg.norm(offsets, axis=1)
    rows = np.argsort(distances, kind="stable")[:k]
    return Neighbours(rows, distances[rows])


def _grid_walk(vae: VAE, grid: NDArray[np.float32]) -> Walk:
    images = decode(vae, grid.reshape(-1, vae.latent_dim))
    return Walk(grid, images.reshape(*grid.shape[:2], *vae.image_shape))


def _as_values(values: Any) -> NDArray[np.float32]:
    numbers = as_numbers(values, "values")
    if numbers.ndim != 1 or not numbers.size:
        raise ShapeError(f"values must be a list of at least one number; got {values!r}.")
    return numbers


def _check_count(n: Any) -> None:
    if not isinstance(n, Integral) or n < 1:
        raise ConfigError(f"n must be an integer, at least 1; got {n!r}.")
