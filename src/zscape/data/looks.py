"""What the pictures of a set become together: one size, one type, one number of channels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from zscape.config import DataConfig
from zscape.data.arrays import white_of
from zscape.data.mapped import CHUNK, empty, release
from zscape.data.parts import check_told
from zscape.data.pictures import Frame, strips
from zscape.data.resize import LUMA
from zscape.errors import ConfigError, DataError

_log = logging.getLogger(__name__)


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
            for rows in strips(*frame.shape[1:]):
                part = frame[:, rows]
                if is_laid:
                    part = _laid_on(part, self.ground, self.white)
                is_as_told = part.dtype == self.dtype
                out[number, :, rows] = part if is_as_told else part.astype(self.dtype) * 257
            if number % CHUNK == 0:
                release(out, frame)
        return out


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
        if is_transparent:
            check_told(where, "pixels are transparent", "--background COLOUR")
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
        for rows in strips(*frame.shape[1:]):
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
