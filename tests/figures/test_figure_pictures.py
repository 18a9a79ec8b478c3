from __future__ import annotations

import numpy as np
import pytest

from zscape.errors import DataError, ShapeError
from zscape.figures import plot_pictures, to_svg


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 12, 20)])
@pytest.mark.parametrize("n", [1, 7, 70])
def test_every_picture_under_its_title(n: int, shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).random((n, *shape))
    figure = plot_pictures(images, [f"p{i}" for i in range(n)])
    assert [ax.get_title() for ax in figure.axes] == [f"p{i}" for i in range(n)]
    for ax, image in zip(figure.axes, images, strict=True):
        drawn = np.asarray(ax.images[0].get_array())
        expected = image[0] if shape[0] == 1 else image.transpose(1, 2, 0)
        np.testing.assert_allclose(drawn, expected, atol=1e-6)


def test_what_it_refuses() -> None:
    with pytest.raises(ShapeError, match="3 pictures need as many titles; got 2"):
        plot_pictures(np.zeros((3, 1, 8, 8)), ["a", "b"])
    with pytest.raises(DataError):
        plot_pictures(np.full((1, 1, 8, 8), 2.0))


def test_an_svg_is_the_same_again_and_needs_no_font() -> None:
    images = np.random.default_rng(0).random((2, 1, 8, 8))
    first, second = (to_svg(plot_pictures(images, ["μ", "a"])) for _ in range(2))
    assert first == second
    assert b"<svg" in first
    assert b"<text" not in first
