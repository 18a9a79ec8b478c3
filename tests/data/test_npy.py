from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zscape.config import DataConfig
from zscape.data.containers import read_path
from zscape.data.imageset import ImageSet, Splits
from zscape.errors import ConfigError, DataError

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


def read(file: Path, **options: Any) -> Splits | ImageSet:
    return read_path(file, DataConfig(**options))


read_npy = read_npz = read


def npy_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_header(literal: str) -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(literal)) + literal.encode()


def promise(shape: str, descr: str = "|u1") -> bytes:
    return npy_header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}")


@settings(max_examples=30)
@given(
    array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)),
    order=st.sampled_from("CF"),
    save=st.sampled_from([np.savez, np.savez_compressed]),
)
def test_round_trip(
    array: np.ndarray, order: Any, save: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.getbasetemp()
    array = np.asarray(array, order=order)
    np.save(base / "a.npy", array)
    save(base / "a.npz", images=array)
    for data in (read_npy(base / "a.npy"), read_npz(base / "a.npz")):
        assert isinstance(data, ImageSet)
        assert np.array_equal(data.images[:, 0].numpy(), array)


@pytest.mark.parametrize("dtype", [">f4", "<f8", "f2", "<i8", ">u2", "?", "i2"])
def test_types_and_byte_orders(tmp_path: Path, dtype: str) -> None:
    kind = np.dtype(dtype).kind
    array = np.array([0, 1] if kind in "fb" else [0, 255]).reshape(2, 1, 1).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    data = read_npy(tmp_path / "a.npy")
    assert isinstance(data, ImageSet)
    assert data.images.flatten().tolist() == [0, 255]


def test_an_archive_with_everything(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "all.npz",
        images=PIXELS,
        labels=np.array([1, 0, 1, 0]),
        test_images=PIXELS[:1],
        test_labels=np.array([1], dtype=np.uint8),
        class_names=np.array(["cat", "dög"]),
        more=np.array([object()], dtype=object),
    )
    data = read_npz(tmp_path / "all.npz")
    assert isinstance(data, Splits)
    assert data.train.class_names == data.test.class_names == ("cat", "dög")
    assert data.train.labels is not None
    assert data.test.labels is not None
    assert data.train.labels.tolist() == [1, 0, 1, 0]
    assert data.test.labels.tolist() == [1]
    assert np.array_equal(data.test.images[0, 0].numpy(), PIXELS[0])
    assert data.train.name == "all.npz"


TEST = PIXELS[:3] + 100
N, N_TEST = np.array([1, 0, 1, 0]), np.array([1, 0, 1])


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": PIXELS, "y_train": N, "x_test": TEST, "y_test": N_TEST},
        {"X_train": PIXELS, "Y_train": N, "X_test": TEST, "Y_test": N_TEST},
        {"train_images": PIXELS, "train_labels": N[:, None], "test_images": TEST,
         "test_labels": N_TEST[:, None], "val_images": PIXELS, "val_labels": N[:, None]},
        {"train_images": PIXELS, "train_labels": N, "val_images": TEST, "val_labels": N_TEST},
        {"trainImages": PIXELS, "trainLabels": N, "validX": TEST, "validY": N_TEST},
        {"imgs": PIXELS, "targets": N, "test_imgs": TEST, "test_targets": N_TEST},
        {"images": PIXELS, "data": PIXELS.reshape(4, 6), "target": N, "test_data": TEST,
         "test_target": N_TEST, "frame": N},
    ],
    ids=lambda arrays: next(iter(arrays)),
)  # fmt: skip
def test_arrays_by_their_usual_names(
    tmp_path: Path, arrays: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    data = read_npz(tmp_path / "a.npz")
    assert isinstance(data, Splits)
    assert np.array_equal(data.train.images[:, 0].numpy(), PIXELS)
    assert np.array_equal(data.test.images[:, 0].numpy(), TEST)
    assert data.train.titles() == ["1", "0", "1", "0"]
    assert data.test.titles() == ["1", "0", "1"]
    unused = [name for name in arrays if name.startswith("val_") and "test_images" in arrays]
    unused += [name for name in ("data", "frame") if "frame" in arrays]
    said = ", ".join(f"1 array {name}" for name in sorted(unused))
    assert [record.getMessage() for record in caplog.records] == (
        [f"{tmp_path / 'a.npz'}: left out: {said}."] if unused else []
    )


def test_arrays_by_the_names_one_gives(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", faces=PIXELS, who=N, more=TEST, who_more=N_TEST, x=PIXELS + 1)
    data = read_npz(
        tmp_path / "a.npz",
        keys="images=faces, labels=who,test_images=more,test_labels=who_more",
    )
    assert isinstance(data, Splits)
    assert np.array_equal(data.train.images[:, 0].numpy(), PIXELS)
    assert data.test.titles() == ["1", "0", "1"]
    for keys, message in (
        ("images=face", r"names face, but .*a\.npz holds faces, more, who, who_more, x"),
        ("labels=who", "must say which are the images"),
        ("pictures=faces", "must be some of images=NAME"),
        ("images", "must be some of images=NAME"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_npz(tmp_path / "a.npz", keys=keys)


def test_a_lone_array_is_the_images_whatever_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", PIXELS)
    np.savez(tmp_path / "b.npz", faces=PIXELS)
    for name in ("a.npz", "b.npz"):
        data = read_npz(tmp_path / name)
        assert isinstance(data, ImageSet)
        assert not data.has_labels
        assert np.array_equal(data.images[:, 0].numpy(), PIXELS)


@pytest.mark.parametrize("save", [np.save, np.savez])
@pytest.mark.parametrize("pattern", ["k49-{}-{}", "{}_{}", "my.{}.{}.v2"])
def test_labels_and_test_split_lie_beside(tmp_path: Path, save: Any, pattern: str) -> None:
    for split, images, labels in (("train", PIXELS, N), ("test", TEST, N_TEST)):
        save(tmp_path / pattern.format(split, "imgs"), images)
        save(tmp_path / pattern.format(split, "labels"), labels)
    save(tmp_path / "other-train-labels", N[:2])
    suffix = ".npy" if save is np.save else ".npz"
    read = read_npy if save is np.save else read_npz
    data = read(tmp_path / f"{pattern.format('train', 'imgs')}{suffix}")
    assert isinstance(data, Splits)
    assert data.train.titles() == ["1", "0", "1", "0"]
    assert np.array_equal(data.test.images[:, 0].numpy(), TEST)
    assert data.test.titles() == ["1", "0", "1"]
    assert f"train labels from {pattern.format('train', 'labels')}{suffix}" in data.train.kind
    # The test images alone are a set of their own.
    alone = read(tmp_path / f"{pattern.format('test', 'imgs')}{suffix}")
    assert isinstance(alone, ImageSet)
    assert alone.titles() == ["1", "0", "1"]


def test_a_file_that_holds_everything_takes_nothing_from_beside(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", images=PIXELS, labels=N)
    np.save(tmp_path / "mnist_labels.npy", N[::-1])
    data = read_npz(tmp_path / "mnist.npz")
    assert isinstance(data, ImageSet)
    assert data.titles() == ["1", "0", "1", "0"]


def test_a_folder_of_arrays(tmp_path: Path) -> None:
    for name, array in (("y_train", N), ("x_test", TEST), ("x_train", PIXELS), ("y_test", N_TEST)):
        np.save(tmp_path / f"{name}.npy", array)
    data = read_npy(tmp_path)
    assert isinstance(data, Splits)
    assert data.train.titles() == ["1", "0", "1", "0"]
    assert data.test.titles() == ["1", "0", "1"]
    np.save(tmp_path / "train_images.npy", PIXELS)
    with pytest.raises(DataError, match=r"train images both in train_images.npy and in x_train"):
        read_npy(tmp_path)
    np.save(tmp_path / "other_images.npy", PIXELS)
    with pytest.raises(DataError, match=r"files of several sets: other_images\.npy, train_imag"):
        read_npy(tmp_path)


def test_one_file_for_images_and_one_for_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "mnist.npy", PIXELS)
    np.save(tmp_path / "mnist_labels.npy", N)
    data = read_npy(tmp_path / "mnist.npy")
    assert isinstance(data, ImageSet)
    assert data.titles() == ["1", "0", "1", "0"]
    with pytest.raises(DataError, match=r"mnist_labels\.npy has train labels but no train images"):
        read_npy(tmp_path / "mnist_labels.npy")


def test_labels_may_be_bytes_and_whole_floats(tmp_path: Path) -> None:
    titles = ["ä", "b", "ä", "b"]
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=[t.encode() for t in titles])
    np.savez(tmp_path / "b.npz", images=PIXELS, labels=np.array([2.0, 10, 2, 10]))
    for name, expected in (("a.npz", titles), ("b.npz", ["2", "10", "2", "10"])):
        data = read_npz(tmp_path / name)
        assert isinstance(data, ImageSet)
        assert data.titles() == expected


def test_labels_may_be_text(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=np.array(["dog", "cat", "10", "9"]))
    data = read_npz(tmp_path / "a.npz")
    assert isinstance(data, ImageSet)
    assert data.class_names == ("9", "10", "cat", "dog")
    assert data.labels is not None
    assert data.labels.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an .npy file"),
        (b"\x93NUMPX\1\0", "is not an .npy file"),
        (b"\x93NUMPY\x09\0" + bytes(20), "is not an .npy file"),
        (npy_bytes(PIXELS)[:40], "is not an .npy file"),
        (npy_header("(" * 150 + "\n"), "is not an .npy file"),
        (npy_header("-" * 9000 + "1"), "is not an .npy file"),
        (npy_header("__import__('os').getcwd()"), "is not an .npy file"),
        (npy_header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}"), "is not an"),
        (npy_bytes(PIXELS)[:-1], "promises 24 bytes of data, it holds 23"),
        (npy_bytes(PIXELS) + b"\0", "goes on after the 24 bytes"),
        (promise("(2147483648, 2147483648, 4)") + bytes(5), "it holds 5"),
        (promise("(1, -2, -3)") + bytes(6), "must hold numbers or text"),
        (promise("(0, 28, 28)"), "holds no samples"),
        (promise("(2, 0, 28, 28)"), "holds no samples"),
        (promise("(5, 5, 5)", "<U0"), "holds no samples"),
        (promise("()") + b"\0", r"images must be \(n, height, width\)"),
        (npy_bytes(np.array([[[{}]]], dtype=object)), "holds pickled objects, which are never"),
        (npy_bytes(np.zeros((2, 3, 3), "c8")), "must hold numbers or text; got complex64"),
        (npy_bytes(np.zeros((2, 3, 3), "M8[s]")), "must hold numbers or text; got datetime64"),
        (npy_bytes(np.zeros((2, 3, 3), [("a", "u1")])), "must hold numbers or text"),
        (npy_bytes(np.full((2, 3, 3), "x")), "pixels must be bool, integers"),
        (npy_bytes(np.zeros((2, 3))), r"got \(2, 3\)"),
        (
            npy_bytes(np.zeros((2, 2, 3, 2))),
            r"\(2, 2, 3, 2\) have 2 channels, or 2 if .*: --shape CHANNELSx",
        ),
        (npy_bytes(np.full((2, 3, 3), np.nan)), "must be finite; 2 images have others .* image 0"),
        (
            npy_bytes(np.array([[[0, 0]], [[0, np.inf]]])),
            "1 images have others .* first is image 1",
        ),
        (npy_bytes(np.array([[[-0.1, 1]]])), r"in \[0, 1\].* from -0.1 to 1.0"),
        (npy_bytes(np.array([[[0, 255.0]]])), r"in \[0, 1\].* to 255.0"),
        (npy_bytes(np.array([[[0, 256]]])), r"in \[0, 255\].* to 256"),
        (npy_bytes(np.array([[[-1, 2]]])), r"in \[0, 255\].* from -1"),
    ],
)
def test_a_bad_npy_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    for file, write in ((tmp_path / "bad.npy", Path.write_bytes), (tmp_path / "bad.npz", as_zip)):
        write(file, content)
        with pytest.raises(DataError, match=message) as caught:
            (read_npy if file.suffix == ".npy" else read_npz)(file)
        assert str(file) in str(caught.value)


def as_zip(file: Path, content: bytes, name: str = "images.npy", method: int = 8) -> None:
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "must hold images under a name such as images; got nothing"),
        ({"a": PIXELS, "b": PIXELS}, "such as images; got a, b. .*: --keys images=NAME"),
        ({"x_train": PIXELS, "train_x": PIXELS}, "both x_train and train_x; .* --keys"),
        ({"test_images": PIXELS, "y": np.zeros(4, int)}, "got test_images, y. Say which"),
        ({"images": PIXELS, "labels": np.zeros(3, int)}, "4 images need as many labels; got 3"),
        ({"images": PIXELS, "labels": np.full(4, 0.5)}, "labels must be integers or text"),
        ({"images": PIXELS, "labels": np.full(4, np.inf)}, "labels must be integers or text"),
        ({"images": PIXELS, "labels": np.array([b"\xff"] * 4)}, "text that is not in UTF-8"),
        (
            {"images": PIXELS, "labels": np.zeros((4, 2), int)},
            r"got int64 \(4, 2\); images alone \(--keys images=NAME\) can",
        ),
        ({"images": PIXELS, "test_labels": np.zeros(4, int)}, "test labels but no test images"),
        ({"images": PIXELS, "test_images": PIXELS, "test_labels": np.zeros(4, int)}, "for neither"),
        ({"images": PIXELS, "class_names": np.array(["a"])}, "class names but no labels"),
        (
            {"images": PIXELS, "labels": np.arange(4), "class_names": np.array(["a", "b"])},
            r"labels must lie in \[0, 1\].* from 0 to 3",
        ),
        (
            {"images": PIXELS, "labels": np.full(4, "a"), "class_names": np.array(["a"])},
            "its labels must be integers; got text",
        ),
        (
            {"images": PIXELS, "labels": np.zeros(4, int), "class_names": np.arange(2)},
            r"class_names must be text \(k,\); got int64",
        ),
    ],
)
def test_arrays_that_do_not_belong_together(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        read_npz(tmp_path / "bad.npz")
    assert "bad.npz" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../images.npy", "a/../../x.npy", "/etc/x.npy", "..\\x.npy", "C:\\x.npy", "\\x.npy"]
)
def test_a_member_outside_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.npz"
    np.savez(file, images=PIXELS)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, b"")
    with pytest.raises(DataError, match=r"evil.npz is refused: its member .* outside the archive"):
        read_npz(file)


def test_archives_that_are_damaged_or_unusual(tmp_path: Path) -> None:
    file = tmp_path / "bad.npz"
    file.write_bytes(b"not a zip")
    with pytest.raises(DataError, match=r"bad.npz could not be read: File is not a zip file\.$"):
        read_npz(file)

    as_zip(file, npy_bytes(PIXELS), method=zipfile.ZIP_STORED)
    good = file.read_bytes()
    at = good.index(PIXELS.tobytes())
    file.write_bytes(good[:at] + b"\xff" + good[at + 1 :])
    with pytest.raises(DataError, match="could not be read: Bad CRC-32"):
        read_npz(file)

    file.write_bytes(good[:-10])
    with pytest.raises(DataError, match="could not be read"):
        read_npz(file)

    as_zip(file, npy_bytes(PIXELS), method=zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match=r"bad.npz:images must be stored or deflated"):
        read_npz(file)

    with pytest.raises(DataError, match=r"There is no file .*missing.npz"):
        read_npz(tmp_path / "missing.npz")
    with pytest.raises(DataError, match=r"There is no file .*missing.npy"):
        read_npy(tmp_path / "missing.npy")


@pytest.mark.parametrize("n_after", [8, 64 << 20], ids=["false header", "bomb"])
def test_memory_follows_the_archive_and_stops_at_the_promise(tmp_path: Path, n_after: int) -> None:
    shape = "(2147483648, 2147483648, 4)" if n_after == 8 else "(2, 2, 1)"
    as_zip(tmp_path / "a.npz", promise(shape) + bytes(n_after))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="is cut short" if n_after == 8 else "goes on after"):
            read_npz(tmp_path / "a.npz")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
