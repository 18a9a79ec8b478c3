"""The pictures in a file, as Pillow reads them: pages, modes, 16 bits."""

from __future__ import annotations

import io
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from zscape.config import DataConfig
from zscape.data.bounded import size_of
from zscape.data.resize import fit_square
from zscape.data.tree import Readable
from zscape.data.whole import check_whole
from zscape.errors import DataError

SUFFIXES = frozenset(
    (
        ".apng",
        ".bmp",
        ".gif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    )
)
# Named, so that no other of Pillow's decoders (one starts Ghostscript) is tried on a file.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_BITS, _PLANES = 258, 284  # TIFF tags
_PPM = ("ppm", "ppm_plain")  # what scales PPM that are not of 8 bits
_WHITE = 65535
_ORIENTATION = 0x0112  # the EXIF tag
_REDUCED = 254  # the TIFF tag that says, in its first bit, "a smaller copy of another page"
_HELD = 64 << 20  # bytes up to which a file is read as a whole, as a decoder may ask for any number
_LARGE = 1 << 24  # pixels
_MOST, _MOST_DEEP = 64_000_000, 25_000_000  # pixels; deep are those of more than 8 bits
_STRIP = 1 << 22  # pixels of a large picture that are computed with at once
_MOST_PER_BYTE = 1000  # pixels of a large picture; blank pages of fax have 500
_OPENING = Lock()
_LARGE_ONE = Lock()

Frame = NDArray[Any]
"""(c, height, width) of bytes or uint16 (grey, grey and alpha, RGB, RGBA) or floats (grey); of as
many channels as ``DataConfig.channels`` says, whatever they are."""


def read_frames(file: Readable, config: DataConfig, left_out: Counter[str]) -> list[Frame]:
    """Every page of a TIFF and every picture of an animation, turned as EXIF says.

    Of a TIFF of grey pages, ``config.channels`` of them (above 1) are one picture.
    Smaller copies of a page are left out, and so are the previews that a camera adds to a JPEG.

    Raises
    ------
    DataError
        The file is damaged, of another format, or a decompression bomb.
    """
    try:
        with _held(file) as stream, _opened(stream) as opened, _alone(opened):
            size = size_of(stream)
            if _is_deep(opened):
                with _held(file) as again, _opened(again) as lower:
                    deep = _deep(opened, lower, size, left_out)
                    frames = [_fitted(pixels, config) for pixels in deep]
            else:
                frames = [as_frame(picture, config) for picture in _pages(opened, size, left_out)]
            return _joined(frames, config.channels) if opened.format == "TIFF" else frames
    except UnidentifiedImageError as error:
        kinds = ", ".join(_FORMATS)
        raise DataError(
            f"{file} could not be read as a picture: its content is none of {kinds}."
        ) from error
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        raise DataError(
            f"{file} could not be read as a picture: {str(error).rstrip('.')}."
        ) from error


def _held(file: Readable) -> IO[bytes]:
    """An open file, in memory unless it is large."""
    stream = file.open("rb")
    if size_of(stream) > _HELD:
        return stream
    with stream:
        return io.BytesIO(stream.read())


def _opened(stream: IO[bytes]) -> Image.Image:
    """Only its header is read yet, and refused if it promises too much."""
    check_whole(stream)
    # Which warnings are errors is said of the whole process, not of a thread.
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        opened = Image.open(stream, formats=_FORMATS)
    _check_pixels(opened.width * opened.height, size_of(stream))
    _check_size(opened)
    return opened


def _check_size(picture: Image.Image) -> None:
    """Raise ``ValueError`` before a picture takes a gigabyte of memory to decode."""
    most = _MOST_DEEP if _is_deep(picture) or picture.mode[:1] in "IF" else _MOST
    if picture.width * picture.height > most:
        raise ValueError(
            f"it has {picture.width} x {picture.height} pixels, and at most {most} are decoded; "
            "make it smaller first"
        )


def _alone(opened: Image.Image) -> AbstractContextManager[Any]:
    """Large pictures are decoded one at a time: each takes several times its pixels of memory."""
    return _LARGE_ONE if opened.width * opened.height > _LARGE else nullcontext()


def _check_pixels(n: int, size: int) -> None:
    """Raise ``ValueError`` before a file of ``size`` bytes unfolds into far too many pixels."""
    if n > max(_LARGE, _MOST_PER_BYTE * size):
        raise ValueError(f"{size} bytes would unfold into {n} pixels, as no picture does")


def _pages(opened: Image.Image, size: int, left_out: Counter[str]) -> Iterator[Image.Image]:
    """The pictures of a file of ``size`` bytes."""
    if opened.format in ("JPEG", "MPO"):
        if extra := getattr(opened, "n_frames", 1) - 1:
            left_out["preview inside a JPEG"] += extra
        yield opened
        return
    n = 0
    for page in ImageSequence.Iterator(opened):
        n += page.width * page.height
        _check_pixels(n, size)
        _check_size(page)
        if opened.format == "TIFF" and opened.tag_v2.get(_REDUCED, 0) & 1:  # type: ignore[attr-defined]
            left_out["smaller copy inside a TIFF"] += 1
        else:
            yield page


def _joined(pages: list[Frame], n: int | None) -> list[Frame]:
    """Grey pages, ``n`` at a time, as the channels of a picture; others as they are."""
    if n is None or n == 1 or len(pages) == 1 or any(len(page) > 1 for page in pages):
        return pages
    if len(pages) % n:
        raise ValueError(f"its {len(pages)} pages are not pictures of {n} channels each")
    if len({page.shape for page in pages}) > 1:
        raise ValueError("its pages, which are channels of one picture, differ in size")
    return [np.concatenate(pages[i : i + n]) for i in range(0, len(pages), n)]


def as_frame(page: Image.Image, config: DataConfig) -> Frame:
    """A picture turned as EXIF says, in one of the modes of a ``Frame``, resized if asked for."""
    return _fitted(_pixels(page), config)


def _pixels(page: Image.Image) -> Frame:
    picture = _plain(_turned(page), is_gif=page.format == "GIF")
    pixels = _bytes_of(picture)
    if picture.mode == "I;16" and "transparency" in page.info:
        return _with_key(pixels[None], page.info["transparency"])
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _turned(page: Image.Image) -> Image.Image:
    """As EXIF says: itself, where that says nothing."""
    page.load()
    is_so = page.getexif().get(_ORIENTATION, 1) == 1
    return page if is_so else ImageOps.exif_transpose(page)


def _bytes_of(picture: Image.Image) -> NDArray[Any]:
    """Its pixels, strip by strip: who asks Pillow for all at once gets them twice."""
    width, height = picture.size
    if width * height <= _STRIP:
        return np.asarray(picture)
    first = np.asarray(picture.crop((0, 0, width, 1)))
    out = np.empty((height, *first.shape[1:]), first.dtype)
    for rows in strips(height, width):
        bottom = min(rows.stop, height)
        out[rows] = np.asarray(picture.crop((0, rows.start, width, bottom)))
    return out


def _fitted(pixels: Frame, config: DataConfig) -> Frame:
    if config.resize is None:
        return pixels
    side, fit = config.resize, config.fit
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in pixels)
    found = np.stack([np.asarray(fit_square(plane, side, fit)) for plane in planes])
    # Bicubic overshoots, and where white is not known yet the set would seem brighter.
    return found if found.dtype == np.uint8 else found.clip(pixels.min(), pixels.max())


def _is_deep(page: Image.Image) -> bool:
    """Whether this is colour of 16 bits, not loaded yet: Pillow reads the upper 8 of them."""
    if page.mode not in ("RGB", "RGBA", "CMYK"):
        return False
    if page.format == "TIFF":
        return max(page.tag_v2.get(_BITS, (8,))) == 16  # type: ignore[attr-defined,no-any-return]
    args = [str(tile.args) for tile in getattr(page, "tile", ())]
    most = [tile.args[1] for tile in getattr(page, "tile", ()) if tile.codec_name in _PPM]
    return any(";16" in arg for arg in args) or max(most, default=0) > 255


def _deep(
    opened: Image.Image, again: Image.Image, size: int, left_out: Counter[str]
) -> Iterator[NDArray[np.uint16]]:
    """Colour of 16 bits; the lower 8 are of the same file ``again``, as if bytes were swapped."""
    pages = zip(_pages(opened, size, left_out), _pages(again, size, Counter()), strict=True)
    for page, other in pages:
        if not _is_deep(page):
            raise ValueError("some of its pages are of 16-bit colour, not all")
        kind = _read_raw(page, is_lower=False)
        _read_raw(other, is_lower=True)
        upper, lower = (_bytes_of(_turned(half)).transpose(2, 0, 1) for half in (page, other))
        if kind == "LA":  # all four bytes of a pixel, as if they were RGBA
            yield upper[::2].astype(np.uint16) * 256 + upper[1::2]
            continue
        pixels = upper.astype(np.uint16)
        pixels *= 256
        pixels += lower
        white, last = float(_WHITE), pixels[3:].astype(np.float64)
        if kind == "RGBa":  # multiplied by its alpha
            pixels[:3] = np.rint(pixels[:3] * (white / last.clip(1))).clip(0, white)
        elif kind == "CMYK":
            pixels = np.rint((white - pixels[:3]) * (white - last) / white).astype(np.uint16)
        key = page.info.get("transparency")
        yield pixels if key is None else _with_key(pixels, key)


def _read_raw(page: Image.Image, *, is_lower: bool) -> str:
    """Have Pillow read the upper or the lower 8 bits as they are in the file, and say of what."""
    other = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
    tiled: Any = page
    tiles, kind = [], ""
    for tile in tiled.tile:
        mode, *rest = (tile.args,) if isinstance(tile.args, str) else tile.args
        if tile.codec_name == "libtiff" and tiled.tag_v2.get(_PLANES) == 2:
            raise ValueError("its 16-bit colours lie in packed planes; save it without compression")
        if tile.codec_name in _PPM:
            raise ValueError("its 16-bit colours would lose 8 bits; save it as PNG or TIFF")
        kind, _, order = mode.partition(";16")
        if not order:  # of a plane it is only said which it is
            order = "L" if tiled.tag_v2.prefix == b"II" else "B"
        name = {"RGBa": "RGBA"}.get(kind, kind)
        mode = "RGBA" if kind == "LA" else f"{name};16{other[order] if is_lower else order}"
        tiles.append(tile._replace(args=mode if isinstance(tile.args, str) else (mode, *rest)))
    tiled.tile = tiles
    return kind


def _with_key(pixels: NDArray[np.uint16], key: Any) -> NDArray[np.uint16]:
    """With alpha: what has the color ``key`` is seen through."""
    is_seen = (pixels != np.reshape(key, (-1, 1, 1))).any(0)
    return np.concatenate([pixels, is_seen[None] * np.uint16(_WHITE)])


def _plain(picture: Image.Image, is_gif: bool) -> Image.Image:
    """In mode L, LA, RGB, RGBA, I;16 or F."""
    if picture.mode == "F":
        if not np.isfinite(np.asarray(picture)).all():
            raise ValueError("some of its pixels are no finite numbers (NaN, infinity)")
        return picture
    if picture.mode.startswith("I"):
        wide = np.asarray(picture).astype(np.int64)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("its grey values need more than 16 bits")
        return Image.fromarray(wide.astype(np.uint16))
    is_grey = picture.mode in ("1", "L", "LA", "La")
    has_alpha = picture.has_transparency_data
    # A palette has no grey mode of its own.
    if (picture.mode == "P" or is_gif) and not is_grey:
        red, green, blue = np.moveaxis(np.asarray(picture.convert("RGBA"))[..., :3], 2, 0)
        is_grey = bool((red == green).all() and (red == blue).all())
    mode = ("LA" if is_grey else "RGBA") if has_alpha else ("L" if is_grey else "RGB")
    if picture.mode == mode:
        return picture
    return (picture.convert("RGBA") if has_alpha else picture).convert(mode)


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, as many at a time as take little memory to compute with."""
    n = max(1, _STRIP // max(1, width))
    return (slice(top, top + n) for top in range(0, height, n))
