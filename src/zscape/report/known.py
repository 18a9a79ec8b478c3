"""The map coloured by what is known of the images, column by column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from zscape import figures
from zscape.data.coloring import Groups, Scale, coloring, telling
from zscape.embedding import Embedding
from zscape.embedding.neighbours import nearest_others
from zscape.report.material import MAPS, Material
from zscape.report.page import Block, Heading, Plate
from zscape.report.words import count, listing, number, percent

MOST_COLUMNS = 6
MOST_PANELS = 12
"""Values of a category that have a panel each."""
K = 15
"""Neighbours on the map that foretell a value."""


def by_columns(m: Material) -> list[Block]:
    """A plate for each column that tells something, and panels of a category with few values."""
    name = next((name for name in ("tsne", "umap", "pca") if name in m.drawn), None)
    if name is None or m.drawn[name].table.columns is None:
        return []
    one, known = m.drawn[name], m.drawn[name].table.columns
    assert known is not None
    columns = [column for column in telling(known) if not _is_class(one, column)]
    if not columns:
        return []
    rest = columns[MOST_COLUMNS:]
    text = f"The {MAPS[name]} map again. Where a value is missing, the point is light grey."
    if rest:
        text += (
            f" {count(len(rest), 'more column')}: {listing(rest)}; zscape map --color draws any."
        )
    blocks: list[Block] = [Heading("Coloured by what is known of the images"), text]
    near = nearest_others(one.coordinates, K, m.seed).rows if len(one) > 2 * K else None
    for column in columns[:MOST_COLUMNS]:
        found = coloring(known, column)
        caption = _caption(found, near)
        alt = f"{MAPS[name]} map coloured by {column}"
        blocks.append(Plate(figures.plot_map(one, column), caption, alt))
        if isinstance(found, Groups) and 2 <= found.n_values <= MOST_PANELS:
            blocks.append(
                Plate(
                    figures.plot_map(one, column, by=column),
                    f"Each value of {column} by itself; all other images lie behind it.",
                    f"{MAPS[name]} map, a panel for each {column}",
                )
            )
    return blocks


def _is_class(one: Embedding, column: str) -> bool:
    """Whether the column is the class, by which the map is coloured already."""
    table, known = one.table, one.table.columns
    if table.labels is None or known is None:
        return False
    names = np.array(table.class_names)[table.labels].tolist()
    return bool(known.texts(column) == names)


def _caption(found: Groups | Scale, near: NDArray[np.int64] | None) -> str:
    """What the column holds, and how far the neighbours on the map foretell it."""
    if isinstance(found, Groups):
        counts = np.bincount(found.labels)[: found.n_values]
        most = int(counts.argmax())
        others = found.n_values < len(found.names) and found.names[found.n_values] != "missing"
        text = (
            f"{found.name}: most often {found.names[most]}, of {counts[most]:,} images"
            f"{f'; {found.names[found.n_values]} share a grey' if others else ''}."
        )
        is_known = found.labels < found.n_values
        if near is not None and is_known.sum() > 1:
            same = (found.labels[near] == found.labels[:, None])[is_known].mean()
            chance = float(((counts / counts.sum()) ** 2).sum())
            text += (
                f" Of the {K} nearest on the map {percent(float(same))} have the same value; "
                f"anywhere on it, {percent(chance)} would."
            )
        return text
    is_known = np.isfinite(found.values)
    text = f"{found.name}."
    if not found.is_date:
        ends = np.percentile(found.values[is_known], (0, 50, 100))
        low, middle, high = (f"{value:.3g}".replace("-", "−") for value in ends)
        text = f"{found.name}: {low} to {high}, median {middle}."
    if near is not None:
        around = np.where(is_known[near], found.values[near], 0).sum(1)
        mean = around / np.maximum(is_known[near].sum(1), 1)
        use = is_known & is_known[near].any(1)
        if use.sum() > 2 and np.ptp(mean[use]) and np.ptp(found.values[use]):
            rho = float(spearmanr(found.values[use], mean[use]).statistic)
            text += f" It goes with the mean of the {K} nearest on the map by ρ = {number(rho)}."
    return text
