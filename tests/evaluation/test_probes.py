from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zscape.data.columns import Columns
from zscape.errors import ConfigError, DataError
from zscape.evaluation import probe
from zscape.latents import LatentTable

N = 400


def make(seed: int = 0, **columns) -> LatentTable:
    """Three classes that lie apart along z0; a number along z1, and one that nothing tells."""
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal((N, 3)).astype(np.float32)
    labels = rng.integers(3, size=N)
    mu[:, 0] = 4 * labels + 0.5 * mu[:, 0]
    known = {
        "size": 3 * mu[:, 1] + 0.5 * rng.standard_normal(N),
        "luck": rng.standard_normal(N),
        "note": [f"image {i} of {seed}" for i in range(N)],
        **columns,
    }
    return LatentTable(
        mu, np.zeros_like(mu), labels, ("a", "b", "c"), np.arange(N), columns=Columns.of(known)
    )


@pytest.fixture(scope="module")
def table() -> LatentTable:
    return make()


@pytest.mark.parametrize("has_split", [False, True], ids=["folds", "train and test"])
def test_what_the_latents_hold_is_told_and_what_they_do_not_is_not(table, has_split):
    found = probe(table, make(1) if has_split else None, seeds=3)
    scores = found.frame["score"]
    assert scores["class"].min() > 0.98
    # Of variance 9 + 1/4 the noise is what no reader can tell.
    assert scores["size", "linear"] == pytest.approx(9 / 9.25, abs=0.01)
    assert scores["luck"].max() < 0.05
    assert found.frame["measure"].tolist() == ["accuracy"] * 2 + ["R²"] * 4
    assert dict(found.left_out) == {"note": "text"}


def test_the_interval_of_an_accuracy_is_that_of_so_many_tosses():
    rng = np.random.default_rng(0)
    tables = []
    for n in (4000, 500):
        labels = rng.integers(2, size=n)
        mu = (labels + rng.standard_normal(n))[:, None].astype(np.float32)  # Bayes: Φ(½) = 0.69
        tables.append(LatentTable(mu, 0 * mu, labels, ("a", "b"), np.arange(n)))
    row = probe(tables[1], tables[0]).frame.loc["class", "linear"]
    assert row["low"] < 0.6915 < row["high"]
    error = np.sqrt(0.6915 * 0.3085 / 500)
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert 0 < row["spread"] < error
    assert row["n_fit"] == pytest.approx(2000, abs=1)
    assert row["n_scored"] == 500


def test_where_the_table_came_from_is_said(table):
    assert "cross-validated on 400 test images of array, 5 folds, 5 seeds" in probe(table).how
    fit_on = replace(make(1), split="train")
    found = probe(table, fit_on, columns=["class"], seeds=1)
    assert found.how.startswith("scored on 400 test images of array, fitted on halves of 400 train")
    assert np.isnan(found.frame["spread"]).all()  # of one seed


def test_the_same_seed_gives_the_same_and_another_does_not(table):
    first, again, other = (probe(table, columns=["size"], seed=s).frame for s in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_groups_stay_together(table):
    """A number that is the group's own is told by neighbours of it, unless they are kept out."""
    rng = np.random.default_rng(0)
    who = np.arange(N) % 20
    mu = np.repeat(rng.standard_normal((20, 3)), N // 20, axis=0).reshape(20, -1, 3)
    mu = mu.swapaxes(0, 1).reshape(N, 3).astype(np.float32)
    age = rng.standard_normal(20)[who]
    columns = Columns.of({"who": [f"p{i}" for i in who], "age": age})
    mine = replace(table, mu=mu, columns=columns)
    told = probe(mine, columns=["age"]).frame.loc["age", "neighbours"]
    apart = probe(mine, columns=["age"], group="who").frame.loc["age", "neighbours"]
    assert told["score"] > 0.99
    assert apart["score"] < 0.2
    assert apart["high"] - apart["low"] > 0.3  # twenty things are drawn, not four hundred


def test_a_group_on_both_sides_is_refused(table):
    columns = {"who": ["p", "q"] * (N // 2)}
    with pytest.raises(DataError, match="'p' of column 'who' is both in images to fit on and in"):
        probe(make(**columns), make(1, **columns), group="who")


def test_missing_values_and_rare_categories_are_left_out():
    size = np.where(np.arange(N) < 100, np.nan, make().mu[:, 1])
    kind = np.array(["x", "y"] * (N // 2), dtype=object)
    kind[:3] = "rare"
    frame = probe(make(size=size, kind=kind), seeds=1).frame
    assert frame.loc["size", "n_scored"].tolist() == [300, 300]
    assert frame.loc["kind", "n_scored"].tolist() == [N - 3, N - 3]


def test_a_column_that_says_the_class_stands_for_it(table):
    names = np.array(["square", "round", "odd"])[table.labels]
    found = probe(make(shape=names), seeds=1).frame.index.get_level_values(0)
    assert "shape" in found
    assert "class" not in found


def test_a_column_known_of_one_split_only_is_left_out_or_an_error_if_asked_for():
    half, none = np.arange(N, dtype=float), np.full(N, np.nan)
    none[0] = 1
    for fit_on, table, said in (
        (make(1, extra=none), make(extra=half), "'extra' is known of 1 image to fit on; 10 are"),
        (make(1, extra=half), make(extra=none * np.nan), "known of no image that is scored"),
        (make(1, extra=half), make(extra=none), "has one value among all images that"),
    ):
        found = probe(table, fit_on, seeds=1)
        assert "size" in found.frame.index.get_level_values(0)
        assert said in found.left_out["extra"]
        with pytest.raises(DataError, match=said):
            probe(table, fit_on, columns=["extra"])


def without(table: LatentTable) -> LatentTable:
    return replace(table, labels=None, class_names=(), columns=None)


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (without, {}, "neither labels nor columns"),
        (without, {"columns": ["class"]}, "has no labels"),
        (lambda t: replace(t, labels=0 * t.labels), {"columns": ["class"]},
         "'class' of array is nothing .*: the same for every image"),
        (lambda t: replace(without(t), labels=0 * t.labels, class_names=("a",)), {},
         "class is the same for every image"),
        (lambda t: make(size=np.ones(N)), {"columns": ["size"]}, "the same for every image"),
        (lambda t: make(size=[None] * N), {"columns": ["size"]}, "text|no value at all"),
        (lambda t: t[:1], {"columns": ["class"]}, "the same for every image"),
        (lambda t: t[:1], {"columns": ["size"]}, "fewer than 10 values"),
        (lambda t: t, {"columns": ["note"]}, "'note' of array is nothing .*: text"),
        (lambda t: t, {"columns": ["sise"]}, "did you mean 'size'"),
        (lambda t: t, {"group": "sise"}, "did you mean 'size'"),
        (lambda t: make(who=["p", "q"] * (N // 2)), {"group": "who"}, "2 groups; 5 folds need"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_one_sentence(table, change, options, said):
    with pytest.raises(DataError, match=said):
        probe(change(table), **options)


def test_no_seeds_are_refused(table):
    with pytest.raises(ConfigError, match="seeds must be at least 1; got 0"):
        probe(table, seeds=0)


def test_tables_of_two_models_are_refused(table):
    with pytest.raises(DataError, match="differ in fingerprint"):
        probe(table, replace(table, fingerprint="other"))
