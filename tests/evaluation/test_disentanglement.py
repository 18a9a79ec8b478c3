from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zscape.data.columns import Columns
from zscape.errors import DataError
from zscape.evaluation import disentanglement as measured
from zscape.evaluation.disentanglement import (
    dci,
    factor_vae,
    mutual_informations,
    separate_predictions,
)
from zscape.evaluation.factors import Factor
from zscape.latents import LatentTable

N = 1200


def factors() -> np.ndarray:
    """(n, 3) independent values of 3, 4 and 5 levels, scaled to variance 1."""
    levels = np.random.default_rng(0).integers(0, (3, 4, 5), (N, 3)).astype(float)
    return (levels - levels.mean(0)) / levels.std(0)


def make(mu: np.ndarray) -> LatentTable:
    values = factors()
    mu = mu.astype(np.float32)
    columns = Columns.of(
        {"kind": np.array(["x", "y", "z"])[np.unique(values[:, 0], return_inverse=True)[1]],
         "size": values[:, 1], "turn": values[:, 2]}
    )  # fmt: skip
    return LatentTable(mu, np.full_like(mu, -4), None, (), np.arange(N), columns=columns)


def test_a_neuron_for_every_factor_is_perfect_in_any_order_sign_and_scale():
    found = measured(make(factors()[:, [2, 0, 1]] * (-3, 1, 0.1)))
    assert found.scores["mig"] == pytest.approx(1, abs=0.01)
    for name in ("dci_disentanglement", "dci_completeness", "dci_informativeness", "factor_vae"):
        assert found.scores[name] == pytest.approx(1, abs=0.01), name
    assert found.factors["neuron"].tolist() == ["z1", "z2", "z0"]
    assert found.factors["sap"].tolist()[1:] == pytest.approx([1, 1], abs=0.02)


def test_a_rotated_code_knows_the_same_and_is_less_disentangled():
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
    straight, turned = measured(make(factors())).scores, measured(make(factors() @ turn)).scores
    assert turned["dci_informativeness"] > 0.95
    for name in ("mig", "sap", "dci_disentanglement", "dci_completeness"):
        assert turned[name] < straight[name] - 0.3, name
    assert turned["factor_vae"] <= straight["factor_vae"]


def test_a_code_of_noise_knows_nothing():
    found = measured(make(np.random.default_rng(1).standard_normal((N, 3)))).scores
    assert max(found[name] for name in ("mig", "sap", "dci_disentanglement")) < 0.1
    assert found["factor_vae"] == pytest.approx(1 / 3, abs=0.1)


def test_a_dead_neuron_gets_no_vote():
    table = make(np.column_stack([factors(), np.random.default_rng(0).standard_normal(N) * 1e-4]))
    logvar = table.logvar.copy()
    logvar[:, 3] = 0
    found = measured(replace(table, logvar=logvar))
    assert found.scores["factor_vae"] == 1
    assert found.importances.loc["z3"].max() < 0.01
    np.testing.assert_allclose(found.importances.sum(), 1)


def test_one_factor_or_one_neuron_has_no_score_that_needs_two():
    alone = measured(make(factors()), ["size"]).scores
    assert np.isnan([alone["dci_disentanglement"], alone["factor_vae"]]).all()
    assert alone["mig"] == pytest.approx(1, abs=0.01)
    single = measured(make(factors()[:, 1:2])).scores
    assert np.isnan(single["dci_completeness"])
    assert single["mig"] == pytest.approx(1 / 3, abs=0.02)


def test_a_continuous_number_is_a_factor_like_one_of_levels():
    rng = np.random.default_rng(0)
    mu = rng.standard_normal((N, 2)).astype(np.float32)
    columns = Columns.of({"a": mu[:, 1], "b": mu[:, 0]})
    table = LatentTable(mu, np.full_like(mu, -4), None, (), np.arange(N), columns=columns)
    found = measured(table)
    assert found.scores["factor_vae"] > 0.99
    assert found.scores["mig"] > 0.6  # ranges of one width against ranges of one size
    assert found.factors["neuron"].tolist() == ["z1", "z0"]


def test_values_that_no_images_share_are_held_by_none():
    mu = np.random.default_rng(0).standard_normal((40, 2))
    assert np.isnan(factor_vae(mu, np.stack([np.arange(40), np.arange(40) % 2])))


def test_a_category_that_all_images_to_fit_on_share_is_left_out():
    table = make(factors())
    kind = np.array(["x"] * N, dtype=object)
    kind[:5] = "rare"
    columns = Columns.of({"kind": kind, "size": table.mu[:, 1]})
    found = measured(replace(table, columns=columns), n=40)  # of which none is rare
    assert list(found.left_out) == ["kind"]
    assert found.factors.index.tolist() == ["size"]


# What disent 0.8.0 gives of the same codes, except that it draws its own votes.
def code() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, (3, 4, 5), (900, 3))
    mixing = np.array([[1.0, 0, 0, 0.3], [0, 1, 0.5, 0], [0.4, 0, 1, 0]])
    return levels @ mixing + 0.3 * rng.standard_normal((900, 4)), levels


def test_the_mutual_information_gap_is_that_of_disent():
    mu, levels = code()
    ordered = np.sort(mutual_informations(mu, levels.T), axis=0)
    entropies = [-(p := np.bincount(k) / 900) @ np.log(p) for k in levels.T]
    assert ((ordered[-1] - ordered[-2]) / entropies).mean() == pytest.approx(0.42014084474649976)


def test_separate_predictions_are_those_of_disent():
    mu, levels = code()
    parts = np.arange(600), np.arange(600, 900)
    scores = [separate_predictions(mu, Factor("", k.astype(float), True), *parts) for k in levels.T]
    theirs = [[0.63, 0.36, 0.3567, 0.6033], [0.2833, 0.6633, 0.3267, 0.25],
              [0.3133, 0.1833, 0.5033, 0.23]]  # fmt: skip
    np.testing.assert_allclose(scores, theirs, atol=0.007)  # two images of 300
    numbers = [
        separate_predictions(mu, Factor("", k.astype(float), False), *parts) for k in levels.T
    ]
    ordered = np.sort(numbers, axis=1)
    assert (ordered[:, -1] - ordered[:, -2]).mean() == pytest.approx(0.5064511692629897)


def test_disentanglement_and_completeness_of_weights_are_those_of_disent():
    weights = np.array([[0.7, 0.1, 0.0], [0.2, 0.6, 0.1], [0.1, 0.2, 0.1], [0.0, 0.1, 0.8]])
    alone, complete = dci(weights)
    assert alone @ weights.sum(1) / 3 == pytest.approx(0.4553521915374039)
    assert complete.mean() == pytest.approx(0.39172361006149464)


def test_the_factorvae_score_is_that_of_disent():
    _, levels = code()
    rng = np.random.default_rng(1)
    mu = levels @ rng.standard_normal((3, 4)) + 1.5 * rng.standard_normal((900, 4))
    # Four seeds of its own draws gave 0.562 to 0.575.
    assert factor_vae(mu, levels.T) == pytest.approx(0.567, abs=0.03)


@pytest.mark.parametrize(
    ("change", "columns", "said"),
    [
        (lambda t: replace(t, columns=None), None, "neither labels nor columns"),
        (lambda t: replace(t, columns=None), ["class"], "has no labels"),
        (lambda t: replace(t, columns=Columns.of({"size": np.ones(N)})), None,
         "nothing to ask the latents of array for: size is the same for every image"),
        (lambda t: t[:1], None, "fewer than 10 values"),
        (lambda t: t[:25], ["size"], "needs 30 images .* there are 25"),
    ],
)  # fmt: skip
def test_what_has_no_score_is_one_sentence(change, columns, said):
    with pytest.raises(DataError, match=said):
        measured(change(make(factors())), columns)
