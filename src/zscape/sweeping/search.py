"""Which configurations are tried, one after the other: all, some at random, or what looks good."""

from __future__ import annotations

import itertools
import json
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from zscape.config import RunConfig
from zscape.errors import ConfigError, needing
from zscape.seeding import derive
from zscape.sweeping.folder import Sweep, is_higher_better
from zscape.sweeping.space import Point, Range, Space, config_of
from zscape.sweeping.trial import FINISHED, Outcome, Trial

SEARCHES = ("grid", "random", "optuna")


class Search:
    """Configurations in the order they are tried, each under every seed.

    Parameters
    ----------
    source
        The images, as a text that a run can find them by.
    space
        What may be tried.
    method
        ``grid``, ``random`` or ``optuna``.
    n
        How many configurations of the last two.
    seeds
        Of the trainings.
    seed
        Of what is drawn.

    Raises
    ------
    ConfigError
        There is no such search, or these do not go together.
    MissingExtraError
        Optuna is not installed.
    """

    def __init__(
        self, source: str | None, space: Space, method: str = "grid", *, n: int | None = None,
        seeds: Sequence[int] = (0,), seed: int = 0,
    ) -> None:  # fmt: skip
        if method not in SEARCHES:
            raise ConfigError(f"search must be one of {', '.join(SEARCHES)}; got {method!r}.")
        if method == "grid":
            next(space.grid())
            if n is not None:
                raise ConfigError("a grid has as many trials as it has; leave out trials.")
        elif n is None or n < 1:
            raise ConfigError(
                f"search {method} needs to know how many configurations to try: trials, at least 1."
            )
        elif not space.swept:
            raise ConfigError(f"search {method} has nothing to draw: give an option a range.")
        if method == "optuna":
            with needing("optuna", "search optuna"):
                import optuna  # noqa: F401
        self.source, self.space, self.method = source, space, method
        self.n, self.seeds, self.seed = n, tuple(seeds), seed

    @property
    def n_trials(self) -> int:
        """How many trainings it comes to, at most."""
        n = self.space.n_points if self.n is None else self.n
        return n * len(self.seeds)

    @property
    def is_listed(self) -> bool:
        """Whether all are known before the first has begun."""
        return self.method != "optuna"

    def configs(self, point: Point) -> list[RunConfig]:
        """One configuration under every seed, on the same images under each.

        Raises
        ------
        ConfigError
            It contradicts itself.
        """
        first = {"split_seed": self.seeds[0]}
        return [config_of(self.source, first, self.space.fixed, point, {"seed": seed})
                for seed in self.seeds]  # fmt: skip

    def listed(self) -> list[RunConfig]:
        """All configurations that are known before the first has begun."""
        if not self.is_listed:
            return []
        points = self.space.grid() if self.n is None else self.space.drawn(self.seed)
        return [config for point in itertools.islice(points, self.n)
                for config in self.configs(point)]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """For ``sweep.json``."""
        return {
            "method": self.method, "n": self.n, "seeds": list(self.seeds), "seed": self.seed,
            "options": self.space.to_dict(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, source: str | None, content: Mapping[str, Any]) -> Search:
        """The inverse of ``to_dict``."""
        space = Space.of(content["options"])
        return cls(source, space, content["method"], n=content["n"], seeds=content["seeds"],
                   seed=content["seed"])  # fmt: skip


class Queue:
    """Trials that are to be trained, the next first.

    Parameters
    ----------
    sweep
        Has the trials that are known; what ``search`` asks for meanwhile is written down there.
    """

    def __init__(self, sweep: Sweep, search: Search) -> None:
        self.sweep, self.search = sweep, search
        self.outcomes: dict[str, Outcome] = {}
        waiting = []
        for trial in sweep.trials:
            known = trial.outcome()
            if known is not None and known.is_final:
                self.outcomes[trial.name] = known
            else:
                waiting.append(trial)
        # What was begun goes first: a sweep that is often killed must come to an end.
        waiting.sort(key=lambda trial: not trial.folder.is_dir())
        self._waiting = deque(waiting)
        self._is_used_up = search.is_listed

    @property
    def n_total(self) -> int:
        """Trials in all, also those that are not asked for yet."""
        more = 0 if self._is_used_up else self.search.n_trials - len(self._own())
        return len(self.sweep.trials) + max(0, more)

    @property
    def n_left(self) -> int:
        """Trials that have not ended."""
        return self.n_total - len(self.outcomes)

    def next(self) -> Trial | None:
        """The next, or None if there is no more."""
        if not (self._waiting or self._is_used_up):
            self._ask()
        return self._waiting.popleft() if self._waiting else None

    def put_back(self, trial: Trial) -> None:
        """It is to be gone on with, before others."""
        self._waiting.appendleft(trial)

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """What became of it."""
        self.outcomes[trial.name] = outcome

    def _own(self) -> list[Trial]:
        """The trials that a search as this one has asked for."""
        return [trial for trial in self.sweep.trials if trial.config in
                self.search.configs(_point(self.search.space, trial))]  # fmt: skip

    def _ask(self) -> None:
        if len(own := self._own()) >= self.search.n_trials:
            self._is_used_up = True
            return
        families: dict[str, list[Trial]] = {}
        for trial in own:
            text = json.dumps(_point(self.search.space, trial), sort_keys=True)
            families.setdefault(text, []).append(trial)
        known = [(json.loads(text), self._value(trials)) for text, trials in families.items()]
        point = ask_optuna(self.search, known, by=self.sweep.by)
        before = {trial.name for trial in self.sweep.trials}
        self.sweep = self.sweep.with_trials(self.search.configs(point))
        self.sweep.save()
        self._waiting.extend(t for t in self.sweep.trials if t.name not in before)
        self._is_used_up = not self._waiting  # it finds nothing that is not there yet

    def _value(self, trials: Sequence[Trial]) -> float | str:
        """The mean over seeds; ``running`` of what has not ended, ``failed`` of what is none."""
        outcomes = [self.outcomes.get(trial.name) for trial in trials]
        ended = [outcome for outcome in outcomes if outcome is not None]
        if len(ended) < len(outcomes):
            return "running"
        values = [one.measures[self.sweep.by] for one in ended
                  if one.status == FINISHED and self.sweep.by in one.measures]  # fmt: skip
        return sum(values) / len(values) if len(values) == len(ended) else "failed"


def _point(space: Space, trial: Trial) -> Point:
    options = trial.options
    return {name: options[name] for name in space.swept}


def ask_optuna(search: Search, known: Sequence[tuple[Point, float | str]], *, by: str) -> Point:
    """What Optuna would try next; the same, when it is asked the same again.

    Its study is made anew each time, of what is ``known``: nothing of it has to survive a kill.

    Parameters
    ----------
    known
        Configuration and its value, or that it is ``"running"`` or ``"failed"``.
    by
        The measure that the values are of.
    """
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.trial import TrialState, create_trial

    def distribution(bounds: Range) -> BaseDistribution:
        if bounds.whole:
            return IntDistribution(round(bounds.low), round(bounds.high), log=bounds.log)
        return FloatDistribution(bounds.low, bounds.high, log=bounds.log)

    space: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(values) for name, values in search.space.values.items()
    } | {name: distribution(bounds) for name, bounds in search.space.ranges.items()}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=derive(search.seed, "sweep", len(known)) % 2**32, constant_liar=True
        )
    direction: Any = "maximize" if is_higher_better(by) else "minimize"
    study = optuna.create_study(sampler=sampler, direction=direction)
    states = {"running": TrialState.RUNNING, "failed": TrialState.FAIL}
    for point, value in known:
        is_number = not isinstance(value, str)
        state = TrialState.COMPLETE if is_number else states[str(value)]
        study.add_trial(
            create_trial(state=state, params=point, distributions=space,
                         value=float(value) if is_number else None)
        )  # fmt: skip
    params = {json.dumps(point, sort_keys=True) for point, _ in known}
    for _ in range(100):
        asked = study.ask(space).params
        point = {name: _rounded(asked[name], search.space.ranges.get(name)) for name in space}
        if json.dumps(point, sort_keys=True) not in params:
            break
    return point


def _rounded(value: Any, bounds: Range | None) -> Any:
    if bounds is None or not isinstance(value, float):
        return value
    return min(max(float(f"{value:.4g}"), bounds.low), bounds.high)
