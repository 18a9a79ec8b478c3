"""Maps that are fitted on some rows and place the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedding.conftest import SETTINGS, make_table
from zscape.data.columns import Columns
from zscape.embedding import TSNE, Embedding, fit_map
from zscape.embedding import neighbours as places
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.latents import LatentTable, save_parts


@pytest.fixture(scope="module")
def table() -> LatentTable:
    return make_table(n=400, fingerprint="ab")


@pytest.mark.parametrize("method", SETTINGS)
def test_a_map_of_some_places_the_others(method, table, tmp_path):
    whole = fit_map(table, method, fit_on=120, seed=3, standardize=True, **SETTINGS[method])
    rows = whole.fitted_rows
    assert len(whole) == 400
    assert (len(rows), len(set(rows.tolist()))) == (120, 120)
    # It is the map of these rows alone, and the others lie where that map puts them.
    few = fit_map(table[rows], method, seed=3, standardize=True, **SETTINGS[method])
    np.testing.assert_array_equal(whole.coordinates[rows], few.coordinates)
    others = np.setdiff1d(np.arange(400), rows)
    np.testing.assert_array_equal(whole.coordinates[others], few.transform(table.mu[others]))
    np.testing.assert_array_equal(whole.scaling, few.scaling)
    # New points are placed by what was fitted only, also after it was saved.
    new = make_table(n=20, seed=5).mu
    whole.save(tmp_path / "m.safetensors")
    loaded = Embedding.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(whole.transform(new), few.transform(new))
    np.testing.assert_array_equal(loaded.transform(new), few.transform(new))
    np.testing.assert_array_equal(loaded.fitted_rows, rows)
    assert "fitted on 120 of 400" in repr(loaded)
    assert np.isfinite(whole.inverse_transform(whole.coordinates[:3]).vectors).all()


def test_the_seed_draws_the_rows(table):
    first, again, other = (fit_map(table, "pca", fit_on=50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.fitted_rows, again.fitted_rows)
    assert first.fitted_rows.tolist() != other.fitted_rows.tolist()


@pytest.mark.parametrize("fit_on", [7, 60, 333])
def test_every_class_has_its_share_of_the_rows_and_a_rare_one_is_not_lost(table, fit_on):
    counts = [300, 0, 89, 10, 1]
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(5), counts))
    told = replace(table, labels=labels, class_names=tuple("abcde"))
    rows = fit_map(told, "pca", fit_on=fit_on).fitted_rows
    assert len(rows) == len(set(rows.tolist())) == fit_on
    found = np.bincount(labels[rows], minlength=5)
    for count, own in zip(counts, found, strict=True):
        assert own >= min(count, 1)
        assert abs(own - fit_on * count / 400) <= 3
    assert not np.array_equal(rows, fit_map(told, "pca", fit_on=fit_on, seed=1).fitted_rows)


def test_fewer_rows_than_classes_are_drawn_by_their_shares(table):
    labels = np.arange(400) % 40
    told = replace(table, labels=labels, class_names=tuple(map(str, range(40))))
    assert len(fit_map(told, "pca", fit_on=30).fitted_rows) == 30


def test_all_rows_or_more_are_no_sample(table, caplog):
    assert fit_map(table, "pca", fit_on=400).fitted_rows is None
    assert fit_map(table, "pca", fit_on=10**9).about_rows == ""
    with pytest.raises(ConfigError, match="fit_on must be 1 or more; got 0"):
        fit_map(table, "pca", fit_on=0)
    with pytest.raises(DataError, match="needs at least 3 points"):
        fit_map(table, "pca", fit_on=2)
    assert not caplog.messages


def test_too_many_for_a_map_of_neighbours_are_sampled_and_it_is_said(table, monkeypatch, caplog):
    monkeypatch.setattr(TSNE, "most", 120)
    found = fit_map(table, "tsne", perplexity=15)
    assert found.about_rows == "fitted on 120 of 400"
    assert "t-SNE is fitted on 120 of 400 images, drawn with seed 0" in caplog.text
    assert fit_map(table, "tsne", perplexity=15, fit_on=400).fitted_rows is None


@pytest.mark.parametrize("rows", [[5, 3], [3, 3], [-1, 3], [3, 400], []])
def test_rows_that_are_none_are_refused(table, rows, tmp_path):
    one = fit_map(table, "pca", fit_on=50)
    state = {**one.fitted.state, "fitted_rows": np.array(rows, np.int64)}
    path = tmp_path / "m.safetensors"
    replace(one, fitted=one.fitted._replace(state=state)).save(path)
    with pytest.raises(DataError, match="fitted_rows are not rows of its table"):
        Embedding.load(path)


def test_points_are_placed_a_few_at_a_time(table, monkeypatch):
    one = fit_map(table[:100], "umap")
    at_once = one.transform(table.mu)
    monkeypatch.setattr(places, "AT_ONCE", 7)
    np.testing.assert_array_equal(one.transform(table.mu), at_once)


def test_a_table_is_placed_part_by_part(table, tmp_path):
    drawn = fit_map(table[:100], "umap")
    known = replace(table, columns=Columns.of({"area": range(400)}))
    parts = (drawn.place(known[slice(at, at + 150)]) for at in (0, 150, 300))
    assert save_parts(tmp_path / "t.parquet", parts) == 400
    columns = LatentTable.load(tmp_path / "t.parquet").columns
    assert columns.names == ("area", "umap_x", "umap_y")
    found = np.stack([columns.numbers("umap_x"), columns.numbers("umap_y")], axis=1)
    np.testing.assert_array_equal(found, drawn.transform(table.mu))
    with pytest.raises(DataError, match="a column 'umap_x' already"):
        drawn.place(drawn.place(table))
    with pytest.raises(CheckpointError, match="the umap map is of another model"):
        drawn.place(replace(table, fingerprint="cd"))
