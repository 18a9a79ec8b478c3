"""The hold-out: stable under additions, fair to small classes, the same for copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zscape.data import ImageSet
from zscape.data.hold_out import SHARE, hold_out
from zscape.errors import DataError


def noise(n: int, labels: list[int] | None = None, seed: int = 0) -> ImageSet:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 1, 4, 3), dtype=np.uint8)
    known = None if labels is None else torch.tensor(labels)
    names = () if labels is None else tuple("abcdef"[: max(labels) + 1])
    return ImageSet(torch.from_numpy(pixels), known, names)


def keys(images: ImageSet) -> set[bytes]:
    return {picture.numpy().tobytes() for picture in images.images}


@pytest.mark.parametrize("labels", [None, [i % 3 for i in range(600)]])
def test_what_is_held_out_stays_so_when_images_come_and_go(labels: list[int] | None) -> None:
    whole = noise(600, labels)
    before = hold_out(whole, seed=3)
    order = torch.randperm(600, generator=torch.Generator().manual_seed(1))
    for kept in (order[:599], order[:400], order.flip(0)):
        after = hold_out(whole[kept], seed=3)
        assert keys(after.test) <= keys(before.test)
        assert keys(after.train) <= keys(before.train)
    assert abs(len(before.test) - 600 * SHARE) < 40


def test_another_seed_holds_out_others() -> None:
    whole = noise(600)
    assert keys(hold_out(whole, 0).test) != keys(hold_out(whole, 1).test)


@pytest.mark.parametrize("seed", range(8))
def test_small_classes_are_in_both_halves(seed: int) -> None:
    whole = noise(12, [0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3], seed)
    train, test = hold_out(whole, seed)
    for name, n in whole.class_counts().items():
        there = train.class_counts()[name], test.class_counts()[name]
        assert sum(there) == n
        assert min(there) > 0 if n > 1 else there == (1, 0)
    assert train.class_names == test.class_names == whole.class_names


def test_copies_are_on_one_side() -> None:
    once = noise(200)
    train, test = hold_out(once[[*range(200), *range(200)]], seed=0)
    assert not keys(train) & keys(test)


def test_classes_of_one_image_each_still_leave_a_test_image() -> None:
    train, test = hold_out(noise(5, [0, 1, 2, 3, 4]), seed=0)
    assert (len(train), len(test)) == (4, 1)


def test_a_single_image_is_refused() -> None:
    with pytest.raises(DataError, match="a single image; two are needed"):
        hold_out(noise(1), seed=0)
