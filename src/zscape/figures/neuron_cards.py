"""One latent neuron on one card, and all of them on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from zscape.data import as_shown
from zscape.errors import ConfigError
from zscape.figures.neuron_parts import (
    GAP,
    as_matrix,
    draw_ridges,
    fit_names,
    group_by_class,
    reach,
    signed,
)
from zscape.figures.neuron_pictures import paint_signed, show_tiles
from zscape.figures.style import (
    HAIRLINE,
    INK,
    MUTED,
    WIDTH,
    add_tile,
    as_pictures,
    house_style,
    new_figure,
    tile_size,
    to_array,
)

if TYPE_CHECKING:  # what it imports in turn is not needed to draw
    from zscape.neurons import NeuronCard

TALLEST = 330.0
"""Inches of a page; no picture can be taller at the sharpness of ``to_png``."""

HISTOGRAM = 3.0  # inches, names included
EFFECT = 1.3
STRIPS = WIDTH - HISTOGRAM - EFFECT - 5 * GAP
HEADER, CAPTION, TICKS = 0.42, 0.18, 0.2
NAME = 1.0  # inches of a name in the header

BLANK = 0.05
"""A neuron that moves no pixel by more than this per unit is drawn as doing nothing."""


def plot_neuron_card(card: NeuronCard) -> Figure:
    """Everything about one neuron; see ``plot_neuron_cards``."""
    return plot_neuron_cards([card])


@house_style
def plot_neuron_cards(cards: Sequence[NeuronCard]) -> Figure:
    """One card under the other, each all there is to say about a neuron.

    On the left the histogram of its activations per class; in the middle what the decoder draws
    along the neuron, and the images at its two ends; on the right its Jacobian picture. The
    histograms share their range and the Jacobians their scale, so that neurons can be compared.

    Parameters
    ----------
    cards
        Of ``zscape.neurons.neuron_cards``; as many as make a page of 330 inches, about 140.

    Raises
    ------
    ConfigError
        No card, or more than that.
    ShapeError, DataError
        A card's pictures or activations are not what they should be.
    """
    if not cards:
        raise ConfigError("There is no card to draw; choose at least one neuron.")
    heights = [_height(card) for card in cards]
    if HEADER * len(cards) + sum(heights) > TALLEST:
        raise ConfigError(f"{len(cards)} cards do not fit one page; draw fewer at a time.")
    activations = as_matrix(np.stack([card.activations for card in cards], 1), "activations")
    # At least as far as the prior's spread: a dead neuron is a spike there, not a wide curve.
    edges = np.linspace(-1, 1, 41) * max(1.0, reach(activations, 99.9))
    limit = max(BLANK, *(float(np.abs(to_array(card.jacobian)).max()) for card in cards))
    figure = new_figure(WIDTH, HEADER * len(cards) + sum(heights) + GAP)
    y = 0.0
    for i, (card, height) in enumerate(zip(cards, heights, strict=True)):
        if i:
            _rule(figure, y)
        _header(figure, card, y)
        _histogram(figure, card, y + HEADER, height - TICKS - 2 * GAP, edges)
        _strips(figure, card, y + HEADER)
        _effect(figure, card, y + HEADER, limit)
        y += HEADER + height
    return figure


def _header(figure: Figure, card: NeuronCard, y: float) -> None:
    facts = [f"{'used' if card.is_used else 'dead'}: KL {card.kl:.2f} nats"]
    if card.mutual_information is not None:
        facts.append(f"knows {card.mutual_information:.2f} nats of the class")
    if card.is_used and card.best_class is not None and card.best_d_prime is not None:
        (name,), _ = fit_names([card.best_class], NAME)
        facts.append(f"tells {name} best (d′ {signed(card.best_d_prime, '+.1f')})")
    if card.best_column is not None and card.best_effect is not None:
        (name,), _ = fit_names([card.best_column], NAME)
        facts.append(f"goes with {name} ({card.best_measure} {signed(card.best_effect, '.2f')})")
    _write(figure, GAP, y + 0.24, card.name, size=13, color=INK, weight="bold")
    _write(figure, GAP + 0.62, y + 0.24, "   ·   ".join(facts), size=8.5, color=INK)


def _histogram(
    figure: Figure, card: NeuronCard, y: float, height: float, edges: NDArray[np.float64]
) -> None:
    values = to_array(card.activations)
    groups = group_by_class(len(values), card.labels, card.class_names, None)
    names, left = fit_names([name for name, _, _ in groups], 0.9)
    ax = add_tile(figure, left, y, HISTOGRAM - left, height)
    draw_ridges(ax, [(values[rows], color) for _, rows, color in groups], edges, names)


def _strips(figure: Figure, card: NeuronCard, y: float) -> None:
    """The traversal, and under it the images at both ends, the lowest on its left."""
    x = HISTOGRAM + 2 * GAP
    (width, height), (small_width, small_height) = _tile_sizes(card)
    _write(figure, x, y + 0.09, f"decoded at {card.name} =")
    traversal = as_pictures(card.traversal, "traversal")
    ax = add_tile(figure, x, y + CAPTION, len(traversal) * width, height)
    show_tiles(ax, _rgb(traversal), len(traversal))
    ax.set_xticks(np.arange(len(traversal)) + 0.5, [signed(step, "z.3g") for step in card.steps],
                  fontsize=7 if width > 0.33 else 5.5)  # fmt: skip

    y += CAPTION + height + TICKS + GAP
    right = x + STRIPS - len(card.highest) * small_width
    for left, images, caption in ((x, card.lowest, "lowest"), (right, card.highest, "highest")):
        pictures = as_pictures(images, caption)
        _write(figure, left, y + 0.09, f"images where {card.name} is {caption}")
        ax = add_tile(figure, left, y + CAPTION, len(pictures) * small_width, small_height)
        show_tiles(ax, _rgb(pictures), len(pictures))


def _effect(figure: Figure, card: NeuronCard, y: float, limit: float) -> None:
    x = WIDTH - EFFECT - GAP
    values = as_shown(to_array(card.jacobian))
    width, height = tile_size(values, 1.05, EFFECT)
    _write(figure, x, y + 0.09, f"raising {card.name}")
    ax = add_tile(figure, x, y + CAPTION, width, height)
    show_tiles(ax, paint_signed(values[None], limit), 1)
    key = "red: brighter, blue: darker" if len(values) == 1 else "grey: same, a colour: more"
    _write(
        figure,
        x,
        y + CAPTION + height + 0.1,
        f"{key}\nfull colour: ±{limit:.2g} per unit",
        size=6.5,
    )


def _height(card: NeuronCard) -> float:
    """Inches of a card under its header."""
    (_, height), (_, small_height) = _tile_sizes(card)
    strips = 2 * CAPTION + height + TICKS + GAP + small_height
    classes = 0.1 * len(card.class_names)
    effect = CAPTION + tile_size(to_array(card.jacobian), 1.05, EFFECT)[1] + 0.35
    return max(strips, classes + TICKS, effect) + 2 * GAP


def _tile_sizes(card: NeuronCard) -> tuple[tuple[float, float], tuple[float, float]]:
    """(width, height) of a picture of the traversal, and of one of the images."""
    traversal, n = to_array(card.traversal), len(card.lowest) + len(card.highest)
    return (
        tile_size(traversal, 0.62, STRIPS / len(traversal)),
        tile_size(traversal, 0.52, (STRIPS - 2 * GAP) / n),
    )


def _rgb(pictures: NDArray[Any]) -> NDArray[Any]:
    """(n, 1 or 3, h, w) → (n, h, w, 3)."""
    return np.broadcast_to(pictures.transpose(0, 2, 3, 1), (len(pictures), *pictures.shape[2:], 3))


def _write(
    figure: Figure, x: float, y: float, text: str, *, size: float = 7.5, color: str = MUTED,
    weight: str = "normal",
) -> None:  # fmt: skip
    """A text whose first line is centred ``y`` inches from the top."""
    width, height = figure.get_size_inches()
    top = y - 0.6 * size / 72
    figure.text(x / width, 1 - top / height, text, va="top", fontsize=size, color=color,
                fontweight=weight)  # fmt: skip


def _rule(figure: Figure, y: float) -> None:
    height = 1 - y / figure.get_size_inches()[1]
    figure.add_artist(Line2D([0.01, 0.99], [height, height], color=HAIRLINE, linewidth=0.8))
