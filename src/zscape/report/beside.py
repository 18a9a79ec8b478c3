"""Figures of one size that stand side by side on the page."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zscape.figures.neuron_parts import TICK
from zscape.figures.style import add_tile, house_style, new_figure, text_width

SIDE = 3.3  # inches of the axes, both ways
LEFT, TOP, BOTTOM = 0.6, 0.1, 0.46
WIDEST_NAME = 0.3  # inches of a name in the legend, where two figures shall fit the page
MOST_NAMES = 18


@house_style
def small_axes(names: Sequence[str] = ()) -> tuple[Figure, Axes]:
    """A figure with square axes, with room for a legend of ``names`` on its right."""
    right = 0.08 + (0.28 + max(text_width(name, TICK) for name in names) if names else 0)
    figure = new_figure(LEFT + SIDE + right, TOP + SIDE + BOTTOM)
    return figure, add_tile(figure, LEFT, TOP, SIDE, SIDE)


def has_room(names: Sequence[str]) -> bool:
    """Whether a legend of ``names`` fits beside the axes."""
    return 0 < len(names) <= MOST_NAMES and max(text_width(n, TICK) for n in names) <= WIDEST_NAME


def drop_legend(ax: Axes) -> None:
    """Take away a legend that another figure shows too."""
    if (legend := ax.get_legend()) is not None:
        legend.remove()
