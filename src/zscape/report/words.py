"""Numbers and lists as a sentence wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from zscape.words import number as number  # of the report's words, too
from zscape.words import percent as percent

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(n: int, noun: str = "", plural: str = "") -> str:
    """``count(1, "neuron")`` is "one neuron"; numbers above ten are in digits: "10,000 images"."""
    number = SMALL[n] if noun and 0 <= n < len(SMALL) else f"{n:,}"
    return f"{number} {noun if n == 1 else plural or f'{noun}s'}" if noun else number


def listing(words: Iterable[object], *, most: int = 12) -> str:
    """``a, b and c``; of more than ``most``, the first ones and how many more."""
    names = [str(word) for word in words]
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def neurons(numbers: Iterable[int], *, most: int = 12) -> str:
    """``z0, z3 and z4``."""
    return listing([f"z{number}" for number in numbers], most=most)


def distance(value: float) -> str:
    """As ``number``, but of a short one its first two digits that are not 0."""
    if value >= 0.095 or value == 0:
        return number(value)
    return f"{value:.2g}"


def times_less(most: float, least: float) -> str:
    """``3.2 times less``; ``next to nothing`` from a thousand on."""
    return "next to nothing" if most >= 1000 * least else f"{number(most / least, 1)} times less"


def runs(items: Sequence[str]) -> str:
    """What comes after what, repetitions counted: ``0 (four times), 6, 1 (twice)``."""
    parts = []
    for item, same in groupby(items):
        n = len(list(same))
        times = "" if n == 1 else " (twice)" if n == 2 else f" ({count(n, 'time')})"
        parts.append(f"{item}{times}")
    return ", ".join(parts)


def sentence(text: str) -> str:
    """With a capital first letter, but for the name of a neuron: ``z2``."""
    return text if re.match(r"z\d", text) else text[:1].upper() + text[1:]
