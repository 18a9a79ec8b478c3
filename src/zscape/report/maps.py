"""The whole space laid out in a plane, and the way back from any point of it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zscape import figures
from zscape.embedding import Embedding, Inverse, inverses, map_quality
from zscape.errors import DataError
from zscape.report.beside import drop_legend, small_axes
from zscape.report.known import by_columns
from zscape.report.material import MAPS, Material
from zscape.report.page import Block, Heading, Plate, Row, Section, Table
from zscape.report.words import count, distance, listing, number, percent, sentence

N_MARKS = 9
"""As many as stand side by side."""
TORN = 0.05
"""Share of the map's width that a round trip may be long where the map is whole."""
WAYS = ("nearest", "local", "learned")
"""Those that go back from any map, in a second."""


def maps(m: Material) -> Section:
    """PCA, t-SNE and UMAP, and how good they are."""
    drawn, n = m.drawn, len(m.mapped)
    missing = [(MAPS[name], why) for name, why in m.maps.items() if isinstance(why, str)]
    what = "Every image" if n == len(m.table) else f"{n:,} of the {len(m.table):,} images"
    if n < len(m.shown):
        what += ", drawn at random,"
    blocks: list[Block] = [
        f"{what} at a place in the plane. PCA is a projection: it keeps distances as far as a "
        f"plane can. t-SNE and UMAP keep neighbours together; how far apart two clusters lie, and "
        f"how large they are, means little."
    ]
    blocks += [f"There is no {name} map: {_plainly(why)}" for name, why in missing]
    if not drawn:
        return Section("Maps", blocks)
    quality = _quality(m)
    if len(drawn) > 1 and "tsne" in drawn:
        rest = [name for name in drawn if name != "tsne"]
        blocks.append(_large(m, "tsne", quality))
        blocks.append(Row([_small(m, name, quality) for name in rest]))
    else:
        blocks += [_large(m, name, quality) for name in drawn]
    blocks += by_columns(m)
    blocks += _table(m, quality)
    if "pca" in drawn:
        blocks += _components(m, drawn["pca"])
    return Section("Maps", blocks)


def way_back(m: Material) -> Section:
    """A line across a map, decoded."""
    title = "The way back from a map"
    if not m.drawn:
        return Section(title, ["There is no map, so there is nothing to come back from."])
    name = next(name for name in ("tsne", "umap", "pca") if name in m.drawn)
    embedding = m.drawn[name]
    ends, words = _ends(m, embedding)
    marks = np.linspace(ends[0], ends[1], N_MARKS)
    walks = []
    for i, way in enumerate(WAYS):
        m.progress(f"way back, {way}", i / len(WAYS))
        found = embedding.inverse_transform(marks, way)
        walks.append(_Walk(way, found, m.decode(found.vectors)))
    blocks: list[Block] = [
        f"Any point of a map can be decoded: the images around it say what vector belongs there. "
        f"Here {count(N_MARKS, 'point')} on a line across the {MAPS[name]} map, from {words}."
        f"{m.drawn_as}",
        _marked(name, embedding, marks, walks[1]),
        Heading(f"{sentence(count(len(walks), 'way'))} back, on the same line"),
    ]
    for walk in walks:
        caption = f"{sentence(walk.way)}: {inverses[walk.way].about}. {_jumps(walk)}"
        plate = Plate(figures.plot_strip(walk.images), caption, f"Pictures by the {walk.way} way")
        blocks.append(plate)
    blocks.append(
        Table(
            ["way back", "distance, median", "round trip, median", "round trip, largest",
             "largest step / mean step"],
            [walk.row for walk in walks],
            "Distance: from the point to the nearest image on the map, the same for all. Round "
            "trip: from the point to where its vector is mapped; the nearest way's is short as it "
            "answers with a point of the map, which says nothing of the picture. Both in units of "
            "the map. The last column is 1 where pictures change evenly.",
        )
    )  # fmt: skip
    return Section(title, blocks)


class _Walk(NamedTuple):
    """One way back along the line."""

    way: str
    found: Inverse
    images: Tensor

    @property
    def steps(self) -> NDArray[np.float64]:
        """(n - 1,) how far each picture is from the one before, Euclidean."""
        flat = self.images.flatten(1).double().numpy()
        steps: NDArray[np.float64] = np.linalg.norm(np.diff(flat, axis=0), axis=1)
        return steps

    @property
    def row(self) -> list[str]:
        """Its line in the table."""
        gaps, trips, steps = self.found.distance, self.found.round_trip, self.steps
        lengths = [float(x) for x in (np.median(gaps), np.median(trips), trips.max())]
        evenness = number(float(steps.max() / max(steps.mean(), 1e-9)))
        return [self.way, *(distance(length) for length in lengths), evenness]


def _marked(name: str, embedding: Embedding, marks: NDArray[Any], walk: _Walk) -> Plate:
    """The line on the map, its pictures, and how far to trust them."""
    figure = figures.plot_marked_scatter(
        embedding.coordinates, marks, walk.images, embedding.table.labels,
        embedding.table.class_names, axis_names=embedding.axis_names, is_line=True,
    )  # fmt: skip
    # Distances of a map mean nothing by themselves.
    width = float(np.ptp(embedding.coordinates, axis=0).max())
    gaps, trips = walk.found.distance, walk.found.round_trip
    far, torn = int(gaps.argmax()), int(trips.argmax())
    caption = (
        f"Decoded by the way “{walk.way}”. The map is {number(width, 1)} wide. Point {far + 1} is "
        f"furthest from any image ({distance(float(gaps[far]))}): there the map says least. Mapped "
        f"again, "
    )
    if trips[torn] < TORN * width:
        caption += (
            f"no vector lands further than {distance(float(trips[torn]))} from its point: along "
            f"this line, the map and the way back agree."
        )
    else:
        caption += (
            f"the vector of point {torn + 1} lands {distance(float(trips[torn]))} from it: there "
            f"the two disagree, and the picture belongs to another place of the map."
        )
    alt = f"The {MAPS[name]} map with a line across it, and pictures decoded on the line"
    return Plate(figure, caption, alt)


def _jumps(walk: _Walk) -> str:
    steps = walk.steps
    if steps.max() < 1e-6:
        return "All pictures are the same."
    still = int((steps < 1e-6).sum())
    repeated = (
        f"; {count(still, 'step')} {'does' if still == 1 else 'do'} not change it" if still else ""
    )
    ratio = steps.max() / steps.mean()
    where = int(steps.argmax()) + 1
    return (
        f"The largest change, between {where} and {where + 1}, is {number(ratio, 1)} times the mean"
        f"{repeated}."
    )


def _large(m: Material, name: str, quality: dict[str, dict[str, float]]) -> Plate:
    one = m.drawn[name]
    figure = figures.plot_scatter(
        one.coordinates, one.table.labels, one.table.class_names, axis_names=one.axis_names
    )
    return Plate(figure, _caption(m, name, quality), f"{MAPS[name]} map of the images")


def _small(m: Material, name: str, quality: dict[str, dict[str, float]]) -> Plate:
    """Without a legend: that of the large map holds for it."""
    one = m.drawn[name]
    figure, ax = small_axes()
    figures.plot_scatter(
        one.coordinates,
        one.table.labels,
        one.table.class_names,
        axis_names=one.axis_names,
        ax=ax,
    )
    drop_legend(ax)
    return Plate(figure, _caption(m, name, quality), f"{MAPS[name]} map of the images")


def _caption(m: Material, name: str, quality: dict[str, dict[str, float]]) -> str:
    one, found = m.drawn[name], quality.get(name)
    parts = []
    if "explained_variance_ratio" in one.fitted.state:
        share = float(one.fitted.state["explained_variance_ratio"][:2].sum())
        parts.append(
            f"{MAPS[name]}: its two axes hold {percent(share)} of the variance of the posterior "
            f"means."
        )
    else:
        parts.append(f"{MAPS[name]} of {len(one):,} images.")
    if found and m.has_classes:
        parts.append(
            f"The 15 nearest on it name the class of an image in "
            f"{percent(found['label_accuracy_map'])} of cases, in the latent space in "
            f"{percent(found['label_accuracy_z'])}."
        )
    elif found:
        parts.append(f"Trustworthiness {number(found['trustworthiness'], 3)}.")
    return " ".join(parts)


def _quality(m: Material) -> dict[str, dict[str, float]]:
    """By map; empty where there are too few images to judge."""
    m.progress("quality of the maps", 1)
    try:
        frame = map_quality(m.drawn.values(), seed=m.seed)
    except DataError:
        return {}
    return {str(name): dict(row) for name, row in frame.iterrows()}


def _table(m: Material, quality: dict[str, dict[str, float]]) -> list[Block]:
    if not quality:
        return [
            f"With {count(len(m.mapped), 'image')} there are too few neighbours to measure how "
            f"good a map is."
        ]
    names = {
        "trustworthiness": "trustworthiness",
        "continuity": "continuity",
        "label_accuracy_map": "label accuracy",
        "distance_correlation": "distance correlation",
    }
    if not m.has_classes:
        names.pop("label_accuracy_map")
    rows = [[MAPS[k], *(number(row[c], 3) for c in names)] for k, row in quality.items()]
    if m.has_classes:
        accuracy = number(next(iter(quality.values()))["label_accuracy_z"], 3)
        rows.append(["the latent space itself", "–", "–", accuracy, "–"])
    best = {c: MAPS[max(quality, key=lambda k: quality[k][c])] for c in names}
    caption = "More is better everywhere; all but the last column are of 15 neighbours."
    if len(quality) > 1:
        caption += (
            f" {best['trustworthiness']} is the map whose neighbours can be trusted most to be "
            f"neighbours in the latent space; {best['continuity']} keeps most of those there are; "
            f"{best['distance_correlation']} keeps distances best."
        )
    return [Heading("How good the maps are"), Table(["map", *names.values()], rows, caption)]


def _components(m: Material, pca: Embedding) -> list[Block]:
    shares = pca.fitted.state["explained_variance_ratio"]
    loadings = pca.fitted.state["components"]
    most = [int(np.abs(row).argmax()) for row in loadings[:2]]
    even = 1 / len(shares)
    caption = (
        f"If the posterior means spread alike in all directions, each component would hold "
        f"{percent(even)} of their variance; the first holds {percent(float(shares[0]))}, the last "
        f"{percent(float(shares[-1]))}."
    )
    mix = listing(
        f"PC{i + 1} is z{neuron} more than any other neuron ({number(float(loadings[i, neuron]))})"
        for i, neuron in enumerate(most)
    )
    return [
        Heading("What PCA's axes are made of"),
        Plate(figures.plot_explained_variance(shares), caption, "Variance per principal component"),
        Plate(figures.plot_loadings(loadings), f"Loadings: {mix}.", "Loadings of the first two"),
    ]


def _ends(m: Material, embedding: Embedding) -> tuple[tuple[NDArray[np.float32], ...], str]:
    """Two places on the map, and what they are."""
    table, places = embedding.table, embedding.coordinates
    if m.has_classes and table.labels is not None:
        # The median may lie in another class's cluster if a class is in pieces; its member
        # nearest to it does not.
        middles = {}
        for name, rows in table.rows_by_class().items():
            gaps = np.linalg.norm(places[rows] - np.median(places[rows], axis=0), axis=1)
            middles[name] = places[rows[gaps.argmin()]]
        if len(middles) > 1:
            names, points = list(middles), np.stack(list(middles.values()))
            gaps = np.linalg.norm(points[:, None] - points, axis=2)
            i, j = np.unravel_index(gaps.argmax(), gaps.shape)
            words = f"the middle of the images of {names[i]} to that of {names[j]}"
            return (points[i], points[j]), words
    order = np.argsort(places[:, 0], kind="stable")
    cut = len(order) // 20
    return (places[order[cut]], places[order[-1 - cut]]), "its left side to its right"


def _plainly(why: str) -> str:
    """The message of an error without its brackets, which hold settings nobody chose here."""
    return re.sub(r" \([^)]*\)", "", why)
