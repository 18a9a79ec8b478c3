"""Pictures of two and of many channels in every kind of figure, drawn as their triple."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zscape import figures
from zscape.data import showing
from zscape.errors import ShapeError

RNG = np.random.default_rng(0)
X = RNG.random((4, 5, 6, 8), dtype=np.float32)
Z = RNG.normal(size=(4, 2)).astype(np.float32)

DRAWN: dict[str, Callable[[Any], Any]] = {
    "pictures": lambda x: figures.plot_pictures(x),
    "random samples": lambda x: figures.plot_random_samples(x, Z),
    "reconstructions": lambda x: figures.plot_reconstructions(x, x),
    "prototypes": lambda x: figures.plot_prototypes(Z, x, ["a", "b", "c", "d"]),
    "strip": lambda x: figures.plot_strip(x, Z),
    "progression": lambda x: figures.plot_progression(x.reshape(2, 2, *x.shape[1:]), [0, 1]),
    "manifold": lambda x: figures.plot_manifold(x.reshape(2, 2, *x.shape[1:]), [0, 1], [0, 1]),
    "jacobians": lambda x: figures.plot_jacobians(x.reshape(2, 2, *x.shape[1:]), ["a", "b"]),
    "top images": lambda x: figures.plot_top_images(
        x.reshape(2, 2, *x.shape[1:]), np.zeros((2, 2)), ["a", "b"]
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_of_five_channels_is_that_of_its_triple(name: str) -> None:
    draw = DRAWN[name]
    limit = X[:, [4, 0, 2]]
    with showing("4,0,2"):
        found = figures.to_png(draw(X))
    assert found == figures.to_png(draw(limit))
    assert figures.to_png(draw(X)) == figures.to_png(draw(X[:, :3])) != found


def test_two_channels_are_green_and_magenta() -> None:
    expected = figures.to_png(figures.plot_pictures(X[:, [1, 0, 1]]))
    assert figures.to_png(figures.plot_pictures(X[:, :2])) == expected


def test_one_image_in_axes_of_a_users_own() -> None:
    ax = figures.new_figure(1, 1).add_subplot()
    shown = figures.show_image(ax, X[0]).get_array()
    np.testing.assert_array_equal(shown, X[0, :3].transpose(1, 2, 0))
    with pytest.raises(ShapeError, match=r"\(channels, height, width\)"):
        figures.show_image(ax, np.zeros((17, 4, 4)))


def test_a_gif_shows_the_triple() -> None:
    with showing("4,4,4"):
        content = figures.to_gif(X)
    expected = figures.to_gif(X[:, [4, 4, 4]])
    assert content == expected
    assert Image.open(io.BytesIO(content)).n_frames == 6
