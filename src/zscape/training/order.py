"""Which images a step takes: the order of an epoch, and the part of each process."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zscape.config import TrainConfig
from zscape.data import batch_indices
from zscape.seeding import derive, torch_generator

LISTED = "listed"
COMPUTED = "computed"
MOST_LISTED = 10_000_000
"""Images up to which an epoch has a list of all, of 8 bytes each, unless a run says otherwise."""

_ROUNDS = 8


class Permutation:
    """The numbers below ``n``, each once, in an order that a seed decides; none is listed.

    A Feistel network, which is one to one whatever it mixes with, over the least power of two that
    holds ``n``; what falls outside goes through it again until it does not.

    References
    ----------
    Luby & Rackoff 1988, doi:10.1137/0217022 (the network is a random permutation if what it mixes
    with is random); Black & Rogaway 2002, doi:10.1007/3-540-45760-7_9 (going through it again);
    Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195 (what it mixes with).
    """

    def __init__(self, n: int, seed: int) -> None:
        bits = max(2, (n - 1).bit_length())
        self.n, self._low = n, np.uint64(bits // 2)
        self._masks = [np.uint64((1 << half) - 1) for half in (bits // 2, bits - bits // 2)]
        self._keys = [np.uint64(derive(seed, "round", number)) for number in range(_ROUNDS)]

    def __call__(self, places: Tensor) -> Tensor:
        """The numbers (m,) int64 that stand at ``places`` (m,), each in [0, n - 1]."""
        found = self._through(places.numpy().astype(np.uint64))
        while (outside := found >= self.n).any():
            found[outside] = self._through(found[outside])
        return torch.from_numpy(found.astype(np.int64))

    def _through(self, x: NDArray[np.uint64]) -> NDArray[np.uint64]:
        # One half is changed by the other, in turns; they may differ in length by a bit.
        halves = [x & self._masks[0], x >> self._low]
        for number, key in enumerate(self._keys):
            own = number % 2
            halves[own] = halves[own] ^ (_mixed(halves[1 - own] + key) & self._masks[own])
        whole: NDArray[np.uint64] = halves[0] | (halves[1] << self._low)
        return whole


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


class Order:
    """The images of every step of an epoch, of which each process has its part.

    ``n`` images in all, dealt into near-equal batches; ``config`` is settled. The images of a step
    do not depend on how many processes share them.

    Parameters
    ----------
    rank, world
        Which process this is, of how many.
    device
        Where a list is kept, if there is one.
    """

    def __init__(
        self, n: int, config: TrainConfig, epoch: int, *, rank: int = 0, world: int = 1,
        device: torch.device | None = None,
    ) -> None:  # fmt: skip
        assert config.batch_size is not None
        self._n, self._n_steps = n, -(-n // config.batch_size)
        self._rank, self._world, self._device = rank, world, device
        self._permutation: Permutation | None = None
        self._listed: tuple[Tensor, ...] = ()
        if config.shuffle == COMPUTED:
            self._permutation = Permutation(n, derive(config.seed, "order", epoch))
            return
        generator = torch_generator(config.seed, "order", epoch)
        batches = batch_indices(n, config.batch_size, generator)
        self._listed = tuple(batch[rank::world].to(device) for batch in batches)

    def __len__(self) -> int:
        """How many steps."""
        return self._n_steps

    def __getitem__(self, step: int) -> Tensor:
        """Numbers (m,) of the images that this process takes in ``step``."""
        if self._permutation is None:
            return self._listed[step]
        size, larger = divmod(self._n, self._n_steps)  # as tensor_split deals them
        first, end = (at * size + min(at, larger) for at in (step, step + 1))
        return self._permutation(torch.arange(first + self._rank, end, self._world)).to(
            self._device
        )


def sample(n: int, n_sample: int, seed: int) -> Tensor:
    """``n_sample`` of ``n`` images, ascending, without a list of all."""
    return Permutation(n, seed)(torch.arange(n_sample)).sort().values
