"""``zscape.sweep``: many trainings that answer one question."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Unpack

from zscape.config import RunConfig, check_heeded
from zscape.data import Splits, load_data, place_of
from zscape.errors import ConfigError, DataError
from zscape.model import build_model, likelihoods, networks
from zscape.registry import home_of
from zscape.sweeping import local, on_ray
from zscape.sweeping.board import create_board
from zscape.sweeping.folder import BY, Sweep, check_free
from zscape.sweeping.options import How, SweepOptions
from zscape.sweeping.search import Queue, Search
from zscape.sweeping.space import Space
from zscape.training.loop import count_steps, settle
from zscape.training.processes import create_fabric
from zscape.training.train import completed

ENGINES = ("local", "ray")
AT_MOST = 1_000
"""Trials that nobody is asked about."""


class TooMany(ConfigError):
    """More trials than a person may have meant."""

    def __init__(self, n: int, at_most: int) -> None:
        super().__init__(
            f"that is {n:,} trials, and more than {at_most:,} are not begun unasked; leave out "
            "values, draw some with search random, or allow as many with at_most."
        )
        self.n = n


def sweep(
    data: Any = "mnist",
    *,
    out: Path | str,
    seeds: int | Sequence[int] = 1,
    search: str = "grid",
    trials: int | None = None,
    by: str = "elbo",
    probes: bool = True,
    engine: str = "local",
    workers: int | None = None,
    gpus_per_trial: float | None = None,
    address: str | None = None,
    asha: bool = False,
    at_most: int = AT_MOST,
    search_seed: int = 0,
    progress: str = "auto",
    **options: Unpack[SweepOptions],
) -> Sweep:
    """Train a model for every configuration that is asked for, and measure all alike.

    The same call again goes on where it was stopped, however that was: finished trials are kept,
    begun ones go on from their checkpoints. More values in the same folder are more trials.

    Parameters
    ----------
    data
        As for ``train``.
    out
        The folder of the sweep; see ``Sweep``.
    seeds
        How many seeds each configuration is trained with, or which; all see the same images.
    search
        ``"grid"``: every value with every other. ``"random"``: drawn. ``"optuna"``: where Optuna
        hopes for a better one.
    trials
        How many configurations ``"random"`` and ``"optuna"`` try.
    by
        The measure that the best is the best by, and that Optuna looks at: ``"elbo"``,
        ``"reconstruction"``, ``"bits_per_dim"``, ``"loss"``, ``"linear"`` or ``"neighbours"``.
    probes
        Also measure how well the latents tell the class.
    engine
        ``"local"``: on this machine. ``"ray"``: on a Ray cluster, all of whose machines see the
        folder under the same path.
    workers
        Trials side by side, each in a process with its share of threads; by default as many as
        there are cores, or GPUs. 0 trains one after the other in this process.
    gpus_per_trial
        In (0, 1]: 0.5 lets two trials share a GPU. By default 1 where this machine has one; a
        cluster whose first machine has none is told here that others do.
    address
        Of a Ray cluster, ``"host:port"``, or ``"auto"`` for that of this machine; one is started
        here by default.
    asha
        With Ray: stop trials early that fall behind (asynchronous successive halving, Li et al.
        2020); they have the status ``"pruned"``.
    at_most
        Refuse to begin more trials than this.
    search_seed
        Of what is drawn.
    progress
        ``"auto"``, ``"rich"``, ``"lines"`` or ``"none"``.
    options
        Fields of ``DataConfig``, ``ModelConfig`` and ``TrainConfig`` by name: one value for all
        trials, a list of values, or a range to draw from, ``"1e-3..1e-1:log"`` or a ``Range``.

    Returns
    -------
    How all trials stand, and what they say together. After Ctrl-C or another signal some have not
    ended, and ``stopped_by`` says which signal.

    Raises
    ------
    ConfigError, DataError
        An option or the data is not what it should be, there are more trials than ``at_most``, or
        another process works in the folder; nothing is trained. Or the disk is full; what was
        trained is kept.
    ProcessLost
        No process can be started to train in.
    MissingExtraError
        ``search="optuna"`` without Optuna, ``engine="ray"`` without Ray.

    Examples
    --------
    >>> import numpy as np, tempfile, zscape
    >>> images = np.random.default_rng(0).random((60, 16, 16), dtype=np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = zscape.sweep(images, out=folder, latent_dim=[2, 3], epochs=1, network="mlp",
    ...                          workers=0, progress="none")
    ...     found.frame()[["latent_dim", "status"]].values.tolist()
    [[2, 'finished'], [3, 'finished']]
    """
    if engine not in ENGINES:
        raise ConfigError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}.")
    if engine != "ray" and (address is not None or asha):
        raise ConfigError(f"{'asha' if address is None else 'address'} goes with engine ray.")
    if by not in BY:
        raise ConfigError(f"by must be one of {', '.join(BY)}; got {by!r}.")
    source = str(data) if isinstance(data, (str, Path)) else None
    if isinstance(data, Iterator):
        raise ConfigError("every trial reads the images; pass what can be read more than once.")
    given, own = _allowed({**options}, is_apart=workers != 0)
    plan = Search(
        source, Space.of(given), search, n=trials, seeds=_seeds(seeds, given), seed=search_seed
    )
    if plan.n_trials > at_most:
        raise TooMany(plan.n_trials, at_most)
    configs = plan.listed()
    splits = _check(configs or _ends(plan), data)
    folder = Path(out)
    there = check_free(folder)
    begun = there or Sweep(folder, (), {
        "data": None if source is None else place_of(source), "images": _identity(splits)
    })  # fmt: skip
    with begun.held():
        there = check_free(folder)  # as it is now that no other works on it
        if there is not None:
            _check_same(there, splits)
        begun = dataclasses.replace(there or begun).with_trials(configs)
        begun.plan.update(by=by, probes=probes, search=plan.to_dict())
        begun.save()
        queue = Queue(begun, plan)
        handed = None if source is not None else data
        places = local.find_places(
            str(given.get("accelerator", "auto")), queue.n_total, workers=workers,
            gpus_per_trial=1.0 if gpus_per_trial is None else gpus_per_trial,
        )  # fmt: skip
        gpus = float(places.devices[0] is not None) if gpus_per_trial is None else gpus_per_trial
        cluster = on_ray.Cluster(address, gpus=gpus, asha=asha)
        if engine == "ray":
            on_ray.check(cluster, queue)
        board = create_board(progress, queue)
        try:
            if engine == "ray":
                stopped_by = on_ray.run(queue, board, cluster, handed, probes=probes)
            elif workers == 0:
                stopped_by = local.run_here(queue, board, handed, probes=probes)
            else:
                stopped_by = local.run(queue, board, places, handed, probes=probes, own=own)
        finally:
            board.close()
    return dataclasses.replace(Sweep.open(folder), stopped_by=stopped_by)


def resume_sweep(folder: Path | str, data: Any = None, **how: Unpack[How]) -> Sweep:
    """Go on with a sweep that was stopped: ``sweep`` with what it was told.

    Parameters
    ----------
    folder
        Of the sweep.
    data
        Needed only if it was begun on an array: the same array.
    how
        ``engine``, ``workers``, ``gpus_per_trial``, ``address``, ``asha`` and ``progress`` of
        ``sweep``.

    Raises
    ------
    CheckpointError
        There is no sweep.
    ConfigError, DataError
        As by ``sweep``.
    """
    there = Sweep.open(folder)
    told = there.plan["search"]
    source = there.trials[0].config.data.data if there.trials else there.plan["data"]
    if data is None and source is None:
        raise ConfigError(f"{folder} was begun on an array from Python; pass it as data.")
    return sweep(
        source if data is None else data, out=folder, seeds=told["seeds"], search=told["method"],
        trials=told["n"], search_seed=told["seed"], by=there.by, probes=there.plan["probes"],
        at_most=max(AT_MOST, len(there.trials)), **how, **told["options"],
    )  # fmt: skip


def _seeds(seeds: int | Sequence[int], options: dict[str, Any]) -> list[int]:
    """The seeds that are meant, the first being ``seed``; which is taken out of ``options``."""
    own = Space.of({"seed": options.pop("seed", 0)})
    if own.ranges:
        raise ConfigError("seed takes numbers, and has no range; say how many with seeds.")
    first = list(own.values.get("seed", (own.fixed.get("seed"),)))
    if len(first) > 1 and seeds != 1:
        raise ConfigError("either several values of seed or a number of seeds, not both.")
    if isinstance(seeds, int):
        if seeds < 1:
            raise ConfigError(f"seeds must be at least 1; got {seeds}.")
        return first if len(first) > 1 else [first[0] + k for k in range(seeds)]
    return list(dict.fromkeys(int(seed) for seed in seeds))


def _allowed(
    options: dict[str, Any], *, is_apart: bool
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Options with classes of a person's own by name, and those that others may import."""
    options, own = dict(options), []
    for name, registry in (("network", networks), ("likelihood", likelihoods)):
        if name not in options:
            continue
        given = options[name]
        many = given.split(",") if isinstance(given, str) else given
        many = list(many) if isinstance(many, (list, tuple)) else [many]
        options[name] = [registry.allow(one, here=True) for one in many]
        for one in options[name]:
            home = home_of(registry[one])
            if home.startswith("__main__:") and is_apart:
                raise ConfigError(
                    f"{name} {home} cannot be found by the processes that train; put it into a "
                    "module of its own, or train in this process with workers=0."
                )
            if not home.startswith("zscape."):
                own.append({name: home if ":" in one else one})
    return options, own


def _ends(plan: Search) -> list[RunConfig]:
    return [config for point in plan.space.corners() for config in plan.configs(point)]


def _check(configs: Sequence[RunConfig], data: Any) -> Splits:
    """Raise for whatever of ``configs`` could not be trained; the images of the largest.

    Raises
    ------
    ConfigError, DataError
        The first fault that is found.
    """
    for config in configs:
        check_heeded({**config.data.to_dict(), **config.model.to_dict(), **config.train.to_dict()})
    largest = max(configs, key=lambda config: config.data.n_train or float("inf"))
    source = largest.data.data if data is None or isinstance(data, (str, Path)) else data
    splits = load_data(source, largest.data, seed=largest.train.seed)
    models, machines = set(), set()
    for config in configs:
        n = min(config.data.n_train or len(splits.train), len(splits.train))
        whole = completed(config, splits)
        count_steps(n, settle(config.train, n))
        models.add(whole.model)
        train = config.train
        machines.add((train.accelerator, train.precision, train.tensorboard))
    for model in models:
        build_model(model)
    for accelerator, precision, tensorboard in machines:
        create_fabric(largest.train.replace(
            accelerator=accelerator, precision=precision, tensorboard=tensorboard
        ), Path())  # fmt: skip
    return splits


def _identity(splits: Splits) -> dict[str, Any]:
    test = splits.test
    return {"n": len(test), "fingerprint": test.fingerprint}


def _check_same(there: Sweep, splits: Splits) -> None:
    """Raise unless the trials that are there are tested on the same images."""
    now, then = _identity(splits), there.plan["images"]
    if now != then:
        raise DataError(
            f"{there.folder} is a sweep over other images: tested on {then['n']} "
            f"({then['fingerprint']}), now there are {now['n']} ({now['fingerprint']}); put the "
            "former back, or choose another folder."
        )
