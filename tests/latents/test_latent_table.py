from __future__ import annotations

import io
import json
import random
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import LatentTable

FORMATS = ["npz", "parquet"]


def assert_same(a: LatentTable, b: LatentTable) -> None:
    for mine, theirs in ((a.mu, b.mu), (a.logvar, b.logvar), (a.indices, b.indices)):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    assert (a.labels is None) == (b.labels is None)
    if a.labels is not None:
        np.testing.assert_array_equal(a.labels, b.labels)
    for field in ("class_names", "split", "name", "fingerprint"):
        assert getattr(a, field) == getattr(b, field)


def without_labels(table: LatentTable) -> LatentTable:
    return replace(table, labels=None, class_names=())


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"mu": np.zeros((6, 3), np.float32)}, ShapeError, r"got logvar as float32 \(6, 2\)"),
        ({"mu": np.zeros((6, 2))}, ShapeError, r"got mu as float64 \(6, 2\)"),
        ({"mu": np.zeros(6, np.float32)}, ShapeError, r"got mu as float32 \(6,\)"),
        ({"logvar": np.zeros((5, 2), np.float32)}, ShapeError, r"got logvar as float32 \(5, 2\)"),
        ({"mu": np.zeros((0, 2), np.float32)}, DataError, "at least one row"),
        ({"mu": np.zeros((6, 0), np.float32)}, DataError, "at least one row"),
        (
            {"mu": np.array([[0, 0]] * 3 + [[0, np.nan]] * 3, np.float32)},
            DataError,
            r"^square: mu must be finite, but is not in 3 of 6 rows, the first being 3; ",
        ),
        ({"logvar": np.full((6, 2), np.inf, np.float32)}, DataError, "logvar must be finite"),
        ({"labels": np.zeros(5, int)}, ShapeError, r"labels must be int64 \(6,\).* int64 \(5,\)"),
        ({"labels": np.zeros(6)}, ShapeError, "labels must be int64"),
        ({"labels": np.array([0, 1, 2, 3, 0, 0])}, DataError, r"in \[0, 2\].* from 0 to 3"),
        ({"labels": np.array([0, 1, 2, -1, 0, 0])}, DataError, r"in \[0, 2\].* from -1 to 2"),
        ({"labels": None}, DataError, "class names but no labels"),
        ({"class_names": ()}, DataError, "labels must lie"),
        ({"class_names": ("a", "b", "a")}, DataError, "class names must differ"),
        ({"indices": np.arange(5)}, ShapeError, r"indices must be int64 \(6,\)"),
        ({"indices": np.arange(6.0)}, ShapeError, r"indices must be int64 \(6,\)"),
        ({"indices": np.arange(6) - 1}, DataError, "indices must be 0 or more; got -1"),
    ],
)
def test_what_is_not_a_table(table, changes, kind, message):
    if "mu" in changes and changes["mu"].size == 0:
        changes = {**changes, "logvar": changes["mu"]}
    with pytest.raises(kind, match=message) as caught:
        replace(table, **changes)
    assert str(caught.value).startswith("square: ")


def test_rows(table):
    assert len(table) == 6
    assert table.latent_dim == 2
    assert table.has_labels
    for rows in ([2, 0], np.array([2, 0]), slice(2, None, -2)):
        part = table[rows]
        assert part.mu.tolist() == [[9, 9], [0, 0]]
        assert part.indices.tolist() == [12, 10]
        assert part.labels.tolist() == [1, 0]
        assert part.fingerprint == table.fingerprint
    masked = without_labels(table)[table.labels == 1]
    assert masked.mu.tolist() == [[9, 9]]
    assert not masked.has_labels
    with pytest.raises(DataError, match="at least one row"):
        table[table.labels == 2]


def test_rows_by_class(table):
    rows = table.rows_by_class()
    assert list(rows) == ["a", "b"]
    assert rows["a"].tolist() == [0, 1, 3, 4, 5]
    assert rows["b"].tolist() == [2]
    with pytest.raises(DataError, match=r"^square has no labels, which this needs"):
        without_labels(table).rows_by_class()


def test_posterior_samples_have_the_moments_they_should(table):
    table = table[[2]]
    many = LatentTable(
        np.repeat(table.mu, 20_000, 0), np.repeat(table.logvar, 20_000, 0), None, (),
        np.zeros(20_000, np.int64),
    )  # fmt: skip
    z = many.sample(seed=0)
    assert z.shape == many.mu.shape
    assert z.dtype == np.float32
    # Standard deviation 0.5: standard errors 0.0035 and 0.0025.
    assert z.mean(0) == pytest.approx([9, 9], abs=0.015)
    assert z.std(0) == pytest.approx([0.5, 0.5], abs=0.01)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_samples_follow_the_seed(table):
    assert np.array_equal(table.sample(seed=0), table.sample(seed=0))
    assert not np.array_equal(table.sample(seed=0), table.sample(seed=1))
    assert not np.array_equal(table.sample(), table.sample())


def test_a_tidy_frame(table):
    frame = table.to_frame()
    assert list(frame) == ["class", "z0", "z1"]
    assert frame.index.name == "index"
    assert frame.index.tolist() == table.indices.tolist()
    assert frame["class"].tolist() == ["a", "a", "b", "a", "a", "a"]
    assert frame["class"].cat.categories.tolist() == ["a", "b", "empty"]
    np.testing.assert_array_equal(frame[["z0", "z1"]].to_numpy(), table.mu)
    assert list(table.to_frame(label_column="pitch")) == ["pitch", "z0", "z1"]
    assert list(without_labels(table).to_frame()) == ["z0", "z1"]
    frame.loc[10, "z0"] = 5
    assert table.mu[0, 0] == 0


def test_a_frame_of_samples(table):
    z = table.sample(seed=0)
    np.testing.assert_array_equal(table.to_frame(z)[["z0", "z1"]].to_numpy(), z)
    with pytest.raises(ShapeError, match=r"one row per image, 6; got 5\.$"):
        table.to_frame(z[:5])
    with pytest.raises(ShapeError, match="must have 2 numbers"):
        table.to_frame(z[:, :1])


def test_describe(table):
    stats = table.describe()
    assert stats.index.tolist() == ["z0", "z1"]
    assert stats.index.name == "neuron"
    mu = table.mu.astype(float)
    np.testing.assert_allclose(stats["mean"], mu.mean(0))
    np.testing.assert_allclose(stats["std"], mu.std(0, ddof=1))
    np.testing.assert_allclose(stats[["min", "50%", "max"]].T, np.quantile(mu, [0, 0.5, 1], 0))
    assert stats["count"].tolist() == [6, 6]


def test_describe_per_class(table):
    stats = table.describe(per_class=True)
    assert stats.index.names == ["class", "neuron"]
    assert stats.index.tolist() == [("a", "z0"), ("a", "z1"), ("b", "z0"), ("b", "z1")]
    assert stats["count"].tolist() == [5, 5, 1, 1]
    assert stats.loc[("a", "z0"), "mean"] == pytest.approx(1.1)
    assert stats.loc[("b", "z1"), "max"] == 9
    assert without_labels(table).describe().equals(table.describe())
    with pytest.raises(DataError, match="has no labels"):
        without_labels(table).describe(per_class=True)


@pytest.mark.parametrize("suffix", [*FORMATS, "NPZ"])
def test_files_round_trip(tmp_path, table, suffix):
    odd = replace(table, class_names=("a\0", "é, \ud800", ""), split="train", name="x\n")
    tables = [table, odd, table[[2]], without_labels(table), table[::-1]]
    for latent_dim in (1, 64):
        mu = np.random.default_rng(0).normal(size=(6, latent_dim)).astype(np.float32)
        tables.append(replace(table, mu=mu, logvar=-mu))
    for one in tables:
        file = tmp_path / f"latents.{suffix}"
        one.save(file)
        assert_same(LatentTable.load(str(file)), one)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_parquet_is_readable_by_others(tmp_path, table):
    table.save(tmp_path / "a.parquet")
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame) == ["index", "label", "z0", "z1", "logvar0", "logvar1"]
    assert frame.z1.tolist() == table.mu[:, 1].tolist()
    about = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"zscape"])
    assert about == {
        "class_names": ["a", "b", "empty"], "split": "test", "name": "square",
        "fingerprint": "0123456789abcdef",
        "data_fingerprint": "",
    }  # fmt: skip


def test_a_parquet_file_others_wrote_again(tmp_path, table):
    table.save(tmp_path / "a.parquet")
    content = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(content.select(content.column_names[::-1]), tmp_path / "b.parquet")
    assert_same(LatentTable.load(tmp_path / "b.parquet"), table)


def test_bad_paths(tmp_path, table):
    for name in ("latents", "latents.csv", "latents.npy"):
        with pytest.raises(ConfigError, match=r"is an \.npz or a \.parquet file\.$"):
            table.save(tmp_path / name)
        with pytest.raises(ConfigError, match=r"is an \.npz or a \.parquet file\.$"):
            LatentTable.load(tmp_path / name)
    for suffix in FORMATS:
        (tmp_path / f"folder.{suffix}").mkdir()
        with pytest.raises(ConfigError, match=r"^cannot write .*No such file or directory\.$"):
            table.save(tmp_path / "no" / f"a.{suffix}")
        with pytest.raises(ConfigError, match=r"^cannot write .*Is a directory\.$"):
            table.save(tmp_path / f"folder.{suffix}")
        with pytest.raises(DataError, match=r"^There is no file .*no\.(npz|parquet)\.$"):
            LatentTable.load(tmp_path / f"no.{suffix}")
        with pytest.raises(DataError, match="could not be read"):
            LatentTable.load(tmp_path / f"folder.{suffix}")
    assert {path.name for path in tmp_path.iterdir()} == {"folder.npz", "folder.parquet"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_damaged_file_is_an_error_or_unharmed(tmp_path, table, suffix):
    """One byte is wrong, or the end is missing: a DataError, or numbers that are all the same."""
    file = tmp_path / f"a.{suffix}"
    table.save(file)
    whole = file.read_bytes()
    draw = random.Random(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        if draw.random() < 0.2:
            del damaged[draw.randrange(len(whole)) :]
        else:
            damaged[draw.randrange(len(whole))] ^= draw.randrange(1, 256)
        file.write_bytes(damaged)
        try:
            loaded = LatentTable.load(file)
        except DataError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.mu, table.mu)
    assert refused > 150


ABOUT = {"class_names": ["a"], "split": "test", "name": "x", "fingerprint": ""}


def write_npz(path, **changes):
    arrays = {
        "index": np.arange(2), "mu": np.zeros((2, 2), np.float32),
        "logvar": np.zeros((2, 2), np.float32), "label": np.zeros(2, int),
        "zscape": np.array(json.dumps(ABOUT)), **changes,
    }  # fmt: skip
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_an_archive_written_by_hand_passes(tmp_path):
    write_npz(tmp_path / "a.npz")
    assert LatentTable.load(tmp_path / "a.npz").class_names == ("a",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mu": None}, r"is not a table of latents: it lacks \['mu'\]"),
        ({"zscape": None}, r"it lacks \['zscape'\]"),
        ({"mu": np.array([{}], object)}, "pickled objects, which are never read"),
        ({"mu": np.zeros((2, 2))}, "got mu as float64"),
        ({"mu": np.full((2, 2), np.nan, np.float32)}, "mu must be finite"),
        ({"mu": np.zeros((0, 2), np.float32)}, "holds no samples"),
        ({"label": np.ones(2, int)}, r"labels must lie in \[0, 0\]"),
        ({"label": np.array(["a", "a"])}, "labels must be int64"),
        ({"zscape": np.array(5)}, "does not say what its numbers are"),
        ({"zscape": np.array("[" * 50_000)}, "does not say what its numbers are"),
        ({"zscape": np.array(json.dumps([ABOUT]))}, "does not say"),
        ({"zscape": np.array(json.dumps({**ABOUT, "name": 5}))}, "does not say"),
        ({"zscape": np.array(json.dumps({**ABOUT, "class_names": [5]}))}, "does not say"),
        ({"zscape": np.array(json.dumps({**ABOUT, "class_names": 5}))}, "does not say"),
        ({"zscape": np.array(json.dumps({**ABOUT, "data_fingerprint": 5}))}, "does not say"),
        ({"zscape": np.array(json.dumps({"class_names": []}))}, "does not say"),
    ],
)
def test_archives_that_are_not_tables(tmp_path, changes, message):
    write_npz(tmp_path / "a.npz", **changes)
    with pytest.raises(DataError, match=message) as caught:
        LatentTable.load(tmp_path / "a.npz")
    assert "a.npz" in str(caught.value)


def test_an_archive_that_promises_more_than_it_holds(tmp_path):
    write_npz(tmp_path / "a.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 2)}
    )
    with (
        zipfile.ZipFile(tmp_path / "a.npz") as old,
        zipfile.ZipFile(tmp_path / "b.npz", "w") as new,
    ):
        for info in old.infolist():
            data = header.getvalue() if info.filename == "mu.npy" else old.read(info)
            new.writestr(info.filename, data)
    with pytest.raises(DataError, match="is cut short"):
        LatentTable.load(tmp_path / "b.npz")


def columns(n=2, **changes):
    zeros = pa.array(np.zeros(n, np.float32))
    index = pa.array(np.zeros(n, np.int64))
    given = {"index": index, "label": index, "z0": zeros, "logvar0": zeros, **changes}
    return {name: column for name, column in given.items() if column is not None}


@pytest.mark.parametrize(
    ("content", "about", "message"),
    [
        (columns(), ABOUT, None),
        (columns(z0=None), ABOUT, "its columns are"),
        (columns(index=None), ABOUT, "its columns are"),
        (columns(z0=None, logvar0=None), ABOUT, "its columns are"),
        (columns(z0=pa.array([0.0, 1.0])), ABOUT, "'z0': 'double'"),
        (columns(z1=pa.array(["a", "b"])), ABOUT, "'z1': 'string'"),
        (columns(z0=pa.array([None, 1], pa.float32())), ABOUT, "has gaps"),
        (columns(z0=pa.array([np.nan, 1], pa.float32())), ABOUT, "mu must be finite"),
        (columns(0), ABOUT, "at least one row"),
        (columns(), {}, "does not say what its numbers are"),
        (columns(), None, "does not say what its numbers are"),
    ],
)
def test_parquet_files_that_are_not_tables(tmp_path, content, about, message):
    metadata = None if about is None else {"zscape": json.dumps(about)}
    pq.write_table(pa.table(content).replace_schema_metadata(metadata), tmp_path / "a.parquet")
    if message is None:
        assert len(LatentTable.load(tmp_path / "a.parquet")) == 2
        return
    with pytest.raises(DataError, match=message) as caught:
        LatentTable.load(tmp_path / "a.parquet")
    assert "a.parquet" in str(caught.value)


def test_a_parquet_file_that_would_unfold_without_end(tmp_path):
    bomb = pa.table(columns(1_000_000))
    pq.write_table(bomb.replace_schema_metadata({"zscape": json.dumps(ABOUT)}),
                   tmp_path / "a.parquet", compression="zstd")  # fmt: skip
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    with pytest.raises(DataError, match="is refused: it would unfold into 32000000 bytes"):
        LatentTable.load(tmp_path / "a.parquet")


def test_a_file_that_is_neither(tmp_path):
    for suffix in FORMATS:
        (tmp_path / f"a.{suffix}").write_bytes(b"PK PAR1, not really")
        with pytest.raises(DataError, match="could not be read"):
            LatentTable.load(tmp_path / f"a.{suffix}")
