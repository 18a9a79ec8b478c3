from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zscape.config import DataConfig
from zscape.data.folder import read_pictures
from zscape.data.imageset import ImageSet, Splits
from zscape.data.tree import walk
from zscape.errors import DataError

Save = Callable[..., Path]


def read_folder(folder: Path, **options: Any) -> Splits | ImageSet:
    return read_pictures(walk(folder), DataConfig(**options))


def read_one(folder: Path, **options: Any) -> ImageSet:
    data = read_folder(folder, **options)
    assert isinstance(data, ImageSet)
    return data


def test_a_flat_folder_has_no_labels(tmp_path: Path, save_picture: Save) -> None:
    for value in (20, 10, 30):
        save_picture(tmp_path / f"{value}.png", color=value)
    save_picture(tmp_path / ".hidden.png", size=(9, 9))
    (tmp_path / "notes.txt").write_text("no picture")
    data = read_one(tmp_path)
    assert not data.has_labels
    assert data.image_shape == (1, 5, 6)
    assert data.images[:, 0, 0, 0].tolist() == [10, 20, 30]


def test_sub_folders_are_classes_in_natural_order(tmp_path: Path, save_picture: Save) -> None:
    for i, name in enumerate(["10", "9", "cat"]):
        save_picture(tmp_path / name / "x.png", color=i)
    save_picture(tmp_path / "cat" / "deeper" / "y.JPG", color=200)
    (tmp_path / "empty").mkdir()
    data = read_one(tmp_path)
    assert data.class_names == ("9", "10", "cat")
    assert data.labels is not None
    by_value = dict(zip(data.images[:, 0, 0, 0].tolist(), data.labels.tolist(), strict=True))
    assert by_value == {0: 1, 1: 0, 2: 2, 200: 2}


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_train_and_test_folders(tmp_path: Path, save_picture: Save, test_name: str) -> None:
    save_picture(tmp_path / "train" / "a" / "1.png", color=1)
    save_picture(tmp_path / "train" / "c" / "2.png", color=2)
    save_picture(tmp_path / test_name / "b" / "3.png", color=3)
    data = read_folder(tmp_path)
    assert isinstance(data, Splits)
    assert data.train.class_names == data.test.class_names == ("a", "b", "c")
    assert data.train.images[:, 0, 0, 0].tolist() == [1, 2]
    assert data.train.labels is not None
    assert data.test.labels is not None
    assert data.train.labels.tolist() == [0, 2]
    assert data.test.labels.tolist() == [1]
    assert data.test.split == "test"


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("1", 1, [255]),
        ("L", 77, [77]),
        ("LA", (200, 51), [40]),
        ("I;16", 65535, [255]),
        ("I;16", 257 * 16, [16]),
        ("RGB", (1, 2, 3), [1, 2, 3]),
        ("RGBA", (100, 200, 50, 51), [20, 40, 10]),
    ],
)
def test_modes(
    tmp_path: Path, save_picture: Save, mode: str, color: Any, expected: list[int]
) -> None:
    save_picture(tmp_path / "x.png", mode=mode, color=color)
    pixel = read_one(tmp_path).images[0, :, 0, 0].tolist()
    assert pixel == expected


def test_cmyk_and_palette_transparency_become_rgb(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "a.jpg", mode="CMYK", color=(0, 255, 255, 0))
    palette = Image.new("P", (6, 5), 1)
    palette.putpalette([0, 0, 0, 250, 240, 230])
    palette.save(tmp_path / "b.png", transparency=1)
    palette.save(tmp_path / "c.png")
    pixels = read_one(tmp_path).images[:, :, 0, 0]
    red = pixels[0].tolist()
    assert red[0] > 240
    assert max(red[1:]) < 15
    assert pixels[1].tolist() == [0, 0, 0]
    assert pixels[2].tolist() == [250, 240, 230]


def test_one_colour_picture_makes_all_of_both_splits_rgb(
    tmp_path: Path, save_picture: Save
) -> None:
    save_picture(tmp_path / "train" / "x.png", color=9)
    save_picture(tmp_path / "test" / "x.png", mode="RGB", color=(1, 2, 3))
    data = read_folder(tmp_path)
    assert isinstance(data, Splits)
    assert data.train.images[0, :, 0, 0].tolist() == [9, 9, 9]
    assert data.test.images[0, :, 0, 0].tolist() == [1, 2, 3]


def test_rows_and_channels_are_not_mixed_up(tmp_path: Path) -> None:
    pixels = np.arange(3 * 4 * 3, dtype=np.uint8).reshape(3, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert np.array_equal(read_one(tmp_path).images[0].numpy(), pixels.transpose(2, 0, 1))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    pixels = np.zeros((2, 4), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side; to be turned clockwise
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    data = read_one(tmp_path)
    assert data.image_shape == (1, 4, 2)
    assert data.images[0, 0].nonzero().tolist() == [[0, 1]]


def test_mixed_sizes_name_both_files_and_resize_helps(tmp_path: Path, save_picture: Save) -> None:
    first = save_picture(tmp_path / "a.png", size=(6, 5), color=50)
    second = save_picture(tmp_path / "b.png", size=(8, 20), color=60)
    with pytest.raises(DataError, match="--resize") as caught:
        read_folder(tmp_path)
    assert f"{first} is 6x5 pixels, {second} is 8x20" in str(caught.value)
    data = read_one(tmp_path, resize=4)
    assert data.image_shape == (1, 4, 4)
    assert [data[[i]].value_range() for i in (0, 1)] == [(50 / 255,) * 2, (60 / 255,) * 2]


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "a.png")
    bad = tmp_path / "b.png"
    whole = save_picture(tmp_path / "c.png", size=(60, 60)).read_bytes()
    Image.new("RGB", (6, 5)).save(tmp_path / "another-format", "PCX")
    for content in (
        b"",
        b"nonsense",
        whole[:50],
        whole[:-30],
        (tmp_path / "another-format").read_bytes(),
    ):
        bad.write_bytes(content)
        with pytest.raises(DataError, match=r"b\.png could not .*; --skip-broken leaves it out\.$"):
            read_folder(tmp_path)


@pytest.mark.parametrize("limit", [20, 10], ids=["Pillow only warns", "Pillow refuses"])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, save_picture: Save, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    save_picture(tmp_path / "a.png", size=(6, 5))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataError, match=r"a\.png could not be read .*decompression bomb"):
        read_folder(tmp_path)


def test_a_small_file_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("1", (9000, 9000)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png could not be read .* into 81000000 pixels"):
        read_folder(tmp_path)


def test_folders_that_make_no_sense_are_refused(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "test" / "cat" / "x.png")
    save_picture(tmp_path / "dogs" / "x.png")
    with pytest.raises(DataError, match="pictures in a folder test but none in a folder train"):
        read_folder(tmp_path)
    save_picture(tmp_path / "train" / "loose.png")
    with pytest.raises(DataError, match="labels to test on but none to train on"):
        read_folder(tmp_path)
    save_picture(tmp_path / "train" / "cat" / "x.png")
    with pytest.raises(DataError, match=r"beside its class folders \(train/loose\.png\)"):
        read_folder(tmp_path)
    save_picture(tmp_path / "Training" / "cat" / "x.png")
    with pytest.raises(DataError, match="several folders for one split: Training, train"):
        read_folder(tmp_path)
