"""Which channels of a picture are drawn as red, green and blue: the one home of that choice.

One channel is grey and three are RGB. Of two, the first is drawn green and the second magenta, the
pair of fluorescence that the colour-blind can tell apart: where both are, it is white. Of more, the
first three are red, green and blue. ``showing`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zscape.errors import ConfigError

MOST_CHANNELS = 16
"""Of a picture."""

_told: ContextVar[str | None] = ContextVar("show_channels", default=None)


def show_channels(triple: str | None) -> None:
    """From here on pictures are drawn with ``triple``, as ``showing``; None changes nothing."""
    if triple is not None:
        _told.set(triple)


@contextmanager
def showing(triple: str | None) -> Iterator[None]:
    """Meanwhile pictures are drawn with these channels as red, green and blue.

    Parameters
    ----------
    triple
        Three numbers from 0, as in ``"3,0,1"`` (``show_channels`` of ``zscape.train``); one channel
        may come twice. None changes nothing.
    """
    token = _told.set(triple or _told.get())
    try:
        yield
    finally:
        _told.reset(token)


def shown_channels(n_channels: int, triple: str | None = None) -> tuple[int, int, int] | None:
    """The channels drawn as red, green and blue; None where the picture is drawn as it is.

    Parameters
    ----------
    n_channels
        Of the pictures, in [1, 16].
    triple
        As of ``showing``, whose own is the default.

    Returns
    -------
    Three numbers of channels, from 0.

    Raises
    ------
    ConfigError
        The triple is none, or names a channel that there is not.
    """
    triple = triple or _told.get()
    if triple is None:
        if n_channels in (1, 3):
            return None
        return (1, 0, 1) if n_channels == 2 else (0, 1, 2)
    words = triple.split(",")
    found = tuple(int(word) for word in words if word.strip().isdecimal())
    if len(words) != 3 or len(found) != 3 or max(found) >= n_channels:
        raise ConfigError(
            f"show_channels must be three channels from 0 to {n_channels - 1}, as red, green and "
            f"blue, with commas between; got {triple!r}."
        )
    return found[0], found[1], found[2]


def as_shown(pictures: NDArray[Any]) -> NDArray[Any]:
    """Pictures (…, c, h, w) of any channels as they are drawn: (…, 1 or 3, h, w)."""
    chosen = shown_channels(pictures.shape[-3])
    return pictures if chosen is None else np.take(pictures, chosen, axis=-3)
