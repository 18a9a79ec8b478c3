from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zscape.config import DataConfig
from zscape.data.idx import read_idx, read_idx_files, read_mnist
from zscape.data.imageset import ImageSet, Splits
from zscape.data.tree import walk
from zscape.errors import DataError

WriteIdx = Callable[[Path, np.ndarray], Path]


def read_idx_folder(folder: Path) -> Splits | ImageSet:
    return read_idx_files(walk(folder), DataConfig())


def promise(*shape: int) -> bytes:
    """An IDX header."""
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


GOOD = promise(3, 2, 2) + bytes(range(12))
GOOD_GZ = gzip.compress(GOOD, mtime=0)


@given(
    array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_round_trip(
    array: np.ndarray, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / f"round-trip{suffix}"
    data = promise(*array.shape) + array.tobytes()
    file.write_bytes(gzip.compress(data, 1) if suffix else data)
    assert np.array_equal(read_idx(file, (3,)), array)
    assert np.array_equal(read_idx(file, (3,), hashlib.sha256(data).hexdigest()), array)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f", b"", "is not an IDX file.*got nothing"),
        ("f", b"\0\0", "is not an IDX file"),
        ("f", b"\x89PNG" + GOOD, "must start with 00 00, .*; got 89 50 4e 47"),
        ("f", b"\0\0\x0f\3" + GOOD[4:], "a type from 08 to 0e .*; got 00 00 0f 03"),
        ("f", b"\0\0\x0c\3" + GOOD[4:], "promises 48 bytes of data, it holds 12"),
        ("f", promise(3) + bytes(3), "must have 3 dimensions; got 1"),
        ("f", GOOD[:10], "ends inside its header"),
        ("f", GOOD[:-1], "is cut short: its header promises 12 bytes of data, it holds 11"),
        ("f", GOOD + b"\0", "goes on after the 12 bytes"),
        ("f", promise(0, 28, 28), "holds no samples"),
        ("f", promise(2**31, 2**31, 1) + b"\0" * 9, "it holds 9"),
        ("f.gz", gzip.compress(promise(2**31, 2**31, 4) + b"\0" * 9, mtime=0), "would unfold"),
        ("f.gz", GOOD_GZ[:-9], "could not be read: Compressed file ended before"),
        ("f.gz", GOOD_GZ[:-8] + bytes(8), "could not be read: CRC check failed"),
        ("f.gz", GOOD_GZ[:10] + b"\xff" * 20, "could not be read: Error -3"),
        ("f.gz", gzip.compress(GOOD + b"\0", mtime=0), "goes on after the 12 bytes"),
    ],
)
def test_a_bad_file_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(file, (3,))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content"), [("f.gz", GOOD), ("f", GOOD_GZ)])
def test_whether_it_is_compressed_is_seen_in_the_file(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_idx(tmp_path / name, (3,)).flatten().tolist() == list(range(12))


def test_missing_file_and_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*nothing"):
        read_idx(tmp_path / "nothing", (3,))
    with pytest.raises(DataError, match="could not be read"):
        read_idx(tmp_path, (3,))


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(GOOD)
    with pytest.raises(DataError, match=r"is damaged: its SHA-256 must be 0{64}; got [0-9a-f]{64}"):
        read_idx(file, (3,), "0" * 64)


@pytest.mark.parametrize(
    "header", [promise(2**13, 2**14, 1), promise(2, 2, 2)], ids=["false header", "bomb"]
)
def test_memory_follows_the_file_and_stops_at_the_promise(tmp_path: Path, header: bytes) -> None:
    is_bomb = header == promise(2, 2, 2)
    file = tmp_path / "f.gz"
    file.write_bytes(gzip.compress(header + bytes(64 << 20 if is_bomb else 8), 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="goes on after" if is_bomb else "is cut short"):
            read_idx(file, (3,))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("test_name", ["t10k", "test"])
def test_a_folder_as_mnist_is_handed_out(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx, suffix: str, test_name: str
) -> None:
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", pictures)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", np.array([0, 1, 2, 0, 1, 2, 0]))
    write_idx(tmp_path / f"{test_name}-images-idx3-ubyte{suffix}", pictures[:2])
    write_idx(tmp_path / f"{test_name}-labels-idx1-ubyte{suffix}", np.array([1, 2]))
    train, test = as_splits(read_idx_folder(tmp_path))
    assert np.array_equal(train.images[:, 0].numpy(), pictures)
    assert np.array_equal(test.images[:, 0].numpy(), pictures[:2])
    assert train.labels is not None
    assert test.labels is not None
    assert train.labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert test.labels.tolist() == [1, 2]
    assert train.class_names == test.class_names == ("0", "1", "2")
    assert (train.split, test.split, train.name) == ("train", "test", tmp_path.name)


def test_a_folder_of_training_images_only(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx
) -> None:
    write_idx(tmp_path / "train-images.idx3-ubyte", pictures)
    (tmp_path / "README.txt").write_text("not mine")
    only = read_idx_folder(tmp_path)
    assert isinstance(only, ImageSet)
    assert not only.has_labels
    assert np.array_equal(only.images[:, 0].numpy(), pictures)


def test_raw_wins_over_gz(tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", pictures)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", pictures[:3])
    only = read_idx_folder(tmp_path)
    assert isinstance(only, ImageSet)
    assert len(only) == len(pictures)


def test_emnist_is_put_upright_and_its_labels_become_indices_over_both_splits(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx
) -> None:
    stem = "emnist-letters-"
    transposed = pictures.swapaxes(1, 2)
    write_idx(tmp_path / f"{stem}train-images-idx3-ubyte.gz", transposed)
    write_idx(tmp_path / f"{stem}train-labels-idx1-ubyte.gz", np.array([1, 2, 10, 1, 2, 10, 1]))
    write_idx(tmp_path / f"{stem}test-images-idx3-ubyte.gz", transposed[:2])
    write_idx(tmp_path / f"{stem}test-labels-idx1-ubyte.gz", np.array([3, 10]))
    train, test = as_splits(read_idx_folder(tmp_path))
    assert np.array_equal(train.images[:, 0].numpy(), pictures)
    assert np.array_equal(test.images[:, 0].numpy(), pictures[:2])
    assert train.class_names == test.class_names == ("1", "2", "3", "10")
    assert train.labels is not None
    assert test.labels is not None
    assert train.labels.tolist() == [0, 1, 3, 0, 1, 3, 0]
    assert test.labels.tolist() == [2, 3]


@pytest.mark.parametrize("is_beside", [True, False])
def test_every_file_in_a_folder_of_its_own_name(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx, is_beside: bool
) -> None:
    """As Kaggle unpacks MNIST: with or without the same files, named otherwise, beside."""
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    for split in ("train", "t10k"):
        for array, kind in ((pictures, "images-idx3"), (labels, "labels-idx1")):
            folder = tmp_path / f"{split}-{kind}-ubyte"
            folder.mkdir()
            write_idx(folder / folder.name, array)
            if is_beside:
                write_idx(tmp_path / f"{split}-{kind.replace('-', '.', 1)}-ubyte", array)
    train, test = as_splits(read_idx_folder(tmp_path))
    assert len(train) == len(test) == 7
    assert train.class_names == ("0", "1", "2")


def test_qmnist_labels_are_a_class_and_columns(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx, caplog: pytest.LogCaptureFixture
) -> None:
    labels = np.arange(7 * 8).reshape(7, 8)
    labels[:, 0] = [5, 0, 4, 1, 9, 2, 1]
    write_idx(tmp_path / "qmnist-train-images-idx3-ubyte.gz", pictures)
    data = promise(7, 8).replace(b"\x08", b"\x0c", 1) + labels.astype(">i4").tobytes()
    (tmp_path / "qmnist-train-labels-idx2-int.gz").write_bytes(gzip.compress(data))
    (tmp_path / "qmnist-train-labels.tsv.gz").write_bytes(b"")
    only = read_idx_folder(tmp_path)
    assert isinstance(only, ImageSet)
    assert only.titles() == ["5", "0", "4", "1", "9", "2", "1"]
    assert only.columns.numbers("writer").tolist() == labels[:, 2].tolist()
    assert only[[3, 1]].columns.numbers("writer").tolist() == labels[[3, 1], 2].tolist()
    assert "left out: 1 qmnist-train-labels.tsv.gz" in caplog.text


def test_sets_in_several_folders_are_not_mixed(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx
) -> None:
    for name in ("kmnist", "mnist"):
        (tmp_path / name).mkdir()
        write_idx(tmp_path / name / "train-images-idx3-ubyte", pictures)
    with pytest.raises(DataError, match=r"several IDX data sets \(kmnist/, mnist/\)"):
        read_idx_folder(tmp_path)


def test_folders_that_make_no_sense_are_refused(
    tmp_path: Path, pictures: np.ndarray, write_idx: WriteIdx
) -> None:
    write_idx(tmp_path / "t10k-images-idx3-ubyte", pictures)
    with pytest.raises(DataError, match="no training images"):
        read_idx_folder(tmp_path)
    write_idx(tmp_path / "train-images-idx3-ubyte", pictures)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.zeros(6))
    with pytest.raises(DataError, match="labels to test on but none to train on"):
        read_idx_folder(tmp_path)
    labels = write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(7))
    with pytest.raises(DataError, match=r"\(test\): 7 images need as many labels; got 6"):
        read_idx_folder(tmp_path)
    labels.rename(tmp_path / "emnist-mnist-train-labels-idx1-ubyte")
    with pytest.raises(DataError, match=r"several IDX data sets \(, emnist-mnist-\)"):
        read_idx_folder(tmp_path)


def test_the_embedded_mnist_is_whole_and_read_once() -> None:
    train, test = read_mnist()
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.class_names == test.class_names == tuple("0123456789")
    assert train.labels is not None
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.class_counts()["1"] == 1135
    assert read_mnist().train.images.data_ptr() == train.images.data_ptr()


def as_splits(data: Splits | ImageSet) -> Splits:
    assert isinstance(data, Splits)
    return data
