"""What a person sees while a model trains: a bar in a terminal or notebook, else plain lines."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO, cast

from zscape.errors import ConfigError
from zscape.streams import Enduring
from zscape.training.loop import Epoch, Trainer

REFRESH_SECONDS = 0.2
KINDS = ("auto", "rich", "tqdm", "lines", "none")


class Progress:
    """Shows nothing; the others say more."""

    def start(self, trainer: Trainer, title: str) -> None:
        """Begin, at whatever epoch the trainer is; ``title`` says what trains on what."""

    def on_step(self, trainer: Trainer) -> None:
        """Called after every step; must not make the device wait more than now and then."""

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """Called after every epoch."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


def create_progress(kind: str = "auto", stream: TextIO | None = None) -> Progress:
    """A progress display: ``"rich"``, ``"tqdm"``, ``"lines"``, ``"none"``, or what suits the place.

    It goes to ``stream``: stderr by default, in a notebook stdout.

    Raises
    ------
    ConfigError
        Unknown kind.
    """
    # A notebook paints what comes on stderr red, as it does errors.
    stream = stream or (sys.stdout if _in_notebook() else sys.stderr)
    if kind not in KINDS:
        raise ConfigError(f"progress must be one of {', '.join(KINDS)}; got {kind!r}.")
    if kind == "auto":
        kind = "tqdm" if _in_notebook() else "rich" if stream.isatty() else "lines"
    if kind == "none":
        return Progress()
    shown = cast(TextIO, Enduring(stream))
    return {"rich": RichProgress, "tqdm": TqdmProgress, "lines": LineProgress}[kind](shown)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return running is not None and "IPKernelApp" in running.config


class LineProgress(Progress):
    """One line per epoch, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.left = Clock()

    def start(self, trainer: Trainer, title: str) -> None:
        """See ``Progress``."""
        self.left.start(trainer)
        encoding = self.stream.encoding or "utf-8"
        self._print(title.encode(encoding, "replace").decode(encoding))  # it names the data

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """See ``Progress``."""
        self._print(f"{epoch_line(trainer, epoch)}  ETA {self.left(trainer)}")

    def _print(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


class RichProgress(LineProgress):
    """A live bar in a terminal, under the lines of the finished epochs.

    Its numbers take two lines, so that nothing is cut off in a terminal of 80 columns.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[numbers]}"),
            console=Console(file=stream),
            transient=True,
        )
        self.task: Any = None
        self.shown = 0.0

    def start(self, trainer: Trainer, title: str) -> None:
        """See ``Progress``."""
        super().start(trainer, title)
        self.task = self.bar.add_task("", epoch="", numbers="", total=len(trainer.train_images))
        self.bar.start()

    def on_step(self, trainer: Trainer) -> None:
        """See ``Progress``."""
        if time.monotonic() - self.shown < REFRESH_SECONDS:
            return
        self.shown = time.monotonic()
        share = trainer.step / trainer.n_steps_per_epoch
        self.bar.update(
            self.task,
            completed=share * len(trainer.train_images),
            epoch=f"{trainer.epoch + 1}/{trainer.config.epochs}",
            numbers=f"{running_terms(trainer)}\n{running_neurons(trainer)}  "
            f"{self.left.images_per_second(trainer):,.0f} images/s  ETA {self.left(trainer)}",
        )

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """See ``Progress``."""
        self._print(epoch_line(trainer, epoch))

    def _print(self, line: str) -> None:
        self.bar.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """See ``Progress``."""
        self.bar.stop()


class TqdmProgress(LineProgress):
    """A widget bar per training in a notebook."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.bar: Any = None
        self.shown = 0.0

    def start(self, trainer: Trainer, title: str) -> None:
        """See ``Progress``."""
        from tqdm.auto import tqdm

        super().start(trainer, title)
        done = trainer.epoch * trainer.n_steps_per_epoch + trainer.step
        self.bar = tqdm(total=trainer.n_steps, initial=done, unit="step", file=self.stream)

    def on_step(self, trainer: Trainer) -> None:
        """See ``Progress``."""
        self.bar.update()
        if time.monotonic() - self.shown > REFRESH_SECONDS:
            self.shown = time.monotonic()
            self.bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.config.epochs}")
            self.bar.set_postfix_str(f"{running_terms(trainer)}, {running_neurons(trainer)}")

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """See ``Progress``."""
        self._print(epoch_line(trainer, epoch))

    def _print(self, line: str) -> None:
        if self.bar is None:
            super()._print(line)
        else:
            self.bar.write(line, file=self.stream)

    def close(self) -> None:
        """See ``Progress``."""
        if self.bar is not None:
            self.bar.close()


class Clock:
    """Time left, from the steps done since ``start``."""

    def start(self, trainer: Trainer) -> None:
        """Forget what was before."""
        self.began, self.done_before = time.monotonic(), self._done(trainer)

    def _done(self, trainer: Trainer) -> int:
        return trainer.epoch * trainer.n_steps_per_epoch + trainer.step

    def images_per_second(self, trainer: Trainer) -> float:
        """Mean over this session."""
        steps = self._done(trainer) - self.done_before
        images = steps * len(trainer.train_images) / trainer.n_steps_per_epoch
        return images / max(1e-9, time.monotonic() - self.began)

    def __call__(self, trainer: Trainer) -> str:
        """Minutes and seconds to the last planned step."""
        steps = max(1, self._done(trainer) - self.done_before)
        per_step = (time.monotonic() - self.began) / steps
        seconds = round(per_step * (trainer.n_steps - self._done(trainer)))
        return f"{seconds // 60}:{seconds % 60:02d}"


def running_terms(trainer: Trainer) -> str:
    """Running mean of the training loss and its terms in the epoch so far."""
    now = trainer.running()
    loss = now.loss(trainer.config.kld_weight)
    return f"running loss {loss:.2f} (reconstruction {now.reconstruction:.2f}, KL {now.kl:.2f})"


def running_neurons(trainer: Trainer) -> str:
    """Latent neurons in use in the epoch so far."""
    return f"{trainer.running().n_active}/{trainer.vae.latent_dim} neurons"


def epoch_line(trainer: Trainer, epoch: Epoch) -> str:
    """One finished epoch in one line."""
    config = trainer.config
    width = len(str(config.epochs))
    running, train, test = epoch.running, epoch.evaluated_train, epoch.test
    evaluated = f"train {train.loss(config.kld_weight):.2f}  " if train else ""
    return (
        f"epoch {epoch.number:>{width}}/{config.epochs}  "
        f"{running.n_images / epoch.seconds:,.0f} images/s  "
        f"running {running.loss(config.kld_weight):.2f}  {evaluated}"
        f"test {test.loss(config.kld_weight):.2f} "
        f"(reconstruction {test.reconstruction:.2f}, KL {test.kl:.2f})  "
        f"{test.n_active}/{trainer.vae.latent_dim} neurons"
    )
