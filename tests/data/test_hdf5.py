"""HDF5 and MATLAB 7.3: read as written, and nothing beyond the file is touched."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from data.test_table import save_matlab
from zscape.data import bounded, hdf5, load_data, mapped
from zscape.errors import DataError, MissingExtraError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 8, 6), dtype=np.uint8)
LABELS = np.arange(12) % 3


def check(data: Any, pixels: Any = PIXELS, labels: Any = LABELS) -> None:
    """All the images, whichever half each went to."""
    splits = load_data(data)
    found = {
        (image.numpy().tobytes(), None if half.labels is None else half.titles()[row])
        for half in splits
        for row, image in enumerate(half.images)
    }
    names = [None] * len(pixels) if labels is None else map(str, labels)
    assert found == {(np.ascontiguousarray(x).tobytes(), y) for x, y in zip(pixels, names)}  # noqa: B905


STORED: dict[str, dict[str, Any]] = {
    "in one piece": {},
    "as pieces": {"chunks": (5, 3, 6)},
    "gzip": {"chunks": (5, 3, 4), "compression": "gzip"},
    "gzip, shuffle and fletcher32": {
        "chunks": (5, 3, 5), "compression": "gzip", "shuffle": True, "fletcher32": True,
    },
    "lzf and shuffle": {"chunks": (4, 8, 6), "compression": "lzf", "shuffle": True},
}  # fmt: skip


@pytest.mark.parametrize("how", STORED)
@pytest.mark.parametrize("kind", ["u1", ">u2", "<f4", "?"])
def test_an_array_however_it_is_stored(how: str, kind: str, tmp_path: Path) -> None:
    wide = PIXELS.astype(np.uint16) * 257
    values = {"u1": PIXELS, ">u2": wide, "<f4": PIXELS / 255, "?": PIXELS > 99}[kind]
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file.create_dataset("images", data=values.astype(kind), **STORED[how])
        file["labels"] = LABELS.reshape(-1, 1, 1, 1)  # as PatchCamelyon has them
    check(tmp_path / "cells.h5", (PIXELS > 99) * np.uint8(255) if kind == "?" else PIXELS)


def test_what_was_never_written_and_what_is_larger_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset(
            "train/images", (12, 8, 6), "u1", chunks=(4, 8, 6), compression="gzip", fillvalue=7
        )
        made[:4] = PIXELS[:4]
        file["train/labels"] = np.array([f"kind{i}" for i in LABELS], "S5")
    monkeypatch.setattr(mapped, "limit", lambda like=None: 100)
    pixels = np.concatenate([PIXELS[:4], np.full((8, 8, 6), 7, np.uint8)])
    splits = load_data(tmp_path / "x.h5")
    assert splits.train.class_names == ("kind0", "kind1", "kind2")
    assert {x.numpy().tobytes() for half in splits for x in half.images} == {
        x.tobytes() for x in pixels
    }


def test_matlab_counts_from_the_other_end(tmp_path: Path) -> None:
    colour = RNG.integers(0, 256, (8, 6, 3, 12), dtype=np.uint8)
    save_matlab(tmp_path / "a.mat", {"X": colour, "y": LABELS[:, None].astype(float)})
    check(tmp_path / "a.mat", colour.transpose(3, 2, 0, 1))
    save_matlab(
        tmp_path / "b.mat",
        {"set.train.images": PIXELS > 99, "set.train.labels": LABELS[None]},
        {"set.train.images": "logical"},
    )
    check(tmp_path / "b.mat", (PIXELS > 99) * np.uint8(255))


def test_a_mask_of_the_older_version_is_black_and_white_too(tmp_path: Path) -> None:
    from scipy.io import savemat

    masks = {"images": PIXELS > 99, "labels": LABELS}
    for variables in (masks, {"set": masks}):
        savemat(tmp_path / "mask.mat", variables)
        check(tmp_path / "mask.mat", (PIXELS > 99) * np.uint8(255))


def test_a_gzip_is_unpacked_and_a_folder_of_them_read(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name, array in (("x", PIXELS), ("y", LABELS.reshape(-1, 1, 1, 1))):
            with h5py.File(tmp_path / "plain.h5", "w") as file:
                file[name] = array
            content = gzip.compress((tmp_path / "plain.h5").read_bytes())
            (tmp_path / f"patches_{split}_{name}.h5.gz").write_bytes(content)
    (tmp_path / "plain.h5").unlink()
    for source in (tmp_path, tmp_path / "patches_train_x.h5.gz"):
        splits = load_data(source)
        assert [len(half) for half in splits] == [12, 12]
        assert np.array_equal(splits.test.images[:, 0], PIXELS)
        assert splits.train.titles() == [str(label) for label in LABELS]


def links(at: Path) -> None:
    with h5py.File(at.parent / "secret.h5", "w") as file:
        file["images"] = PIXELS
    with h5py.File(at, "w") as file:
        file["images"] = h5py.ExternalLink(str(at.parent / "secret.h5"), "images")
        file["labels"] = h5py.SoftLink("/images")


def virtual(at: Path) -> None:
    with h5py.File(at.parent / "secret.h5", "w") as file:
        file["images"] = PIXELS
    layout = h5py.VirtualLayout(PIXELS.shape, "u1")
    layout[...] = h5py.VirtualSource(str(at.parent / "secret.h5"), "images", PIXELS.shape)
    with h5py.File(at, "w") as file:
        file.create_virtual_dataset("images", layout)


def external(at: Path) -> None:
    (at.parent / "secret.bin").write_bytes(PIXELS.tobytes())
    with h5py.File(at, "w") as file:
        file.create_dataset(
            "images", PIXELS.shape, "u1",
            external=[(str(at.parent / "secret.bin"), 0, h5py.h5f.UNLIMITED)],
        )  # fmt: skip


def of(data: Any, name: str = "images", **how: Any) -> Callable[[Path], None]:
    def write(at: Path) -> None:
        with h5py.File(at, "w") as file:
            file.create_dataset(name, data=data, **how)

    return write


def many(at: Path) -> None:
    with h5py.File(at, "w") as file:
        for i in range(hdf5._MOST + 1):
            file[str(i)] = i


def circle(at: Path) -> None:
    with h5py.File(at, "w") as file:
        file.create_group("a")["b"] = file["/"]


def damaged(at: Path) -> None:
    of(PIXELS, chunks=(12, 8, 6), fletcher32=True, compression="gzip")(at)
    with h5py.File(at, "r+") as file:
        data = file["images"].id.read_direct_chunk((0, 0, 0))[1]
        file["images"].id.write_direct_chunk((0, 0, 0), data[:-1] + bytes([data[-1] ^ 1]))


def bomb(at: Path) -> None:
    """A piece that is more than it may be."""
    import zlib

    of(PIXELS, chunks=(12, 8, 6), compression="gzip")(at)
    with h5py.File(at, "r+") as file:
        file["images"].id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(1 << 24)))


NOT_READ: dict[str, tuple[Callable[[Path], None], str]] = {
    "links to other files": (links, r"must hold images under a name such as images; got nothing"),
    "virtual": (virtual, r":images lies in other files, which are not opened"),
    "external": (external, r":images lies in other files, which are not opened"),
    "objects": (
        of(["a", "bc"], dtype=h5py.string_dtype()), r"array of numbers, or of text .* got object"
    ),
    "records": (of(np.zeros(3, "i4,f4")), r"must be an array of numbers"),
    "an unusual filter": (of(PIXELS, chunks=True, scaleoffset=0), r"packed by filters \[6\]"),
    "an empty one": (of(np.zeros((0, 8, 8), "u1")), r"holds no samples: its shape is \(0, 8, 8\)"),
    "one number": (of(3), r"holds no samples: its shape is \(\)"),
    "thousands": (many, r"more than 1000 arrays and groups; an image set is one array"),
    "a circle": (circle, r"must hold images under a name such as images; got nothing"),
    "a wrong checksum": (damaged, r":images is damaged: a checksum is wrong"),
    "too much in a piece": (bomb, r":images is damaged: a piece of 576 bytes has 577"),
    "no signature": (lambda at: at.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20)), r"as HDF5: "),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_READ)
def test_what_is_not_read_says_why(what: str, tmp_path: Path) -> None:
    write, message = NOT_READ[what]
    write(tmp_path / "x.h5")
    with pytest.raises(DataError, match=message) as caught:
        load_data(tmp_path / "x.h5")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["in one piece", "gzip"])
def test_an_array_that_would_unfold_into_far_too_much(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "ALWAYS", 1 << 20)
    options = {"chunks": (1, 1024, 1024), "compression": "gzip"} if how == "gzip" else {}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("images", (4000, 1024, 1024), "u1", **options)  # never written
    with pytest.raises(DataError, match=r":images is refused: \d+ bytes would unfold into 4194"):
        load_data(tmp_path / "x.h5")


def test_without_the_extra_its_name_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(PIXELS)(tmp_path / "x.bin")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"x\.bin needs .*pip install 'zscape\[hdf5\]'"):
        load_data(tmp_path / "x.bin")
