"""``zscape find``: a sentence, a table and a sheet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cli_helpers import blobs


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """Forty training and twenty test images, of which one is among the former."""
    path = tmp_path_factory.mktemp("leaky") / "leaky.npz"
    images = blobs(60)
    images[45] = images[7]
    labels = np.arange(60) % 3
    np.savez(path, x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:])
    return path


@pytest.mark.parametrize("what", ["outliers", "duplicates", "mislabelled"])
def test_each_prints_and_writes_what_it_found(cli, finished_run, leaky, tmp_path, what):
    sheet, table = tmp_path / "s.png", tmp_path / "t.csv"
    more = ("--across",) if what == "duplicates" else ()
    args = ("find", what, finished_run, "--data", leaky, "--top", 2, *more)
    outcome = cli(*args, "-o", sheet, "-o", table)
    assert outcome.code == 0, outcome.err
    assert "test images" in outcome.out
    frame = pd.read_csv(table)
    assert {"index", "class"} <= set(frame)
    assert sheet.stat().st_size > 1000
    if what == "duplicates":
        assert frame.loc[0, ["index", "of", "same"]].tolist() == [5, 7, True]


def test_nothing_found_is_said(cli, finished_run, tmp_path):
    outcome = cli("find", "duplicates", finished_run)
    assert outcome.out.startswith("Nothing stands out")
    outcome = cli("find", "duplicates", finished_run, "-o", tmp_path / "s.png")
    assert outcome.code == 2
    assert "no picture to draw" in outcome.err
    outcome = cli("find", "outliers", finished_run, "-k", 500)
    assert outcome.code == 2
    assert "k must be in" in outcome.err


def test_a_title_says_from_what_to_what():
    from zscape.cli.find import _title

    row = {"class": "2", "suggested": "0", "rank": 0.9412}
    assert _title(5, row, "suggested") == "5: 2 → 0"
    assert _title(5, row | {"file_name": "a/b.png"}, "rank") == "b: 2\nrank 0.941"
    film = row | {"file_name": "a/b.c.gif#12"}
    assert _title(5, film, "rank") == "b.c#12: 2\nrank 0.941"
    assert _title(5, {"rank": 1.0}, "rank") == "5\nrank 1"
