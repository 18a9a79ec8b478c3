"""Columns: what is known of every image, typed, and joined from files."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zscape.config import DataConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.data.columns import Columns
from zscape.data.joining import join
from zscape.errors import ConfigError, DataError

DAYS = [datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4, 5, 6)]


@pytest.fixture
def columns():
    return Columns.of(
        {
            "file_name": [f"a/{i}.png" for i in range(6)],
            "treatment": ["B", "A", None, "A", "B", "A"],
            "area": [1.5, np.nan, 3.0, 2.0, 10.0, 4.0],
            "cells": np.array([3, 1, 2, 3, 1, 2], np.uint8),
            "note": ["first", "second", "third", "", "fifth", None],
            "day": DAYS,
        }
    )


def test_kinds_are_guessed_from_the_values(columns):
    kinds = {name: columns.kind(name) for name in columns}
    assert kinds == {
        "file_name": "file",
        "treatment": "category",
        "area": "number",
        "cells": "number",
        "note": "text",
        "day": "date",
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([True, False]), "category"),
        (pd.Categorical(["x", "y"]), "category"),
        (pd.Series([1, 2], dtype="Int64"), "number"),
        (torch.tensor([0.5, 1]), "number"),
        (np.array([[1], [2]]), "number"),
        (np.array([1, 2], ">i4"), "number"),
        (np.array(["2024-01-01", "2025-01-01"], "datetime64[D]"), "date"),
        (pd.Series(["2024-01-01", None, "2024-01-01"], dtype="str"), "date"),
        (pa.array(["2024-01-01T08:00:00Z"], pa.large_string()), "date"),
        (pa.array(["one", "two"]).dictionary_encode(), "category"),
        (["one", "two"], "text"),
        (["one", "one"], "category"),
        ([None, None], "text"),
    ],
)
def test_columns_of_every_library(values, kind):
    assert Columns.of({"c": values}).kind("c") == kind


def test_a_kind_can_be_said():
    columns = Columns.of({"plate": [1, 2, 1], "when": ["2024-01-01"] * 3},
                         {"plate": "category", "when": "date"})  # fmt: skip
    assert columns.classes("plate")[1] == ("1", "2")
    assert columns.numbers("when").tolist() == [1704067200.0] * 3


def test_numbers_and_dates_are_floats_with_gaps(columns):
    assert np.array_equal(columns.numbers("area"), [1.5, np.nan, 3, 2, 10, 4], equal_nan=True)
    days = columns.numbers("day")
    assert np.diff(days).tolist() == [86400.0] * 5


def test_classes_are_in_order_and_know_their_gaps(columns):
    codes, names = columns.classes("treatment")
    assert names == ("A", "B")
    assert codes.tolist() == [1, 0, -1, 0, 1, 0]
    codes, names = columns.classes("cells")
    assert names == ("1", "2", "3")
    assert codes.tolist() == [2, 0, 1, 2, 0, 1]


def test_numbers_within_categories_are_in_order_of_size():
    wells = Columns.of({"well": ["B10", "B2", "A", "", "10", "2", "B02"] * 2})
    assert wells.classes("well")[1] == ("", "2", "10", "A", "B02", "B2", "B10")


def test_classes_of_a_subset_are_those_that_are_left(columns):
    codes, names = columns[[0, 4]].classes("treatment")
    assert (codes.tolist(), names) == ([0, 0], ("B",))


def test_bins_have_equal_shares():
    numbers = np.random.default_rng(0).lognormal(size=1000)
    codes, names = Columns.of({"x": numbers}).classes("x", bins=4)
    assert np.bincount(codes).tolist() == [250] * 4
    assert len(set(names)) == 4
    order = np.argsort(numbers)
    assert (np.diff(codes[order]) >= 0).all()


def test_bins_of_close_numbers_and_of_dates_have_names_that_differ(columns):
    close = Columns.of({"x": 1e6 + np.arange(8) / 1000})
    assert len(set(close.classes("x", bins=4)[1])) == 4
    assert columns.classes("day", bins=5)[1][0] == "2024-01-01 to 2024-01-02"


def test_arrow_not_a_number_is_missing_too():
    columns = Columns.of({"x": pa.array([2.0, float("nan"), 1.0])})
    codes, names = columns.classes("x")
    assert (codes.tolist(), names) == ([1, -1, 0], ("1", "2"))


def test_bins_leave_gaps_out(columns):
    codes, names = columns.classes("area", bins=2)
    assert codes.tolist() == [0, -1, 1, 0, 1, 1]
    assert names == ("1.5 to 3", "3 to 10")


@pytest.mark.parametrize(
    "rows", [[3, 0], np.array([3, 0]), torch.tensor([3, 0]), slice(3, 0, -3), slice(0, 2)]
)
def test_rows_stay_together(columns, rows):
    taken = columns[rows]
    expected = np.arange(6)[rows]
    assert taken.texts("file_name") == [f"a/{i}.png" for i in expected]
    assert np.array_equal(taken.numbers("area"), columns.numbers("area")[expected], equal_nan=True)


def test_a_mask_takes_rows(columns):
    mask = np.array([True, False, False, True, False, False])
    assert columns[mask].texts("note") == ["first", ""]


def test_bytes_and_back(columns):
    again = Columns.from_bytes(columns.to_bytes())
    assert again.table.equals(columns.table)
    assert [again.kind(name) for name in again] == [columns.kind(name) for name in columns]


@given(cut=st.integers(0, 1000), flip=st.integers(0, 255))
def test_damaged_bytes_are_refused_or_harmless(cut, flip):
    content = bytearray(Columns.of({"x": [1.0, 2.0], "c": ["a", "a"]}).to_bytes())
    content[cut % len(content)] ^= flip
    try:
        columns = Columns.from_bytes(bytes(content[: len(content) - cut // 10]))
    except DataError:
        return
    for name in columns:
        columns.texts(name)


def test_to_frame(columns):
    frame = columns.to_frame()
    assert list(frame) == list(columns)
    assert frame["treatment"].dtype == "category"
    assert frame["day"].iloc[5] == pd.Timestamp("2024-01-06")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda c: Columns.of({"a": [1, 2], "b": [1]}), "one length"),
        (lambda c: Columns.of({"a": [1, "x"]}), "'a' cannot be read"),
        (
            lambda c: Columns.of({"a": ["x", "y"]}, {"a": "number"}),
            "'a' cannot be read as a number",
        ),
        (lambda c: c.numbers("treatment"), "is a category; a column of numbers is needed"),
        (lambda c: c.numbers("size"), "no column 'size'; there are: file_name, treatment"),
        (lambda c: c.numbers("empty"), "no column 'empty'"),
        (lambda c: Columns.of({"e": [None, None]}).classes("e"), "no value in any of its 2 rows"),
        (lambda c: Columns.of({"x": np.arange(1001)}).classes("x"), "at most 1000"),
        (lambda c: Columns.of({"x": np.ones(9)}).classes("x", bins=3), "too few distinct values"),
        (lambda c: c.joined(c), "there is a column 'area' already"),
        (lambda c: c.joined(c[:3]), "6 images need as many rows"),
        (lambda c: Columns.from_bytes(b"nothing"), "these are no columns"),
        (lambda c: Columns.from_bytes(pa_bytes(pa.table({"x": [1]}))), "these are no columns"),
    ],
)
def test_refusals(columns, make, message):
    with pytest.raises(DataError, match=message):
        make(columns)


def pa_bytes(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("bins", [1, 0, -3])
def test_bins_are_two_or_more(columns, bins):
    with pytest.raises(ConfigError, match="2 or more"):
        columns.classes("area", bins=bins)


def test_text_cannot_be_binned(columns):
    with pytest.raises(ConfigError, match="only numbers can be binned"):
        columns.classes("treatment", bins=2)


# Joining


@pytest.fixture
def files():
    return Columns.of({"file_name": ["d1/a.png", "d1/b.png", "d2/c.png"]})


@pytest.mark.parametrize("keys", [["d1/a.png", "d1/b.png"], ["a.png", "b.png"], ["a", "b"],
                                  ["d1\\a.png", "d1\\b.png"]])  # fmt: skip
def test_join_by_file_name_with_or_without_folders_and_endings(files, tmp_path, keys, caplog):
    path = tmp_path / "t.csv"
    pd.DataFrame({"file_name": [*keys, "z.png"], "area": [1.5, 2.5, 9]}).to_csv(path, index=False)
    columns = join(files, 3, path)
    assert np.array_equal(columns.numbers("area"), [1.5, 2.5, np.nan], equal_nan=True)
    assert "2 of 3 images have a row; without one: " in caplog.text
    assert "1 rows are of no image: z" in caplog.text


@pytest.mark.parametrize("name", ["file_name", "id"])
def test_names_of_figures_keep_their_zeros(name, tmp_path):
    numbered = Columns.of({"file_name": [f"d/{i:04}.png" for i in range(12)]})
    frame = pd.DataFrame({name: [f"{i:04}" for i in range(12)], "a": range(12)})
    frame.iloc[::-1].to_csv(tmp_path / "t.csv", index=False)
    assert join(numbered, 12, tmp_path / "t.csv").numbers("a").tolist() == list(range(12))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_columns(files, tmp_path, ending, caplog):
    frame = pd.DataFrame(
        {
            "area": [1.5, None, 3.0],
            "kind": ["x", "x", None],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
        }
    )
    path = tmp_path / f"t.{ending}"
    {
        "csv": lambda: frame.to_csv(path, index=False),
        "tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True, date_format="iso"),
        "parquet": lambda: frame.to_parquet(path),
    }[ending]()
    with caplog.at_level("INFO", "zscape"):
        columns = join(files, 3, path)
    assert [columns.kind(name) for name in columns] == ["file", "number", "category", "date"]
    assert columns.texts("kind") == ["x", "x", ""]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "names no files: its rows are taken line by line, the first for" in caplog.messages[0]
    assert caplog.messages[1].endswith("3 of 3 images have a row.")
    caplog.clear()
    join(files, 3, path, "row")  # as one says
    assert not caplog.messages


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_of_another_name_that_names_the_files(files, tmp_path, ending, caplog):
    """As CellProfiler and Hugging Face write them: joined by it, never line by line."""
    names = [Path(name).stem for name in files.texts("file_name")]
    frame = pd.DataFrame({"Well": ["A1", "A1", "A2"], "Image_FileName": names, "area": [1, 2, 3]})
    path = tmp_path / f"t.{ending}"
    frame = frame.iloc[::-1]
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    for on in (None, "file_name"):
        columns = join(files, 3, path, on)
        assert columns.names == ("file_name", "Well", "area")
        assert columns.numbers("area").tolist() == [1, 2, 3]
        assert "its column Image_FileName names the files" in caplog.text
    # One name twice is no key.
    frame.assign(Image_FileName=names[0]).to_csv(tmp_path / "u.csv", index=False)
    assert "Image_FileName" in join(files, 3, tmp_path / "u.csv")
    assert "u.csv names no files: its rows are taken line by line" in caplog.text


def test_semicolons(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1;x, y\n2;x, y\n")
    columns = join(None, 2, tmp_path / "t.csv")
    assert (columns.numbers("a").tolist(), columns.texts("b")) == ([1, 2], ["x, y"] * 2)


def test_columns_that_can_be_none_are_said(files, tmp_path, caplog):
    names = files.texts("file_name")
    frame = pd.DataFrame({"file_name": names, "area": 1, "box": [[1, 2]] * 3, "raw": [b"x"] * 3})
    frame.to_parquet(tmp_path / "t.parquet")
    assert join(files, 3, tmp_path / "t.parquet").names == ("file_name", "area")
    assert "t.parquet: left out: 1 column box, 1 column raw." in caplog.text


def test_join_by_a_row_number_that_the_file_has(tmp_path, caplog):
    (tmp_path / "t.csv").write_text("row,a\n2,20\n0,0\n")
    columns = join(None, 3, tmp_path / "t.csv")
    assert np.array_equal(columns.numbers("a"), [0, np.nan, 20], equal_nan=True)
    assert "without one: 1" in caplog.text


@pytest.mark.parametrize(
    ("text", "on", "message"),
    [
        ("file_name,a\nd1/a.png,1\nd1/a.png,2\n", None, "'d1/a.png' more than once"),
        ("file_name,a\nq.png,1\n", None, "no row of .* matches an image: its file_name is q"),
        ("file_name,file_name\na,1\n", None, "two columns called 'file_name'"),
        ("a\n1\n", "file_name", "t.csv has no file_name to join on"),
        ("a\n1\n", None, "has 1 rows for 3 images"),
        ("a,b\n", None, "has no rows"),
        ("a,b\n1\n", None, "could not be read"),
        ("", None, "could not be read"),
        ("row,a\n7,1\n", None, "no row of .* matches"),
        ("a\n1\n2\n3\n", "name", "joined on file_name or row; got 'name'"),
    ],
)
def test_joins_that_are_refused(files, tmp_path, text, on, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        join(files, 3, tmp_path / "t.csv", on)


def test_files_that_are_no_tables(files, tmp_path):
    with pytest.raises(DataError, match="no file"):
        join(files, 3, tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"ends in \.csv"):
        join(files, 3, tmp_path / "t.xlsx")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="could not be read"):
        join(files, 3, tmp_path / "t.parquet")


# In image sets


def pictures(n, seed=0):
    return torch.randint(
        0, 256, (n, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


@pytest.fixture
def plates():
    """Sixty pictures of twelve plates, the plate's number being the first pixel too."""
    images = pictures(60)
    plate = np.arange(60) % 12
    images[:, 0, 0, 0] = torch.from_numpy(plate)
    return ImageSet(images, columns={"plate": [f"p{k}" for k in plate], "first": plate})


def test_an_image_set_takes_a_mapping_or_a_pandas_table():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    for known in (frame, dict(frame), Columns.of(dict(frame))):
        assert list(ImageSet(pictures(2), columns=known).columns) == ["a", "b"]
    assert ImageSet(pictures(2), columns={}).columns is None
    with pytest.raises(DataError, match="2 train images need as many rows of columns; got 3"):
        ImageSet(pictures(2), columns={"a": [1, 2, 3]})


def test_columns_do_not_change_which_images_they_are(plates):
    assert plates.fingerprint == ImageSet(plates.images).fingerprint


def test_every_way_of_taking_images_takes_their_rows(plates):
    splits = load_data(plates, DataConfig(n_train=30, resize=4, binarize="threshold"))
    for half in (splits.train, splits.test, plates.to("cpu")):
        # Binarised pixels have lost the number: the row is found by the picture.
        rows = [
            next(
                i for i in range(60) if torch.equal(like(plates[[i]], half), half.images[k : k + 1])
            )
            for k in range(len(half))
        ]
        assert half.columns.texts("plate") == [f"p{row % 12}" for row in rows]


def like(one, half):
    is_binary = half.images.unique().numel() == 2
    return (one.binarized() if is_binary else one).images


def test_whole_groups_are_held_out(plates):
    splits = load_data(plates, DataConfig(split_by="plate"), seed=1)
    train, test = (set(half.columns.texts("plate")) for half in splits)
    assert train.isdisjoint(test)
    assert len(train | test) == 12
    again = load_data(plates[torch.arange(59).flip(0)], DataConfig(split_by="plate"), seed=1)
    assert set(again.test.columns.texts("plate")) == test


@pytest.mark.parametrize("text", [True, False])
def test_groups_may_be_thousands(text):
    numbers = np.arange(2400) // 2
    values = [f"p{k}" for k in numbers] if text else numbers
    many = ImageSet(pictures(2400), columns={"patient": values})
    splits = load_data(many, DataConfig(split_by="patient"))
    train, test = (set(half.columns.texts("patient")) for half in splits)
    assert train.isdisjoint(test)
    assert 100 < len(test) < 300


def test_a_class_whose_groups_are_all_held_out_is_said(plates, caplog):
    """Nothing else would say that the model has never seen it."""
    load_data(plates, DataConfig(split_by="plate"))
    assert not caplog.messages
    load_data(plates, DataConfig(split_by="plate", label="plate"))
    assert "no image to train on is of class p" in caplog.text


def test_a_column_that_says_the_split_is_believed(plates, caplog):
    words = ["Training", "validation"] * 30
    known = plates.columns.joined(Columns.of({"part": words}))
    splits = load_data(replace(plates, columns=known), DataConfig(split_by="part"))
    assert set(splits.train.columns.texts("part")) == {"Training"}
    assert len(splits.test) == 30
    words[:10] = ["test"] * 10
    known = plates.columns.joined(Columns.of({"part": words}))
    splits = load_data(replace(plates, columns=known), DataConfig(split_by="part"))
    assert (len(splits.train), len(splits.test)) == (25, 10)
    assert "left out: 25 images whose part is val" in caplog.text


def test_a_column_becomes_the_class(plates):
    splits = load_data(plates, DataConfig(label="plate"))
    assert splits.train.class_names == tuple(f"p{k}" for k in range(12))
    assert splits.test.titles() == splits.test.columns.texts("plate")
    binned = load_data(plates, DataConfig(label="first", bins=3)).train
    assert binned.class_names == ("0 to 3.67", "3.67 to 7.33", "7.33 to 11")
    numbers = binned.columns.numbers("first")
    assert [numbers[binned.labels == k].max() for k in range(3)] == [3, 7, 11]


def test_an_image_without_a_label_is_of_the_class_missing(plates):
    words = [None, "a", "b"] * 20
    labelled = load_data(replace(plates, columns={"kind": words}), DataConfig(label="kind"))
    assert labelled.train.class_names == ("a", "b", "missing")
    counts = [half.class_counts() for half in labelled]
    assert sum(count["missing"] for count in counts) == 20


def test_a_file_is_joined_to_both_splits_of_a_source(tmp_path):
    splits = Splits(ImageSet(pictures(4)), ImageSet(pictures(2, 1), split="test"))
    pd.DataFrame({"size": [10, 11, 12, 13, 20, 21]}).to_csv(tmp_path / "t.csv", index=False)
    joined = load_data(splits, DataConfig(columns=str(tmp_path / "t.csv")))
    assert joined.train.columns.numbers("size").tolist() == [10, 11, 12, 13]
    assert joined.test.columns.numbers("size").tolist() == [20, 21]
    binned = load_data(splits, DataConfig(columns=str(tmp_path / "t.csv"), label="size", bins=2))
    assert binned.train.class_names == binned.test.class_names
    assert binned.test.labels.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"label": "size"}, DataError, "no column 'size'; there are: plate, first"),
        ({"split_by": "size"}, DataError, "no column 'size'"),
        ({"label": "plate", "bins": 3}, ConfigError, "only numbers can be binned"),
        ({"columns": "nowhere.csv"}, DataError, "no file"),
    ],
)
def test_what_cannot_be_done_with_columns(plates, config, error, message):
    with pytest.raises(error, match=message):
        load_data(plates, DataConfig(**config))


def test_without_columns_there_is_nothing_to_ask(plates):
    bare = ImageSet(plates.images)
    for option in ("label", "split_by"):
        with pytest.raises(DataError, match="has no columns"):
            load_data(bare, DataConfig(**{option: "plate"}))
    with pytest.raises(ConfigError, match="has a test split"):
        load_data(Splits(plates, plates), DataConfig(split_by="plate"))
    one = replace(plates, columns={"plate": ["p"] * 60})
    with pytest.raises(DataError, match="single value of 'plate'"):
        load_data(one, DataConfig(split_by="plate"))


def test_dates_of_any_century_and_numbers_beyond_2_to_53_are_numbers():
    """Dates are counted in microseconds: those before 1684 and after 2255 are beyond it too."""
    days = [datetime.datetime(1500, 1, 1), datetime.datetime(3000, 1, 1), None]
    columns = Columns.of({"day": days, "patient": [2**60 + 1, 7, None]})
    seconds = columns.numbers("day")
    assert seconds[:2].tolist() == [
        day.replace(tzinfo=datetime.UTC).timestamp() for day in days[:2]
    ]
    assert columns.numbers("patient")[:2].tolist() == [float(2**60), 7.0]
    assert columns.texts("day") == ["1500-01-01 00:00:00", "3000-01-01 00:00:00", ""]
    assert columns.to_frame()["day"].dt.year[:2].tolist() == [1500, 3000]
