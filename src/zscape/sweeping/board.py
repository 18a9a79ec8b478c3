"""What a person sees while a sweep runs: a live table on a terminal, else a line per trial."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO, cast

from zscape.errors import ConfigError
from zscape.streams import Enduring
from zscape.sweeping.folder import WORDS, is_higher_better
from zscape.sweeping.search import Queue
from zscape.sweeping.trial import FINISHED, Outcome, Trial
from zscape.words import counted, number

KINDS = ("auto", "rich", "lines", "none")


class Board:
    """Shows nothing, and knows how far all trials are; the others say more."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.running: dict[str, tuple[Trial, dict[str, Any]]] = {}
        self.began, self.done_before = time.monotonic(), len(queue.outcomes)
        self._first: dict[str, float] = {}  # where a trial was as this session began it

    def begun(self, trial: Trial) -> None:
        """A trial is trained from now on."""
        self.running[trial.name] = trial, {}

    def told(self, trial: Trial, news: dict[str, Any]) -> None:
        """How far it is; see ``Tell``."""
        before = self.running.get(trial.name, (trial, {}))[1]
        self.running[trial.name] = trial, {**before, **news}
        self._first.setdefault(trial.name, _share(news))

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """What became of it, or that it was stopped."""
        self.running.pop(trial.name, None)

    def close(self) -> None:
        """Leave the terminal as it was found."""

    @property
    def eta(self) -> str:
        """Minutes and seconds that are left at the pace of this session; empty at its start."""
        running = {name: _share(news) for name, (_, news) in self.running.items()}
        done = len(self.queue.outcomes) - self.done_before + sum(running.values())
        done -= sum(self._first.values())
        if done <= 0:
            return ""
        left = self.queue.n_left - sum(running.values())
        seconds = round((time.monotonic() - self.began) / done * left)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    @property
    def best(self) -> tuple[str, float] | None:
        """Name and value of the best trial that has finished."""
        by = self.queue.sweep.by
        values = {name: outcome.measures[by] for name, outcome in self.queue.outcomes.items()
                  if by in outcome.measures}  # fmt: skip
        if not values:
            return None
        choose = max if is_higher_better(by) else min
        name = choose(values, key=lambda name: values[name])
        return name, values[name]


class LineBoard(Board):
    """One line for each trial that has ended."""

    def __init__(self, queue: Queue, stream: TextIO) -> None:
        super().__init__(queue)
        self.stream = stream

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """See ``Board``."""
        super().ended(trial, outcome)
        self._print(self._line(trial, outcome))

    def _line(self, trial: Trial, outcome: Outcome) -> str:
        n, total = len(self.queue.outcomes), self.queue.n_total
        left = f"  ETA {self.eta}" if n < total and self.eta else ""
        return (
            f"{n:>{len(str(total))}}/{total}  {trial.name}  "
            f"{self.queue.sweep.describe(trial.name)}, seed {trial.config.train.seed}: "
            f"{told_of(outcome)}{left}"
        )

    def _print(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


class RichBoard(LineBoard):
    """The lines, and below them a live table of the trials that run."""

    def __init__(self, queue: Queue, stream: TextIO) -> None:
        super().__init__(queue, stream)
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(file=stream), get_renderable=self._table,
                         refresh_per_second=4, transient=True)  # fmt: skip
        self.live.start()

    def close(self) -> None:
        """See ``Board``."""
        self.live.stop()

    def _print(self, line: str) -> None:
        self.live.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        done, total = len(self.queue.outcomes), self.queue.n_total
        bad = sum(one.status != FINISHED for one in self.queue.outcomes.values())
        head = [f"{done} of {counted(total, 'trial')} done", f"{len(self.running)} running"]
        head += [f"{bad} without a model"] if bad else []
        if best := self.best:
            by = self.queue.sweep.by
            shown = f"{WORDS[by]} {number(best[1], 3 if is_higher_better(by) else 2)}"
            head.append(f"best {best[0]} ({shown})")
        head += [f"ETA {self.eta}"] if self.eta else []
        table = Table(title=", ".join(head), title_justify="left", title_style="bold",
                      show_header=False, box=None, padding=(0, 2, 0, 0))  # fmt: skip
        for trial, news in self.running.values():
            loss = f"test loss {news['loss']:.2f}" if "loss" in news else ""
            what = f"{self.queue.sweep.describe(trial.name)}, seed {trial.config.train.seed}"
            bar = ProgressBar(total=1.0, completed=_share(news), width=14)
            epochs = f"epoch {news['epoch']}/{news['of']}" if news else "begins"
            table.add_row(trial.name, what, bar, epochs, loss)
        return table


def told_of(outcome: Outcome) -> str:
    """What became of a trial, on one line."""
    if outcome.status != FINISHED:
        return f"{outcome.status}{': ' * bool(outcome.why)}{outcome.why}"
    found = outcome.measures
    parts = [f"minus ELBO {found['elbo']:.2f} (reconstruction {found['reconstruction']:.2f}, "
             f"KL {found['kl']:.2f}), {counted(found['n_used'], 'neuron')} in use"]  # fmt: skip
    if "linear" in found:
        parts.append(f"linear probe {found['linear']:.3f}")
    return ", ".join([*parts, f"{outcome.seconds:.0f} s"])


def create_board(kind: str, queue: Queue, stream: TextIO | None = None) -> Board:
    """A board: ``"rich"``, ``"lines"``, ``"none"``, or what suits the place.

    Raises
    ------
    ConfigError
        Unknown kind.
    """
    stream = stream or sys.stderr
    if kind not in KINDS:
        raise ConfigError(f"progress must be one of {', '.join(KINDS)}; got {kind!r}.")
    if kind == "none":
        return Board(queue)
    is_live = kind == "rich" or (kind == "auto" and stream.isatty())
    shown = cast(TextIO, Enduring(stream))
    return RichBoard(queue, shown) if is_live else LineBoard(queue, shown)


def _share(news: dict[str, Any]) -> float:
    """The part of a trial's epochs that is done."""
    return (news["epoch"] + news["share"]) / news["of"] if news else 0.0
