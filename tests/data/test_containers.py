"""Tables, MATLAB, torch, zip and tar: each as other programs leave it."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from scipy.io import savemat

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, bounded, load_data
from zscape.data.containers import read_path
from zscape.data.joining import label_by
from zscape.errors import ConfigError, DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
LABELS = np.array([1, 0, 2, 1, 0, 2])
TITLES = ["1", "0", "2", "1", "0", "2"]


def read(path: Path, **options: Any) -> Splits | ImageSet:
    return read_path(path, DataConfig(**options))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def check(data: Splits | ImageSet, titles: list[str] | None = TITLES) -> ImageSet:
    assert isinstance(data, ImageSet)
    assert np.array_equal(data.images[:, 0].numpy(), PIXELS)
    assert data.titles() == titles
    return data


def column(data: ImageSet, name: str) -> list[str]:
    assert data.columns is not None
    return data.columns.texts(name)


def pixel_table(names: list[str], label: str | None = "label") -> pd.DataFrame:
    frame = pd.DataFrame(PIXELS.reshape(6, 16), columns=names)
    if label is not None:
        frame.insert(0, label, LABELS)
    return frame


NUMBERED = {
    "pixel0": [f"pixel{i}" for i in range(16)],
    "1x1": [f"{i}x{j}" for i in range(1, 5) for j in range(1, 5)],
    "0": [str(i) for i in range(16)],
    "x_0": [f"x_{i}" for i in range(16)],
}


@pytest.mark.parametrize("names", NUMBERED.values(), ids=NUMBERED)
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "parquet", "feather"])
def test_a_column_for_every_pixel(tmp_path: Path, names: list[str], suffix: str) -> None:
    file, frame = tmp_path / f"train.{suffix}", pixel_table(names)
    if suffix == "parquet":
        frame.to_parquet(file)
    elif suffix == "feather":
        frame.to_feather(file)
    else:
        frame.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    data = check(read(file))
    assert data.kind == "a table of pixels"
    check(read(tmp_path))


@pytest.mark.parametrize("names", NUMBERED.values(), ids=NUMBERED)
def test_columns_of_pixels_go_by_their_numbers(
    tmp_path: Path, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Sorted as text, 10 stands before 2, and every picture would be scrambled."""
    frame = pixel_table(names)
    frame[["label", *sorted(names)]].to_parquet(tmp_path / "x.parquet")
    check(read(tmp_path / "x.parquet"))
    if names == NUMBERED["1x1"]:  # as text they stand as they should
        assert not caplog.messages
        frame = frame[["label", *sorted(names, key=lambda name: name[::-1])]]
        frame.to_parquet(tmp_path / "x.parquet")  # column by column, as is each picture then
        data = read(tmp_path / "x.parquet", transpose=True)
        assert isinstance(data, ImageSet)
        assert torch.equal(data.images[:, 0], torch.from_numpy(PIXELS))
    else:
        assert "columns of pixels are taken by their numbers" in caplog.text


def test_columns_that_are_only_counted_are_a_header(tmp_path: Path) -> None:
    """As pandas writes arrays: taken for a picture, they would be one more."""
    pixel_table(NUMBERED["0"], None).to_csv(tmp_path / "x.csv", index=False)
    check(read(tmp_path / "x.csv"), None)


def test_numbers_with_zeros_before_them_are_names(tmp_path: Path) -> None:
    frame = pixel_table(NUMBERED["pixel0"])
    frame["patient"], frame["age"] = ["001", "002", "010"] * 2, [7, 0, 10] * 2
    frame.to_csv(tmp_path / "x.csv", index=False)
    data = check(read(tmp_path / "x.csv"))
    assert column(data, "patient") == ["001", "002", "010"] * 2
    assert data.columns is not None
    assert (data.columns.kind("patient"), data.columns.kind("age")) == ("category", "number")


def test_a_csv_without_a_header_has_its_label_first(tmp_path: Path) -> None:
    pixel_table(NUMBERED["0"]).to_csv(tmp_path / "mnist_train.csv", index=False, header=False)
    check(read(tmp_path / "mnist_train.csv"))
    pixel_table(NUMBERED["0"], None).to_csv(tmp_path / "x.csv", index=False, header=False)
    check(read(tmp_path / "x.csv"), None)


def test_plain_columns_are_kept_and_labels_may_be_any_of_them(tmp_path: Path) -> None:
    frame = pixel_table(NUMBERED["pixel0"])
    frame["area"] = np.arange(6) / 2
    frame["dose"] = ["low", "high"] * 3
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = check(read(tmp_path / "a.csv"))
    assert column(data, "area") == ["0", "0.5", "1", "1.5", "2", "2.5"]
    assert column(data[[1, 0]], "dose") == ["high", "low"]
    told = check(read(tmp_path / "a.csv", keys="labels=dose"), ["low", "high"] * 3)
    assert column(told, "label") == TITLES
    with pytest.raises(ConfigError, match="keys names dosis, but"):
        read(tmp_path / "a.csv", keys="labels=dosis")


def test_pixels_as_text(tmp_path: Path) -> None:
    """As in FER2013."""
    text = [" ".join(map(str, row)) for row in PIXELS.reshape(6, 16)]
    pd.DataFrame({"emotion": LABELS, "pixels": text}).to_csv(tmp_path / "fer.csv", index=False)
    check(read(tmp_path / "fer.csv"), None)
    check(read(tmp_path / "fer.csv", keys="images=pixels,labels=emotion"))


def hugging_face(n: int = 6) -> pa.Table:
    pictures = [{"bytes": png(PIXELS[i]), "path": f"{i}.png"} for i in range(n)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(pictures, kind), "label": LABELS[:n]})
    feature = {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}}
    return table.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": feature}})}
    )


NAMES = ["b", "a", "c", "b", "a", "c"]


def test_parquet_of_encoded_pictures(tmp_path: Path) -> None:
    parquet.write_table(hugging_face(), tmp_path / "data.parquet")
    data = check(read(tmp_path / "data.parquet"), NAMES)
    assert data.class_names == ("a", "b", "c")
    assert data.kind == "a table, pictures in image"


def test_shards_and_splits_by_the_names_of_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = hugging_face()
    for name, rows in (
        ("train-00000-of-00002", table[:4]),
        ("train-00001-of-00002", table[4:]),
        ("test-00000-of-00001", table[:2]),
        ("validation-00000-of-00001", table[:3]),
    ):
        parquet.write_table(rows, tmp_path / f"{name}.parquet")
    (tmp_path / "README.md").touch()
    data = read(tmp_path)
    assert isinstance(data, Splits)
    check(data.train, NAMES)
    assert data.test.titles() == NAMES[:2]
    assert "left out: 1 .md, 3 rows to validate on." in caplog.text


def write_arrow(file: Path, table: pa.Table) -> None:
    file.parent.mkdir(parents=True)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def test_a_folder_that_save_to_disk_wrote(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split, n in (("train", 6), ("test", 3)):
        write_arrow(tmp_path / split / "data-00000-of-00001.arrow", hugging_face(n))
        (tmp_path / split / "dataset_info.json").write_text("{}")
        (tmp_path / split / "state.json").write_text("{}")
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    data = read(tmp_path)
    assert isinstance(data, Splits)
    check(data.train, NAMES)
    assert data.test.titles() == NAMES[:3]
    check(read(tmp_path / "train"), NAMES)
    assert not caplog.records


def test_nested_lists_and_files_beside_the_table(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"image": PIXELS.tolist(), "y": LABELS}), tmp_path / "a.parquet")
    check(read(tmp_path / "a.parquet"))
    ragged = pa.table({"image": [[[1, 2], [3]], [[4, 5], [6, 7]]]})
    parquet.write_table(ragged, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="lists of several lengths"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, r"no columns pixel0, .*; got a, b\. Say which: --keys"),
        ({"image": [png(PIXELS[0]), None]}, "1 rows have nothing in image"),
        ({"image": [png(PIXELS[0]), b"no"]}, r"row 1\) could not be read as a picture"),
        ({"image": [png(PIXELS[0]), png(PIXELS[0][:2])]}, "must have one size: .*picture 1"),
        ({"image": [png(PIXELS[0])] * 2, "label": [1, None]}, "nothing in the column label"),
        ({"image": ["a.png", "b.png"]}, "names a.png, but there is no such file"),
    ],
)
def test_tables_that_are_no_image_sets(tmp_path: Path, table: Any, message: str) -> None:
    parquet.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.parquet")


def test_damaged_tables_are_one_clear_error(tmp_path: Path) -> None:
    parquet.write_table(hugging_face(), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.csv").write_text("label,pixel0\n1,2\n3\n")
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"1,2,3")[:-4])
    (tmp_path / "b.parquet").write_bytes(whole[:-50])
    (tmp_path / "c.arrow").write_bytes(b"ARROW1" + whole[:50])
    for name in ("a.csv", "b.csv", "c.csv.gz", "b.parquet", "c.arrow"):
        with pytest.raises(DataError, match=rf"{name} could not be read as a table: ") as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)


MAT: dict[str, tuple[dict[str, Any], list[str] | None]] = {
    "plain": ({"images": PIXELS, "labels": LABELS[:, None]}, TITLES),
    "samples last": ({"X": PIXELS.transpose(1, 2, 0), "y": LABELS[:, None]}, TITLES),
    "columns": ({"data": PIXELS.reshape(6, 16).T, "label": LABELS[None]}, TITLES),
    "nested": (
        {
            "dataset": {
                "train": {"images": PIXELS.reshape(6, 16), "labels": LABELS[:, None]},
                "mapping": np.zeros((3, 2)),
            }
        },
        TITLES,
    ),
    "alone": ({"faces": PIXELS}, None),
}


@pytest.mark.parametrize("kind", MAT)
@pytest.mark.parametrize("is_compressed", [True, False])
def test_mat(tmp_path: Path, kind: str, is_compressed: bool) -> None:
    arrays, titles = MAT[kind]
    savemat(tmp_path / "a.mat", arrays, do_compression=is_compressed)
    check(read(tmp_path / "a.mat"), titles)


def test_mat_in_colour_with_a_file_for_each_split(tmp_path: Path) -> None:
    """As SVHN: (height, width, channels, n), and the digit 0 is called 10."""
    colour = np.random.default_rng(1).integers(0, 256, (4, 4, 3, 6), dtype=np.uint8)
    for split, n in (("train", 6), ("test", 2)):
        arrays = {"X": colour[..., :n], "y": np.array([10, 1, 2, 1, 10, 2])[:n, None]}
        savemat(tmp_path / f"{split}_32x32.mat", arrays)
    data = read(tmp_path)
    assert isinstance(data, Splits)
    assert np.array_equal(data.train.images.numpy(), colour.transpose(3, 2, 0, 1))
    assert data.train.titles() == ["10", "1", "2", "1", "10", "2"]
    assert len(data.test) == 2
    alone = read(tmp_path / "test_32x32.mat")
    assert isinstance(alone, ImageSet)
    assert len(alone) == 2


def test_emnist_in_mat_gets_a_hint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    savemat(tmp_path / "emnist-digits.mat", {"images": PIXELS.mT, "labels": LABELS[:, None]})
    read(tmp_path / "emnist-digits.mat")
    assert "--transpose puts it upright" in caplog.text
    check(read(tmp_path / "emnist-digits.mat", transpose=True))


def test_what_a_file_is_called_does_not_matter(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"images": PIXELS, "labels": LABELS[:, None]})
    parquet.write_table(hugging_face(), tmp_path / "a.parquet")
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=LABELS)
    torch.save((torch.from_numpy(PIXELS), torch.from_numpy(LABELS)), tmp_path / "a.pt")
    (tmp_path / "a.png").write_bytes(png(PIXELS[0]))
    for file in list(tmp_path.iterdir()):
        file.rename(tmp_path / "data")
        data = read(tmp_path / "data")
        assert isinstance(data, ImageSet)
        assert np.array_equal(data.images[0, 0].numpy(), PIXELS[0])


class Anything:
    """What is not a tensor."""


@pytest.mark.parametrize("is_zip", [True, False])
def test_tensors(tmp_path: Path, is_zip: bool) -> None:
    images, labels = torch.from_numpy(PIXELS), torch.from_numpy(LABELS)

    def save(what: Any) -> Path:
        torch.save(what, tmp_path / "a.pt", _use_new_zipfile_serialization=is_zip)
        return tmp_path / "a.pt"

    check(read(save(images)), None)
    check(read(save((images, labels))))
    check(read(save({"data": images / 255, "targets": labels})))
    for what, message in (
        (Anything(), "holds pickled objects, which are never opened"),
        ({"images": Anything()}, "holds pickled objects, which are never opened"),
        ([1, 2, 3], "must hold a tensor, .* got list"),
        ({"conv.weight": images, "conv.bias": labels}, "got conv.bias, conv.weight. Say which"),
    ):
        with pytest.raises(DataError, match=message):
            read(save(what))
    save(images)
    (tmp_path / "a.pt").write_bytes((tmp_path / "a.pt").read_bytes()[:-30])
    with pytest.raises(DataError, match=r"a\.pt (could not be read|is damaged)"):
        read(tmp_path / "a.pt")


def test_tensors_with_a_file_for_each_split(tmp_path: Path) -> None:
    """As torchvision once kept MNIST."""
    images, labels = torch.from_numpy(PIXELS), torch.from_numpy(LABELS)
    torch.save((images, labels), tmp_path / "training.pt")
    torch.save((images[:2], labels[:2]), tmp_path / "test.pt")
    data = read(tmp_path)
    assert isinstance(data, Splits)
    check(data.train)
    assert data.test.titles() == TITLES[:2]


def as_zip(file: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def as_tar(file: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w:" + {"tar": ""}.get(file.suffix[1:], file.suffix[1:])) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


ARCHIVES: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "a.zip": as_zip, "a.tar": as_tar, "a.tar.gz": as_tar, "a.tar.xz": as_tar, "a.tar.bz2": as_tar,
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_pictures_in_an_archive(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    contents = {f"set/{TITLES[i]}/{i}.png": png(PIXELS[i]) for i in (3, 0, 5, 2, 1, 4)}
    contents |= {"set/README": b"", "__MACOSX/set/1/._0.png": b"", "set/.DS_Store": b""}
    data = read(ARCHIVES[name](tmp_path / name, contents))
    assert isinstance(data, ImageSet)
    order = sorted(range(6), key=lambda i: (TITLES[i], i))
    assert np.array_equal(data.images[:, 0].numpy(), PIXELS[order])
    assert data.titles() == [TITLES[i] for i in order]
    assert column(data, "file_name")[0] == "set/0/1.png"
    assert "left out: 2 hidden, 1 without an ending." in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ARCHIVES)
def test_anything_in_an_archive(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "x.npz", images=PIXELS, labels=LABELS)
    savemat(tmp_path / "x.mat", {"images": PIXELS, "labels": LABELS[:, None]})
    pixel_table(NUMBERED["0"]).to_csv(tmp_path / "x.csv", index=False)
    pixel_table(NUMBERED["0"]).to_parquet(tmp_path / "x.parquet")
    torch.save((torch.from_numpy(PIXELS), torch.from_numpy(LABELS)), tmp_path / "x.pt")
    for suffix in ("npz", "mat", "csv", "parquet", "pt"):
        content = (tmp_path / f"x.{suffix}").read_bytes()
        check(read(ARCHIVES[name](tmp_path / name, {f"deep/x.{suffix}": content})))
    idx = {
        f"raw/train-{kind}-ubyte": bytes([0, 0, 8, array.ndim])
        + np.array(array.shape, ">u4").tobytes()
        + array.astype("u1").tobytes()
        for kind, array in (("images-idx3", PIXELS), ("labels-idx1", LABELS))
    }
    check(read(ARCHIVES[name](tmp_path / name, idx)))


@pytest.mark.parametrize("name", ARCHIVES)
def test_damaged_archives_are_one_clear_error(tmp_path: Path, name: str) -> None:
    file = ARCHIVES[name](tmp_path / name, {f"{i}.png": png(PIXELS[i % 6]) for i in range(40)})
    whole = file.read_bytes()
    for cut in (10, len(whole) // 2):
        file.write_bytes(whole[:cut])
        with pytest.raises(DataError) as caught:
            read(file)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    for contents, message in (({}, "nothing"), ({"x.txt": b""}, r"\(1 \.txt\)")):
        with pytest.raises(DataError, match=message):
            read(ARCHIVES[name](tmp_path / name, contents))


def test_memory_follows_the_member_of_an_archive(tmp_path: Path) -> None:
    head = b"\x93NUMPY\1\0" + np.array([118], "<u2").tobytes()
    head += b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 1)}".ljust(117) + b"\n"
    file = as_zip(tmp_path / "a.zip", {"deep/x.npy": head + bytes(64 << 20)})
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="goes on after"):
            read(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_an_archive_of_another_method_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a/x.png", png(PIXELS[0]))
    with pytest.raises(DataError, match=r"a\.zip:a/x\.png must be stored or deflated"):
        read(tmp_path / "a.zip")


def test_a_pickle_is_not_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x80\x04\x95" + bytes(20))
    with pytest.raises(DataError, match="is a pickle, which is never opened"):
        read(tmp_path / "a.bin")


def test_dsprites(tmp_path: Path) -> None:
    values = np.arange(36.0).reshape(6, 6)
    classes = np.zeros((6, 6), np.int64)
    classes[:, 1] = LABELS
    np.savez(
        tmp_path / "dsprites.npz",
        imgs=(PIXELS > 127).astype(np.uint8),
        latents_values=values,
        latents_classes=classes,
        latents_bases=np.ones(6),
        metadata=np.array({"never": "opened"}, dtype=object),
    )
    data = read(tmp_path / "dsprites.npz")
    assert isinstance(data, ImageSet)
    assert np.array_equal(data.images[:, 0].numpy() == 255, PIXELS > 127)
    assert data.class_names == ("square", "ellipse", "heart")
    assert data.titles() == [data.class_names[label] for label in LABELS]
    assert column(data, "orientation") == [str(int(value)) for value in values[:, 3]]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("pictures", {"keys": "images=x"}, "keys is not for pictures; it changes nothing."),
        ("a.npy", {"background": "white"}, "background is not for arrays; it changes nothing."),
        ("a.npy", {"skip_broken": True}, "skip_broken is not for arrays; it changes nothing."),
        ("a.npy", {"transpose": True, "range": "0,255", "shape": "4x4"}, None),
        ("a.csv", {"keys": "labels=label", "background": "black"}, None),
    ],
)
def test_options_that_change_nothing_are_said(
    tmp_path: Path,
    name: str,
    options: dict[str, Any],
    said: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    pixel_table(NUMBERED["0"]).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "x.png").write_bytes(png(PIXELS[0]))
    read(tmp_path / name, **options)
    assert [record.getMessage() for record in caplog.records] == ([said] if said else [])


def test_mnist_heeds_nothing_of_how_files_are_read(caplog: pytest.LogCaptureFixture) -> None:
    load_data("mnist", DataConfig(transpose=True, n_train=2, n_test=2))
    assert "transpose is not for mnist; it changes nothing." in caplog.text


def test_one_idx_file_of_a_set_is_refused(tmp_path: Path) -> None:
    head = bytes([0, 0, 8, 3]) + np.array(PIXELS.shape, ">u4").tobytes()
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(head + PIXELS.tobytes())
    check(read(file), None)
    (tmp_path / "train-labels-idx1-ubyte").touch()
    with pytest.raises(DataError, match="is one of several IDX files; give their folder"):
        read(file)


def test_a_long_list_of_what_is_left_out_is_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS, **{f"extra{i:02}": LABELS for i in range(20)})
    read(tmp_path / "a.npz")
    assert caplog.text.endswith("1 array extra11 and 8 more.\n")


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("data_batch_1", b"\x80\x02}q", r"data_batch_1 is a pickle, which is never opened"),
        ("pickled", b"\x80\x05\x95" + bytes(20), r"pickled is a pickle, which is never opened"),
    ],
)  # fmt: skip
def test_what_is_never_read_is_named_in_a_folder_too(
    tmp_path: Path, name: str, start: bytes, message: str
) -> None:
    (tmp_path / "notes.md").write_text("")
    (tmp_path / name).write_bytes(start)
    with pytest.raises(DataError, match=message):
        load_data(tmp_path)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_that_would_unfold_into_far_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(bounded, "ALWAYS", 1 << 20)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(bytes(2 << 20))
    path = Path(shutil.make_archive(str(tmp_path / "b"), kind, tmp_path / "a"))
    with pytest.raises(DataError, match=r"would unfold into \d+, as no data does"):
        read(path)


def test_an_archive_inside_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("birds.zip", b"PK")
    with pytest.raises(DataError, match=r"1 \.zip.* A \.zip inside is not opened: give it by itse"):
        read(tmp_path / "a.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_file_that_a_later_one_replaces_is_counted(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"a.{kind}"
    files = [("a/1.png", png(PIXELS[0])), ("a/1.png", png(PIXELS[1])), ("b/2.png", png(PIXELS[2]))]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files:
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w") as packed:
            for name, content in files:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                packed.addfile(member, io.BytesIO(content))
    data = read(path)
    assert isinstance(data, ImageSet)
    assert np.array_equal(data.images[:, 0].numpy(), PIXELS[1:3])
    assert "left out: 1 replaced by a later one of its name" in caplog.text


def labels_of(column: list[Any], tmp_path: Path, **options: Any) -> Any:
    table = pa.table({"image": [png(pixels) for pixels in PIXELS], "label": column})
    parquet.write_table(table, tmp_path / "a.parquet")
    return read(tmp_path / "a.parquet", **options)


def test_a_label_with_fractions_is_a_column(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = labels_of([0.5, 1, 1.5, None, 2, 3], tmp_path)
    assert data.labels is None
    assert data.columns.texts("label") == ["0.5", "1", "1.5", "", "2", "3"]
    assert "label has fractions, and is a column; --label label makes a class of" in caplog.text
    assert labels_of([1.0, 0, 2, 1, 0, 2], tmp_path).titles() == TITLES


def test_the_way_out_of_a_label_with_gaps(tmp_path: Path) -> None:
    column = ["a", None, "b", "a", "b", "a"]
    with pytest.raises(DataError, match=r"1 rows have nothing in the column label; with --keys "
                       r"images=image it is a column like others, and --label label"):  # fmt: skip
        labels_of(column, tmp_path)
    data = labels_of(column, tmp_path, keys="images=image")
    assert data.labels is None
    labelled = label_by(data, "label", None)
    assert isinstance(labelled, ImageSet)
    assert labelled.titles() == ["a", "missing", "b", "a", "b", "a"]
