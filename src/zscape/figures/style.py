"""How every figure looks, and the few things they all do: colours, pictures, text that fits."""

from __future__ import annotations

import io
import math
import sys
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import current_thread, main_thread
from typing import Any, ParamSpec, TypeVar

import numpy as np
from matplotlib import font_manager, get_backend, rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from torch import Tensor

from zscape.data import ImageSet, as_shown
from zscape.data.shown import MOST_CHANNELS
from zscape.errors import DataError, ShapeError

Pictures = Tensor | NDArray[Any] | ImageSet
"""(n, c, h, w) values in [0, 1]; a tensor may live on any device."""

WIDTH = 9.0
"""Inches a figure is wide at most; the pages of ``zscape.report`` hold that at full size."""

INK, MUTED, HAIRLINE = "#1f2328", "#656d76", "#d0d7de"

PALETTE = (
    "#366382", "#f07213", "#00a294", "#8c62d6", "#eac414",
    "#74091e", "#08e6b7", "#985615", "#adaafd", "#51128d",
)  # fmt: skip
"""Ten class colours, none grey. Any two are at least 0.13 apart in OKLab for normal sight and for
each of the three dichromacies (simulated as in Machado et al. 2009)."""

# Names of classes may be in any script, and DejaVu has no CJK; use what the machine offers.
_CJK = ("Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic", "Microsoft YaHei", "WenQuanYi Zen Hei")
_FAMILIES = ["DejaVu Sans", *(f for f in _CJK if f in font_manager.get_font_names())]

# Start from matplotlib's own defaults: half a dark theme of the user's would be worse than none.
_GROUPS = ("axes", "figure", "font", "grid", "image", "legend", "lines", "patch", "savefig",
           "text", "xtick", "ytick")  # fmt: skip

STYLE: Any = {  # matplotlib types its keys as 300 literals
    **{key: value for key, value in rcParamsDefault.items() if key.split(".")[0] in _GROUPS},
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 8.5,
    "figure.dpi": 96,
    "figure.facecolor": "white",
    "font.family": _FAMILIES,
    "font.size": 8.5,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.5,
    "image.cmap": "viridis",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
    "text.color": INK,
    # A "$" in the name of a class is a dollar; write μ rather than $\mu$.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.color": MUTED,
    "ytick.labelsize": 8,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


_is_shown = ContextVar("is_shown", default=True)


class _StyledFigure(Figure):
    """A figure that keeps its style wherever it is shown."""

    def draw(self, renderer: Any) -> None:
        # Ticks are made on first use, which is now, long after the caller's style was left.
        with rc_context(STYLE):
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = (round(side * 96) for side in self.get_size_inches())
        return to_png(self), {"width": width, "height": height}

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """What a notebook shows of it, once: not again with what is left when the cell ends."""
        if not _is_inline():
            return {}
        from matplotlib import pyplot

        pyplot.close(self)
        png, size = self._repr_png_()
        return {"image/png": b64encode(png).decode()}, {"image/png": size}


def to_png(figure: Figure, note: str = "") -> bytes:
    """The figure, over a ``note``, as a PNG file, sharp on screens of twice 96 dots per inch."""
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=192, bbox_inches=_with_note(figure, note))
    return buffer.getvalue()


def to_svg(figure: Figure, note: str = "") -> bytes:
    """The figure, over a ``note``, as an SVG file, letters as outlines.

    The same figure gives the same bytes.
    """
    buffer = io.BytesIO()
    with rc_context(STYLE | {"svg.hashsalt": "zscape", "svg.fonttype": "path"}):
        # The dots per inch are those of clouds of points, which stay pixels.
        figure.savefig(
            buffer, format="svg", dpi=192, metadata={"Date": None},
            bbox_inches=_with_note(figure, note),
        )  # fmt: skip
    return buffer.getvalue()


def _with_note(figure: Figure, note: str) -> Bbox | None:
    """What is saved of ``figure``, inches, once ``note`` is written below it; None: as it is."""
    if not note:
        return None
    width, height = figure.get_size_inches()
    below = 0.24
    figure.text(
        0.08 / width, -0.5 * below / height, note, va="center", fontsize=8.5, in_layout=False
    )
    return Bbox([[0, -below], [max(width, text_width(note, 8.5) + 0.16), height]])


def house_style(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator: a figure that ``function`` makes is in the house style, whatever the user's is.

    Into axes of a figure of the user's own (``ax=``) it draws in the style that holds there.
    """

    @wraps(function)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        ax: Any = kwargs.get("ax")
        if ax is not None and not isinstance(ax.get_figure(root=True), _StyledFigure):
            return function(*args, **kwargs)
        if "ipykernel" in sys.modules:
            from matplotlib import pyplot

            # What a backend sets when it is loaded must outlast the style.
            pyplot.draw_if_interactive()  # type: ignore[no-untyped-call]
        with rc_context(STYLE):
            return function(*args, **kwargs)

    return styled


def new_figure(width: float, height: float, **kwargs: Any) -> Figure:
    """An empty figure of ``width`` by ``height`` inches; ``kwargs`` are those of Matplotlib's.

    Where pyplot is in use and can show figures (in a window, in a notebook) it knows this one as
    any other: ``plt.show()`` shows it, ``plt.close()`` lets go of it, a notebook shows it when
    the cell ends. Elsewhere nothing but the caller holds it.
    """
    if not (_is_shown.get() and _pyplot_shows()):
        return _StyledFigure(figsize=(width, height), **kwargs)
    from matplotlib import pyplot

    return pyplot.figure(FigureClass=_StyledFigure, figsize=(width, height), **kwargs)


@contextmanager
def unshown() -> Iterator[None]:
    """Figures made meanwhile are for a file: pyplot is not told of them."""
    token = _is_shown.set(False)
    try:
        yield
    finally:
        _is_shown.reset(token)


def _pyplot_shows() -> bool:
    # A kernel's figures belong to its cells, whether or not the user has imported pyplot.
    in_use = {"matplotlib.pyplot", "ipykernel"} & set(sys.modules)
    if not in_use or current_thread() is not main_thread():
        return False
    blind: Any = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    return _is_inline() or get_backend().lower() not in blind


def _is_inline() -> bool:
    return "ipykernel" in sys.modules and get_backend().endswith("inline")


def class_colors(n: int) -> list[str]:
    """``n`` hex colours for ``n`` classes.

    Up to ten they are ``PALETTE``. Beyond, the ten come again in darker and darker tiers: 20
    classes can still be told apart, and of 2000 those close in number mostly can.
    """
    tiers = math.ceil(n / len(PALETTE))
    shades = np.linspace(1, 0.55 if tiers == 2 else 0.3, tiers)
    colors = shades[:, None, None] * to_rgba_array(PALETTE)[:, :3]
    return [to_hex(color) for color in colors.reshape(-1, 3)[:n]]


def to_array(values: Pictures) -> NDArray[Any]:
    """``values`` as a float NumPy array in memory, whatever device it was on; pixels of a set."""
    if isinstance(values, ImageSet):
        values = values.pixels()
    if isinstance(values, Tensor):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, dtype=np.float32)


def as_pictures(values: Pictures, name: str) -> NDArray[Any]:
    """``values``, checked to be (n, c, h, w) in [0, 1], as they are drawn: (n, 1 or 3, h, w).

    Raises
    ------
    ShapeError
        Another number of axes, more than 16 channels, or nothing in it.
    DataError
        Values outside [0, 1], or not numbers.
    """
    pictures = to_array(values)
    if pictures.ndim != 4 or pictures.shape[1] > MOST_CHANNELS or pictures.size == 0:
        raise ShapeError(
            f"{name} must be (n, channels, height, width), 1 to {MOST_CHANNELS} channels, "
            f"with n at least 1; got {pictures.shape}."
        )
    low, high = float(pictures.min()), float(pictures.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise DataError(
            f"{name} must lie in [0, 1]; got values from {low:g} to {high:g}. "
            "Divide bytes by 255; decode logits to probabilities."
        )
    return as_shown(pictures.clip(0, 1))


def show_image(ax: Axes, image: Pictures) -> AxesImage:
    """Draw one picture, ``image`` (c, h, w) in [0, 1], into ``ax``.

    One channel runs from black to white and three are RGB; which of others are drawn as red,
    green and blue: see ``zscape.data.showing``.

    Raises
    ------
    ShapeError
        Not three axes, or more than 16 channels.
    """
    pixels = to_array(image)
    if pixels.ndim != 3 or not 1 <= len(pixels) <= MOST_CHANNELS:
        raise ShapeError(f"image must be (channels, height, width); got {pixels.shape}.")
    if len(pixels) not in (1, 3):  # else it may be as it is drawn already
        pixels = as_shown(pixels)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():  # a white picture on a white page needs an edge
        spine.set(visible=True, color=HAIRLINE, linewidth=0.5)
    return ax.imshow(
        pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0),
        cmap="gray",
        vmin=0,
        vmax=1,
        # Few pixels are looked at one by one; many must not alias when they shrink.
        interpolation="nearest" if max(pixels.shape[1:]) <= 64 else "auto",
    )


def tile_size(pictures: NDArray[Any], side: float, max_width: float) -> tuple[float, float]:
    """(width, height) in inches of the tile of one picture: the area of a square of ``side``."""
    height, width = pictures.shape[-2:]
    shrink = max(math.sqrt(height * width) / side, width / max_width)
    return width / shrink, height / shrink


def add_tile(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Axes whose top left corner lies ``x`` and ``y`` inches from the figure's."""
    full_width, full_height = figure.get_size_inches()
    return figure.add_axes(
        (x / full_width, 1 - (y + height) / full_height, width / full_width, height / full_height)
    )


def text_width(text: str, size: float, family: str | list[str] = _FAMILIES) -> float:
    """Inches that one line of ``text`` takes at ``size`` points."""
    font = font_manager.FontProperties(family=family, size=size)
    with warnings.catch_warnings(action="ignore"):  # of missing glyphs; drawing warns, once
        width: float = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return width / 72


def wrap_text(text: str, width: float, size: float) -> str:
    """``text`` in as many lines of at most ``width`` inches at ``size`` points as it needs."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def fit_text(text: str, width: float, size: float) -> str:
    """``text`` in at most two lines of about ``width`` inches at ``size`` points, or cut by "…".

    Where it has two lines of which the second fits, they are kept, and of the first the end is if
    need be: there names of files differ.
    """
    own = [" ".join(part.split()) for part in text.strip().splitlines()]
    if len(own) == 2 and text_width(own[1], size) <= width:
        first = own[0]
        while len(first) > 2 and text_width(first, size) > width:
            first = "…" + first.removeprefix("…")[1:].lstrip()
        return f"{first}\n{own[1]}"
    text = " ".join(text.split())
    needed = text_width(text, size)
    if needed <= width:
        return text
    per_line = max(2, int(0.95 * len(text) * width / needed))
    # Names made by programs have no spaces to break at.
    cut = max(text.rfind(mark, 0, per_line + 1) for mark in " _-") + 1
    if cut <= per_line / 2:
        cut = per_line
    rest = text[cut:]
    if len(rest) > per_line:
        rest = rest[: per_line - 1].rstrip() + "…"
    return f"{text[:cut].rstrip()}\n{rest}"
