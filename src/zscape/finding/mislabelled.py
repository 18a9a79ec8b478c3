"""Images whose neighbours have another label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zscape.data.joining import MISSING
from zscape.embedding.neighbours import nearest_others
from zscape.errors import DataError
from zscape.finding.frames import check_neighbours
from zscape.latents import LatentTable

if TYPE_CHECKING:
    import pandas as pd

CERTAIN = 0.5
"""How much larger the share of another class must be than that of the own, to stand out."""


def mislabelled(table: LatentTable, *, k: int = 10, seed: int = 0) -> pd.DataFrame:
    """The images whose nearest others in the latent space are mostly of another class.

    Each image's label is left out of its own vote. Images of the class ``missing``, which
    ``label_by`` makes, neither vote nor are judged.

    Parameters
    ----------
    table
        Latents with labels.
    k
        Neighbours that vote, in [1, n - 1].
    seed
        Of the search, where it is approximate.

    Returns
    -------
    A row per image with more votes for another class than for its own, the surest first; its
    index is that of the table, and it has file name, class, columns, and

    - ``suggested``: the class with most votes,
    - ``own``, ``other``: share of the votes for the image's class and the suggested one,
    - ``confidence``: their difference, in (0, 1]; of equal ones, that whose voters of the
      suggested class are nearer, by votes that weigh inversely with the distance, comes first,
    - ``stands_out``: whether the confidence is at least ``CERTAIN``.

    Raises
    ------
    DataError, ConfigError
        There are no labels, or one class or image only; or not ``k`` other images.
    """
    by_class = table.rows_by_class()
    by_class.pop(MISSING, None)
    if len(by_class) < 2:
        raise DataError(
            f"{table.name} needs images of two classes or more, to doubt a label; it has "
            f"{', '.join(f'only {name!r}' for name in by_class) or 'none'}."
        )
    table = table[np.sort(np.concatenate(list(by_class.values())))]
    check_neighbours(k, len(table), table.name)
    found = nearest_others(table.mu, k, seed)
    labels, n = table.labels, np.arange(len(table))
    assert labels is not None
    shares = np.zeros((len(table), len(table.class_names)))
    nearness = np.zeros_like(shares)
    weights = 1 / np.maximum(found.distances, np.finfo(np.float32).eps)
    for rows, weight in zip(found.rows.T, (weights / weights.sum(1, keepdims=True)).T, strict=True):
        shares[n, labels[rows]] += 1 / k
        nearness[n, labels[rows]] += weight
    suggested = np.argmax(shares + 1e-6 * nearness, axis=1)
    own, other = shares[n, labels], shares[n, suggested]
    confidence = (other - own).round(6)
    frame = table.scored(
        {
            "suggested": np.array(table.class_names)[suggested],
            "own": own,
            "other": other,
            "confidence": confidence,
            "stands_out": confidence >= CERTAIN,
        },
    )
    order = np.lexsort((nearness[n, labels] - nearness[n, suggested], -confidence))
    return frame.iloc[order[confidence[order] > 0]]
