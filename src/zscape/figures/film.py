"""A model as it learns: the map of the same images at several moments, and what it draws then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zscape.embedding import Film
from zscape.figures.keys import Key
from zscape.figures.scatters import Limits, bounds_of, draw_points, widened
from zscape.figures.style import (
    HAIRLINE,
    INK,
    MUTED,
    PALETTE,
    WIDTH,
    add_tile,
    fit_text,
    house_style,
    new_figure,
    show_image,
)
from zscape.latents import coloring_of

GAP = 0.08
CURVE = 1.15
"""Inches of the height of the loss curve."""
SUBFRAMES = 5
"""Frames of a GIF from one moment to the next: points travel, pictures change at the moment."""
MAP = 4.2
"""Inches of the side of the map in a GIF."""


def moments_of(film: Film, n: int) -> list[int]:
    """``n`` moments of a film, or all: the first, the last, and most where the loss changes most.

    They are evenly spaced along its curve, in which time and loss count the same.
    """
    count, losses = len(film), np.array(film.losses)
    steps = np.abs(np.diff(losses)) / (np.ptp(losses) or 1) + 1 / count
    along = np.concatenate([[0], np.cumsum(steps)])
    wanted = [int(np.abs(along - at).argmin()) for at in np.linspace(0, along[-1], min(n, count))]
    left = [k for k in range(count) if k not in wanted]
    while len(found := sorted(set(wanted))) < min(n, count):  # two fell on one
        wanted.append(left.pop(len(left) // 2))
    return found


@house_style
def plot_film(film: Film, n: int = 6) -> Figure:
    """A film strip: maps of ``n`` moments in one frame, what was drawn then, and the loss curve.

    The curve has all moments of the film, evenly spaced; those of the strip are marked.
    """
    shown = moments_of(film, n)
    columns = len(shown)
    left = 0.5
    pitch = (WIDTH - left) / columns
    side = pitch - GAP
    across = 5
    m = film.pictures.shape[1]
    lines = -(-m // across)
    tile = side / across
    height, width = film.pictures.shape[-2:]
    block = lines * tile * height / width
    top, foot = 0.3, 0.52
    figure = new_figure(WIDTH, top + side + GAP + block + 0.3 + CURVE + foot)
    limits, key = _limits(film, 1.0), _key(film)
    for column, k in enumerate(shown):
        x = left + column * pitch
        _draw_map(add_tile(figure, x, top, side, side), film.maps[k].coordinates, key, limits)
        title = fit_text(film.titles[k], side, 8.5)
        figure.axes[-1].set_title(title, loc="left", fontweight="bold", pad=4)
        for i in range(m):
            row, place = divmod(i, across)
            at = x + place * tile, top + side + GAP + row * tile * height / width
            _show(add_tile(figure, *at, tile, tile * height / width), film, k, i, key)
    y = top + side + GAP + block + 0.3
    curve = add_tile(figure, left + 0.02, y, WIDTH - left - GAP - 0.02, CURVE)
    _draw_curve(curve, film, shown)
    return figure


def film_frames(film: Film, subframes: int = SUBFRAMES) -> Iterator[Figure]:
    """The frames of the film, one after the other: map, pictures, loss curve with where one is.

    From one moment to the next the points move in ``subframes`` equal steps.

    Yields
    ------
    Figures of one size; a caller that keeps none holds one.
    """
    limits, key = _limits(film, 1.0), _key(film)
    for k in range(len(film)):
        for step in range(subframes if k + 1 < len(film) else 1):
            share = step / subframes
            later = film.maps[min(k + 1, len(film) - 1)].coordinates
            points = (1 - share) * film.maps[k].coordinates + share * later
            yield _frame(film, k, share, points, key, limits)


@house_style
def _frame(
    film: Film, k: int, share: float, points: NDArray[np.float32], key: Key, limits: Limits
) -> Figure:
    m, across = film.pictures.shape[1], 2
    height, width = film.pictures.shape[-2:]
    shape, top, left = height / width, 0.36, 0.5
    lines = -(-m // across)
    tile = min(MAP / across, MAP / lines / shape)
    figure = new_figure(left + MAP + 0.16 + across * tile + GAP, top + MAP + 0.3 + CURVE + 0.4)
    ax = add_tile(figure, left, top, MAP, MAP)
    _draw_map(ax, points, key, limits)
    ax.set_title(film.titles[k], loc="left", fontweight="bold", fontsize=12, pad=6)
    for i in range(m):
        row, place = divmod(i, across)
        at = left + MAP + 0.16 + place * tile, top + row * tile * shape
        _show(add_tile(figure, *at, tile, tile * shape), film, k, i, key)
    curve = add_tile(figure, left, top + MAP + 0.3, MAP + 0.16 + across * tile, CURVE)
    _draw_curve(curve, film, [], k + share)
    return figure


def _key(film: Film) -> Key:
    table = film.maps[0].table
    return Key(len(table), None if table.labels is None else coloring_of(table, "class"))


def _limits(film: Film, shape: float) -> Limits:
    """Of all maps: they share one frame."""
    return widened(bounds_of(np.concatenate([one.coordinates for one in film.maps]), None), shape)


def _show(ax: Axes, film: Film, k: int, i: int, key: Key) -> None:
    """A picture in the colour of its class, which is the legend of the map."""
    show_image(ax, film.pictures[k, i])
    colors = {name: color for name, _, color in key.groups}
    ax.spines[:].set(color=colors.get(film.names[i], HAIRLINE), linewidth=1.2)


def _draw_map(ax: Axes, points: NDArray[np.float32], key: Key, limits: Limits) -> None:
    draw_points(ax, points, key.rgba.copy(), limits, key.is_missing)
    ax.set(xticks=[], yticks=[])


def _draw_curve(ax: Axes, film: Film, marked: list[int], now: float | None = None) -> None:
    n = len(film)
    ax.plot(range(n), film.losses, color=PALETTE[0], marker="o", markersize=2.5)
    if now is None:
        ax.plot(marked, [film.losses[k] for k in marked], "o", markersize=6, color=PALETTE[0])
    else:
        loss = float(np.interp(now, range(n), film.losses))
        ax.axvline(now, color=HAIRLINE, linewidth=1, zorder=0)
        ax.plot([now], [loss], "o", markersize=8, color=PALETTE[1], zorder=4)
        ax.set_title(f"{loss:.1f} nats per image", loc="right", color=INK, pad=3)
    ticks = [0, n - 1]
    for k in marked or [round(k) for k in np.linspace(0, n - 1, min(6, n))]:
        if min(abs(k - other) for other in ticks) >= n / 10:  # or their names would meet
            ticks.append(k)
    ax.set(xlim=(-0.3, n - 0.7), xticks=ticks)
    ax.set_xticklabels([film.titles[k] for k in ticks])
    first, last, *_ = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.set_title("loss, nats per image" if now is None else "loss", loc="left", color=MUTED, pad=3)
