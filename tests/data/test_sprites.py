from __future__ import annotations

import numpy as np
import pytest
import torch

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, load_data, sprites
from zscape.errors import DataError


@pytest.fixture(scope="module")
def some() -> Splits:
    return load_data("sprites:3000")


def mass(images: ImageSet) -> np.ndarray:
    return images.pixels().sum((1, 2, 3)).numpy()


def middle(images: ImageSet) -> np.ndarray:
    """(n, 2) centre of mass, in pixels from the left and from the top."""
    pixels, at = images.pixels()[:, 0], torch.arange(sprites.SIDE) + 0.5
    sums = torch.stack([(pixels.sum(axis) * at).sum(1) for axis in (1, 2)], dim=1)
    return (sums / pixels.sum((1, 2))[:, None]).numpy()


def of(images: ImageSet, shape: str) -> ImageSet:
    return images[(images.labels == sprites.SHAPES.index(shape)).nonzero()[:, 0]]


def test_it_is_a_set_with_its_factors_as_columns_and_its_shape_as_class(some):
    train, test = some
    assert (len(train), len(test), train.image_shape) == (3000, 500, (1, 64, 64))
    assert train.class_names == ("square", "ellipse", "heart")
    assert train.columns.names == ("shape", "scale", "rotation", "x", "y")
    assert train.columns.texts("shape") == train.titles()
    assert train.columns.classes("rotation")[1][:3] == ("0", "9", "18")
    assert train.value_range() == (0, 1)


def test_no_picture_comes_twice_and_every_factor_takes_all_its_values(some):
    rows = [tuple(row.values()) for half in some for row in half.columns.table.to_pylist()]
    assert len(set(rows)) == 3500
    counts = [len(some.train.columns.classes(name)[1]) for name in some.train.columns]
    assert tuple(counts) == sprites.COUNTS


def test_x_and_y_say_where_a_shape_lies(some):
    found = of(some.train, "ellipse")
    told = np.stack([found.columns.numbers(name) for name in ("x", "y")], axis=1)
    np.testing.assert_allclose(middle(found), 16.5 + 31 * told, atol=0.01)


def test_the_area_grows_with_the_square_of_scale_whatever_the_rotation(some):
    for shape, area in (("square", 21.8**2), ("ellipse", np.pi * 8 * 15.5)):
        found = of(some.train, shape)
        told = area * found.columns.numbers("scale") ** 2
        np.testing.assert_allclose(mass(found), told, rtol=0.02)


def test_rotation_is_counter_clockwise():
    patches = sprites._patches()
    for shape in range(3):
        np.testing.assert_array_equal(np.rot90(patches[shape, 5, 3]), patches[shape, 5, 13])


def test_only_a_heart_has_no_symmetry_of_rotation():
    square, ellipse, heart = sprites._patches()[:, 5].astype(int)
    assert abs(square[0] - square[10]).max() <= 1
    assert abs(ellipse[0] - ellipse[20]).max() <= 1
    assert abs(heart[0] - heart[20]).max() == 255


def test_no_sprite_reaches_the_edge_of_its_picture():
    patches = sprites._patches()
    assert patches[..., [0, -1], :].max() == patches[..., [0, -1]].max() == 0


def test_fewer_are_the_first_of_more(some):
    few = load_data("sprites:60")
    for mine, theirs in zip(few, some, strict=True):
        assert torch.equal(mine.images, theirs.images[: len(mine)])


def test_they_take_every_preparation():
    config = DataConfig(n_train=20, n_test=5, resize=16, label="scale", binarize="threshold")
    train, test = load_data("sprites:60", config)
    assert (len(train), len(test), train.image_shape) == (20, 5, (1, 16, 16))
    assert train.class_names == ("0.5", "0.6", "0.7", "0.8", "0.9", "1")


@pytest.mark.parametrize("source", ["sprites:", "sprites:x", "sprites:5", "sprites:600001",
                                    "sprites:-9", "sprites:" + "9" * 5000])  # fmt: skip
def test_another_number_of_them_is_refused(source):
    with pytest.raises(DataError, match="takes from 6 to 600000 training images; got 'sprites:"):
        load_data(source)
