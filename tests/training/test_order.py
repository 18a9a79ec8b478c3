"""The order of an epoch: every image once, in parts that do not depend on who takes them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_helpers import fit_tiny, make_config, make_splits, resume_tiny

from zscape.config import TrainConfig
from zscape.data import batch_indices
from zscape.seeding import torch_generator
from zscape.training import Run, loop
from zscape.training.order import MOST_LISTED, Order, Permutation, sample


def test_every_number_stands_somewhere_once():
    for n in range(1, 200):
        found = Permutation(n, seed=n)(torch.arange(n))
        assert sorted(found.tolist()) == list(range(n))


@given(n=st.integers(1, 10**15), seed=st.integers(0, 2**63 - 1), data=st.data())
def test_also_where_nobody_could_list_them(n: int, seed: int, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=50, unique=True))
    found = Permutation(n, seed)(torch.tensor(places)).tolist()
    assert len(set(found)) == len(places)
    assert all(0 <= number < n for number in found)


def test_it_is_the_same_on_every_machine_and_in_every_version():
    """A run of an earlier version goes on with the order that it began with."""
    assert Permutation(10, seed=0)(torch.arange(10)).tolist() == [2, 8, 7, 5, 9, 1, 4, 3, 0, 6]
    assert Permutation(10**12, seed=1)(torch.arange(3)).tolist() == [
        548045796143, 481393961359, 94257641372,
    ]  # fmt: skip


def test_no_number_has_a_favourite_place():
    """Chi-squared with 2500 cells and 49 fixed sums twice; the bound is 5 standard deviations."""
    n, draws = 50, 4000
    counts = torch.zeros(n, n)
    for seed in range(draws):
        counts[torch.arange(n), Permutation(n, seed)(torch.arange(n))] += 1
    expected = draws / n
    freedom = (n - 1) ** 2
    chi = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi - freedom) < 5 * (2 * freedom) ** 0.5


def test_neighbours_do_not_stay_neighbours():
    found = Permutation(100_000, seed=3)(torch.arange(100_000)).double()
    by_place = torch.corrcoef(torch.stack([found, torch.arange(100_000).double()]))[0, 1]
    by_next = torch.corrcoef(torch.stack([found[1:], found[:-1]]))[0, 1]
    assert abs(by_place) < 5 / 100_000**0.5
    assert abs(by_next) < 5 / 100_000**0.5


def config(shuffle: str, batch_size: int = 7) -> TrainConfig:
    return TrainConfig(shuffle=shuffle, batch_size=batch_size, seed=5)


@pytest.mark.parametrize("shuffle", ["listed", "computed"])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_processes_share_every_step_of_one_process(shuffle: str, world: int) -> None:
    alone = Order(100, config(shuffle), epoch=2)
    parts = [Order(100, config(shuffle), epoch=2, rank=rank, world=world) for rank in range(world)]
    assert [len(part) for part in parts] == [len(alone)] * world == [15] * world
    for step in range(len(alone)):
        shared = torch.cat([part[step] for part in parts])
        assert sorted(shared.tolist()) == sorted(alone[step].tolist())
        sizes = [len(part[step]) for part in parts]
        assert max(sizes) - min(sizes) <= 1
    every = Counter(number for step in range(len(alone)) for number in alone[step].tolist())
    assert every == Counter(range(100))


def test_a_listed_order_is_that_of_runs_before_there_was_another():
    own = Order(100, config("listed"), epoch=1, rank=1, world=2)
    batches = batch_indices(100, 7, torch_generator(5, "order", 1))
    assert all(own[step].equal(batch[1::2]) for step, batch in enumerate(batches))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [
        Order(100, TrainConfig(shuffle="computed", batch_size=100, seed=seed), epoch)[0].tolist()
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    assert len(set(map(tuple, orders))) == 4


def test_a_step_of_more_images_than_could_be_listed():
    order = Order(10**13, config("computed", 10**4), epoch=0, rank=3, world=8)
    assert len(order) == 10**9
    assert len(order[10**9 - 1].unique()) == 10**4 // 8
    assert len(sample(10**13, 1000, seed=1).unique()) == 1000


def test_who_has_no_choice_gets_the_one_that_fits_and_it_is_kept(tmp_path: Path) -> None:
    assert loop.settle(TrainConfig(), MOST_LISTED).shuffle == "listed"
    assert loop.settle(TrainConfig(), MOST_LISTED + 1).shuffle == "computed"
    assert loop.settle(TrainConfig(shuffle="listed"), 10**9).shuffle == "listed"
    fit_tiny(tmp_path / "run", epochs=1)
    assert Run.open(tmp_path / "run").config.train.shuffle == "listed"


def test_a_run_from_before_there_was_a_choice_goes_on_as_it_began(tmp_path, monkeypatch):
    fit_tiny(tmp_path / "run", epochs=1)
    file = tmp_path / "run" / "config.json"
    content = json.loads(file.read_text())
    del content["train"]["shuffle"]
    file.write_text(json.dumps(content))
    monkeypatch.setattr(loop, "MOST_LISTED", 10)
    assert Run.open(tmp_path / "run").config.train.shuffle == "listed"
    assert resume_tiny(tmp_path / "run").is_finished


def test_what_is_evaluated_of_very_many_is_drawn_without_a_list():
    data = make_splits()
    for shuffle in ("listed", "computed"):
        told = make_config(shuffle=shuffle, evaluate_train=12).train
        few = loop._sampled(data.train, told)
        assert few is not None
        assert len(few) == 12
    assert (
        loop._sampled(data.train, make_config(shuffle="computed", evaluate_train=0).train) is None
    )
