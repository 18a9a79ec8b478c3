"""What neurons tell of columns: planted relations are measured right, chance is not called one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from zscape.config import ModelConfig
from zscape.data.columns import Columns
from zscape.errors import DataError, ShapeError
from zscape.latents import LatentTable
from zscape.model import build_model
from zscape.neurons import mutual_information, neuron_cards, neuron_columns, number_information


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def table_of(mu, columns=None, labels=None, names=(), logvar=-200.0):
    """A table; by default its posterior has no width, so that samples are the means."""
    mu = np.asarray(mu, np.float32)
    return LatentTable(
        mu, np.full_like(mu, logvar), labels, names, np.arange(len(mu)),
        columns=None if columns is None else Columns.of(columns),
    )  # fmt: skip


def row_of(found, column, neuron):
    frame = found.frame
    return frame[(frame["column"] == column) & (frame["neuron"] == neuron)].iloc[0]


@pytest.fixture(scope="module")
def known(cells):
    """Latents as a model of the cells might have them: z0 is area, z1 brightness, z2 nothing."""
    columns, rng = cells.columns, np.random.default_rng(5)
    area, is_b = columns.numbers("area"), np.array(columns.texts("treatment")) == "B"
    bright = cells.images.float().amax((1, 2, 3)).numpy() / 255
    mu = [np.log(area), -bright + rng.normal(0, 0.1, len(cells)), rng.normal(size=len(cells)),
          rng.normal(size=len(cells)) + 2 * is_b]  # fmt: skip
    return replace(table_of(np.stack(mu, 1)), columns=columns, name="cells")


class TestNumbers:
    def test_a_rising_curve_is_1_a_falling_one_minus_1(self):
        z = normal(200, 2)
        found = neuron_columns(table_of(z, {"up": np.exp(z[:, 0]), "down": -(z[:, 1] ** 3)}))
        assert row_of(found, "up", "z0")["effect"] == pytest.approx(1)
        assert row_of(found, "down", "z1")["effect"] == pytest.approx(-1)
        assert set(found.frame["measure"]) == {"ρ"}

    def test_rho_and_p_by_hand(self):
        # Ranks 1 … 10 against those with the first two exchanged: ρ = 1 - 6 · 2 / (10 · 99).
        z = np.array([2, 1, 3, 4, 5, 6, 7, 8, 9, 10.0])
        row = row_of(neuron_columns(table_of(z[:, None], {"n": np.arange(10.0)})), "n", "z0")
        rho = 1 - 12 / 990
        t = rho * np.sqrt(8 / (1 - rho**2))
        assert row["effect"] == pytest.approx(rho)
        assert row["p"] == pytest.approx(2 * stats.t.sf(t, 8))

    def test_information_of_correlated_normals(self):
        z = normal(4000, 1)
        y = 0.8 * z[:, 0] + 0.6 * normal(4000, seed=1)
        expected = -0.5 * np.log(1 - 0.8**2)
        assert number_information(z, y) == pytest.approx([expected], abs=0.05)
        assert number_information(z, y)[0] == number_information(z, y)[0]

    def test_a_date_is_a_number(self):
        z = normal(100, 1)
        days = np.datetime64("2026-01-01", "us") + (z[:, 0].argsort().argsort() * 86_400_000_000)
        row = row_of(neuron_columns(table_of(z, {"taken": days})), "taken", "z0")
        assert (row["kind"], row["measure"], row["effect"]) == ("date", "ρ", pytest.approx(1))

    def test_missing_values_are_left_out_and_counted(self):
        z = normal(100, 1)
        area, is_missing = z[:, 0].copy(), np.arange(100) % 5 == 0
        area[is_missing] = -1000 * z[is_missing, 0]
        whole = neuron_columns(table_of(z, {"area": area}))
        some = neuron_columns(table_of(z, {"area": np.where(is_missing, np.nan, area)}))
        assert abs(row_of(whole, "area", "z0")["effect"]) < 0.9
        row = row_of(some, "area", "z0")
        assert (row["effect"], row["n"], row["n_left_out"]) == (pytest.approx(1), 80, 20)

    def test_a_dead_neuron_knows_nothing_though_its_mean_may(self):
        z = 1e-5 * normal(500, 1)
        row = row_of(neuron_columns(table_of(z, {"area": z[:, 0]}, logvar=0.0)), "area", "z0")
        assert abs(row["effect"]) < 0.15
        assert row["mutual_information"] < 0.1

    def test_information_needs_a_finite_number_per_image(self):
        with pytest.raises(ShapeError, match="4 images need as many numbers"):
            number_information(normal(4, 1), np.arange(5.0))
        with pytest.raises(DataError, match="must be finite"):
            number_information(normal(6, 1), np.full(6, np.nan))
        with pytest.raises(DataError, match="more than 3 images"):
            number_information(normal(3, 1), np.arange(3.0))


class TestCategories:
    def test_eta_of_even_groups_by_hand(self):
        # Two groups that do not overlap: H = 12 / (n (n+1)) Σ R²/nᵢ - 3 (n+1), n = 20.
        z = np.arange(20.0)
        kinds = np.repeat(["a", "b"], 10)
        row = row_of(neuron_columns(table_of(z[:, None], {"kind": kinds})), "kind", "z0")
        h = 12 / (20 * 21) * (55**2 + 155**2) / 10 - 3 * 21
        assert row["p"] == pytest.approx(stats.chi2.sf(h, 1))
        assert row["effect"] == pytest.approx(np.sqrt((h - 1) / 18))
        assert row["measure"] == "η"

    def test_chance_gives_no_eta_however_many_categories(self):
        kinds = np.repeat([f"patient {i}" for i in range(100)], 5)
        found = neuron_columns(table_of(normal(500, 20), {"patient": kinds}))
        assert (found.frame["effect"] ** 2).mean() == pytest.approx(0, abs=0.04)

    def test_the_category_that_stands_apart_is_named(self):
        kinds = np.repeat(["a", "b", "c"], 50)
        z = normal(150, 2)
        z[:, 0] -= 2 * (kinds == "c")
        row = row_of(neuron_columns(table_of(z, {"kind": kinds})), "kind", "z0")
        others, own = z[kinds != "c", 0], z[kinds == "c", 0]
        spread = np.sqrt((others.var() + own.var()) / 2)
        assert row["best_category"] == "c"
        assert row["best_d_prime"] == pytest.approx((own.mean() - others.mean()) / spread, rel=1e-5)

    def test_information_is_that_of_the_class(self):
        kinds, z = np.arange(90) % 3, normal(90, 2)
        found = neuron_columns(table_of(z, {"kind": np.array(list("abc"))[kinds]}), seed=4)
        expected = mutual_information(z.astype(np.float32), kinds, seed=4)
        for neuron, nats in zip(("z0", "z1"), expected, strict=True):
            assert row_of(found, "kind", neuron)["mutual_information"] == nats

    def test_rare_ones_and_missing_ones_are_left_out_and_counted(self):
        kinds = np.array(["a"] * 20 + ["b"] * 20 + ["rare"] * 4 + [None] * 6, object)
        z = normal(50, 1)
        row = row_of(neuron_columns(table_of(z, {"kind": kinds})), "kind", "z0")
        assert (row["n"], row["n_left_out"]) == (40, 10)
        assert row["p"] == pytest.approx(stats.kruskal(*z[:40, 0].reshape(2, 20)).pvalue, rel=1e-3)


class TestManyTests:
    def test_q_by_hand(self):
        z = normal(60, 4, seed=3)
        frame = neuron_columns(table_of(z, {"one": z[:, 0] + normal(60), "two": normal(60)})).frame
        p = frame["p"].to_numpy()
        order = np.argsort(p)
        m, q = len(p), np.empty(len(p))
        smallest = 1.0
        for rank in range(m, 0, -1):  # Benjamini & Hochberg: the least of p·m/rank from here up
            smallest = min(smallest, p[order[rank - 1]] * m / rank)
            q[order[rank - 1]] = smallest
        assert m == 8
        assert frame["q"].to_numpy() == pytest.approx(q)

    def test_shuffled_columns_are_not_spoken_of(self, known):
        order = np.random.default_rng(1).permutation(len(known))
        found = neuron_columns(replace(known, columns=known.columns[order]))
        assert len(found.clear) == 0
        (said,) = found.sentences()
        assert said.startswith("No neuron clearly goes with a column")
        assert f"{found.n_tests} tests" in said

    def test_a_small_effect_is_no_sentence_however_sure(self):
        z = normal(5000, 1)
        found = neuron_columns(table_of(z, {"area": 0.15 * z[:, 0] + normal(5000, seed=1)}))
        assert found.frame["q"][0] < 1e-6
        assert found.sentences()[0].startswith("No neuron clearly")

    def test_a_neuron_that_never_changes_is_no_test(self):
        z = np.stack([normal(50), np.full(50, 0.25)], 1)
        kinds = np.repeat(["a", "b"], 25)
        found = neuron_columns(table_of(z, {"area": z[:, 0], "kind": kinds}))
        assert found.n_tests == 2
        still = found.frame[found.frame["neuron"] == "z1"]
        assert still[["effect", "p", "q"]].isna().all(axis=None)


class TestWhatIsSaid:
    def test_the_planted_ones_largest_first(self, known):
        found = neuron_columns(known)
        n = found.n_tests
        assert n == 4 * 8
        said = found.sentences()
        assert said[0] == f"z0 goes with area: ρ = 1.00 (q < 0.001, {n} tests)."
        assert said[1].startswith("z1 goes with brightness: ρ = −0.8")
        assert any(one.startswith("z3 goes with treatment: η = 0.") for one in said)
        assert all("z2" not in one for one in said)
        assert any(", tells B best, d′ = " in one for one in said)
        sizes = found.frame["effect"].abs().to_numpy()
        assert (np.diff(sizes) <= 0).all()

    def test_what_is_left_out_is_said(self, known):
        found = neuron_columns(known)
        assert found.left_out == {
            "file_name": "file names", "note": "text", "site": "the same for every image",
        }  # fmt: skip
        assert found.left_out_sentence() == (
            "Left out: file_name (file names); note (text); site (the same for every image)."
        )

    def test_many_left_out_for_one_reason_are_counted(self):
        texts = {f"note{i}": [f"{i} {k}" for k in range(20)] for i in range(5)}
        found = neuron_columns(table_of(normal(20, 1), {"n": normal(20), **texts}))
        assert found.left_out_sentence() == "Left out: note0, note1, note2 and 2 more (text)."

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            (np.full(20, np.nan), "no value at all"),
            ([1.0] * 20, "the same for every image"),
            ([*range(9), *[None] * 11], "fewer than 10 values"),
            (["a"] * 16 + ["b"] * 4, "fewer than two values of at least 5 images"),
        ],
        ids=["missing", "constant", "few", "rare"],
    )
    def test_what_nothing_can_be_said_of(self, values, why):
        table = table_of(normal(20, 2), {"odd": values})
        found = neuron_columns(table)
        assert found.left_out == {"odd": why}
        assert (len(found.frame), found.n_tests, found.sentences()) == (0, 0, [])
        with pytest.raises(DataError, match=f"column 'odd' .*{why}"):
            neuron_columns(table, ["odd"])

    def test_the_class_is_not_said_again_unless_asked_for(self):
        kinds = np.arange(60) % 3
        columns = {"kind": np.array(list("cab"))[kinds], "digit": kinds + 4, "half": kinds // 2}
        table = table_of(normal(60, 2), columns, kinds, ("x", "y", "z"))
        found = neuron_columns(table)
        assert found.left_out == {"kind": "it is the class", "digit": "it is the class"}
        assert set(neuron_columns(table, ["kind"]).frame["column"]) == {"kind"}

    def test_no_columns(self):
        with pytest.raises(DataError, match="have no columns"):
            neuron_columns(table_of(normal(20, 2)))

    def test_the_same_seed_gives_the_same(self, known):
        table = replace(known, logvar=np.zeros_like(known.logvar))
        one, other = (neuron_columns(table, ["area"], seed=3).frame for _ in range(2))
        assert one.equals(other)
        assert not one.equals(neuron_columns(table, ["area"], seed=4).frame)

    def test_tables_of_effects(self, known):
        found = neuron_columns(known, ["luck", "area", "treatment"])
        effects = found.effects()
        assert effects.index[0] == "area"
        assert list(effects.columns) == ["z0", "z1", "z2", "z3"]
        assert effects.loc["treatment", "z3"] == row_of(found, "treatment", "z3")["effect"]
        assert found.q_values().loc["luck", "z2"] == row_of(found, "luck", "z2")["q"]


def test_cards_name_the_closest_column(cells, known):
    vae = build_model(ModelConfig(latent_dim=4, image_shape=cells.image_shape, network="mlp"))
    cards = neuron_cards(vae, cells, known, k=1)
    assert [card.best_column for card in cards] == ["area", "brightness", None, "treatment"]
    assert [card.best_measure for card in cards] == ["ρ", "ρ", None, "η"]
    assert cards[0].best_effect == pytest.approx(1)
