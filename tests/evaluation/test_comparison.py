from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import zscape
from zscape import api, figures
from zscape.data import ImageSet, Splits
from zscape.errors import ConfigError, ShapeError
from zscape.evaluation import Comparison, compare

TINY = {"network": "mlp", "epochs": 1, "batch_size": 20, "optimizer": "adam", "progress": "none"}


def split(name: str, n: int, seed: int) -> ImageSet:
    pixels = torch.randint(0, 256, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(n) % 3
    pixels[labels == 1] //= 4
    return ImageSet(pixels.to(torch.uint8), labels, ("a", "b", "c"), split=name, name="noise")


DATA = Splits(split("train", 80, 0), split("test", 30, 1))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two seeds of two neurons, and one of three."""
    folder = tmp_path_factory.mktemp("compared")
    np.savez(
        folder / "noise.npz",
        **{
            f"{half.split}_{what}": values.numpy()
            for half in DATA
            for what, values in (("images", half.images), ("labels", half.labels))
        },
    )
    for name, options in {
        "one": {"latent_dim": 2},
        "two": {"latent_dim": 2, "seed": 1},
        "three": {"latent_dim": 3},
    }.items():
        zscape.train(folder / "noise.npz", out=folder / name, **TINY, **options)
    return [folder / name for name in ("one", "two", "three")]


@pytest.fixture(scope="module")
def found(runs: list[Path]) -> Comparison:
    return api.measure_models(runs, protocol=zscape.Protocol("dynamic", samples=3))


def test_a_row_is_what_evaluate_and_probe_say(runs, found):
    frame = found.frame()
    alone = zscape.evaluate(runs[2], protocol=zscape.Protocol("dynamic", samples=3))
    row = frame.set_index("model").loc["three"]
    for name in ("elbo", "nll"):
        assert row[name] == alone.table().loc[name, "nats"]
        assert row[f"{name}_error"] == alone.table().loc[name, "error"]
    assert row["bits_per_dim"] == alone.table().loc["nll", "bits_per_dim"]
    assert row["latent_dim"] == 3
    assert row["n_used"] == alone.per_neuron()["is_used"].sum()
    assert frame[["linear", "neighbours"]].stack().between(0, 1).all()
    assert list(frame["seed"]) == [0, 1, 0]


def test_the_verb_returns_the_tidy_frame_with_its_protocol(runs, found):
    protocol = zscape.Protocol("dynamic", samples=3)
    pd.testing.assert_frame_equal(zscape.compare(runs, protocol=protocol), found.frame())
    assert set(found.frame()["how"]) == {found.how}
    assert "binarize dynamic" in found.how


def test_each_model_is_there_once_and_has_a_name_of_its_own(runs, tmp_path):
    other = tmp_path / "one"
    shutil.copytree(runs[0], other)
    assert [model.name for model in api.open_models([runs[0], other])] == ["one", str(other)]
    models = [zscape.load(run).model for run in runs[:2]]
    assert [model.name for model in api.open_models(models)] == ["MLPVAE", "MLPVAE (2)"]
    assert len(api.open_models(["zoo:all"])) == 14
    for twice in ([runs[0], runs[0]], ["zoo:2", "zoo:all"], [models[0], models[0]]):
        with pytest.raises(ConfigError, match="is there twice; name each model once"):
            api.open_models(twice)


def test_seeds_of_one_configuration_are_one_row_with_their_spread(found):
    table, frame = found.table(), found.frame()
    assert list(table["model"]) == ["one", "three"]
    assert list(table["n_seeds"]) == [2, 1]
    pair = frame["elbo"].iloc[:2]
    assert table["elbo"].iloc[0] == pytest.approx(pair.mean())
    assert table["elbo_spread"].iloc[0] == pytest.approx(pair.std())
    assert np.isnan(table["elbo_spread"].iloc[1])
    assert "elbo_error" not in table


def test_what_is_shown_has_each_figure_with_its_spread(found):
    shown, table = found.shown(), found.table()
    mean, spread = (table[name].iloc[0] for name in ("nll", "nll_spread"))
    assert shown["nll"].iloc[0] == f"{mean:.2f} ± {spread:.2f}"
    assert "±" not in shown["nll"].iloc[1]  # a single seed
    assert not {"how", "network", "likelihood", "nll_spread"} & set(shown)
    assert set(table["likelihood"]) == {"Bernoulli"}
    assert found.plus_minus == "the standard deviation over seeds"
    alone = compare(found.models[1:])
    frame = alone.frame()
    assert alone.shown()["elbo"].iloc[1] == (
        f"{frame['elbo'].iloc[1]:.2f} ± {frame['elbo_error'].iloc[1]:.2f}"
    )
    assert alone.plus_minus == "the standard error over images"


def test_the_best_of_a_column(found):
    table = found.table()
    best = found.best()
    assert table["nll"].iloc[best["nll"]] == table["nll"].min()
    assert table["linear"].iloc[best["linear"]] == table["linear"].max()
    assert not {"kl", "n_used", "latent_dim"} & set(best)


def test_models_of_other_images_or_measures_are_refused_before_anything_is_measured(runs):
    with pytest.raises(ConfigError, match="one and zoo:2 cannot be compared: their test images"):
        api.measure_models([runs[0], "zoo:2"])
    dense = zscape.train(DATA, latent_dim=2, likelihood="gaussian", **TINY)
    with pytest.raises(ConfigError, match="measure cross-entropy of grey pixels, no likelihood"):
        api.measure_models([runs[0], dense.model], DATA.test.images.numpy())


def test_without_labels_there_are_no_probes(runs):
    found = api.measure_models(runs[:2], DATA.test.images.numpy())
    assert "linear" not in found.frame()


def test_figures(found):
    assert len(figures.plot_comparison(found.frame()).axes) == 5
    pictures = np.zeros((4, 1, 8, 8), np.float32)
    pictures[1] = 1  # no picture
    rows = {"images": pictures, "one": pictures, "a longer name": pictures}
    drawn = figures.plot_side_by_side(rows, list("abcd"))
    assert len(drawn.axes) == 12
    assert sum(ax.get_visible() for ax in drawn.axes) == 9
    assert [ax.get_title() for ax in drawn.axes] == [*"abcd", *[""] * 8]
    with pytest.raises(ShapeError, match="one must have 4 pictures; got 3"):
        figures.plot_side_by_side({"images": pictures, "one": pictures[:3]})


def test_posteriors_are_drawn_to_their_own_scale_around_the_same_circle():
    codes = np.random.default_rng(0).standard_normal((200, 2))
    names = {"narrow: z0, z1": 0.5 * codes, "wide: z3, z2": 9 * codes}
    drawn = figures.plot_posteriors(names, np.arange(200) % 2, "ab")
    assert [ax.get_title(loc="left") for ax in drawn.axes] == list(names)
    narrow, wide = drawn.axes
    assert narrow.get_xlim() == narrow.get_ylim() == (-3, 3)
    assert wide.get_xlim()[1] == pytest.approx(np.percentile(np.abs(9 * codes), 99.5))
    for ax in drawn.axes:
        np.testing.assert_allclose(np.hypot(*ax.lines[0].get_data()), 2)
    with pytest.raises(ShapeError, match="codes must be"):
        figures.plot_posteriors({"one": codes[:, :1]})


def test_values_that_would_touch_have_no_name_but_a_place():
    values = [2, 3, 4, 5, 6, 8, 9, 10, 15, 20, 32]
    frame = pd.DataFrame({"latent_dim": values, "kld_weight": 1.0, "elbo": range(11)})
    (ax,) = figures.plot_comparison(frame).axes
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert len(names) == 11
    assert "" in names
    assert (names[0], names[-1]) == ("2", "32")
    ax.figure.canvas.draw()
    shown = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(shown))


def test_knobs_are_turned_one_at_a_time():
    frame = pd.DataFrame({
        "latent_dim": [2, 5, 10, 10], "kld_weight": [1.0, 1.0, 1.0, 4.0],
        "elbo": [3.0, 2.0, 1.0, 4.0],
    })  # fmt: skip
    assert list(figures.turned_knobs(frame)) == ["latent_dim", "kld_weight"]
    axes = figures.plot_comparison(frame).axes
    assert [ax.get_ylabel() for ax in axes] == ["weight of the KL: 1", "latent neurons: 10"]
    assert list(axes[0].lines[1].get_ydata()) == [3, 2, 1]
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["2", "5", "10"]
    assert list(axes[1].lines[1].get_ydata()) == [1, 4]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"latent_dim": [2, 3], "kld_weight": [1.0, 4.0]},  # both at once
        {"latent_dim": [2, 3], "network": ["mlp", "dense"]},
        {"latent_dim": [2, 2, 3], "kld_weight": [1.0, 4.0, 3.0]},  # one would be missing
    ],
)
def test_models_that_differ_otherwise_have_a_line_each(other):
    n = len(other.get("latent_dim", [2, 2]))
    told = {"latent_dim": [2] * n, "kld_weight": 1.0, "network": "mlp", "model": list("abc")[:n]}
    frame = pd.DataFrame(told | other).assign(elbo=range(n), elbo_error=0.25, kl=3.0)
    assert not figures.turned_knobs(frame)
    first, second = figures.plot_comparison(frame).axes
    assert [label.get_text() for label in first.get_yticklabels()] == list(frame["model"])
    assert not any(label.get_text() for label in second.get_yticklabels())
    points, _, (whiskers,) = first.containers[0]
    assert points.get_xydata().tolist() == [[i, i] for i in range(n)]
    assert [path.vertices[:, 0].tolist() for path in whiskers.get_paths()] == [
        [i - 0.25, i + 0.25] for i in range(n)
    ]
    assert first.get_ylim() == (n - 0.5, -0.5)  # the first on top
    assert not second.containers[0].has_xerr
