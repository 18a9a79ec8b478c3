"""Trials on the machines of a Ray cluster, by Ray Tune; all of them see the folder."""

from __future__ import annotations

import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zscape.cluster import check_installed, connect
from zscape.config import RunConfig
from zscape.errors import ConfigError
from zscape.lock import is_held
from zscape.sweeping.board import Board
from zscape.sweeping.folder import RUN_LOCK
from zscape.sweeping.local import MOST_DEATHS
from zscape.sweeping.search import Queue
from zscape.sweeping.trial import FAILED, PRUNED, Outcome, Trial, told
from zscape.training.interrupt import Asked, heeding_signals

STATE = "ray"
"""Folder of Tune's own notes, of which nothing is needed later."""
LET_GO = 120.0
"""Seconds that a process on a lost machine may hold its trial, before another gives up waiting."""


@dataclass(frozen=True)
class Cluster:
    """Which machines, and what of them a trial has.

    Parameters
    ----------
    address
        Of a cluster that runs, ``host:port`` or ``"auto"``; None starts one on this machine.
    cpus, gpus
        Of each trial; several may share a GPU.
    asha
        Whether trials that fall behind are stopped early.
    """

    address: str | None = None
    cpus: int = 1
    gpus: float = 0.0
    asha: bool = False


def check(cluster: Cluster, todo: Queue) -> None:
    """Raise now what would be found out when all has begun.

    Raises
    ------
    ConfigError
        The search asks as it goes, which this engine does not, or ASHA looks at another measure.
    MissingExtraError
        Ray is not installed.
    """
    check_installed("tune")
    if not todo.search.is_listed:
        raise ConfigError(f"search {todo.search.method} goes with engine local.")
    if cluster.asha and todo.sweep.by not in ("elbo", "reconstruction", "loss"):
        raise ConfigError(
            f"asha compares trials while they train, by elbo, reconstruction or loss; got by "
            f"{todo.sweep.by!r}."
        )


def run(
    todo: Queue, board: Board, cluster: Cluster, data: Any, *, probes: bool
) -> signal.Signals | None:
    """Train all trials on the cluster; a trial whose machine is lost goes on on another.

    Returns
    -------
    The signal that stopped it, if one did: trials go on from their last checkpoints.

    Raises
    ------
    ConfigError
        No Ray answers at the address.
    """
    import ray
    from ray import tune

    trials = []
    while (trial := todo.next()) is not None:
        trials.append(trial)
    if not trials:
        return None
    connect(cluster.address)
    sweep = todo.sweep.folder.absolute()
    options = {t.name: told(t.config) | {"data": t.config.data.data} for t in trials}
    work = tune.with_parameters(train_on_ray, sweep=str(sweep), options=options, data=data,
                                probes=probes, cpus=cluster.cpus)  # fmt: skip
    try:
        with heeding_signals() as asked:
            tune.Tuner(
                tune.with_resources(work, {"cpu": cluster.cpus, "gpu": cluster.gpus}),
                param_space={"name": tune.grid_search(list(options))},
                tune_config=tune.TuneConfig(
                    scheduler=_asha(todo, trials) if cluster.asha else None,
                    trial_dirname_creator=lambda trial: trial.config["name"],
                ),
                run_config=tune.RunConfig(
                    name=STATE, storage_path=str(sweep), verbose=0,
                    failure_config=tune.FailureConfig(max_failures=MOST_DEATHS - 1),
                    stop=_stopper(asked), callbacks=[_callback(todo, board, trials, asked)],
                ),
            ).fit()  # fmt: skip
        return asked.to_stop or None
    finally:
        ray.shutdown()
        shutil.rmtree(sweep / STATE, ignore_errors=True)


def train_on_ray(
    config: dict[str, Any], *, sweep: str, options: dict[str, dict[str, Any]], data: Any,
    probes: bool, cpus: int,
) -> None:  # fmt: skip
    """What a process of the cluster does for one trial."""
    import torch
    from ray import tune

    from zscape.model import allowed
    from zscape.sweeping.work import train_trial

    torch.set_num_threads(cpus)
    own = options[config["name"]]
    for name in ("network", "likelihood"):
        if ":" in str(own.get(name)):
            allowed(**{name: own[name]})
    trial = Trial(RunConfig.from_options(**own), Path(sweep))
    # The process of a machine that was lost may not know it yet.
    deadline = time.monotonic() + LET_GO
    while is_held(trial.folder / RUN_LOCK) and time.monotonic() < deadline:
        time.sleep(0.2)

    last: dict[str, Any] = {"epoch": trial.config.train.epochs}

    def tell(news: dict[str, Any]) -> None:
        if "loss" in news:  # an epoch; a step is not worth a message through the cluster
            last.update(news)
            tune.report(news)

    train_trial(trial, data, tell, probes=probes)
    tune.report({**last, "is_over": True})


def _asha(todo: Queue, trials: list[Trial]) -> Any:
    from ray.tune.schedulers import ASHAScheduler

    epochs = max(trial.config.train.epochs for trial in trials)
    return ASHAScheduler(time_attr="epoch", metric=todo.sweep.by, mode="min", max_t=epochs + 1,
                         grace_period=max(1, epochs // 9))  # fmt: skip


def _stopper(asked: Asked) -> Any:
    from ray.tune import Stopper

    class Wanted(Stopper):
        """Ends all when a signal asks for it."""

        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
            return False

        def stop_all(self) -> bool:
            return bool(asked.to_stop)

    return Wanted()


def _callback(todo: Queue, board: Board, trials: list[Trial], asked: Asked) -> Any:
    from ray.tune import Callback

    named = {trial.name: trial for trial in trials}

    def ended(trial: Trial, outcome: Outcome) -> None:
        todo.ended(trial, outcome)
        board.ended(trial, outcome)

    class Telling(Callback):
        """Tells the board, and writes down what no process of the trial could."""

        def on_trial_start(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
            board.begun(named[trial.config["name"]])

        def on_trial_result(
            self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **_: Any
        ) -> None:
            if "loss" in result and not result.get("is_over"):
                board.told(named[trial.config["name"]], result)

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
            own = named[trial.config["name"]]
            outcome = own.outcome()
            if outcome is None and not asked.to_stop:
                epoch = trial.last_result.get("epoch", 0)
                why = f"ASHA stopped it after epoch {epoch}, as it fell behind"
                outcome = Outcome(PRUNED, why, 0.0, epoch)
                own.keep(outcome)
            if outcome is not None:
                ended(own, outcome)

        def on_trial_error(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
            own = named[trial.config["name"]]
            why = f"its process ended {MOST_DEATHS} times"
            with suppress(Exception):
                why = f"{why}: {str(trial.get_error()).strip().splitlines()[-1]}"
            outcome = Outcome(FAILED, why)
            own.keep(outcome)
            ended(own, outcome)

    return Telling()
