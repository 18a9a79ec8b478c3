from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from zscape.data.columns import Columns
from zscape.errors import DataError, MissingExtraError
from zscape.latents import LatentTable

N = 6


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    mu, logvar = rng.standard_normal((2, N, 3)).astype(np.float32)
    columns = Columns.of({
        "file_name": [f"{i}.png" for i in range(N)],
        "area": [1.5, None, 2.0, 3.0, 4.0, 5.0],
        "dye": ["red", "blue", None, "red", "red", "blue"],
        "day": ["2026-01-02", "2026-01-01", None, "2026-01-03", "2026-01-01", "2026-01-05"],
        "note": ["a", None, "c", "d", "e", "f"],
    })  # fmt: skip
    labels = np.array([1, 0, 0, 1, 1, 0])
    return LatentTable(mu, logvar, labels, ("zebra", "ant", "none"), np.arange(N) + 10, "test",
                       "cells", "model", "images", columns)  # fmt: skip


def test_what_anndata_reads_back(table, tmp_path):
    anndata = pytest.importorskip("anndata", reason="pip install 'zscape[anndata]'")
    path = tmp_path / "t.h5ad"
    table.save(path)
    found = anndata.read_h5ad(path)
    np.testing.assert_array_equal(found.X, table.mu)
    np.testing.assert_array_equal(found.layers["logvar"], table.logvar)
    assert list(found.var_names) == ["z0", "z1", "z2"]
    assert list(found.obs_names) == [str(10 + i) for i in range(N)]
    assert found.obs["index"].tolist() == list(range(10, 16))
    # In the order of the labels, and also the class that no image has.
    assert found.obs["class"].cat.categories.tolist() == ["zebra", "ant", "none"]
    assert found.obs["class"].tolist() == ["ant", "zebra", "zebra", "ant", "ant", "zebra"]
    assert found.obs["file_name"].tolist() == table.columns.texts("file_name")
    np.testing.assert_array_equal(found.obs["area"], table.columns.numbers("area"))
    assert found.obs["dye"].isna().tolist() == [False, False, True, False, False, False]
    assert found.obs["day"].iloc[0].startswith("2026-01-02")
    assert found.obs["note"].tolist()[2:] == ["c", "d", "e", "f"]
    assert dict(found.uns) == {
        "split": "test", "name": "cells", "fingerprint": "model", "data_fingerprint": "images",
    }  # fmt: skip


def test_a_table_of_vectors_alone(table):
    pytest.importorskip("anndata", reason="pip install 'zscape[anndata]'")
    plain = replace(table, labels=None, class_names=(), columns=None)
    assert list(plain.to_anndata().obs) == ["index"]


def test_a_name_that_the_format_cannot_hold(table, tmp_path):
    pytest.importorskip("anndata", reason="pip install 'zscape[anndata]'")
    wrong = replace(table, columns=Columns.of({"a/b": list(range(N))}))
    with pytest.raises(DataError, match=r"'a/b' has a name that \.h5ad cannot hold"):
        wrong.save(tmp_path / "t.h5ad")
    assert not list(tmp_path.iterdir())


def test_without_the_package(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'zscape\[anndata\]'"):
        table.save(tmp_path / "t.h5ad")
    assert not list(tmp_path.iterdir())
