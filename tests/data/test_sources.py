from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, load_data, register_source, sources
from zscape.data.arrays import as_images
from zscape.data.idx import read_mnist
from zscape.errors import ConfigError, DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 6, 5), dtype=np.uint8)
LABELS = np.array([3, 7] * 6)


def write_idx_folder(folder: Path, write_idx: Any, save_picture: Any) -> Path:
    write_idx(folder / "train-images-idx3-ubyte.gz", PIXELS)
    write_idx(folder / "train-labels-idx1-ubyte.gz", LABELS)
    return folder


def write_npz(folder: Path, write_idx: Any, save_picture: Any) -> Path:
    np.savez(folder / "a.npz", images=PIXELS, labels=LABELS)
    return folder / "a.npz"


def write_npy(folder: Path, write_idx: Any, save_picture: Any) -> Path:
    np.save(folder / "a.npy", PIXELS)
    return folder / "a.npy"


def write_pictures(folder: Path, write_idx: Any, save_picture: Any) -> Path:
    for i in range(12):
        save_picture(folder / str(LABELS[i]) / f"{i}.png", size=(5, 6), color=20 * i)
    return folder


def in_memory(make: Callable[[], Any]) -> Callable[[Path, Any, Any], Any]:
    return lambda folder, write_idx, save_picture: make()


def image_set() -> ImageSet:
    labels = torch.from_numpy((LABELS == 7).astype(np.int64))
    return ImageSet(torch.from_numpy(PIXELS[:, None]), labels, ("3", "7"), name="mine")


SOURCES: dict[str, tuple[Callable[[Path, Any, Any], Any], bool]] = {
    "idx": (write_idx_folder, True),
    "npz": (write_npz, True),
    "npy": (write_npy, False),
    "pictures": (write_pictures, True),
    "array": (in_memory(lambda: PIXELS), False),
    "tensor": (in_memory(lambda: torch.from_numpy(PIXELS)), False),
    "pair": (in_memory(lambda: (PIXELS, LABELS)), True),
    "lists": (in_memory(lambda: (PIXELS.tolist(), LABELS.tolist())), True),
    "ImageSet": (in_memory(image_set), True),
}


@pytest.fixture(params=SOURCES)
def source(
    request: pytest.FixtureRequest, tmp_path: Path, write_idx: Any, save_picture: Any
) -> tuple[Any, bool]:
    make, has_labels = SOURCES[request.param]
    return make(tmp_path, write_idx, save_picture), has_labels


def test_every_source_keeps_the_contract(
    source: tuple[Any, bool], caplog: pytest.LogCaptureFixture
) -> None:
    data, has_labels = source
    with caplog.at_level("INFO", "zscape"):
        train, test = load_data(data)
    assert len(train) + len(test) == 12 > len(test) > 0
    assert (train.split, test.split) == ("train", "test")
    assert train.image_shape == test.image_shape == (1, 6, 5)
    assert train.has_labels == test.has_labels == has_labels
    assert train.class_names == test.class_names == (("3", "7") if has_labels else ())
    assert train.name
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert f"held out {len(test)} of its 12 images" in caplog.text
    # No image is in both splits and none is lost.
    seen = torch.cat([train.images, test.images]).flatten(1).unique(dim=0)
    assert len(seen) == 12
    if isinstance(data, Path):
        again = load_data(str(data))
        assert torch.equal(again.train.images, train.images)
    assert torch.equal(load_data(data, seed=0).test.images, test.images)
    assert any(
        not torch.equal(load_data(data, seed=seed).test.images, test.images) for seed in (1, 2, 3)
    )


def test_every_source_is_prepared_as_asked(source: tuple[Any, bool]) -> None:
    data, has_labels = source
    config = DataConfig(n_train=4, n_test=1, stratified=has_labels, resize=4, binarize="threshold")
    train, test = load_data(data, config)
    assert (len(train), len(test)) == (4, 1)
    assert train.image_shape == test.image_shape == (1, 4, 4)
    assert set(train.images.unique().tolist()) <= {0, 255}
    n_train, n_test = map(len, load_data(data))
    with pytest.raises(DataError, match=f"has {n_train} train images; asked for 12"):
        load_data(data, DataConfig(n_train=12))
    with pytest.raises(DataError, match=f"has {n_test} test images; asked for 11"):
        load_data(data, DataConfig(n_test=11))


def test_the_whole_of_an_array_is_read_as_it_is() -> None:
    splits = load_data(Splits(image_set(), image_set()[:3]))
    assert torch.equal(splits.train.images[:, 0], torch.from_numpy(PIXELS))
    assert len(splits.test) == 3
    assert load_data((image_set(), image_set())).test.labels is not None


@pytest.mark.parametrize(
    "array",
    [
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
        (PIXELS / 255).astype(np.float16),
        PIXELS.astype(np.int64),
        torch.from_numpy(PIXELS) / 255,
        torch.from_numpy(PIXELS).requires_grad_(False).int(),
        (torch.from_numpy(PIXELS) / 255).double().requires_grad_(),
        PIXELS[:, None],
        PIXELS[..., None],
        np.asfortranarray(PIXELS),
        np.broadcast_to(PIXELS, PIXELS.shape),
    ],
)
def test_layouts_and_types_mean_the_same_pixels(array: Any) -> None:
    expected, got = load_data(PIXELS), load_data(array)
    assert torch.equal(got.train.images, expected.train.images)
    assert got.train.images.is_contiguous()


def test_colour_layouts_bool_and_bfloat16() -> None:
    colour = np.random.default_rng(1).integers(0, 256, (4, 3, 7, 5), dtype=np.uint8)
    first, last = load_data(colour), load_data(np.moveaxis(colour, 1, 3))
    assert first.train.image_shape == (3, 7, 5)
    assert torch.equal(first.train.images, last.train.images)
    assert load_data(PIXELS > 99).train.images.unique().tolist() == [0, 255]
    half = torch.full((3, 2, 2), 0.5, dtype=torch.bfloat16)
    assert load_data(half).train.images.unique().tolist() == [128]


def test_the_set_does_not_change_with_the_array_it_came_from() -> None:
    array = np.zeros((6, 2, 2), np.uint8)
    splits = load_data(array)
    array[:] = 200
    assert splits.train.value_range() == (0, 0)


def test_integer_pixels_of_0_and_1_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    load_data((PIXELS > 99).astype(np.uint8))
    assert "nearly black" in caplog.text


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 4, 4)), "there are no images"),
        (np.zeros((4, 4)), r"got \(4, 4\)"),
        (np.zeros((4, 15)), r"got \(4, 15\)"),
        (np.zeros((4, 17, 4, 17)), "1 to 16 channels"),
        (np.zeros((2, 4, 4), complex), "got complex128"),
        (np.zeros((2, 4, 4), object), "got object"),
        (np.full((2, 4, 4), 1.5), r"to 1.5; .*--range LOW,HIGH or auto \(in Python"),
        (np.full((2, 4, 4), 1.002), "to 1.002"),
        (np.full((2, 4, 4), -0.002), "from -0.002"),
        (torch.full((2, 4, 4), torch.nan), "2 images have others .* the first is image 0"),
        (torch.zeros(2, 4, 4).to_sparse(), "must be dense"),
        (np.zeros((1, 4, 4)), "a single image; two are needed"),
        ((PIXELS, LABELS[:5]), r"\(train\): 12 images need as many labels; got 5"),
        (([[[1, 2]], [[3]]], [0, 0]), "is not an array"),
    ],
)
def test_arrays_that_are_not_images(array: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_data(array)


def test_rows_are_squares_unless_a_shape_is_given() -> None:
    rows = np.arange(2 * 36, dtype=np.uint8).reshape(2, 36)
    for array, shape, expected in (
        (rows, None, (2, 1, 6, 6)),
        (rows, "4x9", (2, 1, 4, 9)),
        (rows[:, :12], None, (2, 3, 2, 2)),
    ):
        images = as_images(array, "x", DataConfig(shape=shape))
        assert images.shape == expected
        assert np.array_equal(images.flatten(1).numpy(), array)
    # One picture rather than 64 pictures of 8 x 8; a shape says that it is not.
    with pytest.raises(DataError, match=r"got \(64, 64\); say .* --shape 28x28"):
        load_data(np.zeros((64, 64)))
    assert load_data(np.zeros((64, 64)), DataConfig(shape="8x8")).train.image_shape == (1, 8, 8)
    with pytest.raises(DataError, match=r"\(2, 36\) does not hold pictures of 1 x 5 x 5"):
        load_data(rows, DataConfig(shape="5x5"))
    with pytest.raises(ConfigError, match=r"shape must be HEIGHTxWIDTH or .*; got '28'"):
        load_data(rows, DataConfig(shape="28"))


def test_a_shape_settles_where_the_channels_are() -> None:
    array = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3), dtype=np.uint8)
    assert load_data(array).train.image_shape == (3, 4, 3)
    last = as_images(array, "x", DataConfig(shape="3x3x4"))
    assert np.array_equal(last.permute(0, 2, 3, 1).numpy(), array)


def test_transpose_exchanges_rows_and_columns() -> None:
    turned = as_images(PIXELS, "x", DataConfig(transpose=True))
    assert torch.equal(turned.mT, as_images(PIXELS, "x"))


@pytest.mark.parametrize(
    ("array", "told", "expected"),
    [
        (np.array([0, 1 + 1e-7]), None, [0, 255]),  # rounding errors are no other range
        (np.array([-1e-4, 1.0015]), None, [0, 255]),
        (np.array([0, 4095], np.uint16), None, [0, 255]),
        (np.array([257, 65535], np.uint16), None, [1, 255]),
        (np.array([0, 255], np.uint16), None, [0, 255]),
        (np.array([-1.0, 1.0]), "-1,1", [0, 255]),
        (np.array([0, 255.0]), "0,255", [0, 255]),
        (np.array([0, 1], np.uint8), "0,1", [0, 255]),
        (np.array([100, 1100]), "auto", [0, 255]),
        (np.array([-7.0, 300.0]), "0, 200", [0, 255]),
        (np.array([51, 102], np.uint8), "0,102", [128, 255]),
    ],
)
def test_what_is_black_and_what_is_white(
    array: np.ndarray, told: str | None, expected: list[int]
) -> None:
    pictures = np.broadcast_to(array[:, None, None], (2, 3, 3)).repeat(6, axis=0)
    splits = load_data(pictures, DataConfig(range=told))
    assert splits.train.images.unique().tolist() == expected


def test_white_is_the_same_in_both_splits() -> None:
    dark, light = np.full((3, 2, 2), 514, np.uint16), np.full((3, 2, 2), 65535, np.uint16)
    splits = load_data(((dark, [0, 0, 0]), (light, [0, 0, 0])))
    assert (splits.train.value_range()[0] * 255, splits.test.value_range()[0] * 255) == (2, 255)


def test_choices_of_white_are_said(caplog: pytest.LogCaptureFixture) -> None:
    load_data(np.arange(12, dtype=np.uint16).reshape(3, 2, 2) * 99)
    load_data(np.arange(12.0).reshape(3, 2, 2), DataConfig(range="auto"))
    load_data(np.arange(12.0).reshape(3, 2, 2), DataConfig(range="2,5"))
    assert [record.getMessage() for record in caplog.records] == [
        "array: 16-bit pixels up to 1089, so white is 4095; --range 0,WHITE (range=) says "
        "otherwise.",
        "array: black is 0.0 and white is 11.0 (--range 0.0,11.0).",
        "array: values from 0.0 to 11.0 are cut to [2.0, 5.0].",
    ]
    for told in ("1", "5,2", "a,b", "0,inf", "nan,1", "0,1,2"):
        with pytest.raises(ConfigError, match="range must be auto or LOW,HIGH"):
            load_data(np.zeros((3, 2, 2)), DataConfig(range=told))
    with pytest.raises(DataError, match=r"needs two values; every pixel is 0\.0"):
        load_data(np.zeros((3, 2, 2)), DataConfig(range="auto"))


def test_grey_from_colour_and_back() -> None:
    colour = np.zeros((2, 3, 4, 4), np.uint8)
    colour[:, 1] = 200
    grey = load_data(colour, DataConfig(channels=1))
    assert grey.train.images.unique().tolist() == [117]
    back = load_data(grey, DataConfig(channels=3))
    assert back.train.image_shape == (3, 4, 4)
    assert back.test.images.unique().tolist() == [117]


def test_what_keras_returns_is_two_splits() -> None:
    train, test = load_data(((PIXELS, LABELS), (PIXELS[:3], LABELS[:3, None])))
    assert (len(train), len(test)) == (12, 3)
    assert test.titles() == ["3", "7", "3"]
    # Two pictures of two rows are a pair of lists too.
    assert len(load_data(([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [0, 1])).train) == 1


def test_pictures_of_mixed_sizes_are_read_at_the_size_asked_for(
    tmp_path: Path, save_picture: Any
) -> None:
    save_picture(tmp_path / "a.png", size=(6, 5))
    save_picture(tmp_path / "b.png", size=(9, 20))
    assert load_data(tmp_path, DataConfig(resize=4)).train.image_shape == (1, 4, 4)


def test_splits_that_differ_are_refused_unless_resize_makes_them_equal() -> None:
    mine = image_set()
    other = ImageSet(torch.zeros(2, 1, 9, 9, dtype=torch.uint8), name="other")
    with pytest.raises(DataError, match=r"\(1, 6, 5\) to train on and \(1, 9, 9\) to test on"):
        load_data(Splits(mine, other))
    with pytest.raises(DataError, match=r"same classes; got .* to train on and no labels"):
        load_data(Splits(mine, other), DataConfig(resize=4))


def test_resize_scales_the_shorter_side_and_crops_the_centre() -> None:
    left_to_right = np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[None], 12, axis=0)
    pixels = np.stack([left_to_right, left_to_right[:, ::-1]])
    both = load_data(pixels, DataConfig(resize=6))
    images = torch.cat([both.train.images, both.test.images])[:, 0].float()
    assert images.shape == (2, 6, 6)
    # Columns 6..17 remain, averaged in pairs: 65, 85, ... 165, up to Pillow's rounding.
    for row in images[:, 3]:
        ascending = row if row[0] < row[-1] else row.flip(0)
        assert torch.allclose(ascending, torch.arange(65.0, 166, 20), atol=3)


def test_resize_is_antialiased() -> None:
    stripes = np.zeros((2, 32, 32), np.uint8)
    stripes[:, :, ::2] = 255
    small = load_data(stripes, DataConfig(resize=8)).train.images
    assert (small.float() - 127.5).abs().max() < 30


def test_resize_to_the_same_size_changes_nothing_and_colour_survives() -> None:
    colour = np.zeros((2, 3, 8, 8), np.uint8)
    colour[:, 0] = 200
    same, small = load_data(colour, DataConfig(resize=8)), load_data(colour, DataConfig(resize=4))
    assert torch.equal(same.train.images, torch.from_numpy(colour[:1]))
    assert small.train.images[0, :, 2, 2].tolist() == [200, 0, 0]


def test_only_threshold_is_applied_here() -> None:
    plain = load_data(PIXELS)
    assert torch.equal(
        load_data(PIXELS, DataConfig(binarize="dynamic")).train.images, plain.train.images
    )
    black_and_white = load_data(PIXELS, DataConfig(binarize="threshold")).train.images
    assert torch.equal(black_and_white, (plain.train.images > 127).to(torch.uint8) * 255)


def test_the_seed_decides_the_subset() -> None:
    splits = Splits(image_set(), image_set())
    config = DataConfig(n_train=5, n_test=5)
    first, again, other = (load_data(splits, config, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.train.images, again.train.images)
    assert not torch.equal(first.train.images, other.train.images)
    # Train and test are drawn by streams of their own.
    assert not torch.equal(first.train.images, first.test.images)


def test_mnist_is_the_default_and_shares_memory() -> None:
    train, test = load_data(None)
    assert (len(train), len(test), train.name) == (60_000, 10_000, "mnist")
    assert load_data("mnist").train.images.data_ptr() == read_mnist().train.images.data_ptr()
    few = load_data(config=DataConfig(data="mnist", n_train=100, n_test=20, stratified=True))
    assert (len(few.train), len(few.test)) == (100, 20)
    assert set(few.test.class_counts().values()) <= {1, 2, 3}


def test_config_data_is_used_only_without_a_source(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    config = DataConfig(data=str(tmp_path / "a.npy"))
    assert load_data(None, config).train.image_shape == (1, 6, 5)
    assert load_data(np.zeros((3, 2, 2)), config).train.image_shape == (1, 2, 2)


@pytest.mark.parametrize("word", ["mnits", "MNIST", "minst"])
def test_a_typo_in_mnist_is_a_missing_path_with_a_hint(word: str) -> None:
    with pytest.raises(
        DataError, match=r"which is no file or folder .*mean the word 'mnist'"
    ) as caught:
        load_data(word)
    message = str(caught.value)
    assert repr(word) in message
    for entry in ("mnist", ".npz", ".npy", "IDX", "pictures", "array"):
        assert entry in message


def test_unknown_sources(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(
        DataError, match=r"a\.txt holds nothing that images .* \(1 \.txt\): it takes"
    ):
        load_data(tmp_path / "a.txt")
    with pytest.raises(DataError, match=r"nothing/here', which is no file or folder\.$"):
        load_data("nothing/here")
    with pytest.raises(DataError, match=r"got an object of type dict\.$"):
        load_data({"images": PIXELS})
    with pytest.raises(DataError, match=r"\(1 \.txt\): it takes pictures, IDX"):
        load_data(tmp_path)
    with pytest.raises(DataError, match=r"could not be read: .*name too long"):
        load_data("x" * 5000)


def test_a_registered_source_is_found_listed_and_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.data_sources, "_table", dict(sources.data_sources._table))

    @register_source("noise", claims=lambda source: source in ("noise", "mnist"))
    def read_noise(source: Any, config: DataConfig) -> ImageSet:
        return ImageSet(torch.zeros(12, 1, 8, 8, dtype=torch.uint8), name=f"{source}!")

    assert load_data("noise").train.name == "noise!"
    assert load_data("mnist").train.name == "mnist!"
    with pytest.raises(
        DataError, match=r"must come from noise; sprites; mnist; .* mean the word 'noise'"
    ):
        load_data("noize")
    # Two sources of one name are one too many; the same one, run again, is not.
    again = register_source("noise", claims=lambda source: source == "noise")
    again(read_noise)
    with pytest.raises(ConfigError, match="A data source called noise is registered already"):
        again(lambda source, config: image_set())


def test_test_images_without_labels_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    arrays = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:5]}
    np.savez(tmp_path / "x.npz", **arrays)
    train, test = load_data(tmp_path / "x.npz")
    assert (len(train) + len(test), len(test) > 0) == (12, True)
    assert train.has_labels
    assert test.has_labels
    assert "5 test images without labels left out; what is tested on is held out" in caplog.text
    arrays = {"x_train": PIXELS, "x_test": PIXELS, "y_test": LABELS}
    np.savez(tmp_path / "y.npz", **arrays)
    with pytest.raises(DataError, match="has labels to test on but none to train on"):
        load_data(tmp_path / "y.npz")
