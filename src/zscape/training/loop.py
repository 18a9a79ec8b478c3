"""The training loop. It knows nothing of files, figures or terminals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from zscape.config import TrainConfig
from zscape.data import ImageSet, Splits
from zscape.errors import CheckpointError, ConfigError, TrainingDiverged
from zscape.model import VAE, MeanElbo, Terms, TrainingObjective, blame, mean_elbo
from zscape.seeding import derive, torch_generator
from zscape.training.feed import fetched, near
from zscape.training.hardware import find_precision, teach_allocator
from zscape.training.optimizers import create_optimizers, pack_state, tell_rate, unpack_state
from zscape.training.order import COMPUTED, LISTED, MOST_LISTED, Order, sample
from zscape.training.recorded import Recorded
from zscape.training.schedules import kl_weight, learning_rate

if TYPE_CHECKING:
    from lightning_fabric import Fabric

CHECK_EVERY = 50
"""Steps between two looks at whether all is finite; each look waits for the device."""

TERMS = ("reconstruction", "kl", "gradient")


class Wish(IntEnum):
    """What is to happen after a step; of several processes the greatest wish counts."""

    GO_ON = 0
    SAVE = 1
    STOP = 2


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; nats per image.

    ``running`` is the mean over the epoch while the weights moved, in training mode;
    ``evaluated_train`` is of a sample of the training images as ``test`` is of the test images,
    so that these two alone may be compared. It is None if nobody asked for it.
    """

    number: int
    running: MeanElbo
    evaluated_train: MeanElbo | None
    test: MeanElbo
    kld_weight: float
    learning_rate: float
    seconds: float
    others: dict[str, float]
    """Running means of what the objective has besides, by name."""

    def to_dict(self) -> dict[str, Any]:
        """One line of ``metrics.jsonl``."""
        evaluations = {"running": self.running, "evaluated_train": self.evaluated_train}
        line: dict[str, Any] = {
            "epoch": self.number,
            **{
                name: {
                    "loss": evaluation.loss(self.kld_weight),
                    "reconstruction": evaluation.reconstruction,
                    "kl": evaluation.kl,
                    "n_images": evaluation.n_images,
                }
                for name, evaluation in {**evaluations, "test": self.test}.items()
                if evaluation is not None
            },
            "kl_per_neuron": list(self.test.kl_per_neuron),
            "n_active": self.test.n_active,
            "learning_rate": self.learning_rate,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.running.n_images / self.seconds, 1),
        }
        line["running"] |= self.others
        return line


def settle(config: TrainConfig, n_images: int) -> TrainConfig:
    """``config`` with the batch size and shuffle that suit ``n_images``, if it names none.

    A large batch wastes less of the machine; a small set needs small ones to get enough steps.
    """
    return config.replace(
        batch_size=config.batch_size or min(512, max(32, n_images // 100)),
        shuffle=config.shuffle or (LISTED if n_images <= MOST_LISTED else COMPUTED),
    )


def count_steps(n_images: int, config: TrainConfig) -> int:
    """Steps per epoch over ``n_images`` training images; ``config`` is settled.

    Raises
    ------
    ConfigError
        In some step a process would get fewer than 2 images, too few for batch norm.
    """
    assert config.batch_size is not None
    n_steps = -(-n_images // config.batch_size)
    n_processes = config.devices * config.num_nodes
    if n_images // n_steps < 2 * n_processes:
        raise ConfigError(
            f"every process needs at least 2 images in every step; got {n_images} training images "
            f"and batch_size {config.batch_size} for {n_processes} process(es)."
        )
    return n_steps


def _sampled(images: ImageSet, config: TrainConfig) -> ImageSet | None:
    """The training images that are evaluated after every epoch."""
    if not (n := min(config.evaluate_train, len(images))):
        return None
    if config.shuffle == COMPUTED:
        return images[sample(len(images), n, derive(config.seed, "evaluated"))]
    return images.subset(n, torch_generator(config.seed, "evaluated"))


class Trainer:
    """Trains a ``VAE`` in place, epoch by epoch, and can be stopped after any step.

    Every random draw is a function of (seed, epoch, step), so its whole state is what
    ``state_dict`` returns, and a trainer that loads it goes on bit for bit.

    Parameters
    ----------
    vae
        Moved to the fabric's device and trained.
    data
        Both splits; kept on the device if there is room, so that a batch is one index. Otherwise,
        and where they are mapped from a file, batches are fetched while the step before computes.
    config
        How to train.
    fabric
        Device, precision and processes; launched.
    dynamic_binarization
        Toss a coin per training pixel and step, with the pixel's brightness as probability.
    """

    def __init__(
        self,
        vae: VAE,
        data: Splits,
        config: TrainConfig,
        fabric: Fabric,
        *,
        dynamic_binarization: bool = False,
    ) -> None:
        config = settle(config, len(data.train))
        self.config, self.fabric, self.dynamic_binarization = config, fabric, dynamic_binarization
        self.vae = vae.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_images, self.test_images = (near(split, fabric.device) for split in data)
        self.codes = vae.condition and vae.condition.codes(data.train).to(fabric.device)
        self.train_sample = _sampled(self.train_images, config)
        is_bf16 = find_precision(config.precision, fabric.device.type) == "bf16"
        optimizers = create_optimizers(
            self.vae, config, torch.bfloat16 if is_bf16 else torch.float32
        )
        objective = TrainingObjective(self.vae, config, len(data.train))
        self.names = objective.names
        self.objective, *self.optimizers = fabric.setup(objective, *optimizers)
        self.averaged = AveragedModel(self.vae, use_buffers=True)
        self.n_steps_per_epoch = count_steps(len(data.train), config)
        self.epoch = 0
        self.step = 0
        self.best_loss = math.inf
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        """Of the best epoch of this session; kept under early stopping only."""
        self._noise = torch.Generator(device=fabric.device)
        self._first_bad: list[int]
        self._seconds: float
        self._recorded: Recorded | None
        self._start_epoch()
        self._start_recording()

    @property
    def n_steps(self) -> int:
        """Steps of the whole training."""
        return self.config.epochs * self.n_steps_per_epoch

    @property
    def n_steps_done(self) -> int:
        """Of the whole training so far."""
        return self.epoch * self.n_steps_per_epoch + self.step

    @property
    def final_vae(self) -> VAE:
        """The model to test and save: the averaged one if averaging is on."""
        return cast(VAE, self.averaged.module) if self.config.ema else self.vae

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are done, or early stopping has had enough."""
        patience = self.config.early_stopping
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.config.epochs or (patience is not None and waited >= patience)

    @property
    def is_best(self) -> bool:
        """Whether the epoch just finished has the lowest test loss so far."""
        return self.best_epoch == self.epoch

    def run(
        self,
        on_step: Callable[[Trainer], None] = lambda _: None,
        on_epoch: Callable[[Trainer, Epoch], None] = lambda *_: None,
        wish: Callable[[], Wish] = lambda: Wish.GO_ON,
        on_pause: Callable[[Trainer], None] = lambda _: None,
    ) -> bool:
        """Train until finished, or until ``wish()``, asked after every step, says otherwise.

        ``on_pause`` is called when it does, with the trainer in a state that can be saved. All
        processes must wish the same.

        Returns
        -------
        Whether training is finished.

        Raises
        ------
        TrainingDiverged
            A term of the loss or the gradient stopped being finite. Do not save this state.
        """
        teach_allocator()
        while not self.is_finished:
            clock = time.perf_counter() - self._seconds
            order = self._order()
            self.objective.train()
            left = range(self.step, len(order))
            pixels = fetched(self.train_images, map(order.__getitem__, left), self.fabric.device)
            for step, x in zip(left, pixels, strict=True):
                self._train_step(x, None if self.codes is None else self.codes[order[step]])
                self.step += 1
                if self.step % CHECK_EVERY == 0:
                    self._check_finite()
                on_step(self)
                if wished := wish():
                    self._check_finite()
                    self._gather()
                    self._seconds = time.perf_counter() - clock
                    on_pause(self)
                    if wished is Wish.STOP:
                        return False
                    clock = time.perf_counter() - self._seconds
            self._check_finite()
            on_epoch(self, self._finish_epoch(time.perf_counter() - clock))
        return True

    def running(self) -> MeanElbo:
        """Mean training terms of the epoch so far; waits for the device."""
        self._collect()
        n = max(1, self._n_images)
        means = (self._sums / n).tolist()
        return MeanElbo(means[0], tuple(means[1 + len(self.names) :]), n)

    def _others(self) -> dict[str, float]:
        means = (self._sums / max(1, self._n_images)).tolist()
        return dict(zip(self.names, means[1:], strict=False))

    def _order(self) -> Order:
        images, fabric = self.train_images, self.fabric
        return Order(len(images), self.config, self.epoch, rank=fabric.global_rank,
                     world=fabric.world_size, device=images.images.device)  # fmt: skip

    def _train_step(self, x: Tensor, condition: Tensor | None = None) -> None:
        config, step = self.config, self.n_steps_done
        # A young average forgets faster, or it would be made of the random initial weights.
        decay = min(config.ema, (1 + step) / (10 + step)) if step else 0.0
        told = (
            learning_rate(config, step, self.n_steps),
            kl_weight(config, step, self.n_steps_per_epoch),
            decay,
        )
        self._noise.manual_seed(derive(config.seed, "noise", step, self.fabric.global_rank))
        inputs = (x,) if condition is None else (x, condition)
        if self._recorded is None:
            terms = self._step(told, *inputs)
        else:
            numbers = torch.tensor(told).to(x.device, non_blocking=True)
            terms = self._recorded(numbers, *inputs)
        self.averaged.n_averaged += 1
        self._terms.append(terms)
        self._n_images += len(x)

    def _step(
        self, told: Sequence[float] | Tensor, x: Tensor, condition: Tensor | None = None
    ) -> Tensor:
        """One step of all weights; ``told`` is the learning rate, KL weight and decay of averages.

        Returns
        -------
        What ``_terms`` keeps of a step: reconstruction, others and KL per neuron, summed over the
        batch, and the norm of the gradient.
        """
        rate, weight, decay = told
        tell_rate(self.optimizers, rate)
        if self.dynamic_binarization:
            x = torch.bernoulli(x, generator=self._noise)
        x = x.contiguous(memory_format=torch.channels_last)
        try:
            found: Terms = self.objective(x, weight, self._noise, condition)
            self.fabric.backward(found.loss)
            norm = self._clip()
            for optimizer in self.optimizers:
                optimizer.step()
        finally:  # nothing is left of a recording that failed
            for optimizer in self.optimizers:
                optimizer.zero_grad()
        with torch.no_grad():
            if self.config.ema:
                self._average(decay)
            others = [value.sum() for value in found.others.values()]
            single = torch.stack([found.reconstruction.sum(), *others])
            return torch.cat([single, found.kl.sum(0), norm[None]])

    def _start_recording(self) -> None:
        is_alone = self.fabric.device.type == "cuda" and self.fabric.world_size == 1
        is_on = is_alone and self.config.cuda_graphs
        self._recorded = Recorded(self._step, [self._noise]) if is_on else None

    def _clip(self) -> Tensor:
        if self.config.clip_norm is not None:
            return nn.utils.clip_grad_norm_(self.vae.parameters(), self.config.clip_norm)
        return nn.utils.get_total_norm(p.grad for p in self.vae.parameters() if p.grad is not None)

    def _collect(self) -> None:
        """Add up what the device has computed: on the CPU, because not every device has float64.

        One step after the other, so that the sum is the same whenever somebody looked.
        """
        if not self._terms:
            return
        rows = torch.stack(self._terms).cpu().double()
        first = self.step - len(rows)
        for step, row in enumerate(rows, first):
            self._sums += row[:-1]
            n = 1 + len(self.names)
            for k, part in enumerate((row[:n], row[n:-1], row[-1])):
                if self._first_bad[k] < 0 and not part.isfinite().all():
                    self._first_bad[k] = step
        self._terms.clear()

    def _check_finite(self) -> None:
        self._collect()
        steps = self._first_bad
        if self.fabric.world_size > 1:
            found = torch.tensor(steps, device=self.fabric.device)
            steps = cast(Tensor, self.fabric.all_reduce(found, reduce_op="max")).tolist()
        bad = [(step, term) for step, term in zip(steps, TERMS, strict=True) if step >= 0]
        if bad:
            step, term = min(bad, key=lambda pair: pair[0])
            rows = self._order()[step]
            self.vae.load_state_dict(self._begun)  # those it has now are NaN themselves
            reason = blame(self.vae, lambda: self._pass(rows))
            raise self._diverged(term, f"at step {step + 1}", reason)

    def _pass(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Training images through both halves of the network."""
        vae = self.vae if self.codes is None else self.vae.given(self.codes[rows])
        mu, logvar = vae.encode(self.train_images.pixels(rows).to(self.fabric.device))
        return mu, logvar, vae.logits(mu)

    def _diverged(self, term: str, where: str, reason: str) -> TrainingDiverged:
        advice = f"; try a lower learning rate than {self.config.learning_rate:g} or --clip-norm"
        return TrainingDiverged(
            f"Training diverged: the {term} stopped being finite {where} of "
            f"{self.n_steps_per_epoch} in epoch {self.epoch + 1}{reason or advice}."
        )

    def _start_epoch(self) -> None:
        n_terms = 1 + len(self.names) + self.vae.latent_dim
        self._sums = torch.zeros(n_terms, dtype=torch.float64)
        self._terms: list[Tensor] = []
        self._first_bad = [-1] * len(TERMS)
        self._n_images = 0
        self._seconds = 0.0
        self._keep_weights()

    def _keep_weights(self) -> None:
        """To ask them what went wrong: they are finite, and those of a step that failed are not."""
        self._begun = {name: value.clone() for name, value in self.vae.state_dict().items()}

    def _gather(self) -> None:
        """Bring the sums of all processes together in the first, which writes the checkpoint."""
        fabric = self.fabric
        self._collect()
        if fabric.world_size == 1:
            return
        n = torch.tensor(self._n_images, device=fabric.device)
        total = cast(Tensor, fabric.all_reduce(self._sums.to(fabric.device), reduce_op="sum"))
        n = cast(Tensor, fabric.all_reduce(n, reduce_op="sum"))
        self._sums = total.cpu() * fabric.is_global_zero
        self._n_images = int(n) * fabric.is_global_zero

    def _finish_epoch(self, seconds: float) -> Epoch:
        fabric = self.fabric
        self._gather()
        test, train = cast(MeanElbo, None), None
        if fabric.is_global_zero:
            test = mean_elbo(self.final_vae, self.test_images, seed=self.config.seed)
            if self.train_sample:
                train = mean_elbo(self.final_vae, self.train_sample, seed=self.config.seed)
        found = self.running(), self._others(), train, test
        running, others, train, test = fabric.broadcast(found)
        if not math.isfinite(test.reconstruction + test.kl):
            vae, seed = self.final_vae, self.config.seed
            reason = blame(vae, lambda: mean_elbo(vae, self.test_images, seed=seed).reconstruction)
            raise self._diverged("test loss", f"after step {self.step}", reason)
        last_step = (self.epoch + 1) * self.n_steps_per_epoch - 1
        rate = learning_rate(self.config, last_step, self.n_steps)
        self.epoch, self.step = self.epoch + 1, 0
        if test.loss(self.config.kld_weight) < self.best_loss:
            self.best_loss, self.best_epoch = test.loss(self.config.kld_weight), self.epoch
            if self.config.early_stopping:
                weights = self.final_vae.state_dict()
                self.best_weights = {name: value.clone() for name, value in weights.items()}
        self._start_epoch()
        weight = self.config.kld_weight
        return Epoch(self.epoch, running, train, test, weight, rate, seconds, others)

    def _average(self, decay: float | Tensor) -> None:
        both: list[tuple[list[Tensor], list[Tensor]]] = [([], []), ([], [])]
        sides = ((*part.parameters(), *part.buffers()) for part in (self.averaged.module, self.vae))
        for own, new in zip(*sides, strict=True):
            for side, value in zip(both[own.is_floating_point()], (own, new), strict=True):
                side.append(value)
        (counts, new_counts), (averages, values) = both
        if counts:
            torch._foreach_copy_(counts, new_counts)
        if isinstance(decay, float):
            torch._foreach_lerp_(averages, values, 1 - decay)
        else:  # which lerp does not take
            ways = torch._foreach_sub(values, averages)
            torch._foreach_mul_(ways, 1 - decay)
            torch._foreach_add_(averages, ways)

    def state_dict(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything needed to go on: tensors, and plain values for JSON."""
        self._collect()
        tensors = {f"model.{name}": value for name, value in self.vae.state_dict().items()}
        if self.config.ema:
            averaged = self.averaged.state_dict()
            tensors |= {f"averaged.{name}": value for name, value in averaged.items()}
        state = pack_state(self.optimizers)
        tensors |= {f"optimizer.{name}": value for name, value in state.items()}
        tensors["sums"] = self._sums
        counters = {
            "epoch": self.epoch,
            "step": self.step,
            "n_images": self._n_images,
            "seconds": self._seconds,
            "best_loss": self.best_loss if self.best_epoch else None,
            "best_epoch": self.best_epoch,
        }
        return tensors, counters

    def load_state_dict(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned.

        Parameters
        ----------
        tensors, counters
            Both of what ``state_dict`` returned.

        Raises
        ------
        CheckpointError
            The state is of another model or configuration.
        """

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }

        try:
            self.vae.load_state_dict(part("model."))
            if self.config.ema:
                self.averaged.load_state_dict(part("averaged."))
            unpack_state(self.optimizers, part("optimizer."))
            self.epoch, self.step = counters["epoch"], counters["step"]
            self.best_epoch = counters["best_epoch"]
            if self.fabric.is_global_zero:
                self._sums.copy_(tensors["sums"])
                self._n_images, self._seconds = counters["n_images"], counters.get("seconds", 0.0)
            self.best_loss = math.inf if counters["best_loss"] is None else counters["best_loss"]
            self._keep_weights()
            self._start_recording()  # the old one is of tensors that are no more
        except (KeyError, IndexError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"the checkpoint is of another model: {error}") from error
