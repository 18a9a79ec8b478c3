from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zscape.data import ImageSet, batch_indices
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.seeding import torch_generator


def blank(n: int, *, labels: torch.Tensor | None = None, names: tuple[str, ...] = ()) -> ImageSet:
    return ImageSet(torch.zeros(n, 1, 2, 2, dtype=torch.uint8), labels, names, name="blank")


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 1, 2, 2),
        torch.zeros(3, 2, 2, dtype=torch.uint8),
        torch.zeros(3, 17, 2, 2, dtype=torch.uint8),
        torch.zeros(3, 0, 2, 2, dtype=torch.uint8),
    ],
)
def test_images_of_another_shape_or_type_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(ShapeError, match=r"must be uint8 \(n, 1 to 16, height, width\); got"):
        ImageSet(images)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (torch.tensor([0, 1]), ("a", "b"), "3 train images need as many int64 labels"),
        (torch.tensor([0.0, 1.0, 0.0]), ("a", "b"), "int64 labels; got torch.float32"),
        (torch.tensor([0, 1, 2]), ("a", "b"), r"in \[0, 1\].* from 0 to 2"),
        (torch.tensor([0, -1, 0]), ("a", "b"), r"from -1 to 0"),
        (torch.tensor([0, 1, 0]), ("a", "a"), "class names must differ"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    labels: torch.Tensor, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        blank(3, labels=labels, names=names)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(DataError, match="no train images"):
        blank(0)


def test_it_tells_what_it_holds(labelled: ImageSet) -> None:
    assert len(labelled) == 60
    assert labelled.image_shape == (1, 3, 2)
    assert labelled.has_labels
    assert labelled.class_counts() == {"a": 10, "b": 20, "c": 30}
    assert labelled.value_range() == (0, 59 / 255)
    assert not blank(2).has_labels
    assert blank(2).class_counts() == {}


def test_indexing_keeps_images_and_labels_together(labelled: ImageSet) -> None:
    few = labelled[[59, 0, 15]]
    assert few.images[:, 0, 0, 0].tolist() == [59, 0, 15]
    assert few.labels is not None
    assert few.labels.tolist() == [2, 0, 1]
    assert few.class_names == labelled.class_names


def test_subset_draws_without_replacement_in_order_and_by_seed(labelled: ImageSet) -> None:
    def draw(seed: int) -> list[int]:
        few = labelled.subset(20, torch_generator(seed, "subset"))
        values: list[int] = few.images[:, 0, 0, 0].tolist()
        return values

    assert draw(0) == sorted(set(draw(0)))
    assert len(draw(0)) == 20
    assert draw(0) == draw(0) != draw(1)


def test_subset_of_all_is_the_set_itself(labelled: ImageSet) -> None:
    assert labelled.subset(60, torch_generator(0), stratified=True) is labelled


@pytest.mark.parametrize("n", [0, -1, 61])
def test_a_subset_that_cannot_be_had_is_refused(labelled: ImageSet, n: int) -> None:
    with pytest.raises(DataError, match=f"labelled has 60 train images; asked for {n}"):
        labelled.subset(n, torch_generator(0))


def test_a_stratified_subset_needs_labels() -> None:
    with pytest.raises(DataError, match="needs labels"):
        blank(4).subset(2, torch_generator(0), stratified=True)


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(lambda c: sum(c) > 1),
    data=st.data(),
)
def test_a_stratified_subset_is_within_one_image_of_every_share(
    counts: list[int], data: st.DataObject
) -> None:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    full = blank(len(labels), labels=labels, names=tuple(map(str, range(len(counts)))))
    n = data.draw(st.integers(1, len(full) - 1))
    few = full.subset(n, torch_generator(0), stratified=True)
    assert len(few) == n
    for count, drawn in zip(counts, few.class_counts().values(), strict=True):
        assert abs(drawn - n * count / len(full)) < 1


def test_one_large_class_does_not_crowd_out_nine_small_ones() -> None:
    labels = torch.tensor([0] * 991 + list(range(1, 10)))
    full = blank(1000, labels=labels, names=tuple("abcdefghij"))
    few = full.subset(495, torch_generator(0), stratified=True)
    assert abs(few.class_counts()["a"] - 495 * 0.991) < 1


def test_a_stratified_subset_is_drawn_by_seed(labelled: ImageSet) -> None:
    def draw(seed: int) -> list[int]:
        few = labelled.subset(6, torch_generator(seed), stratified=True)
        assert few.class_counts() == {"a": 1, "b": 2, "c": 3}
        values: list[int] = few.images[:, 0, 0, 0].tolist()
        return values

    assert draw(0) == draw(0) != draw(1)


def test_threshold_splits_between_127_and_128() -> None:
    images = torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(1, 1, 2, 2)
    assert ImageSet(images).binarized(0.5).images.flatten().tolist() == [0, 0, 255, 255]


def test_dynamic_binarisation_has_the_brightness_as_its_mean() -> None:
    brightness = torch.tensor([0, 51, 204, 255], dtype=torch.uint8)
    images = brightness[:, None, None, None].expand(4, 1, 200, 200)
    white = ImageSet(images).binarized(None, generator=torch_generator(0)).images
    assert white.unique().tolist() == [0, 255]
    # 40 000 tosses each: six standard deviations are at most 0.012.
    mean = white.double().mean(dim=(1, 2, 3)) / 255
    assert torch.allclose(mean, torch.tensor([0, 0.2, 0.8, 1]).double(), atol=0.012)
    assert mean[0] == 0
    assert mean[3] == 1


def test_binarisation_needs_one_of_its_two_ways(labelled: ImageSet) -> None:
    with pytest.raises(ConfigError, match="either a threshold or"):
        labelled.binarized(0.5, generator=torch_generator(0))
    with pytest.raises(ConfigError, match="either a threshold or"):
        labelled.binarized(None)
    with pytest.raises(ConfigError, match=r"in \(0, 1\); got 1"):
        labelled.binarized(1)


def test_pixels_are_floats_between_0_and_1() -> None:
    images = torch.tensor([0, 51, 102, 255], dtype=torch.uint8).view(4, 1, 1, 1)
    pixels = ImageSet(images).pixels()
    assert pixels.dtype == torch.float32
    assert torch.equal(pixels.flatten(), torch.tensor([0, 51, 102, 255]) / 255)
    assert torch.equal(
        ImageSet(images).pixels(torch.tensor([3, 0])).flatten(), torch.tensor([1, 0.0])
    )
    assert images.flatten().tolist() == [0, 51, 102, 255]


@given(n=st.integers(1, 300), batch_size=st.integers(1, 310))
def test_batches_cover_all_once_in_near_equal_sizes(n: int, batch_size: int) -> None:
    for generator in (None, torch_generator(0)):
        batches = batch_indices(n, batch_size, generator)
        sizes = [len(batch) for batch in batches]
        assert len(sizes) == -(-n // batch_size)
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1
        assert sorted(torch.cat(batches).tolist()) == list(range(n))


def test_batches_keep_pixels_and_labels_together_and_follow_the_seed(labelled: ImageSet) -> None:
    def values(generator: torch.Generator | None) -> list[int]:
        seen = []
        for pixels, labels in labelled.batches(16, generator):
            assert labels is not None
            index = (pixels[:, 0, 0, 0] * 255).round().long()
            assert labelled.labels is not None
            assert torch.equal(labelled.labels[index], labels)
            seen += index.tolist()
        return seen

    assert values(None) == list(range(60))
    assert values(torch_generator(1)) == values(torch_generator(1)) != values(torch_generator(2))


def test_a_batch_size_of_0_is_refused(labelled: ImageSet) -> None:
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        next(labelled.batches(0))


def test_one_image_by_its_number():
    images = ImageSet(torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1))
    for number in (3, np.int64(3), -2):
        assert images[number].images.flatten().tolist() == [3]
    assert [int(one.images) for one in images] == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError):
        images[5]
