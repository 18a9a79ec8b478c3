"""The rows of the published table, trained at the same time on one device within a budget.

On a CUDA device networks this small would wait for Python: there ten steps are one recording, and
the recordings of several rows are replayed side by side. On a CPU the same steps are run as they
are, each row in one thread.

Trained as Burda, Grosse & Salakhutdinov 2016 did (arXiv:1509.00519, section 4): Adam with an
epsilon of 1e-4, Glorot's weights, and the learning rate in stages, 3^i epochs at 10^(-i/7) of the
first, i = 0 … 7. Not as they did: their 3 280 epochs are made as few as the budget has room for,
each stage keeping its share; steps are of more images at a larger rate; and the weights that are
judged are a running mean.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from zscape.config import RunConfig
from zscape.data import Splits
from zscape.files import make_folder, write_atomic
from zscape.model import VAE, TrainingObjective, mean_elbo
from zscape.seeding import derive, torch_generator
from zscape.training import save_weights
from zscape.training.optimizers import pack_state, tell_rate
from zscape.training.recorded import WARM_UP, Recorded

BATCH = 100
RATE = 5e-3
"""Of the first stage: the paper's, by as much as a batch is larger."""
EMA = 0.999
STAGES = 8
PAPER_EPOCHS = 3280
UNROLLED = 10
"""Steps to a recording."""
TRIAL = 1 / 80
"""Of the budget, for which all rows are run to see how many epochs there is time for."""
COUNTERS = ("epoch", "planned", "seconds", "budget", "curve")
SAVE_EVERY = 20.0
"""Seconds."""
SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 3000)
"""Epochs after which the test images are looked at, besides the last."""


class Row(NamedTuple):
    """What of a row of the table matters here."""

    objective: str
    train_samples: int

    def in_words(self) -> str:
        """As the page calls it."""
        return f"{self.objective} {self.train_samples}"


def stage_rate(share: float) -> float:
    """The learning rate when ``share`` of the training is done, in [0, 1).

    >>> [round(stage_rate(share) / RATE, 3) for share in (0, 0.01, 0.2, 0.9)]
    [1.0, 0.268, 0.139, 0.1]
    """
    bounds = [(3 ** (i + 1) - 1) / 2 / PAPER_EPOCHS for i in range(STAGES)]
    stage = next((i for i, bound in enumerate(bounds) if share < bound), STAGES - 1)
    return RATE * 10 ** (-stage / (STAGES - 1))


class Training:
    """One row: its network, its state, and ten steps of it as one call."""

    def __init__(self, vae: VAE, row: Row, data: Splits, folder: Path, device: str) -> None:
        options = {"objective": row.objective, "train_samples": row.train_samples}
        self.config = RunConfig.from_options(latent_dim=vae.latent_dim, **options)
        self.folder, self.device, self.data = folder, torch.device(device), data
        initialize(vae, data)
        self.vae = vae.to(device).train()
        self.averaged = type(vae)(vae.latent_dim, vae.image_shape).to(device)
        self.averaged.load_state_dict(vae.state_dict())
        self.objective = TrainingObjective(self.vae, self.config.train, len(data.train))
        is_cuda = device == "cuda"
        if is_cuda:
            fuse_cost(self.vae, BATCH * row.train_samples)
        self.optimizer = torch.optim.Adam(self.vae.parameters(), RATE, eps=1e-4, fused=True)
        self.noise = torch.Generator(device=device)
        # The small kernels of few samples go first, or they wait for the large ones of many.
        priority = -2 if row.train_samples == 1 else -1 if row.train_samples < 10 else 0
        self.stream = torch.cuda.Stream(priority=priority) if is_cuda else None
        self.steps = Recorded(self._steps, [self.noise], priority) if is_cuda else self._steps
        self.n_calls = len(data.train) // (BATCH * UNROLLED)
        self.epoch, self.planned, self.seconds, self.budget = 0, 0, 0.0, 0.0
        self.curve: list[list[float]] = []
        self.until = math.inf
        """On the clock: no epoch begins later."""
        self.error: BaseException | None = None
        self._begin()

    def _steps(self, rows: Tensor, told: Tensor) -> Tensor:
        """A step for each of ``rows`` (steps, batch); the objective, summed over all images.

        ``told`` is the learning rate and the decay of the running mean.
        """
        rate, decay = told
        total = torch.zeros((), device=self.device)
        tell_rate([self.optimizer], rate)
        for own in rows.unbind():
            x = torch.bernoulli(self.data.train.pixels(own), generator=self.noise)
            found = self.objective(x, 1.0, self.noise)
            found.loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            with torch.no_grad():
                means = list(self.averaged.parameters())
                ways = torch._foreach_sub(list(self.vae.parameters()), means)
                torch._foreach_mul_(ways, 1 - decay)
                torch._foreach_add_(means, ways)
                own_terms = found.reconstruction + found.kl.sum(1)
                total = total + found.others.get("objective", own_terms).sum()
        return total

    def tensors(self) -> dict[str, Tensor]:
        """All of its state but the counters, by name; the tensors themselves."""
        halves = {"model": self.vae, "averaged": self.averaged}
        named = {
            f"{k}.{name}": p for k, half in halves.items() for name, p in half.named_parameters()
        }
        state = {f"optimizer.{k}": v for k, v in pack_state([self.optimizer]).items()}
        return {name: value.detach() for name, value in (named | state).items()}

    def _begin(self) -> None:
        """Record the steps on images that are not counted, then take up the state that was kept."""
        self._start = {name: value.clone() for name, value in self.tensors().items()}
        for _ in range(WARM_UP + 1 if self.device.type == "cuda" else 1):
            self._call(torch.zeros(UNROLLED, BATCH, dtype=torch.long), 0.0)
        self.restore()

    def restore(self) -> None:
        """The state that is kept in the folder; if none is, the one to begin with."""
        file, kept = self.folder / "state.safetensors", self._start
        if file.is_file():
            with safe_open(file, "pt") as state:
                kept = {name: state.get_tensor(name) for name in state.keys()}  # noqa: SIM118
                vars(self).update(json.loads(state.metadata()["about"]))
        with torch.no_grad():
            for name, value in self.tensors().items():
                value.copy_(kept[name]) if name in kept else value.zero_()

    def save(self) -> None:
        """Keep the state and the weights to judge."""
        tensors = {name: value.cpu().contiguous() for name, value in self.tensors().items()}
        about = json.dumps({name: getattr(self, name) for name in COUNTERS})
        # One file, or a training that is ended in between would go on with another's counters.
        write_atomic(self.folder / "state.safetensors", save(tensors, {"about": about}))
        save_weights(self.averaged, self.config.model, self.folder / "model.safetensors")

    def _call(self, rows: Tensor, rate: float, done: int = 0) -> Tensor:
        # A young average forgets faster, or it would be made of the random initial weights.
        told = torch.tensor((rate, min(EMA, (1 + done) / (10 + done))))
        return self.steps(rows.to(self.device), told.to(self.device, non_blocking=True))

    def try_out(self) -> None:
        """Run until it is time to see how long an epoch takes; nothing of it is kept."""
        calls, clock = 0, time.perf_counter()
        rows = torch.arange(UNROLLED * BATCH).view(UNROLLED, BATCH) % len(self.data.train)
        while time.perf_counter() < self.until or not calls:
            float(self._call(rows, 0.0))
            calls += 1
        self.seconds_per_epoch = (time.perf_counter() - clock) / calls * self.n_calls

    def run_epoch(self) -> None:
        """All images once, in an order and with noise that are those of this epoch."""
        clock = time.perf_counter()
        order = torch.randperm(
            len(self.data.train), generator=torch_generator(0, "order", self.epoch)
        )
        order = order[: self.n_calls * UNROLLED * BATCH].to(self.device)
        self.noise.manual_seed(derive(0, "noise", self.epoch))
        totals = []
        for k, rows in enumerate(order.view(self.n_calls, UNROLLED, BATCH)):
            done = self.epoch * self.n_calls + k
            rate = stage_rate(done / (self.planned * self.n_calls))
            totals.append(self._call(rows, rate, done * UNROLLED))
        worth = float(torch.stack(totals).double().sum()) / order.numel()
        self.epoch += 1
        self.seconds += time.perf_counter() - clock
        if self.epoch in SHOWN or self.epoch == self.planned:
            test = mean_elbo(self.averaged, self.data.test).loss()
            self.curve.append([self.epoch, worth, test])
            where = f"{self.folder.name}: epoch {self.epoch} of {self.planned}"
            print(f"{where}, objective {worth:.2f}, test {test:.2f}, {self.seconds:.0f} s",
                  flush=True)  # fmt: skip

    def run(self) -> None:
        """All epochs that were planned, as far as the time goes; what is done is kept."""
        saved = time.perf_counter()
        while self.epoch < self.planned and time.perf_counter() < self.until:
            self.run_epoch()
            if time.perf_counter() - saved > SAVE_EVERY:
                self.save()
                saved = time.perf_counter()
        self.save()

    def on_its_stream(self, what: str) -> threading.Thread:
        """``what`` of it in a thread, beside the others."""

        def work() -> None:
            try:
                with torch.cuda.stream(self.stream) if self.stream else nullcontext():
                    getattr(self, what)()
            except BaseException as error:
                self.error = error

        thread = threading.Thread(target=work)
        thread.start()
        return thread


def initialize(vae: VAE, data: Splits) -> None:
    """Glorot's weights, no biases but that of the last layer: the mean picture; in place."""
    generator = torch_generator(0, "init")
    layers = [layer for layer in vae.modules() if isinstance(layer, nn.Linear)]
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    mean = data.train.images.float().mean(0).div(255).clamp(1e-3, 1 - 1e-3)
    with torch.no_grad():
        layers[-1].bias.copy_(mean.logit().flatten())


def fuse_cost(vae: VAE, n: int) -> None:
    """Compute what pixels cost, and its gradient, in one kernel each, if this machine can make it.

    There are hundreds of times as many pixels as there is anything else. ``n`` pictures at a time.
    """
    cost = torch.compile(vae.likelihood.cost, dynamic=False)
    device = next(vae.parameters()).device
    try:
        logits = torch.zeros(n, *vae.image_shape, device=device, requires_grad=True)
        cost(torch.zeros_like(logits), logits).sum().backward()
    except Exception as error:
        print(f"cost is not compiled, which makes it slower: {type(error).__name__}", flush=True)
    else:
        vae.likelihood.cost = cost  # type: ignore[method-assign]


def train_together(
    models: Mapping[str, tuple[VAE, Row]], data: Splits, folder: Path, budget: float
) -> dict[str, Training]:
    """Every model trained within ``budget`` seconds all told, or as far as that went.

    How many epochs that makes is seen in a trial and kept: a later call goes on with what is left.
    """
    until = time.perf_counter() + budget
    device = "cuda" if torch.cuda.is_available() else "cpu"
    near = Splits(*(half.to(device) for half in data))
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    # Training may round what it multiplies; all that is measured does not.
    torch.set_float32_matmul_precision("high")
    trainings: dict[str, Training] = {}
    for name, (vae, row) in models.items():
        make_folder(folder / name)
        trainings[name] = Training(vae, row, near, folder / name, device)
    torch.set_float32_matmul_precision("highest")
    unplanned = [one for one in trainings.values() if not one.planned]
    together(unplanned, "try_out", time.perf_counter() + TRIAL * budget)
    for one in unplanned:
        one.restore()
        left = 0.96 * (until - time.perf_counter())
        one.planned = max(1, min(PAPER_EPOCHS, int(left / one.seconds_per_epoch)))
        one.budget = budget
        print(f"{one.folder.name}: {one.seconds_per_epoch:.3f} s an epoch, {one.planned} planned",
              flush=True)  # fmt: skip
    together(list(trainings.values()), "run", until)
    torch.set_num_threads(n_threads)
    return trainings


def together(trainings: list[Training], what: str, until: float) -> None:
    """``what`` of every training at the same time, until then or until interrupted."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # streams do not wait for what was begun on another
    for one in trainings:
        one.until = until
    threads = [one.on_its_stream(what) for one in trainings]
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        for one in trainings:
            one.until = 0.0  # they end with the epoch they are at, and keep it
        for thread in threads:
            thread.join()
        raise
    for one in trainings:
        if one.error is not None:
            raise one.error
