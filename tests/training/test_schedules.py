from __future__ import annotations

import math

import pytest

from zscape.config import TrainConfig
from zscape.training.schedules import kl_weight, learning_rate


@pytest.mark.parametrize(("warmup", "n_steps"), [(0.0, 10), (0.1, 100), (0.25, 40), (0.13, 57)])
def test_cosine_rises_to_its_peak_and_falls_to_nothing(warmup: float, n_steps: int) -> None:
    config = TrainConfig(learning_rate=2e-3, warmup=warmup)
    rates = [learning_rate(config, step, n_steps) for step in range(n_steps)]
    n_warmup = warmup * n_steps
    for step, rate in enumerate(rates):
        if step < n_warmup:
            expected = 2e-3 * min(1.0, (step + 1) / n_warmup)
        else:
            done = (step - n_warmup) / (n_steps - n_warmup)
            expected = 1e-3 * (1 + math.cos(math.pi * done))
        assert rate == pytest.approx(expected, rel=1e-12)
    assert max(rates) <= 2e-3
    assert 0 < rates[-1] < 2e-3 * (math.pi / (n_steps - n_warmup)) ** 2 / 2
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


@pytest.mark.parametrize("warmup", [0.0, 1.0])
@pytest.mark.parametrize("n_steps", [1, 2])
def test_cosine_of_very_short_trainings(warmup: float, n_steps: int) -> None:
    config = TrainConfig(learning_rate=1.0, warmup=warmup)
    rates = [learning_rate(config, step, n_steps) for step in range(n_steps)]
    expected = {(0.0, 1): [1], (0.0, 2): [1, 0.5], (1.0, 1): [1], (1.0, 2): [0.5, 1]}
    assert rates == pytest.approx(expected[warmup, n_steps])


def test_constant_is_constant() -> None:
    config = TrainConfig(schedule="constant", learning_rate=1e-4, warmup=0.5)
    assert {learning_rate(config, step, 50) for step in range(50)} == {1e-4}


def test_kl_weight_rises_linearly_and_stays() -> None:
    config = TrainConfig(kld_weight=4.0, kl_warmup=2.0)
    weights = [kl_weight(config, step, n_steps_per_epoch=5) for step in range(20)]
    assert weights == pytest.approx([4.0 * min(1.0, step / 10) for step in range(20)])


def test_kl_warmup_of_a_fraction_of_an_epoch() -> None:
    config = TrainConfig(kl_warmup=0.5)
    assert [kl_weight(config, step, 4) for step in range(4)] == [0.0, 0.5, 1.0, 1.0]


def test_no_kl_warmup_is_full_weight_from_the_first_step() -> None:
    assert kl_weight(TrainConfig(kld_weight=0.3), 0, 10) == 0.3
