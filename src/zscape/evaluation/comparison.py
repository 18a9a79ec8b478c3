"""Several models under one protocol, a row each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zscape.config import RunConfig
from zscape.data import ImageSet
from zscape.errors import ConfigError
from zscape.evaluation.bounds import Evaluation, estimate, evaluate
from zscape.evaluation.probes import probe
from zscape.evaluation.protocol import Protocol, check_comparable, is_binary, measure_of
from zscape.latents import encode
from zscape.model import VAE, ModelLike
from zscape.words import counted, line, number

if TYPE_CHECKING:
    import pandas as pd

LOWER_IS_BETTER = ("elbo", "nll", "iw_bound", "bits_per_dim", "reconstruction")
HIGHER_IS_BETTER = ("linear", "neighbours")
MEASURES = (*LOWER_IS_BETTER, "kl", "n_used", *HIGHER_IS_BETTER)
DECIMALS = {"bits_per_dim": 4, "n_used": 0, "linear": 3, "neighbours": 3}
"""Of a figure for a person; two of the others, which are nats."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One model, and what was measured of it.

    Parameters
    ----------
    config
        What it was trained with; None where that is not known.
    accuracy
        Of the probes of the class, by name; empty where there are none.
    """

    evaluation: Evaluation
    config: RunConfig | None
    accuracy: dict[str, float]

    @property
    def family(self) -> str:
        """The same for models that differ in their seed alone."""
        if self.config is None:
            return self.evaluation.name
        config = self.config.to_dict()
        config["train"].pop("seed")
        return json.dumps(config, sort_keys=True)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models that may stand in one table; made by ``compare``.

    Parameters
    ----------
    models
        In the order they were given.
    """

    models: tuple[Compared, ...]

    def __repr__(self) -> str:
        return line(self, counted(len(self.models), "model"), self.how)

    @property
    def how(self) -> str:
        """The protocol that all figures share."""
        first = self.models[0].evaluation
        images = f"{len(first)} {first.split} images of {first.data}"
        return f"{images}; {first.protocol}; nats of {first.of}"

    def frame(self) -> pd.DataFrame:
        """A row per model: what it is, and under ``MEASURES`` what was measured.

        ``elbo``, ``nll`` (``iw_bound`` where it is of no likelihood) and ``reconstruction`` in nats
        per image, lower is better; those with ``_error`` are standard errors over images;
        ``n_used`` neurons of a mean KL above 0.01; ``linear`` and ``neighbours`` are accuracies of
        probes of the class; ``how`` is the protocol, the same in every row.
        """
        import pandas as pd

        rows = []
        for model in self.models:
            found, config = model.evaluation, model.config
            row: dict[str, Any] = {
                "model": found.name,
                "network": config.model.network if config else "",
                "likelihood": found.likelihood,
                "latent_dim": found.kl.shape[1],
                "kld_weight": config.train.kld_weight if config else None,
                "seed": config.train.seed if config else None,
            }
            for name, values in (("elbo", found.elbo), (found.closer, found.nll)):
                if name == "elbo" or found.protocol.samples > 1:
                    row[name], row[f"{name}_error"] = estimate(values)
            best = row.get("nll", row["elbo"])
            if (bits := found.bits_per_dim(best)) is not None:
                row["bits_per_dim"] = bits
            row |= {
                "reconstruction": float(found.reconstruction.mean()),
                "kl": float(found.kl.sum(1).mean()),
                "n_used": int(found.per_neuron()["is_used"].sum()),
                **model.accuracy,
                "how": self.how,
            }
            rows.append(row)
        return pd.DataFrame(rows)

    def table(self) -> pd.DataFrame:
        """``frame``, those that differ in their seed alone as one row: mean, and ``_spread``.

        The spread is the standard deviation over seeds, where there are several.
        """
        return over_seeds(self.frame(), [model.family for model in self.models])

    def shown(self) -> pd.DataFrame:
        """``table`` as text: a figure and its ± in one cell, without what all models share."""
        return as_text(self.table())

    @property
    def plus_minus(self) -> str:
        """What stands behind ± in ``shown``."""
        if "n_seeds" in self.table():
            return "the standard deviation over seeds"
        return "the standard error over images"

    def verdict(self) -> str:
        """Which model pays least, and how much less than the next on the very same images."""
        paid = {}
        for model in self.models:
            one = model.evaluation
            paid[one.name] = one.nll if one.protocol.samples > 1 else one.elbo
        first, *others = sorted(paid, key=lambda name: float(paid[name].mean()))
        least = number(float(paid[first].mean()))
        if not others:
            return f"{first} pays {least} nats for an image."
        gap = estimate(paid[others[0]] - paid[first])
        return (
            f"{first} pays least for an image, {least} nats. {others[0]} comes next and pays "
            f"{number(gap.mean)} more (± {number(gap.error)}, the standard error of the difference "
            "on the same images)."
        )

    def best(self) -> dict[str, int]:
        """Measure → the row of ``table`` that is best, where lower or higher is better at all."""
        return best_rows(self.table())


def over_seeds(
    frame: pd.DataFrame, families: Sequence[str], measures: Sequence[str] = MEASURES
) -> pd.DataFrame:
    """The rows of one family as one: the mean of each of ``measures``, and its ``_spread``.

    The spread is the standard deviation over seeds; where no family has several, ``frame``.
    """
    import pandas as pd

    if len(set(families)) == len(families):
        return frame
    rows = []
    for _, part in frame.groupby(list(families), sort=False):
        row = part.iloc[0].to_dict()
        row["n_seeds"] = len(part)
        for name in measures:
            if name in part:
                row[name] = float(part[name].mean())
                row[f"{name}_spread"] = float(part[name].std())
        rows.append(row)
    return pd.DataFrame(rows).drop(
        columns=["seed", "elbo_error", "nll_error", "iw_bound_error"], errors="ignore"
    )


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """A table of measures as text: a figure and its ± in one cell, without what all rows share."""
    import pandas as pd

    columns: dict[str, list[str]] = {}
    for name in table:
        is_same = (
            name in ("network", "likelihood", "seed") and table[name].nunique(dropna=False) == 1
        )
        if name == "how" or is_same or name.endswith(("_error", "_spread")):
            continue
        if name in MEASURES:
            spread = table.get(f"{name}_spread", table.get(f"{name}_error"))
            spreads = [None] * len(table) if spread is None else spread
            columns[name] = [
                _with_spread(name, *pair) for pair in zip(table[name], spreads, strict=True)
            ]
        else:
            columns[name] = [_plain(value) for value in table[name]]
    return pd.DataFrame(columns)


def best_rows(table: pd.DataFrame) -> dict[str, int]:
    """Measure → the row that is best, where lower or higher is better at all."""
    found = {name: int(table[name].argmin()) for name in LOWER_IS_BETTER if name in table}
    return found | {name: int(table[name].argmax()) for name in HIGHER_IS_BETTER if name in table}


def _with_spread(name: str, value: float, spread: float | None) -> str:
    if value != value:
        return "–"
    # Means over seeds need not be whole.
    decimals = 1 if name == "n_used" and value % 1 else DECIMALS.get(name, 2)
    shown = number(value, decimals)
    return shown if spread is None or spread != spread else f"{shown} ± {number(spread, decimals)}"


def _plain(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return str(value) if isinstance(value, str) else f"{value:g}"


def check_alike(models: Sequence[tuple[str, VAE, ImageSet]], protocol: Protocol) -> None:
    """Raise before anything is measured unless all that will be may stand in one table.

    Parameters
    ----------
    models
        (name, model, images) of each.
    protocol
        How they will be measured.

    Raises
    ------
    ConfigError, DataError
        Two have other images, or nats of something else, named; the protocol does not fit one.
    """
    measures = []
    for name, vae, images in models:
        first, _, others = models[0]
        if images.fingerprint != others.fingerprint:
            raise ConfigError(
                f"{first} and {name} cannot be compared: their {images.split} images are "
                f"{others.name} ({others.fingerprint}) and {images.name} ({images.fingerprint}); "
                "choose images for both."
            )
        protocol.check_fits(vae.likelihood, images)
        is_black_and_white = protocol.binarize != "none" or is_binary(images)
        measures.append(measure_of(vae.likelihood, is_black_and_white)[0])
        if measures[-1] != measures[0]:
            raise ConfigError(
                f"{first} and {name} cannot be compared: measure {measures[0]} and {measures[-1]}."
            )
        told = [one.condition.title if one.condition else "none" for one in (models[0][1], vae)]
        if told[0] != told[1]:
            raise ConfigError(
                f"{first} and {name} cannot be compared: condition {told[0]} and {told[1]}."
            )


def measure(
    vae: ModelLike,
    images: ImageSet,
    protocol: Protocol,
    *,
    name: str,
    config: RunConfig | None = None,
    fit_on: ImageSet | None = None,
    progress: Callable[[float], None] | None = None,
) -> Compared:
    """What ``compare`` takes of one model.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        That it was not trained on.
    protocol
        How nats are measured.
    name
        What to call the model.
    config
        How it was trained, if that is known: the comparison's columns.
    fit_on
        Labelled images to fit probes of the class on, which ``images`` then are scored by; see
        ``probe``. No probes without them.
    progress
        Told the share that is done, in [0, 1].
    """
    found = evaluate(vae, images, protocol, name=name, progress=progress)
    accuracy: dict[str, float] = {}
    if fit_on is not None:
        tables = [encode(vae, part) for part in (images, fit_on)]
        scores = probe(*tables, columns=["class"], seeds=1, seed=protocol.seed).frame["score"]
        accuracy = {kind: float(score) for (_, kind), score in scores.items()}
    return Compared(found, config, accuracy)


def compare(models: Sequence[Compared]) -> Comparison:
    """Put ``models`` into one table.

    Raises
    ------
    ConfigError
        None, or two that were not measured alike; the message names the difference.
    """
    if not models:
        raise ConfigError("a comparison needs at least one model; got none.")
    for model in models[1:]:
        check_comparable(models[0].evaluation, model.evaluation)
    return Comparison(tuple(models))
