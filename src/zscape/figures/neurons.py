"""What the latent neurons say: per image, per class, and of each other.

In every figure of neurons a diverging palette stands for a signed number: white is 0, red above,
blue below, and the scale reaches equally far both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures.neuron_parts import (
    BAR,
    DIVERGING,
    GAP,
    TICK,
    as_matrix,
    color_bar,
    draw_ridges,
    figure_of,
    fit_names,
    frame,
    group_by_class,
    heatmap,
    inches,
    latent_names,
    name_columns,
    reach,
)
from zscape.figures.style import (
    INK,
    MUTED,
    PALETTE,
    WIDTH,
    add_tile,
    house_style,
    new_figure,
    text_width,
    to_array,
)
from zscape.model import ACTIVE_KL


@house_style
def plot_neuron_image(
    activations: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    classes: Sequence[str] | None = None,
    n_per_class: int = 50,
    ax: Axes | None = None,
) -> Figure:
    """Samples × neurons as an image: a row per sample, in a band per class.

    Parameters
    ----------
    activations
        (n, latent_dim), posterior means for instance.
    labels, class_names
        (n,) indices into the names, or None for one band.
    classes
        Which ones, by name and in this order; all by default.
    n_per_class
        The first so many samples of each class.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError, DataError
        Wrong shapes, values that are not finite, classes asked for without labels, or without
        samples.
    ConfigError
        A class that is not there, or ``n_per_class`` below 1.
    """
    if n_per_class < 1:
        raise ConfigError(f"n_per_class must be at least 1; got {n_per_class}.")
    values = as_matrix(activations, "activations")
    groups = [
        (name, values[rows[:n_per_class]])
        for name, rows, _ in group_by_class(len(values), labels, class_names, classes)
    ]
    image = np.concatenate([rows for _, rows in groups])
    ends = np.cumsum([len(rows) for _, rows in groups])
    names, left = fit_names([name for name, _ in groups])
    d = values.shape[1]
    cell = min(0.45, (WIDTH - left - BAR) / d)
    width, height = max(d * cell, 0.9), float(np.clip(len(image) * 0.02, 0.32 * len(ends) + 1, 9))
    is_own = ax is None
    if ax is None:
        figure = new_figure(left + width + BAR, height + 0.35)
        ax = add_tile(figure, left, GAP, width, height)
    else:
        width, height = inches(ax)
    limit = reach(values, 99.5)
    ax.imshow(image, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="none")
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color=INK, linewidth=0.6)
    ax.set_yticks([(end + start - 1) / 2 for start, end in zip((0, *ends), ends, strict=False)],
                  names)  # fmt: skip
    name_columns(ax, latent_names(d), width)
    frame(ax)
    place = (left + width + GAP, GAP, min(height, 2.6)) if is_own else None
    color_bar(ax, place, limit, "activation", is_clipped=bool(np.abs(image).max() > limit))
    return figure_of(ax)


@house_style
def plot_neuron_histograms(
    activations: Any,
    labels: Any = None,
    class_names: Sequence[str] = (),
    *,
    classes: Sequence[str] | None = None,
    n_bins: int = 40,
) -> Figure:
    """A panel per neuron, and in it a histogram per class, one above the other.

    All panels share their bins, so that widths compare; heights compare within a panel. The
    outermost bins hold the 0.1 % of values beyond them.

    Parameters
    ----------
    activations, labels, class_names, classes
        As for ``plot_neuron_image``.
    n_bins
        At least 2.

    Raises
    ------
    ShapeError, DataError, ConfigError
        As for ``plot_neuron_image``.
    """
    if n_bins < 2:
        raise ConfigError(f"n_bins must be at least 2; got {n_bins}.")
    values = as_matrix(activations, "activations")
    groups = group_by_class(len(values), labels, class_names, classes)
    edges = np.linspace(-1, 1, n_bins + 1) * reach(values, 99.9)
    names, left = fit_names([name for name, _, _ in groups])
    d = values.shape[1]
    columns = min(d, 5 if d <= 20 else 8)
    rows = -(-d // columns)
    width = min(2.4, (WIDTH - left) / columns - GAP)
    height = max(0.9, 0.14 * len(groups))
    pitch = height + 0.5
    figure = new_figure(max(left + columns * (width + GAP) + GAP, 2.2), rows * pitch + GAP)
    for i in range(d):
        row, column = divmod(i, columns)
        x = left + column * (width + GAP)
        ax = add_tile(figure, x, row * pitch + 0.24, width, height)
        lines = [(values[members, i], color) for _, members, color in groups]
        draw_ridges(ax, lines, edges, names if column == 0 else ())
        ax.set_title(f"z{i}", pad=3)
    return figure


@house_style
def plot_class_neurons(
    values: Any,
    class_names: Sequence[str],
    *,
    units: Sequence[Any] | None = None,
    label: str = "mean activation",
    ax: Axes | None = None,
) -> Figure:
    """Class × neuron as a heatmap, with the numbers in it where they fit.

    Parameters
    ----------
    values
        (n_classes, latent_dim): ``ClassMoments.mean_table()`` or ``.d_prime()``. A class without
        images has NaN and stays grey.
    class_names
        Of the rows, from the top.
    units
        Names or numbers of the columns, of a hidden layer for instance; ``z0`` … by default.
    label
        What the numbers are.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Not one row per class name, or not one column per unit.
    DataError
        An infinite value.
    """
    matrix = as_matrix(values, "values", may_miss=True)
    if len(matrix) != len(class_names):
        raise ShapeError(f"{len(class_names)} classes need as many rows; got {len(matrix)}.")
    names = fit_names(class_names)[0]
    d = matrix.shape[1]
    columns = latent_names(d) if units is None else [str(unit) for unit in units]
    if len(columns) != d:
        raise ShapeError(f"{d} columns need as many units; got {len(columns)}.")
    return heatmap(matrix, names, columns, label, limit=reach(matrix, 100), ax=ax)


@house_style
def plot_correlations(correlations: Any, *, ax: Axes | None = None) -> Figure:
    """Which neurons say the same thing: their correlation matrix.

    Parameters
    ----------
    correlations
        (latent_dim, latent_dim) in [-1, 1]; NaN, of a constant neuron, stays grey.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError
        Not square.
    DataError
        Values outside [-1, 1].
    """
    matrix = as_matrix(correlations, "correlations", may_miss=True)
    d = len(matrix)
    if matrix.shape != (d, d):
        raise ShapeError(f"correlations must be square; got {matrix.shape}.")
    if np.nanmax(np.abs(matrix), initial=0) > 1 + 1e-6:
        raise DataError("correlations must lie in [-1, 1].")
    names = latent_names(d)
    return heatmap(matrix, names, names, "correlation", limit=1.0, is_square=True, ax=ax)


@house_style
def plot_neuron_kl(kl: Any, *, threshold: float = ACTIVE_KL, ax: Axes | None = None) -> Figure:
    """How much each neuron says about an image; the dead ones are named.

    Parameters
    ----------
    kl
        (latent_dim,) mean KL to the prior, nats.
    threshold
        A neuron above it is used, any other is dead.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError, DataError
        Not one finite number >= 0 per neuron.
    """
    heights = to_array(kl)
    if heights.ndim != 1 or heights.size == 0:
        raise ShapeError(f"kl must be (latent_dim,), at least 1; got {heights.shape}.")
    if not (np.isfinite(heights).all() and heights.min() >= -1e-4):
        raise DataError("kl must be finite and at least 0.")
    d = len(heights)
    is_used = heights > threshold
    if ax is None:
        width = float(np.clip(0.42 * d, 2.6, WIDTH - 0.8))
        figure = new_figure(width + 0.8, 2.45)
        ax = add_tile(figure, 0.7, 0.35, width, 1.85)
    width = inches(ax)[0]
    ax.bar(np.arange(d), heights, width=0.72, color=[PALETTE[0] if u else MUTED for u in is_used])
    ax.set(xlim=(-0.7, d - 0.3), ylim=(0, 1.12 * max(float(heights.max()), 2 * threshold)))
    room = width / (d + 0.4)
    number = f"{heights.max():.2f}"
    for i in range(d):
        if not is_used[i] and room > 0.1:
            ax.annotate("dead", (i, heights[i]), (0, 3), textcoords="offset points", ha="center",
                        va="bottom", rotation=90, color=MUTED,
                        fontsize=min(TICK, room * 72))  # fmt: skip
        elif is_used[i] and room > text_width(number, 7) + 0.05:
            ax.annotate(f"{heights[i]:.2f}", (i, heights[i]), (0, 2), textcoords="offset points",
                        ha="center", va="bottom", color=MUTED, fontsize=7)  # fmt: skip
    n_used = int(is_used.sum())
    verdict = f"all {d} used" if n_used == d > 1 else f"{n_used} of {d} used"
    ax.set_title(f"{verdict} (more than {threshold:g} nats)",
                 loc="left", fontweight="bold")  # fmt: skip
    ax.set_ylabel("KL, nats per image")
    name_columns(ax, latent_names(d), width)
    return figure_of(ax)


@house_style
def plot_neuron_variances(between: Any, within: Any, *, ax: Axes | None = None) -> Figure:
    """What the variance of each neuron's codes is made of, beside the prior's, which is 1.

    A collapsed neuron is all noise, a neuron of points is none.

    Parameters
    ----------
    between
        (latent_dim,) variance of the posterior means over images.
    within
        (latent_dim,) mean variance of the posteriors: the encoder's noise.
    ax
        Where to draw; a new figure by default.

    Raises
    ------
    ShapeError, DataError
        Not one finite number >= 0 per neuron in both.
    """
    parts = [to_array(part) for part in (between, within)]
    for part in parts:
        if part.ndim != 1 or part.size == 0 or part.shape != parts[0].shape:
            raise ShapeError(
                f"between and within must both be (latent_dim,), at least 1; got {part.shape}."
            )
        if not (np.isfinite(part).all() and part.min() >= 0):
            raise DataError("between and within must be finite and at least 0.")
    d = len(parts[0])
    if ax is None:
        width = float(np.clip(0.42 * d, 3.6, WIDTH - 1.7))
        figure = new_figure(width + 1.7, 2.45)
        ax = add_tile(figure, 0.7, 0.35, width, 1.85)
    place = np.arange(d)
    ax.bar(place, parts[0], 0.72, color=PALETTE[0], label="from image to image")
    ax.bar(place, parts[1], 0.72, bottom=parts[0], color=PALETTE[1], label="noise of the encoder")
    ax.axhline(1, color=MUTED, linewidth=1, linestyle=(0, (4, 2)))
    ax.annotate("prior", (1, 1), (4, 0), xycoords=("axes fraction", "data"), va="center",
                textcoords="offset points", annotation_clip=False, color=MUTED)  # fmt: skip
    highest = max(1.0, float((parts[0] + parts[1]).max()))
    ax.set(xlim=(-0.7, d - 0.3), ylim=(0, 1.05 * highest), ylabel="variance of the codes")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0, handlelength=1,
              borderpad=0.3)  # fmt: skip
    name_columns(ax, latent_names(d), inches(ax)[0])
    return figure_of(ax)
