"""The folder of a sweep: the trials it lists, how each stands, and what they say together."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zscape import schema
from zscape._version import __version__
from zscape.config import RunConfig
from zscape.errors import CheckpointError, ConfigError
from zscape.files import check_utf8, make_folder, write_atomic
from zscape.lock import held, is_held
from zscape.sweeping.trial import FINISHED, STOPPED, Outcome, Trial, told
from zscape.words import counted, line, number

if TYPE_CHECKING:
    import pandas as pd

PLAN, LOCK, LOG, PAGE = "sweep.json", "lock.json", "workers.log", "sweep.html"
WAITING, RUNNING = "waiting", "running"
RUN_CONFIG, RUN_LOCK = "config.json", "lock.json"
"""Of a trial's run folder; read here without what trains."""

BY = ("elbo", "reconstruction", "bits_per_dim", "loss", "linear", "neighbours")
"""What the best may be the best by; see ``is_higher_better``."""

_PLAN = {
    "version": str, "data": (str, None), "by": str, "probes": bool, "images": dict,
    "search": dict, "trials": [dict],
}  # fmt: skip


def is_higher_better(by: str) -> bool:
    """Of a measure; lower is better of all that are nats or bits."""
    return by in ("linear", "neighbours")


@dataclass(frozen=True, eq=False)
class Sweep:
    """Trainings of one question, as they stand; made by ``sweep``, or ``Sweep.open`` of a folder.

    ======================== ============================================================
    ``sweep.json``           what was asked: the trials, the search, which images
    ``trials/NAME/``         a run folder for each, named by its configuration's hash
    ``outcomes/NAME.json``   what became of it, and what was measured
    ``workers.log``          what the processes that trained had to say
    ``sweep.html``           the answer on one page
    ``lock.json``            while it runs: by which process of which machine
    ======================== ============================================================

    Parameters
    ----------
    folder
        Where it is.
    trials
        In the order they were asked for.
    plan
        The content of ``sweep.json`` besides.
    stopped_by
        The signal that ended it before all trials had.
    """

    folder: Path
    trials: tuple[Trial, ...]
    plan: dict[str, Any]
    stopped_by: signal.Signals | None = None

    @classmethod
    def open(cls, folder: Path | str) -> Sweep:
        """Read a sweep, whether it runs, was stopped or has ended.

        Raises
        ------
        CheckpointError
            There is none, or it is damaged.
        """
        folder = Path(folder)
        path = folder / PLAN
        if not path.is_file():
            what = "is no sweep: it has no sweep.json" if folder.is_dir() else "is no folder"
            raise CheckpointError(f"{folder} {what}.")
        try:
            plan = schema.parse(path.read_text(encoding="utf-8"), _PLAN)
            configs = [RunConfig.from_options(**options) for options in plan.pop("trials")]
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror or error}.") from error
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged: {str(error).rstrip('.')}.") from error
        return cls(folder, tuple(Trial(config, folder) for config in configs), plan)

    def save(self) -> None:
        """Write ``sweep.json``."""
        trials = [told(trial.config) | {"data": trial.config.data.data} for trial in self.trials]
        content = {"version": __version__, **self.plan, "trials": trials}
        write_atomic(self.folder / PLAN, json.dumps(content, indent=1) + "\n")

    def __repr__(self) -> str:
        found = self.counts
        states = [f"{n} {status}" for status, n in found.items() if n]
        best = f"best {self.best.name}" if found[FINISHED] else ""
        return line(self, counted(len(self.trials), "trial"), *states, best, f"in {self.folder}")

    @property
    def by(self) -> str:
        """What the best is the best by."""
        return str(self.plan["by"])

    @property
    def is_running(self) -> bool:
        """Whether a process works on it."""
        return is_held(self.folder / LOCK)

    @cached_property
    def outcomes(self) -> tuple[Outcome | None, ...]:
        """What became of each trial; None of one that has not ended."""
        return tuple(trial.outcome() for trial in self.trials)

    @cached_property
    def statuses(self) -> tuple[str, ...]:
        """Of each trial: finished, diverged, pruned, failed, running, stopped or waiting."""
        return tuple(map(self._status, self.trials, self.outcomes))

    def _status(self, trial: Trial, outcome: Outcome | None) -> str:
        if is_held(trial.folder / RUN_LOCK):
            return RUNNING
        if outcome is not None:
            return outcome.status
        return STOPPED if (trial.folder / RUN_CONFIG).is_file() else WAITING

    @property
    def counts(self) -> dict[str, int]:
        """Status → how many trials."""
        known = (FINISHED, "diverged", "pruned", "failed", RUNNING, STOPPED, WAITING)
        return {status: self.statuses.count(status) for status in known}

    @property
    def swept(self) -> tuple[str, ...]:
        """The options that differ between trials, but for the seed."""
        every = [trial.options for trial in self.trials]
        return tuple(
            name for name in every[0]
            if name not in ("seed", "data") and len({repr(one[name]) for one in every}) > 1
        )  # fmt: skip

    def frame(self) -> pd.DataFrame:
        """A tidy table, a row per trial, also of those that have not ended.

        ``trial`` is its name, and that of its folder. ``model``, ``network``, ``latent_dim``,
        ``kld_weight`` and ``seed`` as in ``zscape.compare``, and every other option that was
        swept. ``status``. Of finished trials what ``zscape.compare`` measures on the test images:
        ``elbo`` and its ``elbo_error``, ``reconstruction`` and ``kl`` in nats per image, lower is
        better; ``n_used`` neurons of a mean KL above 0.01; ``linear`` and ``neighbours``, the
        accuracies of probes of the class. ``loss`` is reconstruction + kld_weight × KL. ``epochs``
        and ``seconds`` that it took, and ``why`` it did not finish.
        """
        import pandas as pd

        rows = []
        for trial, outcome, status in zip(self.trials, self.outcomes, self.statuses, strict=True):
            options = trial.options
            shown = ("network", "latent_dim", "kld_weight", "seed")
            row: dict[str, Any] = {"trial": trial.name, "model": trial.name}
            row |= {name: options[name] for name in shown}
            row |= {name: options[name] for name in self.swept if name not in shown}
            row["status"] = status
            if outcome is not None:
                row |= {k: v for k, v in outcome.measures.items() if k not in row}
                row |= {"epochs": outcome.epochs, "seconds": outcome.seconds, "why": outcome.why}
            rows.append(row)
        frame = pd.DataFrame(rows)
        last = [name for name in ("how", "why") if name in frame]
        return frame[[*(name for name in frame if name not in last), *last]]

    def finished(self) -> pd.DataFrame:
        """``frame`` of the trials that have finished.

        Raises
        ------
        CheckpointError
            None has.
        """
        frame = self.frame()
        done: pd.DataFrame = frame[frame["status"] == FINISHED].reset_index(drop=True)
        if not len(done):
            raise CheckpointError(f"no trial of {self.folder} has finished yet.")
        return done

    def table(self) -> pd.DataFrame:
        """Configurations that have finished, the best first: a row each, the mean over seeds.

        ``n_seeds`` says how many; ``_spread`` columns are standard deviations over them.
        """
        from zscape.evaluation.comparison import MEASURES, over_seeds

        done = self.finished()
        families = [self._family(name) for name in done["trial"]]
        table = over_seeds(done, families, (*MEASURES, "loss", "seconds"))
        measure = self._measure(table)
        keep = [name for name in table if name not in ("model", "status", "epochs", "why", "how")]
        return table[keep].sort_values(
            measure, ascending=not is_higher_better(measure), kind="stable", ignore_index=True
        )

    def shown(self) -> pd.DataFrame:
        """``table`` as text, without the options that all trials share."""
        from zscape.evaluation.comparison import as_text

        table = self.table()
        same = {"network", "latent_dim", "kld_weight", "loss", "seconds"} - {*self.swept, self.by}
        if "n_seeds" in table and table["n_seeds"].nunique() == 1:
            same.add("n_seeds")
        return as_text(table.drop(columns=same, errors="ignore"))

    def best_rows(self) -> dict[str, int]:
        """Measure → the row of ``table`` that is best by it."""
        from zscape.evaluation.comparison import best_rows

        return best_rows(self.table())

    @property
    def plus_minus(self) -> str:
        """What stands behind ± in ``shown``."""
        if "n_seeds" in self.table():
            return "the standard deviation over seeds"
        return "the standard error over images"

    def _measure(self, frame: pd.DataFrame) -> str:
        if self.by not in frame:
            raise ConfigError(
                f"nothing was measured that the best could be the best by: {self.by} (of images "
                "without a class, or with probes left out)."
            )
        return self.by

    @property
    def _named(self) -> dict[str, Trial]:
        return {trial.name: trial for trial in self.trials}

    def _family(self, name: str) -> str:
        options = {k: v for k, v in told(self._named[name].config).items() if k != "seed"}
        return json.dumps(options, sort_keys=True)

    @property
    def best(self) -> Trial:
        """Of the configuration that is best in the mean over its seeds, the best trial.

        Raises
        ------
        CheckpointError
            No trial has finished yet.
        """
        done, first = self.finished(), self.table().iloc[0]
        family = self._family(first["trial"])
        own = done[[self._family(name) == family for name in done["trial"]]]
        sign = -1 if is_higher_better(self.by) else 1
        return self._named[own.loc[(sign * own[self.by]).idxmin(), "trial"]]

    def verdict(self) -> str:
        """What is best, and how sure that is."""
        table = self.table()
        what = self.describe(table.iloc[0]["trial"])
        decimals = 3 if is_higher_better(self.by) else 2
        of = f"{WORDS[self.by]} {number(table.iloc[0][self.by], decimals)}"
        spread = table.iloc[0].get(f"{self.by}_spread", float("nan"))
        of += f" ± {number(spread, decimals)} over seeds" if spread == spread else ""
        if len(table) == 1:
            return f"{what} is the only configuration that has finished: {of}."
        gap = abs(table.iloc[1][self.by] - table.iloc[0][self.by])
        text = (
            f"{what} is best: {of}. Next is {self.describe(table.iloc[1]['trial'])}, "
            f"{number(gap, decimals)} behind"
        )
        other = table.iloc[1].get(f"{self.by}_spread", float("nan"))
        if spread != spread or other != other:
            return f"{text}; with one seed each nobody knows what of that is luck."
        # Of the means: the seeds are few, so this is no more than a rule of thumb.
        n = table["n_seeds"]
        error = (spread**2 / n[0] + other**2 / n[1]) ** 0.5
        sure = "more" if gap > 2 * error else "no more"
        return f"{text}, {sure} than twice the standard error of that difference over seeds."

    def describe(self, name: str) -> str:
        """The swept options of the trial ``name``, in words."""
        trial = self._named[name]
        shown = (f"{option} {self.shown_value(trial, option)}" for option in self.swept)
        return ", ".join(shown) or name

    @staticmethod
    def shown_value(trial: Trial, option: str) -> str:
        """What a trial was told of an option, as a person reads it."""
        value = trial.options[option]
        return f"{value:g}" if isinstance(value, float) else str(value).lower()

    def write_page(self, out: Path | str | None = None, data: Any = None) -> Path:
        """Write the answer as one page that opens offline: table, figures, pictures, all trials.

        Parameters
        ----------
        out
            A name that ends in .html; ``sweep.html`` in the folder by default.
        data
            The images, if the sweep was over an array from Python.

        Returns
        -------
        Where it is.

        Raises
        ------
        CheckpointError
            No trial has finished yet.
        ConfigError
            It cannot be written.
        """
        from zscape.sweeping.page import draw_sweep

        path = self.folder / PAGE if out is None else Path(out)
        write_atomic(path, draw_sweep(self, data))
        return path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that works on it.

        Raises
        ------
        ConfigError
            Another does.
        """
        with held(self.folder / LOCK, f"the sweep {self.folder} is being run"):
            yield

    def with_trials(self, configs: Sequence[RunConfig]) -> Sweep:
        """The same with the trials of ``configs`` too, each once."""
        every = {trial.name: trial for trial in self.trials}
        for config in configs:
            trial = Trial(config, self.folder)
            every.setdefault(trial.name, trial)
        return Sweep(self.folder, tuple(every.values()), self.plan)


WORDS = {
    "elbo": "minus ELBO", "reconstruction": "reconstruction",
    "bits_per_dim": "bits per dimension", "loss": "loss", "linear": "accuracy of the linear probe",
    "neighbours": "accuracy of the neighbours",
}  # fmt: skip
"""What is measured, in a sentence."""


def check_free(folder: Path) -> Sweep | None:
    """The sweep that is in a folder; None of one that is new or empty, which is then made.

    Raises
    ------
    ConfigError
        It holds something else, or cannot be made.
    CheckpointError
        The sweep is damaged.
    """
    check_utf8(folder.absolute())
    if folder.is_file():
        raise ConfigError(f"{folder} is a file; a sweep needs a folder.")
    if (folder / PLAN).is_file():
        return Sweep.open(folder)
    if folder.is_dir() and any(file.name != LOCK for file in folder.iterdir()):
        raise ConfigError(f"{folder} is not empty and not a sweep; choose another folder.")
    make_folder(folder)
    return None
