"""What lies beside pictures and says more of them; pictures that are broken."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.data.containers import read_path
from zscape.errors import DataError

Save = Callable[..., Path]


def read(path: Path, **options: Any) -> Splits | ImageSet:
    return read_path(path, DataConfig(**options))


def column(data: Splits | ImageSet, name: str) -> list[str]:
    assert isinstance(data, ImageSet)
    assert data.columns is not None
    return data.columns.texts(name)


TABLE = pd.DataFrame(
    {"file_name": ["b.png", "a.png"], "label": ["dog", "cat"], "area": [2, 1], "dose": ["x", "y"]}
)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_beside_the_pictures(
    tmp_path: Path, save_picture: Save, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / f"metadata.{suffix}"
    match suffix:
        case "csv":
            TABLE.to_csv(file, index=False)
        case "jsonl":
            TABLE.to_json(file, orient="records", lines=True)
        case _:
            TABLE.to_parquet(file)
    save_picture(tmp_path / "a.png", color=1)
    save_picture(tmp_path / "b.png", color=2)
    data = read(tmp_path)
    assert isinstance(data, ImageSet)
    assert data.titles() == ["cat", "dog"]
    assert column(data, "area") == ["1", "2"]
    assert column(data, "dose") == ["y", "x"]
    assert column(data, "file_name") == ["a.png", "b.png"]
    assert not caplog.records

    save_picture(tmp_path / "c.png", color=3)
    data = read(tmp_path)
    assert isinstance(data, ImageSet)
    assert not data.has_labels
    assert column(data, "label") == ["cat", "dog", ""]
    assert "left out: 1 without metadata" in caplog.text


def test_tables_of_splits_name_files_from_where_they_are(
    tmp_path: Path, save_picture: Save
) -> None:
    for split in ("train", "test"):
        for name in ("a.png", "b.png"):
            save_picture(tmp_path / split / name)
        TABLE.to_csv(tmp_path / split / "metadata.csv", index=False)
    data = read(tmp_path)
    assert isinstance(data, Splits)
    assert data.train.titles() == data.test.titles() == ["cat", "dog"]


def test_class_folders_win_over_a_column_called_label(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "cats" / "a.png")
    save_picture(tmp_path / "dogs" / "b.png")
    table = TABLE.assign(file_name=["dogs/b.png", "cats/a.png"])
    table.to_csv(tmp_path / "metadata.csv", index=False)
    data = read(tmp_path)
    assert isinstance(data, ImageSet)
    assert data.titles() == ["cats", "dogs"]
    assert column(data, "label") == ["cat", "dog"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,area\na.png,1\n", "has no column file_name .*; it has name, area"),
        ("file_name,area\na.png,1\na.png,2\n", "has a row for a.png more than once"),
        ("file_name,area\na.png,1\n,2\n", r"metadata.csv has a row without a file_name"),
        ("file_name,area\na.png\n", r"metadata.csv could not be read as a table"),
    ],
)
def test_tables_that_say_nothing(
    tmp_path: Path, save_picture: Save, table: str, message: str
) -> None:
    save_picture(tmp_path / "a.png")
    (tmp_path / "metadata.csv").write_text(table)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_nested_file_names_are_none(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "a.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": ["a.png"], "area": 1}\n')
    with pytest.raises(DataError, match=r"metadata\.jsonl has a row without a file_name"):
        read(tmp_path)


def test_a_row_of_a_picture_that_is_not_there_is_named(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    """Or a folder put elsewhere would leave pictures without what is known of them."""
    save_picture(tmp_path / "a.png")
    TABLE.to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(DataError, match=r"metadata\.csv names b\.png, but there is no such pict"):
        read(tmp_path)
    data = read(tmp_path, skip_broken=True)
    assert column(data, "area") == ["1"]
    assert "left out: 1 broken" in caplog.text


def test_a_row_of_a_picture_that_is_left_out_is_no_error(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{split}/a.png" for split in ("train", "test", "val")]
    for name in names:
        save_picture(tmp_path / name)
    table = pd.DataFrame({"file_name": names, "label": ["x", "y", "z"]})
    table.to_csv(tmp_path / "metadata.csv", index=False)
    splits = read(tmp_path)
    assert isinstance(splits, Splits)
    assert [splits.train.titles(), splits.test.titles()] == [["x"], ["y"]]
    assert caplog.messages == [f"{tmp_path}: left out: 1 in val/."]


def test_values_that_are_no_column_are_said(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    """As sets for detection have them, beside every picture or for all."""
    save_picture(tmp_path / "a.png")
    rows = [{"file_name": "a.png", "area": 1, "objects": {"box": [[1, 2, 3, 4]]}, "path": [1]}]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert column(read(tmp_path), "area") == ["1"]
    assert "left out: 1 column objects, 1 column path." in caplog.text


def write_shard(file: Path, numbers: range, **more: str) -> None:
    file.parent.mkdir(exist_ok=True)
    with tarfile.open(file, "w") as archive:
        for number in numbers:
            picture = io.BytesIO()
            Image.new("L", (4, 4), number).save(picture, "PNG")
            contents = {
                "png": picture.getvalue(),
                "cls": str(number % 3).encode(),
                "json": json.dumps({"area": number / 2, "box": [1, 2]}).encode(),
            } | {suffix: text.encode() for suffix, text in more.items()}
            for suffix, content in contents.items():
                info = tarfile.TarInfo(f"{number % 10:04}.{suffix}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


def test_shards_of_webdataset(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_shard(tmp_path / "set" / "train-000.tar", range(4))
    write_shard(tmp_path / "set" / "train-001.tar", range(10, 13))  # the same names inside
    write_shard(tmp_path / "set" / "test-000.tar", range(2))
    data = read(tmp_path / "set")
    assert isinstance(data, Splits)
    assert data.train.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 10, 11, 12]
    assert data.train.titles() == ["0", "1", "2", "0", "1", "2", "0"]
    assert column(data.train, "area") == ["0", "0.5", "1", "1.5", "5", "5.5", "6"]
    assert data.test.titles() == ["0", "1"]
    assert caplog.messages == [f"{tmp_path / 'set'}: left out: 9 nested box in .json."]
    (tmp_path / "set" / "train-000.tar").rename(tmp_path / "set" / "v1.5-train-000.tar")
    again = read(tmp_path / "set")  # whatever dots are in the names of shards
    assert isinstance(again, Splits)
    assert again.train.titles() == ["1", "2", "0", "0", "1", "2", "0"]
    alone = read(tmp_path / "set" / "train-001.tar")
    assert isinstance(alone, ImageSet)
    assert alone.titles() == ["1", "2", "0"]
    write_shard(tmp_path / "bad.tar", range(2), json="{")
    with pytest.raises(DataError, match=r"bad\.tar:0000\.json is not JSON"):
        read(tmp_path / "bad.tar")


def test_broken_pictures_are_named_or_left_out_if_one_says_so(
    tmp_path: Path, save_picture: Save, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b", "c"):
        save_picture(tmp_path / f"{name}.png", color=ord(name))
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:40])
    with pytest.raises(DataError, match=r"b\.png could not be read as a picture"):
        read(tmp_path)
    data = read(tmp_path, skip_broken=True)
    assert isinstance(data, ImageSet)
    assert data.images[:, 0, 0, 0].tolist() == [ord("a"), ord("c")]
    assert column(data, "file_name") == ["a.png", "c.png"]
    assert "b.png could not be read" in caplog.text
    assert "left out: 1 broken" in caplog.text
    (rows := tmp_path / "t.csv").write_text("row,area\n0,1\n1,2\n2,3\n")
    with pytest.raises(DataError, match=r"skip_broken may leave some out.*a column file_name"):
        load_data(tmp_path, DataConfig(skip_broken=True, columns=str(rows)))  # c would be b
    for name in ("a", "c"):
        (tmp_path / f"{name}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.png and all other pictures are broken"):
        read(tmp_path, skip_broken=True)

    table = pd.DataFrame({"image": [whole, b"", None], "label": [1, 2, 3], "area": [4, 5, 6]})
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1 rows have nothing in image"):
        read(tmp_path / "a.parquet")
    data = read(tmp_path / "a.parquet", skip_broken=True)
    assert isinstance(data, ImageSet)
    assert data.titles() == ["1"]
    assert column(data, "area") == ["4"]


def test_tables_of_file_names(tmp_path: Path, save_picture: Save) -> None:
    """A table that is given by itself finds its pictures beside it, and nowhere else."""
    save_picture(tmp_path / "set" / "pictures" / "a.png", color=1)
    save_picture(tmp_path / "b.png", color=2)
    file = tmp_path / "set" / "list.csv"
    file.write_text("image,label\npictures/a.png,cat\n")
    data = read(file)
    assert isinstance(data, ImageSet)
    assert (data.titles(), data.images[0, 0, 0, 0].item()) == (["cat"], 1)
    for outside in ("../b.png", str(tmp_path / "b.png"), "pictures/none.png"):
        file.write_text(f"image,label\n{outside},cat\n")
        with pytest.raises(DataError, match="but there is no such file beside it"):
            read(file)
    assert np.array_equal(data.images[0, 0].numpy(), np.ones((5, 6)))
