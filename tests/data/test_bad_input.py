"""Every container of the table in docs/data.md, damaged: one sentence that names it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.test_table import WRITERS, flat, options_of, save_classes
from zscape.config import DataConfig
from zscape.data import load_data
from zscape.errors import ConfigError, DataError

PICTURED = ("pictures in a folder per class", "pictures without classes", "16-bit grey pictures",
            "folders `train` and `test`", "pictures and a table of them")  # fmt: skip


def one_sentence(error: Exception) -> bool:
    text = str(error)
    return (
        "\n" not in text and len(text) < 500 and "<_io" not in text and " object at 0x" not in text
    )


@pytest.mark.parametrize("have", WRITERS)
@pytest.mark.parametrize("share", [0, 0.05, 0.3, 0.5, 0.7, 0.9, 0.995])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_container_that_is_cut_short(have: str, share: float, tmp_path: Path) -> None:
    name, config = options_of(have)
    WRITERS[have](tmp_path / name)
    at = tmp_path / name
    files = [at] if at.is_file() else sorted(file for file in at.rglob("*") if file.is_file())
    content = files[0].read_bytes()
    end = int(len(content) * share)
    if have == "FER2013":  # a table may end after any of its rows
        end = content.rfind(b" ", 0, end) if end else 0
    elif share == 0.995 and files[0].suffix == ".csv":
        pytest.skip("nothing tells a shorter last number")
    elif share > 0.7 and files[0].suffix in (".tar", ".tif"):
        end = int(len(content.rstrip(b"\0")) * share)  # what follows is padding
    files[0].write_bytes(content[:end])
    with pytest.raises(DataError) as caught:
        load_data(at, config)
    assert one_sentence(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("have", WRITERS)
def test_a_container_of_nothing(have: str, tmp_path: Path) -> None:
    """An empty folder, or an empty file, of its name."""
    name, config = options_of(have)
    at = tmp_path / name
    at.mkdir() if "." not in name else at.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_data(at, config)
    assert one_sentence(caught.value)


@pytest.mark.parametrize("have", PICTURED)
def test_one_picture_of_another_size_or_unreadable(
    have: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name, config = options_of(have)
    WRITERS[have](tmp_path / name)
    at = tmp_path / name
    victim = sorted(f for f in at.rglob("*") if f.suffix in (".png", ".tif"))[0]
    Image.new("L", (5, 9)).save(victim)
    with pytest.raises(DataError, match=r"must have one size: .*--resize") as caught:
        load_data(at, config)
    assert one_sentence(caught.value)
    victim.write_bytes(b"no picture")
    with pytest.raises(DataError, match=re.escape(victim.name)) as caught:
        load_data(at, config)
    assert one_sentence(caught.value)
    splits = load_data(at, config.replace(skip_broken=True))
    assert sum(map(len, splits)) in (11, 23)
    assert victim.name in caplog.text
    assert "1 broken" in caplog.text


def test_pictures_all_broken(tmp_path: Path) -> None:
    flat(tmp_path / "x")
    for file in (tmp_path / "x").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"and all other pictures are broken\."):
        load_data(tmp_path / "x", DataConfig(skip_broken=True))


def test_a_table_that_names_a_file_that_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    WRITERS["a table of file names"](tmp_path / "list.csv")
    (tmp_path / "birds" / "class0" / "0.png").unlink()
    with pytest.raises(DataError, match=r"names birds/class0/0.png, but there is no such file"):
        load_data(tmp_path / "list.csv")
    splits = load_data(tmp_path / "list.csv", DataConfig(skip_broken=True))
    assert sum(map(len, splits)) == 11
    assert "1 broken" in caplog.text


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"file_name": ["a", "b"], "area": [1, 2]}, {}, r"None of|no row|match"),
        ({"row": [100, 101], "area": [1, 2]}, {}, r"."),
        ({"file_name": [f"{i}.png" for i in range(12)], "area": [None] * 12},
         {"label": "area"}, r"no value in any"),
        ({"file_name": [f"{i}.png" for i in range(12)], "area": [None] * 12},
         {"split_by": "area"}, r"single value|no value in any"),
        ({"file_name": [f"{i}.png" for i in range(12)], "area": range(12)},
         {"label": "size"}, r"no column 'size'"),
    ],
    ids=["nothing matches by name", "nothing matches by row", "label all missing",
         "split by all missing", "no such column"],
)  # fmt: skip
def test_columns_that_say_nothing(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    save_classes(tmp_path / "birds")
    pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    config = DataConfig(columns=str(tmp_path / "t.csv"), **options)
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        load_data(tmp_path / "birds", config)
    assert one_sentence(caught.value)


def test_two_channels_where_three_were_said(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((9, 2, 8, 8), np.uint8))
    with pytest.raises(DataError, match=r"does not hold pictures of 3 x 8 x 8"):
        load_data(tmp_path / "x.npy", DataConfig(shape="3x8x8"))
