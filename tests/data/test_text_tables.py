"""Tables as spreadsheets and people write them, held to what they say."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from zscape.data.columns import Columns
from zscape.data.imageset import ImageSet
from zscape.data.joining import join, label_by
from zscape.data.tables import read_table
from zscape.errors import DataError

N = 6
ROWS = {"file_name": [f"ä {i}.png" for i in range(N)], "area µm": [i / 4 for i in range(N)]}
FRAME = pd.DataFrame(ROWS)


@pytest.fixture
def files() -> Columns:
    return Columns.of({"file_name": ROWS["file_name"]})


WAYS = {
    "UTF-8 with a mark": {"encoding": "utf-8-sig"},
    "UTF-16": {"encoding": "utf-16", "sep": "\t"},
    "UTF-16, big endian": {"encoding": "utf-16-be"},
    "old Macs": {"lineterminator": "\r"},
    "semicolons": {"sep": ";"},
    "everything quoted": {"quoting": 1},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_of_any_spreadsheet(way: str, files: Columns, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, index=False, **WAYS[way])
    if way == "UTF-16, big endian":
        path.write_bytes(b"\xfe\xff" + path.read_bytes())
    joined = join(files, N, path)
    assert joined.names == ("file_name", "area µm")
    assert joined.numbers("area µm").tolist() == ROWS["area µm"]


def test_commas_in_a_quoted_name_are_no_delimiters(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('file_name;"size, shape, and so on"\na;1\nb;2\n')
    assert read_table(tmp_path / "t.csv").column_names == ["file_name", "size, shape, and so on"]


def test_blanks_around_the_names_of_columns_and_what_excel_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\nfile_name ; area\na;1\n0012;2\n")
    table = read_table(tmp_path / "t.csv")
    assert table.to_pydict() == {"file_name": ["a", "0012"], "area": [1, 2]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            "a,note\n1,Zürich\n".encode("latin-1"),
            "column note is not in UTF-8; save it so",
        ),
        ("t.csv", "a,größe\n1,2\n".encode("latin-1"), "its text is not in UTF-8; save it so"),
        ("t.csv", "a,b\n1,2\n".encode("utf-16-le"), "its text is not in UTF-8; save it so"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", r"Row #3: Expected 2 columns, got 3.*commas between them"),
        ("t.csv", b"a|b\n1|2,5\n", r"Row #2: Expected 1 columns, got 2.*commas between them"),
        ("t.csv", b"a,b,a\n1,2,3\n", "two columns called 'a'; rename one, or take it out"),
        ("t.csv", b"a,,\n1,2,3\n", "two columns without a name"),
        ("t.jsonl", b'[{"a": 1},\n{"a": 2}]', "an array; write an object on every line"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_numbers_too_long_for_64_bits_are_names(tmp_path: Path) -> None:
    """As numbers they would all be the same."""
    long = [str(10**25 + i) for i in range(3)]
    frame = pd.DataFrame({"barcode": long, "area": [1e300, 0.5, 2]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv")
    assert table.column("barcode").to_pylist() == long
    assert table.column("area").to_pylist() == [1e300, 0.5, 2]


def test_a_row_of_json_may_be_long(tmp_path: Path) -> None:
    line = json.dumps({"pixels": [0.123456789] * 200_000})
    (tmp_path / "t.jsonl").write_text(line + "\n" + line)
    assert len(read_table(tmp_path / "t.jsonl")) == 2


# Joined


def test_the_numbers_that_pandas_writes_first_are_left_out(
    files: Columns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    FRAME.to_csv(tmp_path / "t.csv")
    assert join(files, N, tmp_path / "t.csv").names == ("file_name", "area µm")
    assert "left out: 1 column without a name" in caplog.text


def test_a_column_without_a_name_may_name_the_files(
    files: Columns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    FRAME.iloc[::-1].set_index("file_name").rename_axis(None).to_csv(tmp_path / "t.csv")
    found = join(files, N, tmp_path / "t.csv")
    assert found.numbers("area µm").tolist() == ROWS["area µm"]
    assert "its column without a name names the files" in caplog.text


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_macs_write_umlauts_as_two_letters(form: str, tmp_path: Path) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    known = Columns.of(
        {"file_name": [unicodedata.normalize(form, n) for n in ROWS["file_name"]]}  # type: ignore[arg-type]
    )
    names = [f" {unicodedata.normalize(other, str(n))}" for n in ROWS["file_name"]]
    FRAME.assign(file_name=names).iloc[::-1].to_csv(tmp_path / "t.csv", index=False)
    found = join(known, N, tmp_path / "t.csv")
    assert found.numbers("area µm").tolist() == ROWS["area µm"]


def test_rows_that_name_no_image_are_counted(
    files: Columns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    FRAME.assign(file_name=[*ROWS["file_name"][:4], None, None]).to_csv(
        tmp_path / "t.csv", index=False
    )
    found = join(files, N, tmp_path / "t.csv").numbers("area µm")
    assert np.array_equal(found, [*ROWS["area µm"][:4], np.nan, np.nan], equal_nan=True)
    assert "4 of 6 images have a row; without one: ä 4.png, ä 5.png; 2 rows have no file_name." in (
        caplog.text
    )


def test_rows_that_are_counted_from_one_are_refused(tmp_path: Path) -> None:
    """Or every image would have the values of another, but one."""
    pd.DataFrame({"row": range(1, N + 1), "a": 1}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="counts the images from 1 to 6 in its column row; count "):
        join(None, N, tmp_path / "t.csv")


def test_the_time_of_day_is_text_and_zones_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame({"at": ["08:15:00", "09:00:00"], "when": "2026-03-01T08:00:00+02:00"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = join(None, 2, tmp_path / "t.csv")
    assert found.texts("at") == ["08:15:00", "09:00:00"]
    assert found.texts("when") == ["2026-03-01 06:00:00"] * 2
    assert "column when: times with a time zone are kept in UTC" in caplog.text


def test_a_class_may_be_called_missing() -> None:
    columns = {"dye": ["red", "missing", None, "red", "missing", "red"]}
    images = ImageSet(torch.zeros(N, 1, 4, 4, dtype=torch.uint8), columns=columns)
    found = label_by(images, "dye", None)
    assert isinstance(found, ImageSet)
    assert found.titles() == ["red", "missing", "missing", "red", "missing", "red"]
    assert set(found.class_names) == {"red", "missing"}
