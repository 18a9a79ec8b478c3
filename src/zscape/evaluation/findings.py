"""What the measures of a model mean: sentences, ranked, each with its number and its remedy."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from zscape.evaluation.checks import CHECKS, Check
from zscape.evaluation.doctor import Checkup
from zscape.words import counted, line
from zscape.zoo import read_cards

if TYPE_CHECKING:
    import pandas as pd

NORMAL = "normal.json"
"""Measures of every model of the zoo, written by ``tools/measure_zoo.py``."""


class Severity(IntEnum):
    """How bad it is."""

    FINE = 0
    """Within the range of the zoo, or near it."""
    FOLLOWS = 1
    """It would be notable or serious, but a graver finding explains it."""
    NOTABLE = 2
    """Outside the range of the zoo; it may have a good reason."""
    SERIOUS = 3
    """The model does not do what a VAE is for."""

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name
        What it would be if it were serious, such as ``posterior collapse``.
    severity
        How bad it is.
    sentence
        What was found, with its number.
    measure, value
        What was measured, and its number; ``checks.EXCESS`` says what is the excess of a loss.
    normal
        Its least and largest value among the healthy models of the zoo; None of what they cannot
        have, such as a second checkpoint.
    advice
        One thing to try; empty where nothing needs to be done.
    """

    name: str
    severity: Severity
    sentence: str
    measure: str
    value: float
    normal: tuple[float, float] | None
    advice: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.sentence, self.advice) if part)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What the doctor says of a model: the gravest finding first."""

    checkup: Checkup
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        grave = [finding.name for finding in self.serious]
        return line(self, self.checkup.name, ", ".join(grave) or "nothing serious",
                    counted(len(self.findings), "finding"))  # fmt: skip

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings that are serious."""
        return tuple(one for one in self.findings if one.severity is Severity.SERIOUS)

    @property
    def told(self) -> tuple[Finding, ...]:
        """Those that are serious or notable, and follow from no other."""
        return tuple(one for one in self.findings if one.severity >= Severity.NOTABLE)

    @property
    def following(self) -> tuple[Finding, ...]:
        """Those that a serious one explains."""
        return tuple(one for one in self.findings if one.severity is Severity.FOLLOWS)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.serious:
            return f"Nothing serious is wrong with {self.checkup.name}."
        names = " and ".join(finding.name for finding in self.serious)
        return f"{self.checkup.name} has a serious problem: {names}."

    def table(self) -> pd.DataFrame:
        """A row per finding, indexed by ``finding``.

        Columns ``severity``, ``measure``, ``value``, ``normal_low``, ``normal_high``, ``sentence``
        and ``advice``.
        """
        import pandas as pd

        unknown = (np.nan, np.nan)
        rows = [
            (one.name, str(one.severity), one.measure, one.value, *(one.normal or unknown),
             one.sentence, one.advice)
            for one in self.findings
        ]  # fmt: skip
        columns = ["finding", "severity", "measure", "value", "normal_low", "normal_high",
                   "sentence", "advice"]  # fmt: skip
        return pd.DataFrame(rows, columns=columns).set_index("finding")


def diagnose(checkup: Checkup) -> Diagnosis:
    """Judge all measures; serious findings that follow from a graver one are said to."""
    measures, ranges = checkup.measures(), normal_ranges()
    found = {
        check.name: _judge(check, checkup, measures[check.measure], ranges.get(check.measure))
        for check in CHECKS
        if check.measure in measures
    }
    for check in CHECKS:
        cause = found.get(check.name)
        if cause is None or cause.severity is not Severity.SERIOUS:
            continue
        for name in check.explains:
            if (one := found.get(name)) and one.severity in (Severity.SERIOUS, Severity.NOTABLE):
                advice = f"It may follow from the {check.name}: see to that first."
                found[name] = replace(one, severity=Severity.FOLLOWS, advice=advice)
    ranked = sorted(found.values(), key=lambda one: -one.severity)
    return Diagnosis(checkup, tuple(ranked))


@cache
def zoo_measures() -> dict[str, dict[str, float]]:
    """``Checkup.measures`` of every model of the zoo, by its name."""
    text = files("zscape.evaluation").joinpath(NORMAL).read_text(encoding="utf-8")
    measures: dict[str, dict[str, float]] = json.loads(text)
    return measures


@cache
def normal_ranges() -> dict[str, tuple[float, float]]:
    """Least and largest value of every measure, over the zoo's models of kld_weight 1."""
    healthy = [values for name, values in zoo_measures().items()
               if read_cards()[name].kld_weight == 1]  # fmt: skip
    return {
        measure: (min(one[measure] for one in healthy), max(one[measure] for one in healthy))
        for measure in healthy[0]
    }


def _judge(
    check: Check, checkup: Checkup, value: float, normal: tuple[float, float] | None
) -> Finding:
    low, high = normal or (0.0, 0.0)
    beyond = (value < low - check.slack and check.is_bad <= 0) or (
        value > high + check.slack and check.is_bad >= 0
    )
    severity = Severity.FINE
    if check.is_serious(checkup):
        severity = Severity.SERIOUS
    elif beyond:
        severity = Severity.NOTABLE
    advice = "" if severity is Severity.FINE else check.advice
    return Finding(check.name, severity, check.says(checkup), check.about, value, normal, advice)
