"""Pictures that follow each other, as an animated GIF."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from zscape.errors import ConfigError, ShapeError
from zscape.figures.style import Pictures, as_pictures, to_array

SIDE = 280
"""Pixels of the longer side of a single picture, at least; small ones are enlarged whole times."""
TILE = 112
"""The same, of each of several pictures side by side."""
MOST_ACROSS = 10
GAP = 6
LONGEST = 655_350
"""Milliseconds that a frame can stand: the format has 16 bits for hundredths of a second."""
INK_GREY = 0x23
MUTED_GREY = 0x6D


def to_gif(
    images: Pictures,
    captions: Sequence[str] | None = None,
    *,
    names: Sequence[str] | None = None,
    seconds: float = 3.0,
    is_returning: bool = True,
    note: str = "",
) -> bytes:
    """An animated GIF that repeats for ever.

    Parameters
    ----------
    images
        (n_frames, c, h, w) in [0, 1], or (n_frames, m, c, h, w) for m pictures side by side, in
        lines of ten.
    captions
        One per frame, written under it.
    names
        One per picture of a frame, written over it.
    seconds
        From the first frame to the last, above 0.
    is_returning
        Go back the same way before it starts again, so that nothing jumps.
    note
        Stands under every frame.

    Returns
    -------
    The file. Pictures of one channel keep all their greys; of three, each frame has the 256
    colours that suit it best.

    Raises
    ------
    ShapeError
        Another shape, or not as many captions as frames or names as pictures.
    DataError
        Values outside [0, 1].
    ConfigError
        ``seconds`` is not above 0, or leaves a frame standing longer than a GIF can say: 655 s.
    """
    array = to_array(images)
    if array.ndim not in (4, 5) or array.size == 0:
        raise ShapeError(f"images must be (n, c, h, w) or (n, m, c, h, w); got {array.shape}.")
    if not 0 < seconds < math.inf:
        raise ConfigError(f"seconds must be above 0; got {seconds}.")
    grid = array if array.ndim == 5 else array[:, None]
    n, m = grid.shape[:2]
    tiles = as_pictures(grid.reshape(-1, *grid.shape[2:]), "images")
    tiles = tiles.reshape(n, m, *tiles.shape[1:])
    for what, texts, count in (("captions", captions, n), ("names", names, m)):
        if texts is not None and len(texts) != count:
            raise ShapeError(f"{count} {what} are needed; got {len(texts)}.")
    frames = [_frame(tiles[i], names, captions[i] if captions else None, note) for i in range(n)]
    if is_returning:
        frames += frames[-2:0:-1]
    # A GIF counts in hundredths of a second, and browsers slow down what is faster than two.
    each = max(20, round(100 * seconds / max(1, n - 1)) * 10)
    if each > LONGEST:
        raise ConfigError(
            f"a frame of a GIF stands {LONGEST / 1000:g} s at most; {seconds:g} seconds for "
            f"{n} pictures are more."
        )
    return _joined(frames, [each] * len(frames))


def figures_to_gif(figures: Iterable[Figure], *, each: int = 80, last: int = 2000) -> bytes:
    """Figures of one size, one after the other, as an animated GIF that repeats for ever.

    Parameters
    ----------
    figures
        Drawn one by one as they come: a generator holds no more than one in memory.
    each, last
        Milliseconds that a figure stands, and the last one.
    """
    pages = []
    for figure in figures:
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        pages.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    # One palette for all, of the last, which has most to show: what stands still must not flicker.
    palette = pages[-1].quantize(255)
    colors = np.reshape(palette.getpalette() or (), (-1, 3))
    colors[colors.min(1) > 247] = 255  # Pillow takes the nearest to 252 for white
    palette.putpalette(colors.ravel().tolist())
    frames = [page.quantize(palette=palette, dither=Image.Dither.NONE) for page in pages]
    return _joined(frames, [each] * (len(frames) - 1) + [last])


def _joined(frames: list[Image.Image], durations: list[int]) -> bytes:
    buffer = io.BytesIO()
    frames[0].save(
        buffer, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0,
        disposal=1,
    )  # fmt: skip
    return buffer.getvalue()


def _frame(
    tiles: NDArray[Any], names: Sequence[str] | None, caption: str | None, note: str
) -> Image.Image:
    m, channels, height, width = tiles.shape
    zoom = max(1, math.ceil((SIDE if m == 1 else TILE) / max(height, width)))
    columns = math.ceil(m / math.ceil(m / MOST_ACROSS))
    lines = math.ceil(m / columns)
    head, foot, below = 18 * (names is not None), 26 * (caption is not None), 22 * bool(note)
    pitch_x, pitch_y = width * zoom + GAP, height * zoom + head + GAP
    across = max(columns * pitch_x, math.ceil(_font(13).getlength(note)) + GAP)
    size = (across + GAP, lines * pitch_y + GAP + foot + below)
    page = Image.new("L" if channels == 1 else "RGB", size, "white")
    draw = ImageDraw.Draw(page)
    for i, tile in enumerate(tiles):
        line, column = divmod(i, columns)
        x, y = GAP + column * pitch_x, GAP + line * pitch_y + head
        pixels = (tile.transpose(1, 2, 0) * 255).round().astype(np.uint8)
        pixels = pixels.repeat(zoom, 0).repeat(zoom, 1)
        page.paste(Image.fromarray(pixels[..., 0] if channels == 1 else pixels), (x, y))
        if names is not None:
            draw.text((x + width * zoom / 2, y - 2), names[i], _grey(MUTED_GREY, channels),
                      _font(13), anchor="mb", align="center")  # fmt: skip
    if caption is not None:
        # Figures stand still while they change, if the text begins at one place.
        draw.text((GAP, size[1] - below - 8), caption, _grey(INK_GREY, channels), _font(15),
                  anchor="ls")  # fmt: skip
    if note:
        draw.text((GAP, size[1] - 8), note, _grey(MUTED_GREY, channels), _font(13), anchor="ls")
    return page


def _grey(level: int, channels: int) -> int | tuple[int, int, int]:
    return level if channels == 1 else (level, level, level)


def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu, which comes with matplotlib."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
