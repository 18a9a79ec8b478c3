"""Where pictures lie in a folder: splits, classes, what is around and between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.data.folder import read_pictures
from zscape.data.joining import join
from zscape.data.tree import walk
from zscape.errors import DataError

Save = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path, save_picture: Save) -> Callable[..., Splits | ImageSet]:
    """Write pictures of colour 1, 2, … at the given places, and read the folder."""

    def write_and_read(*places: str) -> Splits | ImageSet:
        for color, place in enumerate(places, start=1):
            if place.endswith(".png"):
                save_picture(tmp_path / place, color=color)
            else:
                (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / place).write_text("no picture")
        return read_pictures(walk(tmp_path), DataConfig())

    return write_and_read


def contents(images: ImageSet) -> list[tuple[int, str | None]]:
    """Colour and class of every picture."""
    colors = images.images[:, 0, 0, 0].tolist()
    return list(zip(colors, images.titles() or [None] * len(colors), strict=True))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("training", "testing"),
        ("Train", "Validation"),
        ("TRAINING", "valid"),
        ("train", "val"),
        ("train", "dev"),
        ("train", "Eval"),
    ],
)
@pytest.mark.parametrize("pattern", ["{split}/{label}/x.png", "{label}/{split}/x.png"])
def test_folders_of_splits_go_by_many_names(
    lay: Callable[..., Splits], train: str, test: str, pattern: str
) -> None:
    """Above the classes, and inside each of them."""
    places = [
        pattern.format(split=split, label=label) for split in (train, test) for label in ("a", "b")
    ]
    splits = lay(*places)
    assert contents(splits.train) == [(1, "a"), (2, "b")]
    assert contents(splits.test) == [(3, "a"), (4, "b")]


def test_splits_may_have_no_classes(lay: Callable[..., Splits]) -> None:
    splits = lay("train/x.png", "test/x.png")
    assert contents(splits.train) == [(1, None)]
    assert contents(splits.test) == [(2, None)]


def test_what_is_left_out_is_said_in_one_line(
    lay: Callable[..., Splits], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    splits = lay(
        "train/x.png", "val/x.png", "val/y.png", "test/x.png", "unlabelled/x.png", "loose.png",
        "notes.txt", "train/a.pdf", "train/b.PDF", "train/.DS_Store", "LICENSE",
    )  # fmt: skip
    assert contents(splits.train) == [(1, None)]
    assert contents(splits.test) == [(4, None)]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: left out: 2 .pdf, 1 .txt, 1 beside the splits, 1 hidden, 1 in unlabelled/, "
        f"2 in val/, 1 without an ending."
    ]


def test_nothing_is_said_where_nothing_is_left_out(
    lay: Callable[..., ImageSet], caplog: pytest.LogCaptureFixture
) -> None:
    lay("cat/x.png", "dog/x.png")
    assert not caplog.records


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (("set/cat/x.png", "set/dog/x.png"), [(1, "cat"), (2, "dog")]),
        (("a/b/set/cat/x.png", "a/b/set/dog/x.png"), [(1, "cat"), (2, "dog")]),
        (("README.md", "set/cat/x.png", "__MACOSX/._x.png", "set/dog/x.png"),
         [(2, "cat"), (4, "dog")]),
        (("only/x.png", "only/y.png"), [(1, "only"), (2, "only")]),
        (("cat/x.png", "cat/deeper/y.png", "dog/z.png"), [(2, "cat"), (1, "cat"), (3, "dog")]),
        (("cat/test/x.png", "dog/y.png"), [(1, "cat"), (2, "dog")]),
    ],
)  # fmt: skip
def test_a_folder_that_holds_all_others_is_entered(
    lay: Callable[..., ImageSet], places: tuple[str, ...], expected: list[tuple[int, str]]
) -> None:
    assert contents(lay(*places)) == expected


def test_a_folder_around_or_inside_the_splits_is_entered(lay: Callable[..., Splits]) -> None:
    splits = lay("set/train/images/cat/x.png", "set/train/images/dog/x.png",
                 "set/test/images/cat/x.png")  # fmt: skip
    assert contents(splits.train) == [(1, "cat"), (2, "dog")]
    assert contents(splits.test) == [(3, "cat")]


def test_links_are_followed_once(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "set"
    save_picture(elsewhere / "dogs" / "x.png", color=1)
    cat = save_picture(folder / "cat" / "x.png", color=2)
    (folder / "dog").symlink_to(elsewhere / "dogs")
    (folder / "bird").mkdir()
    (folder / "bird" / "y.png").symlink_to(cat)
    assert contents(as_one(folder)) == [(2, "bird"), (2, "cat"), (1, "dog")]
    assert not caplog.records

    (folder / "cat" / "loop").symlink_to(folder)
    (folder / "Cats").symlink_to(folder / "cat")  # sorts before cat, yet the folder is read
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "gone")
    (folder / "a").symlink_to(folder / "b")  # a link to a link to itself
    (folder / "b").symlink_to(folder / "a")
    assert contents(as_one(folder)) == [(2, "bird"), (2, "cat"), (1, "dog")]
    assert (
        "3 broken link, 1 link to a folder that was read already (Cats), 1 link to" in caplog.text
    )


def as_one(folder: Path) -> ImageSet:
    data = read_pictures(walk(folder), DataConfig())
    assert isinstance(data, ImageSet)
    return data


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a thing of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "x.png")
    os.mkfifo(tmp_path / "y.png")
    assert len(as_one(tmp_path)) == 1


def test_file_names_are_a_column_that_subsets_keep(lay: Callable[..., ImageSet]) -> None:
    data = lay("cat/x.png", "dog/x.png", "dog/y.png")
    assert data.columns.texts("file_name") == ["cat/x.png", "dog/x.png", "dog/y.png"]
    assert data[[2, 0]].columns.texts("file_name") == ["dog/y.png", "cat/x.png"]


def test_every_frame_is_a_picture(tmp_path: Path) -> None:
    grey = [Image.new("L", (6, 5), color) for color in (10, 20, 30)]
    grey[0].save(tmp_path / "stack.tif", save_all=True, append_images=grey[1:])
    grey[1].save(tmp_path / "film.gif", save_all=True, append_images=grey[2:])
    data = as_one(tmp_path)
    assert data.image_shape == (1, 5, 6)  # a GIF has no grey of its own, but holds nothing else
    assert contents(data) == [(20, None), (30, None), (10, None), (20, None), (30, None)]
    names = ["film.gif#0", "film.gif#1", "stack.tif#0", "stack.tif#1", "stack.tif#2"]
    assert data.columns.texts("file_name") == names


def test_a_smaller_copy_of_a_page_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from PIL import TiffImagePlugin

    reduced = TiffImagePlugin.ImageFileDirectory_v2()
    reduced[254] = 1
    small = Image.new("L", (3, 2), 99)
    small.encoderinfo = {"tiffinfo": reduced}
    page = Image.new("L", (6, 5), 10)
    page.save(tmp_path / "x.tif", save_all=True, append_images=[small])
    assert contents(as_one(tmp_path)) == [(10, None)]
    assert "left out: 1 smaller copy inside a TIFF" in caplog.text


@pytest.mark.parametrize("alpha", ["RGBA", "LA", "P"])
@pytest.mark.parametrize(("ink", "ground"), [(0, "white"), (255, "black"), (60, "white")])
def test_transparent_drawings_stay_visible(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, alpha: str, ink: int, ground: str
) -> None:
    shape = Image.new("L", (8, 8))
    shape.paste(255, (2, 2, 6, 6))
    picture = Image.new("L", (8, 8), ink)
    picture.putalpha(shape)
    picture = picture.convert("RGBA").quantize() if alpha == "P" else picture.convert(alpha)
    picture.save(tmp_path / "x.png")
    pixels = as_one(tmp_path).images[0, 0]
    below = 255 if ground == "white" else 0
    assert pixels[0, 0] == below
    assert abs(int(pixels[4, 4]) - ink) <= 1
    assert f"laid on {ground}" in caplog.text


def test_one_ground_for_the_whole_set_or_the_one_asked_for(tmp_path: Path) -> None:
    for name, ink, side in (("a", 0, 6), ("b", 255, 1)):
        drawing = Image.new("LA", (8, 8))
        drawing.paste((ink, 255), (0, 0, side, side))
        drawing.save(tmp_path / f"{name}.png")
    assert as_one(tmp_path).images[:, 0, 7, 7].tolist() == [255, 255]
    for background, expected in (("black", [0]), ("#102030", [16, 32, 48]), ("#444", [68])):
        data = load_data(tmp_path, DataConfig(background=background)).train
        assert data.images[0, :, 7, 7].tolist() == expected
    with pytest.raises(ValueError, match=r"background must be a colour .*; got 'blck'"):
        load_data(tmp_path, DataConfig(background="blck"))


def test_a_palette_is_grey_or_colour_as_its_pixels_are(tmp_path: Path) -> None:
    picture = Image.new("P", (6, 5), 1)
    picture.putpalette([0, 0, 0, 90, 90, 90])
    picture.save(tmp_path / "x.png")
    assert as_one(tmp_path).images[0, :, 0, 0].tolist() == [90]
    picture.putpalette([0, 0, 0, 90, 91, 90])
    picture.save(tmp_path / "x.png")
    assert as_one(tmp_path).images[0, :, 0, 0].tolist() == [90, 91, 90]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([255, 5], [255, 5]), ([4095, 0], [255, 0]), ([65535, 257], [255, 1])],
)
def test_white_of_16_bit_pictures_is_that_of_the_whole_set(
    tmp_path: Path, values: list[int], expected: list[int]
) -> None:
    for i, value in enumerate(values):
        Image.new("I;16", (4, 4), value).save(tmp_path / f"{i}.tif")
    assert as_one(tmp_path).images[:, 0, 0, 0].tolist() == expected
    told = load_data(tmp_path, DataConfig(range=f"0,{max(values)}"))
    assert max(split.value_range()[1] for split in told) == 1


def test_float_pictures_are_read_as_float_arrays_are(tmp_path: Path, save_picture: Save) -> None:
    for i, value in enumerate((0.0, 0.2, 1.0)):
        Image.fromarray(np.full((8, 8), value, np.float32)).save(tmp_path / f"{i}.tif")
    assert as_one(tmp_path).images[:, 0, 0, 0].tolist() == [0, 51, 255]
    assert load_data(tmp_path, DataConfig(resize=4)).train.image_shape == (1, 4, 4)
    save_picture(tmp_path / "x.png", size=(8, 8))
    with pytest.raises(DataError, match="pictures of floats beside others"):
        as_one(tmp_path)


@pytest.mark.parametrize(
    ("fit", "expected"), [("crop", [9, 9]), ("pad", [0, 9]), ("stretch", [9, 9])]
)
def test_ways_to_make_a_square(
    tmp_path: Path, save_picture: Save, fit: str, expected: list[int]
) -> None:
    save_picture(tmp_path / "a.png", size=(16, 8), color=9)
    save_picture(tmp_path / "b.png", size=(16, 8), color=9)
    data = load_data(tmp_path, DataConfig(resize=8, fit=fit)).train
    assert data.images[0, 0, [0, 4], 4].tolist() == expected
    array = load_data(np.full((2, 8, 16), 9, np.uint8), DataConfig(resize=8, fit=fit)).train
    assert array.images[0, 0, [0, 4], 4].tolist() == expected


def test_an_animated_webp_is_a_picture_per_frame(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), color) for color in (10, 20, 30)]
    path = tmp_path / "film.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    data = as_one(tmp_path)
    assert data.columns is not None
    assert data.columns.texts("file_name") == [f"film.webp#{i}" for i in range(3)]
    assert data.images[:, 0, 0, 0].tolist() == [10, 20, 30]


def test_a_row_of_a_file_is_of_all_its_frames(tmp_path: Path) -> None:
    for name, colors in (("b.tif", (1, 2)), ("a.tif", (3, 4, 5)), ("c.png", (6,))):
        frames = [Image.new("L", (4, 4), color) for color in colors]
        more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
        frames[0].save(tmp_path / name, **more)
    data = as_one(tmp_path)
    (tmp_path / "t.csv").write_text("file_name,depth\nb,10\nc,30\na,20\n")
    found = join(data.columns, len(data), tmp_path / "t.csv")
    pairs = zip(data.images[:, 0, 0, 0].tolist(), found.numbers("depth").tolist(), strict=True)
    assert dict(pairs) == {1: 10, 2: 10, 3: 20, 4: 20, 5: 20, 6: 30}
    (tmp_path / "u.csv").write_text("file_name,depth\nb.tif#1,11\na.tif#0,21\n")
    found = join(data.columns, len(data), tmp_path / "u.csv")
    known = dict(zip(found.texts("file_name"), found.texts("depth"), strict=True))
    assert [name for name in known if known[name]] == ["a.tif#0", "b.tif#1"]


def test_pictures_without_an_ending_are_looked_into(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    for i, name in enumerate(("cat", "dog")):
        save_picture(tmp_path / name / "a.png", color=i).rename(tmp_path / name / "0001")
    (tmp_path / "LICENSE").write_text("free")
    assert contents(as_one(tmp_path)) == [(0, "cat"), (1, "dog")]
    assert "left out: 1 without an ending" in caplog.text


def test_a_picture_of_floats_that_are_no_numbers_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for i in range(3):
        pixels = np.full((4, 4), i / 4, np.float32)
        pixels[0, 0] = np.nan if i == 1 else 0
        Image.fromarray(pixels).save(tmp_path / f"{i}.tif")
    with pytest.raises(DataError, match=r"1\.tif could not .* no finite numbers.*--skip-broken"):
        as_one(tmp_path)
    assert len(read_pictures(walk(tmp_path), DataConfig(skip_broken=True))) == 2
    assert "left out: 1 broken" in caplog.text
