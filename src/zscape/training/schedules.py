"""Learning rate and KL weight as functions of the step; nothing is remembered between steps."""

from __future__ import annotations

import math

from zscape.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, n_steps: int) -> float:
    """The rate of step ``step`` in [0, n_steps).

    ``"cosine"`` rises linearly over the first ``warmup`` fraction of the steps, then falls to 0
    along half a cosine; ``"constant"`` is what it says.

    >>> rates = [learning_rate(TrainConfig(learning_rate=1.0, warmup=0.5), s, 4) for s in range(4)]
    >>> [round(rate, 2) for rate in rates]
    [0.5, 1.0, 1.0, 0.5]
    """
    if config.schedule == "constant":
        return config.learning_rate
    n_warmup = config.warmup * n_steps
    if step < n_warmup:
        return config.learning_rate * min(1.0, (step + 1) / n_warmup)
    done = (step - n_warmup) / max(1.0, n_steps - n_warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def kl_weight(config: TrainConfig, step: int, n_steps_per_epoch: int) -> float:
    """The weight on the KL term at ``step``: from 0 to ``kld_weight`` over ``kl_warmup`` epochs."""
    n_warmup = config.kl_warmup * n_steps_per_epoch
    return config.kld_weight * (min(1.0, step / n_warmup) if n_warmup else 1.0)
