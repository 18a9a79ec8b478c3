"""What a sweep tries: for every option one value, several, or a range to draw from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from zscape.config import CONFIGS, Config, DataConfig, RunConfig, field_type, name_unknown, plain
from zscape.errors import ConfigError
from zscape.seeding import numpy_generator

SWEPT_DATA = ("n_train",)
"""Of ``DataConfig``: whatever else it says changes the test images, and with them what a nat is."""
ONE_DEVICE = ("devices", "num_nodes", "strategy")
"""What a trial has one of; others train beside it."""
MOST_DRAWS = 1000
"""Tries to draw one more configuration that is not there yet, before the space is taken as used
up."""

Point = dict[str, Any]
"""What one trial is told besides what all are."""


@dataclass(frozen=True)
class Range:
    """Numbers to draw from, by ``search="random"`` or ``"optuna"``.

    Parameters
    ----------
    low, high
        Both belong to it.
    log
        Every factor is as likely as any other, not every difference.
    whole
        Whole numbers only, as for options that are whole anyway.

    Raises
    ------
    ConfigError
        ``low`` is not below ``high``, or not above 0 with ``log``.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigError(f"a range goes up from LOW to HIGH; got {self}.")
        if self.log and self.low <= 0:
            raise ConfigError(f"a range with :log begins above 0; got {self}.")

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{':int' * self.whole}{':log' * self.log}"

    @classmethod
    def parse(cls, text: str) -> Range:
        """From a ``text``: ``1e-3..1e-1``, and after it ``:log``, ``:int`` or both.

        Raises
        ------
        ConfigError
            It is nothing of the kind.
        """
        ends, *how = text.split(":")
        low, _, high = ends.partition("..")
        try:
            bounds = float(low), float(high)
            if set(how) - {"log", "int"}:
                raise ValueError
        except ValueError:
            raise ConfigError(
                f"a range is LOW..HIGH, LOW..HIGH:log or LOW..HIGH:int; got {text!r}."
            ) from None
        return cls(*bounds, log="log" in how, whole="int" in how)

    def at(self, share: float) -> float | int:
        """The number below which ``share`` of the range lies, in [low, high]."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.log:
            low = max(low, self.low / 2)
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else float(f"{value:.4g}")


@dataclass(frozen=True)
class Space:
    """Configurations to try.

    Parameters
    ----------
    fixed
        What all trials are told.
    values
        Option → two or more values, each of which is tried.
    ranges
        Option → where it is drawn from.
    """

    fixed: Mapping[str, Any]
    values: Mapping[str, tuple[Any, ...]]
    ranges: Mapping[str, Range]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Space:
        """What options say as a person gives them.

        Parameters
        ----------
        options
            Name of a field of the three configs → a value, a list of values, a ``Range``, or any
            of these as text: ``"2,3,5"``, ``"1e-3..1e-1:log"``, ``"none"``.

        Raises
        ------
        ConfigError
            There is no such option, one that has one value only is given several, or a text says
            no value.
        """
        homes = {field.name: config for config in CONFIGS.values() for field in fields(config)}  # type: ignore[arg-type]
        if unknown := set(options) - set(homes):
            raise ConfigError(f"there is no option {name_unknown(unknown, homes)}.")
        fixed: dict[str, Any] = {}
        values: dict[str, tuple[Any, ...]] = {}
        ranges: dict[str, Range] = {}
        for name, given in options.items():
            found = _read(homes[name], name, given)
            if isinstance(found, Range):
                ranges[name] = found
            elif len(found) == 1:
                fixed[name] = found[0]
            else:
                values[name] = found
        for name in (*values, *ranges):
            if homes[name] is DataConfig and name not in SWEPT_DATA:
                raise ConfigError(
                    f"{name} changes the test images, so that trials could not be compared; give "
                    f"it one value, got {options[name]!r}."
                )
        for name in ONE_DEVICE:
            if name in values or name in ranges or fixed.get(name, 1) not in (1, "auto"):
                raise ConfigError(
                    f"a trial trains on one device, and others beside it; leave out {name}."
                )
        return cls(fixed, values, ranges)

    @property
    def swept(self) -> tuple[str, ...]:
        """The options that differ from trial to trial."""
        return (*self.values, *self.ranges)

    @property
    def n_points(self) -> int:
        """How many configurations there are; those of a range count as one."""
        return math.prod(len(values) for values in self.values.values())

    def grid(self) -> Iterator[Point]:
        """Every value with every other, those of the last option changing first.

        Raises
        ------
        ConfigError
            There are ranges, which have no end of values.
        """
        if self.ranges:
            name, bounds = next(iter(self.ranges.items()))
            raise ConfigError(
                f"a grid needs values, and {name} is the range {bounds}; list some, or draw from "
                "it with search random or optuna."
            )
        for chosen in itertools.product(*self.values.values()):
            yield dict(zip(self.values, chosen, strict=True))

    def drawn(self, seed: int) -> Iterator[Point]:
        """Configurations at random, none twice; fewer than all are wanted of a space that ends."""
        generator = numpy_generator(seed, "sweep")
        seen: set[str] = set()
        while True:
            for _ in range(MOST_DRAWS):
                point = self._at(generator.random(len(self.swept)))
                if repr(point) not in seen:
                    break
            else:
                return
            seen.add(repr(point))
            yield point

    def corners(self) -> Iterator[Point]:
        """Each value of each option, and both ends of each range, beside the first of the others:
        whatever is out of range shows in one of them.
        """
        first = {name: values[0] for name, values in self.values.items()}
        first |= {name: bounds.at(0) for name, bounds in self.ranges.items()}
        yield first
        for name, values in self.values.items():
            yield from ({**first, name: value} for value in values[1:])
        yield from ({**first, name: bounds.at(1)} for name, bounds in self.ranges.items())

    def _at(self, shares: Iterable[float]) -> Point:
        point: Point = {}
        for name, share in zip(self.swept, shares, strict=True):
            if name in self.ranges:
                point[name] = self.ranges[name].at(float(share))
            else:
                point[name] = self.values[name][int(share * len(self.values[name]))]
        return point

    def to_dict(self) -> dict[str, Any]:
        """As text and plain values, which ``of`` takes back."""
        return {
            **self.fixed,
            **{name: list(values) for name, values in self.values.items()},
            **{name: str(bounds) for name, bounds in self.ranges.items()},
        }


def kind_of(config: type[Config], name: str) -> type:
    """``bool``, ``int``, ``float`` or ``str``: what an option is, besides perhaps None."""
    annotation = field_type(config, name)
    kinds = getattr(annotation, "__args__", (annotation,))
    return next((kind for kind in (bool, int, float) if kind in kinds), str)


def _read(config: type[Config], name: str, given: Any) -> tuple[Any, ...] | Range:
    """The values that were given for an option, none twice; of text, those that it says."""
    kind = kind_of(config, name)
    many = _listed(given)
    if many is None and isinstance(given, str):
        is_whole = kind is str and config is DataConfig  # a path may hold anything
        many = [given] if is_whole else given.split(",")
    found: list[Any] = []
    for item in [given] if many is None else many:
        value = _of_text(kind, name, item) if isinstance(item, str) else plain(item)
        if isinstance(value, Range):
            if many is not None and len(many) > 1:
                raise ConfigError(f"{name} takes one range or some values; got {given!r}.")
            if kind not in (int, float):
                raise ConfigError(f"{name} is no number, and has no range; got {given!r}.")
            return Range(value.low, value.high, value.log, value.whole or kind is int)
        found.append(value)
    if not found:
        raise ConfigError(f"{name} needs at least one value; got {given!r}.")
    return tuple(dict.fromkeys(found))


def _listed(given: Any) -> list[Any] | None:
    if isinstance(given, (list, tuple, range)):
        return list(given)
    return list(given.tolist()) if getattr(given, "ndim", None) == 1 else None


def _of_text(kind: type, name: str, text: str) -> Any:
    """What a text says of an option; what is no value of its kind is for the config to refuse."""
    text = text.strip()
    if kind in (int, float) and ".." in text:
        return Range.parse(text)
    if text == "":
        raise ConfigError(f"{name} needs values with commas between; one of them is empty.")
    if text.lower() == "none" and kind is not str:
        return None
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def config_of(source: str | None, *parts: Mapping[str, Any]) -> RunConfig:
    """The configuration that all ``parts`` together say, checked."""
    options = {name: value for part in parts for name, value in part.items()}
    return RunConfig.from_options(**{**options, "data": source})
