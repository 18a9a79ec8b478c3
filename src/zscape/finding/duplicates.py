"""Images that are there more than once, or nearly so; within a set, or across two."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.data import ImageSet, ImagesLike, as_image_set
from zscape.data.columns import FILE_NAME
from zscape.embedding.neighbours import Found, nearest, nearest_others
from zscape.errors import ConfigError, DataError
from zscape.latents import LatentTable, encode
from zscape.model import ModelLike, as_vae
from zscape.seeding import derive

if TYPE_CHECKING:
    import pandas as pd

WITHIN = 0.25
N_CANDIDATES = 5
"""Nearest others that are compared in pixels; the last of them says what is usual, so that a set
of which every image is there twice is not taken for a narrow one."""
_N_USUAL = 2_000
_CHUNK = 20_000_000  # pixels compared at a time

Ints = NDArray[np.int64]


def duplicates(
    vae: ModelLike,
    images: ImagesLike,
    against: ImagesLike = None,
    *,
    table: LatentTable | None = None,
    within: float = WITHIN,
    seed: int = 0,
) -> pd.DataFrame:
    """Images that are the same as an earlier one, pixel by pixel, or nearly.

    Nearly means near in both: in the latent space and in pixels the difference is at most
    ``within`` times what is usual between an image and the fifth nearest to it in the latent space
    (both medians). Noise and compression leave an image near; a shift moves its pixels away.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        The images that are looked at.
    against
        Another set: then images of it are looked for among ``images``. Test images that are among
        the training images make every test too good.
    table
        The latents of ``images``, if they are known already.
    within
        Above 0, at most 1.
    seed
        Of the search, where it is approximate, and of the images that say what is usual.

    Returns
    -------
    A row per find, its index being that of the image, the same ones first, then the nearest in
    pixels; with file name, class and columns, and

    - ``of``: the earlier image, or that of ``against``; with ``of_file_name`` and ``of_class``
      where those are known,
    - ``same``: whether every pixel is the same,
    - ``pixels``: root mean square of the difference, of pixels in [0, 1],
    - ``distance``: of the posterior means, latent units.

    Raises
    ------
    ConfigError, DataError, ShapeError
        ``within`` is out of range, or the images do not fit the model.
    """
    if not 0 < within <= 1:
        raise ConfigError(f"within must be above 0 and at most 1; got {within}.")
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    table = encode(vae, images) if table is None else table
    if len(table) != len(images):
        raise DataError(f"{len(images)} images need as many rows of latents; got {len(table)}.")
    if against is None:
        base, base_table = images, table
    else:
        base = as_image_set(against, "train", image_shape=vae.image_shape)
        base_table = encode(vae, base)
    first: dict[bytes, int] = {}
    for row, key in enumerate(base_keys := _keys(base)):
        first.setdefault(key, row)
    keys = base_keys if against is None else _keys(images)
    twin = np.array([first.get(key, -1) for key in keys])
    is_same = (twin >= 0) & ((twin != np.arange(len(twin))) | (against is not None))
    rows, of = np.flatnonzero(is_same), twin[is_same]
    near, near_of = _near(
        (images, table, np.flatnonzero(~is_same)),
        (base, base_table, np.array(sorted(first.values()))),
        within, seed, is_one=against is None,
    )  # fmt: skip
    rows, of = np.concatenate([rows, near]), np.concatenate([of, near_of])
    scores: dict[str, NDArray[Any]] = {"of": base_table.indices[of]}
    if base_table.columns is not None and FILE_NAME in base_table.columns:
        scores["of_file_name"] = np.array(base_table.columns.texts(FILE_NAME), object)[of]
    if base_table.labels is not None:
        scores["of_class"] = np.array(base_table.class_names, object)[base_table.labels[of]]
    scores["same"] = np.arange(len(rows)) < len(rows) - len(near)
    scores["pixels"] = _difference(images, rows, base, of[:, None])[:, 0]
    scores["distance"] = np.linalg.norm(table.mu[rows] - base_table.mu[of], axis=1)
    order = np.lexsort((scores["pixels"], ~scores["same"]))
    return table.scored(scores, rows).iloc[order]


def _near(
    own: tuple[ImageSet, LatentTable, Ints],
    base: tuple[ImageSet, LatentTable, Ints],
    within: float,
    seed: int,
    *,
    is_one: bool,
) -> tuple[Ints, Ints]:
    """Rows of images and of those they nearly are; each pair once, and each image once."""
    images, table, rows = own
    others, other_table, other_rows = base
    k = min(N_CANDIDATES, len(other_rows) - is_one)
    empty = np.empty(0, np.int64)
    if k < 1 or not len(rows):
        return empty, empty
    if is_one:
        found = nearest_others(table.mu[rows], k, seed)
    else:
        found = nearest(other_table.mu[other_rows], table.mu[rows], k)
    candidates = other_rows[found.rows]
    pixels = _difference(images, rows, others, candidates)
    usual = (
        (pixels, found.distances) if is_one else _usual(others, other_table, other_rows, k, seed)
    )
    limits = [within * float(np.median(part[:, -1])) for part in usual]
    is_near = (pixels <= limits[0]) & (found.distances <= limits[1])
    if is_one:  # of a pair, the later one is the copy
        is_near &= candidates < rows[:, None]
    pixels = np.where(is_near, pixels, np.inf)
    has = is_near.any(1)
    return rows[has], candidates[has, pixels[has].argmin(1)]


def _usual(
    images: ImageSet, table: LatentTable, rows: Ints, k: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Differences in pixels and in the latent space of some of the images to the ``k`` nearest."""
    some = np.random.default_rng(derive(seed, "usual")).permutation(rows)[:_N_USUAL]
    found: Found = nearest(table.mu[rows], table.mu[some], k + 1)  # the first is the image itself
    return _difference(images, some, images, rows[found.rows[:, 1:]]), found.distances[:, 1:]


def _difference(
    images: ImageSet, rows: Ints, others: ImageSet, candidates: Ints
) -> NDArray[np.float32]:
    """(m, k) root mean squares of images ``rows`` (m,) minus ``candidates`` (m, k)."""
    step = max(1, _CHUNK // (candidates.shape[1] * images.images[0].numel()))
    found = np.empty(candidates.shape, np.float32)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        x, y = (
            kept.images[index.ravel()].cpu().numpy().reshape(*index.shape, -1).astype(np.float32)
            for kept, index in ((images, rows[part, None]), (others, candidates[part]))
        )
        found[part] = np.sqrt(np.square(x - y).mean(2)) / 255
    return found


def _keys(images: ImageSet) -> list[bytes]:
    return [blake2b(image.tobytes()).digest() for image in images.images.cpu().numpy()]
