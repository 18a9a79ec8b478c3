"""Picture files as Pillow reads them: modes, transparency, frames."""

from __future__ import annotations

import io
import itertools
import logging
import math
import os
import sys
import time
import warnings
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps, ImageSequence, UnidentifiedImageError

from zscape.config import DataConfig
from zscape.data.arrays import white_of
from zscape.data.bounded import reading, size_of
from zscape.data.mapped import CHUNK, Spool, empty, in_bytes, release
from zscape.data.resize import LUMA, fit_square
from zscape.data.tree import Readable
from zscape.data.whole import check_whole
from zscape.errors import ConfigError, DataError

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
_AT_ONCE = 64  # pictures under way, at most
_UNDER_WAY = 64 << 20  # bytes of pixels, once it is seen how large the pictures are
_HELD = 64 << 20  # bytes up to which a file is read as a whole, as a decoder may ask for any number
_LARGE = 1 << 24  # pixels
_STRIP = 1 << 22  # pixels of a large picture that are computed with at once
_MOST_PER_BYTE = 1000  # pixels of a large picture; blank pages of fax have 500
_PATIENCE = 3.0  # seconds between two words
_OPENING = Lock()
_LARGE_ONE = Lock()
_log = logging.getLogger(__name__)

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
            if _is_deep(opened):
                with _held(file) as again, _opened(again) as lower:
                    frames = [_fitted(pixels, config) for pixels in _deep(opened, lower, left_out)]
            else:
                frames = [as_frame(picture, config) for picture in _pages(opened, left_out)]
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
    _check_pixels(opened.width * opened.height, stream)
    return opened


def _alone(opened: Image.Image) -> AbstractContextManager[Any]:
    """Large pictures are decoded one at a time: each takes several times its pixels of memory."""
    return _LARGE_ONE if opened.width * opened.height > _LARGE else nullcontext()


def _check_pixels(n: int, stream: IO[bytes]) -> None:
    """Raise ``ValueError`` before a file unfolds into far too many pixels."""
    if n > max(_LARGE, _MOST_PER_BYTE * (size := size_of(stream))):
        raise ValueError(f"{size} bytes would unfold into {n} pixels, as no picture does")


def decoded(
    files: Collection[Readable], config: DataConfig, left_out: Counter[str], where: str
) -> Iterator[list[Frame]]:
    """``read_frames`` of every file in its turn, several at a time; said if it takes a while.

    Of a file that cannot be read, with ``config.skip_broken``, nothing, and a warning that names
    it. Frames that are too many for memory are mapped (see ``mapped.Spool``).
    """
    spool, clock = Spool(), _Clock(where, len(files))
    with ThreadPoolExecutor(n_processors()) as pool:

        def begin(file: Readable) -> Future[tuple[list[Frame], Counter[str]]]:
            return pool.submit(_decode, _in_hand(file), config)

        # Some are under way, never all: what is decoded waits for its turn in memory.
        waiting = iter(files)
        n_threads, largest = n_processors(), 1
        under_way = deque(map(begin, itertools.islice(waiting, n_threads)))
        while under_way:
            frames: list[Frame] = []
            try:
                with skipping(config, left_out):
                    frames, passed = under_way.popleft().result()
                    left_out.update(passed)
            except DataError:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            largest = max(largest, sum(frame.nbytes for frame in frames))
            allowed = max(n_threads, min(_AT_ONCE, _UNDER_WAY // largest))
            under_way.extend(
                map(begin, itertools.islice(waiting, max(0, allowed - len(under_way))))
            )
            yield [spool.put(frame) for frame in frames]
            clock.tick(spool.size)


@contextmanager
def skipping(config: DataConfig, left_out: Counter[str]) -> Iterator[None]:
    """With ``config.skip_broken``, name and count what cannot be read instead of raising."""
    try:
        yield
    except DataError as error:
        if not config.skip_broken:
            raise
        _log.warning("%s", error)
        left_out["broken"] += 1


def _decode(file: Readable, config: DataConfig) -> tuple[list[Frame], Counter[str]]:
    left_out: Counter[str] = Counter()
    return read_frames(file, config, left_out), left_out


def _in_hand(file: Readable) -> Readable:
    """The bytes of a member of an archive, which one thread alone may read; a file as it is."""
    if isinstance(file, (Path, Blob)):
        return file
    with reading(file), file.open("rb") as stream:
        return Blob(str(file), stream.read())


@dataclass(frozen=True)
class Blob:
    """Bytes as a file."""

    name: str
    content: bytes

    def open(self, mode: Literal["rb"] = "rb", /) -> IO[bytes]:
        """Its bytes."""
        return io.BytesIO(self.content)

    def __str__(self) -> str:
        return self.name


class _Clock:
    """Says, of what takes a while, how much it will be and how far it is."""

    def __init__(self, where: str, total: int) -> None:
        self.where, self.total, self.done = where, total, 0
        self.begun = time.monotonic()
        self.said = self.begun

    def tick(self, n_bytes: int) -> None:
        """One more file is done; ``n_bytes`` of pixels came of all so far."""
        self.done += 1
        now = time.monotonic()
        if now - self.said < _PATIENCE or self.done == self.total:
            return
        left = (now - self.begun) * (self.total - self.done) / self.done
        size = f", about {in_bytes(n_bytes * self.total / self.done)} once decoded"
        _log.info("%s: %d of %d pictures read%s; %.0f s to go.", self.where, self.done, self.total,
                  size if self.said == self.begun else "", left)  # fmt: skip
        self.said = now


def n_processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _pages(opened: Image.Image, left_out: Counter[str]) -> Iterator[Image.Image]:
    if opened.format in ("JPEG", "MPO"):
        if extra := getattr(opened, "n_frames", 1) - 1:
            left_out["preview inside a JPEG"] += extra
        yield opened
        return
    n = 0
    for page in ImageSequence.Iterator(opened):
        n += page.width * page.height
        _check_pixels(n, opened.fp)  # type: ignore[attr-defined]
        if page.width * page.height > (Image.MAX_IMAGE_PIXELS or math.inf):
            raise ValueError(f"a page of {page.width} x {page.height} pixels is refused")
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
    for rows in _strips(height, width):
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
    opened: Image.Image, again: Image.Image, left_out: Counter[str]
) -> Iterator[NDArray[np.uint16]]:
    """Colour of 16 bits; the lower 8 are of the same file ``again``, as if bytes were swapped."""
    for page, other in zip(_pages(opened, left_out), _pages(again, Counter()), strict=True):
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


def check_sizes(frames: Mapping[str, Sequence[Frame]]) -> None:
    """Every frame as high and as wide as the first, or an error that names two files."""
    sizes = [(file, frame.shape[1:]) for file, several in frames.items() for frame in several]
    if not sizes:
        raise DataError(f"{next(iter(frames))} and all other pictures are broken.")
    first, (h0, w0) = sizes[0]
    for file, (h, w) in sizes:
        if (h, w) != (h0, w0):
            raise DataError(
                f"Pictures must have one size: {first} is {w0}x{h0} pixels, {file} is {w}x{h}; "
                f"ask for a size with --resize."
            )


@dataclass(frozen=True)
class Look:
    """What the frames of a set become: of one type and one number of channels.

    Grey, or RGB; but frames of as many channels as was asked for keep them all, alpha too.
    """

    channels: int
    dtype: np.dtype[Any]
    ground: tuple[int, ...]
    white: int = 255

    @classmethod
    def of(cls, frames: Sequence[Frame], config: DataConfig, where: str) -> Look:
        """The look of a whole set.

        Transparency is laid on ``config.background``, or by default on one ground for the whole
        set: white if what is drawn is dark on average, black otherwise.
        """
        dtypes = {frame.dtype for frame in frames}
        if len(dtypes) > 1 and np.dtype(np.float32) in dtypes:
            raise DataError(f"{where} holds pictures of floats beside others; give one kind.")
        is_told = {len(frame) == config.channels for frame in frames}
        if config.channels not in (None, 1, 3) and is_told != {False}:
            if is_told != {True}:
                raise DataError(f"{where}: some pictures have {config.channels} channels, not all.")
            dtype = np.result_type(*dtypes)
            return cls(len(frames[0]), dtype, ())
        dtype = np.dtype(np.uint16) if len(dtypes) > 1 else dtypes.pop()
        seen_through = [frame for frame in frames if len(frame) in (2, 4)]
        white = 255
        if seen_through and dtype == np.uint16:
            white = white_of(max(_most(frame) for frame in frames))
        ground = _ground(seen_through, white, config, where)
        under_grey = 1 if len(set(ground)) == 1 else 3
        channels = {1: 1, 2: under_grey, 3: 3, 4: 3}
        return cls(max(channels[len(frame)] for frame in frames), dtype, ground, white)

    def stacked(self, frames: Sequence[Frame]) -> NDArray[Any]:
        """(n, channels, h, w) of frames of one size."""
        out = empty((len(frames), self.channels, *frames[0].shape[1:]), self.dtype)
        for number, frame in enumerate(frames):
            is_laid = len(frame) != self.channels and len(frame) in (2, 4)
            for rows in _strips(*frame.shape[1:]):
                part = frame[:, rows]
                if is_laid:
                    part = _laid_on(part, self.ground, self.white)
                is_as_told = part.dtype == self.dtype
                out[number, :, rows] = part if is_as_told else part.astype(self.dtype) * 257
            if number % CHUNK == 0:
                release(out, frame)
        return out


def _strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, as many at a time as take little memory to compute with."""
    n = max(1, _STRIP // max(1, width))
    return (slice(top, top + n) for top in range(0, height, n))


def _most(frame: Frame) -> int:
    """The brightest of its colours, where 65535 is white."""
    most = int((frame[:-1] if len(frame) in (2, 4) else frame).max())
    return most if frame.dtype == np.uint16 else most * 257


def _ground(
    seen_through: list[Frame], white: int, config: DataConfig, where: str
) -> tuple[int, ...]:
    if not seen_through:
        return (0, 0, 0)
    if config.background is not None:
        ground = _as_color(config.background)
    else:
        is_transparent = any((frame[-1] < _opaque(frame)).any() for frame in seen_through)
        ground = (255,) * 3 if is_transparent and _are_dark(seen_through, white) else (0,) * 3
        if is_transparent:
            name = "white, as what is drawn is dark" if any(ground) else "black"
            _log.warning(
                "%s: transparent pixels are laid on %s; --background says otherwise.", where, name
            )
    return ground


def _opaque(frame: Frame) -> int:
    """The alpha of what cannot be seen through."""
    return int(np.iinfo(frame.dtype).max)


def _are_dark(frames: list[Frame], white: int) -> bool:
    """Whether what can be seen of them is dark on average."""
    light = opaque = 0.0
    for frame in frames:
        for rows in _strips(*frame.shape[1:]):
            part = frame[:, rows]
            alpha = part[-1] / _opaque(part)
            luma = part[0] if len(part) == 2 else np.tensordot(LUMA, part[:3], axes=1)
            light += float((luma * alpha).sum()) / (white if part.dtype == np.uint16 else 255)
            opaque += float(alpha.sum())
    return opaque > 0 and light / opaque < 0.5


def _laid_on(frame: Frame, ground: tuple[int, ...], white: int) -> Frame:
    """Without its alpha channel; grey stays grey on grey. Of 16 bits ``white`` is white."""
    color, alpha = frame[:-1], frame[-1:].astype(np.float32) / _opaque(frame)
    is_grey = len(color) == 1 and len(set(ground)) == 1
    below = np.array(ground[:1] if is_grey else ground, np.float32)[:, None, None]
    if frame.dtype == np.uint16:
        below *= white / 255
    return np.rint(color * alpha + below * (1 - alpha)).astype(frame.dtype)


def _as_color(text: str) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise ConfigError(
            f"background must be a colour such as black, white or #rrggbb; got {text!r}."
        ) from error
