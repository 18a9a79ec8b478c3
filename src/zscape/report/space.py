"""The latent neurons as they are: which are used, where the classes lie, what lies between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zscape import figures
from zscape.errors import ConfigError
from zscape.latents import Prototypes, between, format_vector, manifold, nearest, traversal
from zscape.neurons import correlation
from zscape.report.beside import drop_legend, has_room, small_axes
from zscape.report.material import MOST_NEURONS, MOST_PAIRED, Material
from zscape.report.page import Block, Code, Details, Heading, Plate, Row, Section, Table
from zscape.report.words import count, neurons, number, percent, runs, times_less

N_STEPS = 9
"""Of a strip: as many as stand side by side."""
N_VALUES = 10
N_TILES = 15
N_VOTERS = 15
MOST_ROWS = 16
"""Rows of a table that is shown unfolded."""


def in_use(m: Material) -> Section:
    """How much each neuron says."""
    first = m.by_kl[0]
    share = m.kl[first] / max(m.kl.sum(), 1e-12)
    text = (
        "The KL of a neuron is what it says about an image, on average: 0 for one that says the "
        "same of all images."
    )
    dead = sorted(set(range(m.d)) - set(m.used))
    if m.used and m.d == 1:
        caption = f"The one neuron says {number(m.kl[first])} nats."
    elif m.used:
        caption = (
            f"z{first} says most, {number(m.kl[first])} of {number(m.kl.sum())} nats"
            + f" ({percent(share)}); z{m.by_kl[-1]} least, {number(m.kl[m.by_kl[-1]])}. "
            + (f"Dead: {neurons(dead)}." if dead else "None is dead.")
        )
    else:
        caption = "No neuron says more than 0.01 nats: the model collapsed."
    plate = Plate(figures.plot_neuron_kl(m.kl.clip(0)), caption, "KL of every neuron")
    stats = m.table.describe()
    rows = [
        [name, *(number(row[c]) for c in ("mean", "std", "min", "25%", "50%", "75%", "max"))]
        for name, row in stats.iterrows()
    ]
    table = Table(
        ["neuron", "mean", "std", "min", "25 %", "median", "75 %", "max"],
        rows,
        f"Posterior means over {len(m.table):,} images.{_filled(m)}",
    )
    ranges: Block = table if m.d <= MOST_ROWS else Details(f"Range of all {m.d} neurons", [table])
    return Section("Neurons in use", [text, plate, Heading("How far each neuron reaches"), ranges])


def _filled(m: Material) -> str:
    """How far the neurons in use fill the prior: means and the encoder's noise, as it has both."""
    if not m.used:
        return ""
    noise = np.exp(m.table.logvar[:, m.used].astype(np.float64)).mean(0)
    spread = np.sqrt(m.table.mu[:, m.used].var(0, dtype=np.float64) + noise)
    return (
        f" With the encoder's noise, the neurons in use have standard deviation {_range(spread)}; "
        f"the prior's is 1."
    )


def class_prototypes(m: Material) -> Section:
    """The mean of every class, drawn and to take away."""
    found = m.prototypes
    if found is None:
        return Section(
            "Prototypes",
            ["A prototype is the mean of a class, and these images have no two classes to tell "
             f"apart. Instead, walks below start at {m.centre[1]}."],
        )  # fmt: skip
    one, other = m.apart
    gaps = np.linalg.norm(found.vectors[:, None] - found.vectors, axis=2)
    gaps[np.diag_indices(len(gaps))] = np.inf
    i, j = np.unravel_index(gaps.argmin(), gaps.shape)
    own = int(found.vectors.std(0).argmax())
    caption = (
        f"{one} and {other} lie furthest apart ({number(_gap(found, one, other))}), "
        f"{found.class_names[i]} and {found.class_names[j]} closest ({number(gaps[i, j])}): "
        f"those the model finds most alike."
    )
    if m.d > 1:
        caption += (
            f" Look down a column for what a neuron separates; z{own} spreads the prototypes most."
        )
    text = (
        "The mean of each class in the latent space, decoded. No image need lie there, so it need "
        "not look like one of its class."
    )
    if len(m.classes) < (n := sum(k > 0 for k in m.images.class_counts().values())):
        text += f" Shown are the {len(m.classes)} largest of {n} classes."
    images = m.decode(found.vectors, m.own)
    pictures = figures.plot_prototypes(found.vectors, images, found.class_names)
    lines = [f"{name!r}: {format_vector(found[name])}," for name in found]
    code = "prototypes = {\n" + "\n".join(f"    {line}" for line in lines) + "\n}"
    return Section(
        "Prototypes",
        [
            text,
            Plate(pictures, caption, "Prototypes of the classes and their neurons"),
            Details(
                "The vectors, to paste into Python",
                [Code(code), "walk(vae, prototypes[…]) of zscape.latents decodes one again."],
            ),
        ],
    )


def one_by_one(m: Material) -> Section:
    """Each neuron alone, then two together."""
    at, name = m.centre
    shown = m.top(MOST_NEURONS)
    values = np.linspace(*m.span, N_VALUES)
    grid = traversal(m.decoder, at, shown, values).images
    # What a neuron changes on its way: mean absolute difference of neighbouring rows.
    moves = (grid[:, 1:] - grid[:, :-1]).abs().flatten(1).mean(1).numpy()
    strong, weak = shown[int(moves.argmax())], shown[int(moves.argmin())]
    caption = (
        f"From {number(values[0], 1)} at the top to {number(values[-1], 1)} at the bottom, a "
        f"column per neuron. "
    )
    if len(shown) > 1:
        caption += (
            f"Around {name}, z{strong} changes the picture most, z{weak} least "
            f"({times_less(float(moves.max()), float(moves.min()))})."
        )
    text = f"All neurons but one stay where {name} has them; that one is turned."
    if m.d == 1:
        text = "The one neuron there is, turned."
    text += m.drawn_as
    if len(shown) < m.d:
        text += f" Shown are the {len(shown)} of {m.d} neurons with the largest KL."
    blocks: list[Block] = [
        text,
        Plate(
            figures.plot_progression(grid.transpose(0, 1), values, neurons=shown),
            caption,
            "A column of pictures per neuron",
        ),
        Heading("Two at a time"),
    ]
    if m.d < 2:
        blocks.append("There is only one neuron, so there is no plane of two to look at.")
    else:
        blocks += _plane(m)
    return Section("One neuron at a time", blocks)


def pairs(m: Material) -> Section:
    """Every pair of neurons as a scatter."""
    shown = m.top(MOST_PAIRED)
    table = m.shown
    figure = figures.plot_pairs(table.mu, table.labels, table.class_names, neurons=shown)
    which = (
        "the neurons"
        if len(shown) == m.d
        else f"the {count(len(shown), 'neuron')} with the largest KL"
    )
    text = (
        f"How {which} share out the images. Diagonal: the density of one neuron"
        f"{', class by class' if m.has_classes else ''}. Below it: two neurons, a dot per image."
    )
    if m.d == 1:
        text = "With one neuron there are no pairs; this is its density."
    return Section("Pairs of neurons", [text, Plate(figure, _pair_caption(m, shown), "Pair plot")])


def line(m: Material) -> Section:
    """From one place to another."""
    if m.prototypes is not None:
        one, other = m.apart
        ends: Sequence[Any] = (m.prototypes[one], m.prototypes[other])
        names = f"the prototype of {one} to that of {other}"
    else:
        far = int(np.linalg.norm(m.table.mu - m.table.mu[m.middle], axis=1).argmax())
        ends = (m.table.mu[m.middle], m.table.mu[far])
        names = "the image in the middle of all to the one furthest from it"
    straight = between(m.decoder, ends[0], ends[1], N_STEPS)
    length = float(np.linalg.norm(ends[0] - ends[1]))
    blocks: list[Block] = [
        f"From {names} in {count(N_STEPS, 'picture')}; the two are {number(length)} latent units "
        f"apart.{m.drawn_as}",
        Plate(
            figures.plot_strip(straight.images),
            f"The straight line. {_along(m, straight.vectors)}",
            "Pictures along the straight line",
        ),
    ]
    try:
        circle = between(m.decoder, ends[0], ends[1], N_STEPS, path="slerp")
    except ConfigError:
        blocks.append("The two point in opposite directions, so no great circle is the shortest.")
    else:
        middles = [float(np.linalg.norm(w.vectors, axis=1).min()) for w in (straight, circle)]
        blocks.append(
            Plate(
                figures.plot_strip(circle.images),
                f"The great circle (slerp), which keeps its distance from the origin: no picture "
                f"is closer to it than {number(middles[1])}, on the straight line one is at "
                f"{number(middles[0])}. {_along(m, circle.vectors)}",
                "Pictures along the great circle",
            )
        )
    return Section("A line through the latent space", blocks)


def _plane(m: Material) -> list[Block]:
    """The sheet of pictures over the two neurons that say most, beside where the images lie."""
    pair = sorted(m.by_kl[:2])
    values = [np.linspace(*_range_of(m.table.mu[:, i]), N_TILES) for i in pair]
    at = m.table.mu.mean(0)
    sheet = manifold(m.decoder, pair, x_values=values[0], y_values=values[1], z=at)
    legend = m.classes if has_room(m.classes) else ()
    (left, one), (right, other) = small_axes(), small_axes(legend)
    figures.plot_manifold(sheet.images, values[0], values[1], neurons=pair, ax=one)
    # Of pictures that are not square the sheet is not either, but the plane beside it is.
    one.set_aspect("auto")
    limits = one.get_xlim(), one.get_ylim()
    x, y = m.shown.mu[:, pair].T
    inside = (limits[0][0] <= x) & (x <= limits[0][1]) & (limits[1][0] <= y) & (y <= limits[1][1])
    figures.plot_scatter(
        m.shown.mu[:, pair], m.shown.labels, m.shown.class_names, limits=limits, is_map=False,
        axis_names=[f"z{i}" for i in pair], ax=other,
    )  # fmt: skip
    if not legend:
        drop_legend(other)
    other.yaxis.label.set(rotation=0, ha="right", va="center")
    others = "the others stay at their mean" if m.d > 2 else "there are no others"
    return [
        f"z{pair[0]} and z{pair[1]} say most. First what the decoder draws over their plane "
        f"({others}), then, within the same limits, where the images lie on it.",
        Row(
            [
                Plate(left, f"{N_TILES} × {N_TILES} pictures. {_steps(sheet.images, pair)}",
                      "Pictures over two neurons"),
                Plate(right, f"The images on the same plane; {percent(float(inside.mean()))} of "
                      f"them lie within. {_overlap(m, pair)}", "Images on a plane of two neurons"),
            ]
        ),
    ]  # fmt: skip


def _steps(sheet: Tensor, pair: list[int]) -> str:
    """Which of the two neurons turns the pictures of the sheet more."""
    across = float((sheet[:, 1:] - sheet[:, :-1]).abs().mean())
    upwards = float((sheet[1:] - sheet[:-1]).abs().mean())
    strong, weak = pair if across >= upwards else pair[::-1]
    times = max(across, upwards) / max(min(across, upwards), 1e-9)
    if times < 1.05:
        return f"A step along z{pair[0]} changes them as much as one along z{pair[1]}."
    return (
        f"A step along z{strong} changes them {number(times, 1)} times as much as one along "
        f"z{weak}."
    )


def _pair_caption(m: Material, shown: list[int]) -> str:
    if len(shown) < 2:
        return f"Density of z{shown[0]} over {len(m.shown):,} images."
    text = f"A dot for each of {len(m.shown):,} images. "
    # Two dead neurons may go together in their fifth decimal.
    alive = [neuron for neuron in shown if neuron in m.used]
    if len(alive) > 1:
        matrix = np.nan_to_num(correlation(m.shown.mu[:, alive]).to_numpy())
        matrix = matrix - np.diag(matrix.diagonal())
        i, j = np.unravel_index(np.abs(matrix).argmax(), matrix.shape)
        text += (
            f"The two that go together most are z{alive[i]} and z{alive[j]}: correlation "
            f"{number(float(matrix[i, j]))}. "
        )
    if m.has_classes and "mutual_information" in m.neurons:
        information = m.neurons["mutual_information"].iloc[shown]
        best = information.idxmax()
        text += (
            f"On the diagonal, {best} tells most about the class by itself "
            f"({number(float(information[best]))} nats)."
        )
    return text


def _overlap(m: Material, pair: list[int]) -> str:
    """How well the plane of two neurons tells classes, in the words of its neighbours."""
    from zscape.embedding import label_accuracy

    if not m.has_classes or len(m.mapped) <= N_VOTERS:
        return ""
    accuracy = label_accuracy(m.mapped.mu[:, pair].copy(), m.mapped.labels, N_VOTERS)
    whole = label_accuracy(m.mapped.mu, m.mapped.labels, N_VOTERS)
    if m.d == 2:
        return f"The 15 nearest name the class of an image in {percent(accuracy)} of cases."
    return (
        f"The 15 nearest on it name the class of an image in {percent(accuracy)} of cases; over "
        f"all {m.d} neurons, in {percent(whole)}."
    )


def _along(m: Material, vectors: NDArray[np.float32]) -> str:
    """Which classes the images near a path have, or how far they are."""
    k = min(N_VOTERS, len(m.table))
    found = [nearest(m.table, z, k) for z in vectors]
    if not m.has_classes:
        gaps = [float(one.distances[0]) for one in found]
        return f"The nearest test image is never further than {number(max(gaps))} away."
    assert m.table.labels is not None
    votes = [np.bincount(m.table.labels[one.rows]).argmax() for one in found]
    names = [m.table.class_names[vote] for vote in votes]
    return f"The most frequent class of the {k} nearest test images, step by step: {runs(names)}."


def _range_of(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.percentile(values, (0.5, 99.5))
    # A neuron that says nothing is the same for all images; its prior still has a width.
    return (float(low), float(high)) if high - low > 0.1 else (-3.0, 3.0)


def _range(values: NDArray[np.float64]) -> str:
    low, high = number(float(values.min())), number(float(values.max()))
    return low if low == high else f"from {low} to {high}"


def _gap(found: Prototypes, one: str, other: str) -> float:
    return float(np.linalg.norm(found[one] - found[other]))
