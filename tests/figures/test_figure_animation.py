from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.figures import to_gif


def frames(content: bytes) -> tuple[Image.Image, list[np.ndarray]]:
    gif = Image.open(io.BytesIO(content))
    return gif, [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]


def ramp(n: int, *shape: int) -> np.ndarray:
    """``n`` pictures, each of one brightness."""
    return np.linspace(0.1, 0.9, n).reshape(n, *[1] * len(shape)) * np.ones(shape)


def test_it_goes_there_and_back_at_the_pace_asked_for() -> None:
    gif, shown = frames(to_gif(ramp(5, 1, 28, 28), seconds=2))
    assert gif.info["loop"] == 0
    assert gif.info["duration"] == 500
    centres = [frame[150, 150, 0] for frame in shown]
    expected = [round(255 * level) for level in np.linspace(0.1, 0.9, 5)]
    np.testing.assert_allclose(centres, [*expected, *expected[-2:0:-1]], atol=1)
    _, once = frames(to_gif(ramp(5, 1, 28, 28), is_returning=False))
    assert len(once) == 5


def test_pixels_are_enlarged_whole_times_and_keep_their_greys() -> None:
    picture = np.arange(16).reshape(1, 1, 4, 4) / 15
    gif, (frame,) = frames(to_gif(picture))
    assert gif.size == (4 * 70 + 12, 4 * 70 + 12)
    np.testing.assert_array_equal(frame[6 + 35 :: 70, 6 + 35 :: 70, 0][:4, :4],
                                  (picture[0, 0] * 255).round())  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
def test_many_side_by_side_with_names(channels: int) -> None:
    images = np.random.default_rng(0).random((3, 12, channels, 10, 14))
    gif, shown = frames(to_gif(images, ["a", "b", "c"], names=[f"z{i}" for i in range(12)]))
    assert len(shown) == 4
    assert gif.size == (6 * (14 * 8 + 6) + 6, 2 * (10 * 8 + 18 + 6) + 6 + 26)
    assert not np.array_equal(shown[0], shown[1])


@pytest.mark.parametrize("captions", [None, ["one", "two"]])
def test_a_note_stands_under_every_frame_in_full(captions: list[str] | None) -> None:
    plain, said = (frames(to_gif(ramp(2, 1, 8, 8), captions, note=note)) for note in ("", "as 7"))
    assert said[0].size == (plain[0].size[0], plain[0].size[1] + 22)
    for one, other in zip(plain[1], said[1], strict=True):
        np.testing.assert_array_equal(other[: len(one) - 8], one[:-8])
        assert other[-22:].min() < 200
    wide, _ = frames(to_gif(ramp(2, 1, 8, 8), note="Drawn as " + "a long name " * 8))
    assert wide.size[0] > 2 * plain[0].size[0]


def test_one_picture_stands_still() -> None:
    assert len(frames(to_gif(ramp(1, 3, 8, 8)))[1]) == 1


def test_what_it_refuses() -> None:
    images = ramp(3, 1, 8, 8)
    for arguments in (
        (images[0],),
        (images, ["one"]),
        (images[None].repeat(2, 0), None, ["one"]),
    ):
        captions = arguments[1] if len(arguments) > 1 else None
        names = arguments[2] if len(arguments) > 2 else None
        with pytest.raises(ShapeError):
            to_gif(arguments[0], captions, names=names)
    with pytest.raises(DataError):
        to_gif(images * 3)
    with pytest.raises(ConfigError, match=r"stands 655\.35 s at most; 1e\+06 seconds for 2 pic"):
        to_gif(ramp(2, 1, 8, 8), seconds=1e6)
    assert to_gif(ramp(2, 1, 8, 8), seconds=655)
    for seconds in (0, float("nan"), float("inf")):
        with pytest.raises(ConfigError):
            to_gif(images, seconds=seconds)
