"""Every row of the table in docs/data.md, run as it stands there."""

from __future__ import annotations

import gzip
import io
import re
import shlex
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from scipy.io import savemat

from zscape.config import DataConfig
from zscape.data import load_data

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 8, 8), dtype=np.uint8)
LABELS = np.arange(12) % 3


def save_matlab(at: Path, variables: dict[str, Any], kinds: dict[str, str] | None = None) -> None:
    """As ``save -v7.3`` does: a head of its own, and every axis the other way round."""
    with h5py.File(at, "w", userblock_size=512) as file:
        for name, array in variables.items():
            made = file.create_dataset(name.replace(".", "/"), data=np.asarray(array).T)
            made.attrs["MATLAB_class"] = np.bytes_((kinds or {}).get(name, str(array.dtype)))
        file.create_group("#refs#").create_dataset("a", data=np.zeros((2, 2)))
    with at.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\x02IM")


def table() -> dict[str, tuple[str, str]]:
    """What one has → the command, what it is read as."""
    rows = re.findall(r"^\| (.+?) \| .+? \| `zscape data info (.+?)` \| (.+?) \|$",
                      DOCS.read_text("utf-8"), re.MULTILINE)  # fmt: skip
    return {have: (command, kind) for have, command, kind in rows}


def save_classes(folder: Path) -> None:
    for i, pixels in enumerate(PIXELS):
        (folder / f"class{LABELS[i]}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"class{LABELS[i]}" / f"{i}.png")


def flat(at: Path) -> None:
    at.mkdir()
    for i, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(at / f"{i}.png")


def split_folders(at: Path) -> None:
    for split in ("train", "test"):
        save_classes(at / split)


def film(at: Path) -> None:
    at.mkdir()
    frames = [Image.fromarray(pixels) for pixels in PIXELS]
    frames[0].save(at / "x.gif", save_all=True, append_images=frames[1:])


def deep(at: Path) -> None:
    at.mkdir()
    for i, pixels in enumerate(PIXELS):
        Image.fromarray(pixels.astype(np.uint16) * 16).save(at / f"{i}.tif")


def stained(at: Path) -> None:
    at.mkdir()
    for i, pixels in enumerate(PIXELS):
        pages = [Image.fromarray(pixels)] * 4
        pages[0].save(at / f"{i}.tif", save_all=True, append_images=pages[1:])


def idx(prefix: str, suffix: str, labels: np.ndarray) -> Callable[[Path], None]:
    def write(at: Path) -> None:
        at.mkdir()
        for name, array, code in (("images-idx3-ubyte", PIXELS, 8), (suffix, labels, 12)):
            is_bytes = name.endswith("ubyte")
            header = bytes([0, 0, 8 if is_bytes else code, array.ndim])
            header += np.array(array.shape, ">u4").tobytes()
            data = array.astype("u1" if is_bytes else ">i4").tobytes()
            (at / f"{prefix}train-{name}").write_bytes(header + data)

    return write


def npz(**arrays: np.ndarray) -> Callable[[Path], None]:
    return lambda at: np.savez(at, **arrays)


def kuzushiji(at: Path) -> None:
    np.savez(at, PIXELS)
    np.savez(at.with_name("k49-train-labels.npz"), LABELS)


KERAS = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS, "y_test": LABELS}
MEDMNIST = {
    f"{split}_{kind}": array
    for split in ("train", "val", "test")
    for kind, array in (("images", PIXELS), ("labels", LABELS[:, None]))
}


def svhn(at: Path) -> None:
    at.mkdir()
    for split in ("train", "test"):
        arrays = {"X": np.stack([PIXELS.transpose(1, 2, 0)] * 3, axis=2), "y": LABELS[:, None]}
        savemat(at / f"{split}_32x32.mat", arrays)


def emnist(at: Path) -> None:
    split = {"images": PIXELS.mT.reshape(12, 64), "labels": LABELS[:, None]}
    savemat(at, {"dataset": {"train": split, "test": split}})


def matlab73(at: Path) -> None:
    save_matlab(at, {"X": np.stack([PIXELS.transpose(1, 2, 0)] * 3, axis=2), "y": LABELS[:, None]})


def hdf5(at: Path) -> None:
    with h5py.File(at, "w") as file:
        file.create_dataset("images", data=PIXELS, chunks=(5, 8, 8), compression="gzip")
        file["labels"] = LABELS


def camelyon(at: Path) -> None:
    at.mkdir()
    for split in ("train", "test"):
        for name, array in (("x", PIXELS), ("y", LABELS.reshape(-1, 1, 1, 1))):
            with h5py.File(file := at / f"patch_split_{split}_{name}.h5", "w") as opened:
                opened[name] = array
            (at / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()


def tensors(at: Path) -> None:
    torch.save({"images": torch.from_numpy(PIXELS), "labels": torch.from_numpy(LABELS)}, at)


def csv(at: Path) -> None:
    np.savetxt(at, np.column_stack([LABELS, PIXELS.reshape(12, 64)]), "%d", ",")


def fer(at: Path) -> None:
    pixels = [" ".join(map(str, row)) for row in PIXELS.reshape(12, 64)]
    pd.DataFrame({"emotion": LABELS, "pixels": pixels, "Usage": "Training"}).to_csv(at, index=False)


def hugging_face() -> pa.Table:
    pictures = []
    for pixels in PIXELS:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        pictures.append({"bytes": buffer.getvalue(), "path": None})
    # As the set beans has it: where the file once was, on another machine.
    paths = [f"/home/someone/{i}.jpg" for i in range(12)]
    return pa.table({"image_file_path": paths, "image": pictures, "label": LABELS})


def shards(at: Path) -> None:
    at.mkdir()
    for split in ("train", "test"):
        parquet.write_table(hugging_face(), at / f"{split}-00000-of-00001.parquet")


def saved(at: Path) -> None:
    at.mkdir()
    table = hugging_face()
    with pa.ipc.new_stream(str(at / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)


def plants(at: Path) -> None:
    flat(at)
    table = pd.DataFrame({"file_name": [f"{i}.png" for i in range(12)], "label": LABELS})
    table.to_csv(at / "metadata.csv", index=False)


def listed(at: Path) -> None:
    save_classes(at.parent / "birds")
    names = [f"birds/class{LABELS[i]}/{i}.png" for i in range(12)]
    pd.DataFrame({"image": names, "label": LABELS}).to_csv(at, index=False)


def webdataset(at: Path) -> None:
    at.mkdir()
    flat(at / "x")
    with tarfile.open(at / "shard-000.tar", "w") as shard:
        for i in range(12):
            (at / "x" / f"{i}.cls").write_text(str(LABELS[i]))
            for suffix in ("png", "cls"):
                shard.add(at / "x" / f"{i}.{suffix}", f"{i}.{suffix}")
    shutil.rmtree(at / "x")


def archive(form: str) -> Callable[[Path], None]:
    def write(at: Path) -> None:
        save_classes(at.parent / "birds")
        shutil.make_archive(str(at.parent / "birds"), form, at.parent, "birds")

    return write


WRITERS: dict[str, Callable[[Path], Any]] = {
    "pictures in a folder per class": save_classes,
    "pictures without classes": flat,
    "folders `train` and `test`": split_folders,
    "an animation or a TIFF of several pages": film,
    "16-bit grey pictures": deep,
    "fluorescence: a page of a TIFF per channel": stained,
    "arrays of up to 16 channels": lambda at: np.save(at, np.stack([PIXELS] * 4, axis=3)),
    "MNIST, Fashion-MNIST, KMNIST, EMNIST": idx("", "labels-idx1-ubyte", LABELS),
    "QMNIST": idx("qmnist-", "labels-idx2-int.gz", np.stack([LABELS] * 8, axis=1)),
    "Keras' `mnist.npz`": npz(**KERAS),
    "MedMNIST": npz(**MEDMNIST),
    "an `.npz` of other names": npz(faces=PIXELS, who=LABELS),
    "Kuzushiji-49": kuzushiji,
    "Quick, Draw! bitmaps": lambda at: np.save(at, PIXELS.reshape(12, 64)),
    "rows that are not squares": lambda at: np.save(at, np.zeros((12, 280), np.uint8)),
    "dSprites": npz(
        imgs=PIXELS, latents_classes=np.stack([LABELS] * 6, 1), latents_values=np.ones((12, 6))
    ),
    "SVHN": svhn,
    "EMNIST in MATLAB's format": emnist,
    "MATLAB 7.3": matlab73,
    "HDF5": hdf5,
    "PatchCamelyon": camelyon,
    "tensors": tensors,
    "Kaggle's CSVs": csv,
    "FER2013": fer,
    "Hugging Face's Parquet": shards,
    "a folder of `save_to_disk`": saved,
    "pictures and a table of them": plants,
    "a table of file names": listed,
    "WebDataset": webdataset,
    "a zip of any of these": archive("zip"),
    "a tar of any of these": archive("gztar"),
}
UNLABELLED = {
    "pictures without classes",
    "an animation or a TIFF of several pages",
    "16-bit grey pictures",
    "fluorescence: a page of a TIFF per channel",
    "arrays of up to 16 channels",
    "Quick, Draw! bitmaps",
    "rows that are not squares",
}


def options_of(have: str) -> tuple[str, DataConfig]:
    """The name in a row's command, and what its flags say."""
    name, *flags = shlex.split(table()[have][0])
    options: dict[str, Any] = {
        key.replace("-", "_"): int(value) if value.isdecimal() else value
        for key, value in re.findall(r"--([\w-]+) (?!--)(\S+)", " ".join(flags))
    }
    return name, DataConfig(transpose="--transpose" in flags, **options)


def test_every_row_is_tested() -> None:
    assert list(table()) == list(WRITERS)


@pytest.mark.parametrize("have", WRITERS)
def test_a_row_of_the_table(have: str, tmp_path: Path) -> None:
    name, config = options_of(have)
    WRITERS[have](tmp_path / name)
    train, test = load_data(tmp_path / name, config)
    assert train.kind == table()[have][1]
    assert train.has_labels == (have not in UNLABELLED)
    assert len(train) + len(test) in (12, 24)
