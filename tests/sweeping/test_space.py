"""What may be swept, how it is written, and what is refused before anything is trained."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from zscape.errors import ConfigError
from zscape.sweeping.search import Search, ask_optuna
from zscape.sweeping.space import Range, Space


def test_values_come_as_text_as_lists_and_as_arrays():
    space = Space.of({
        "latent_dim": "2, 3,5", "kld_weight": [0.5, 1, 4], "learning_rate": np.array([1e-3, 1e-2]),
        "network": "mlp,enhanced", "clip_norm": "none,1", "cuda_graphs": "true,false",
        "data": "a,b.npz", "epochs": 3, "ema": "0.9",
    })  # fmt: skip
    assert space.values == {
        "latent_dim": (2, 3, 5), "kld_weight": (0.5, 1, 4), "learning_rate": (1e-3, 1e-2),
        "network": ("mlp", "enhanced"), "clip_norm": (None, 1.0), "cuda_graphs": (True, False),
    }  # fmt: skip
    assert space.fixed == {"data": "a,b.npz", "epochs": 3, "ema": 0.9}
    assert space.n_points == 3 * 3 * 2 * 2 * 2 * 2 == len(list(space.grid()))
    assert Space.of(space.to_dict()) == space


def test_a_grid_tries_every_value_with_every_other_the_last_option_first():
    space = Space.of({"latent_dim": "2,3", "kld_weight": "0.5,1"})
    assert [tuple(point.values()) for point in space.grid()] == [
        (2, 0.5), (2, 1.0), (3, 0.5), (3, 1.0)
    ]  # fmt: skip


def test_a_range_is_drawn_from_as_it_says():
    space = Space.of({"learning_rate": "1e-3..1e-1:log", "latent_dim": "2..32", "ema": "0..0.9"})
    assert space.ranges["latent_dim"] == Range(2, 32, whole=True)
    points = list(itertools.islice(space.drawn(0), 400))
    rates = np.array([point["learning_rate"] for point in points])
    assert rates.min() >= 1e-3
    assert rates.max() <= 1e-1
    assert abs(np.mean(rates < 1e-2) - 0.5) < 0.1  # the middle of the logarithms
    sizes = {point["latent_dim"] for point in points}
    assert sizes == set(range(2, 33))
    assert points == list(itertools.islice(space.drawn(0), 400))
    assert points[:3] != list(itertools.islice(space.drawn(1), 3))
    whole = [Range.parse("1..8:int:log").at(share) for share in np.linspace(0, 1, 50)]
    assert set(whole) == set(range(1, 9))
    assert Space.of(space.to_dict()) == space


def test_a_space_that_ends_is_drawn_to_its_end():
    points = list(Space.of({"latent_dim": "2..4", "kld_weight": "1,2"}).drawn(0))
    assert len(points) == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"latent_dims": 2}, "no option latent_dims (did you mean latent_dim?)"),
        ({"beta": 2}, "did you mean kld_weight?"),
        ({"latent_dim": "2,,3"}, "one of them is empty"),
        ({"latent_dim": []}, "at least one value"),
        ({"latent_dim": "2..8,9"}, "one range or some values"),
        ({"learning_rate": "1e-1..1e-3"}, "goes up"),
        ({"learning_rate": "0..1:log"}, "begins above 0"),
        ({"learning_rate": "1..2:cubic"}, "LOW..HIGH:log"),
        ({"cuda_graphs": Range(0, 1)}, "no number"),
        ({"resize": "16,28"}, "changes the test images"),
        ({"devices": 2}, "one device"),
    ],
    ids=str,
)
def test_what_is_no_space_is_refused(options, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        Space.of(options)


@pytest.mark.parametrize(
    ("options", "how", "said"),
    [
        ({"learning_rate": "1e-3..1e-1"}, {}, "a grid needs values, and learning_rate"),
        ({"latent_dim": "2,3"}, {"n": 4}, "leave out trials"),
        ({"latent_dim": "2,3"}, {"method": "random"}, "how many"),
        ({"latent_dim": 2}, {"method": "random", "n": 3}, "nothing to draw"),
        ({"latent_dim": 2}, {"method": "bayes"}, "search must be one of grid, random, optuna"),
    ],
    ids=str,
)
def test_what_is_no_search_is_refused(options, how, said):
    with pytest.raises(ConfigError, match=said):
        Search("mnist", Space.of(options), **how)


def test_every_seed_sees_the_same_images():
    search = Search("mnist", Space.of({"latent_dim": "2,3"}), seeds=(4, 5))
    configs = search.listed()
    assert [(c.model.latent_dim, c.train.seed) for c in configs] == [(2, 4), (2, 5), (3, 4), (3, 5)]
    assert {c.data.split_seed for c in configs} == {4}


def test_optuna_asks_the_same_of_the_same_and_where_it_was_good():
    space = Space.of({"learning_rate": "1e-4..1:log", "latent_dim": "2..9", "ema": "0.9,0.99"})
    search = Search("mnist", space, "optuna", n=40, seed=3)
    known: list[tuple[dict[str, object], float | str]] = []
    for number in range(40):
        point = ask_optuna(search, known, by="elbo")
        assert ask_optuna(search, known, by="elbo") == point if number < 2 else True
        value = abs(np.log10(point["learning_rate"]) + 2)
        known.append((point, "failed" if number == 5 else "running" if number == 6 else value))
    rates = [abs(np.log10(point["learning_rate"]) + 2) for point, _ in known]
    assert np.median(rates[25:]) < np.median(rates[:10])
    assert {type(point["latent_dim"]) for point, _ in known} == {int}
