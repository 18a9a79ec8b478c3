"""Tables that are written as they are encoded: the same, and never held as a whole."""

from __future__ import annotations

import datetime
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zscape.errors import ConfigError
from zscape.latents import LatentTable, encode, encode_parts, save_parts, store
from zscape.latents.table import _csv

DAY = datetime.datetime(2020, 1, 1)


@pytest.fixture
def known(images):
    """The images, with columns that have values of another look in their second half."""
    columns = {
        "file_name": [f"{i}.png" for i in range(30)],
        "kind": ["plain"] * 15 + ["odd, really"] * 15,
        "count": [*range(15), None, *range(16, 30)],
        "day": [DAY] * 15 + [DAY + datetime.timedelta(minutes=90)] * 14 + [None],
    }
    return replace(images, columns=columns)


def test_parts_are_the_rows_of_the_whole(build, known):
    vae = build()
    whole = encode(vae, known, batch_size=4)
    progress: list[int] = []
    parts = list(encode_parts(vae, known, batch_size=4, n_batches=3, progress=progress.append))
    assert [len(part) for part in parts] == [12, 12, 6]
    assert progress[-1] == 30
    for name in ("mu", "logvar", "labels", "indices"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert all(part.about() == whole.about() for part in parts)
    assert parts[1].columns.texts("file_name") == whole.columns.texts("file_name")[12:24]
    chosen = np.array([29, 3, 7])
    (few,) = encode_parts(vae, known, rows=chosen)
    assert few.indices.tolist() == chosen.tolist()
    assert few.columns.texts("file_name") == ["29.png", "3.png", "7.png"]


def test_a_file_of_parts_is_the_file_of_the_whole(build, known, tmp_path):
    vae = build()
    whole = encode(vae, known, batch_size=4)
    parts = encode_parts(vae, known, batch_size=4, n_batches=2)
    assert save_parts(tmp_path / "parts.parquet", parts) == 30
    loaded = LatentTable.load(tmp_path / "parts.parquet")
    np.testing.assert_array_equal(loaded.mu, whole.mu)
    np.testing.assert_array_equal(loaded.logvar, whole.logvar)
    assert loaded.about() == whole.about()
    assert loaded.columns.to_frame().to_csv() == whole.columns.to_frame().to_csv()


def test_what_a_value_looks_like_depends_on_no_other_row(build, known):
    """pandas makes integers floats where one is missing, and drops midnight where all are."""
    whole = encode(build(), known)
    text = b"".join(_csv([whole])).decode()
    assert b"".join(_csv(whole[[row]] for row in range(30))).decode() == text
    lines = text.splitlines()
    assert lines[0] == "index,class,file_name,kind,count,day,z0,z1,z2"
    assert lines[1].startswith("0,cat,0.png,plain,0,2020-01-01 00:00:00,")
    assert lines[30].startswith('29,7,29.png,"odd, really",29,,')
    assert lines[16].startswith('15,7,15.png,"odd, really",,2020-01-01 01:30:00,')


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_more_than_two_parts_are_there_at_a_time(table, tmp_path: Path, suffix: str):
    """The one that is made and the one that was made before, however many there are."""
    alive: weakref.WeakSet[LatentTable] = weakref.WeakSet()

    def parts() -> Iterator[LatentTable]:
        for _ in range(20):
            assert len(alive) <= 2
            part = replace(table)
            alive.add(part)
            yield part
            del part

    assert save_parts(tmp_path / f"t{suffix}", parts()) == 120


def test_pieces_of_a_file_are_no_larger_for_more_parts(table):
    def pieces(n: int) -> list[int]:
        several = ((table._arrays(), table.columns) for _ in range(n))
        return [len(piece) for piece in store._parquet(several, "{}")]

    few, many = pieces(10), pieces(40)
    assert len(many) > 3 * len(few)
    # The last three are the index of all row groups, and how it ends.
    assert max(many[:-3]) == max(few[:-3])


def test_other_endings_are_refused_before_anything_is_encoded(tmp_path):
    def never() -> Iterator[LatentTable]:
        raise AssertionError("was encoded")
        yield

    with pytest.raises(ConfigError, match=r"part by part as \.parquet or \.csv"):
        save_parts(tmp_path / "t.npz", never())


def test_what_is_interrupted_leaves_nothing(table, tmp_path):
    def parts() -> Iterator[LatentTable]:
        yield table
        raise KeyboardInterrupt

    for suffix in (".csv", ".parquet"):
        with pytest.raises(KeyboardInterrupt):
            save_parts(tmp_path / f"t{suffix}", parts())
    assert not list(tmp_path.iterdir())


def test_the_spreadsheet_is_read_back(table, tmp_path):
    save_parts(tmp_path / "t.csv", [table[:2], table[2:]])
    frame = pd.read_csv(tmp_path / "t.csv", index_col="index")
    np.testing.assert_allclose(frame[["z0", "z1"]], table.mu)
