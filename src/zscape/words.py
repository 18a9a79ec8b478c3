"""How many of what, in words; and the one line by which a result of ours prints."""

from __future__ import annotations

from collections.abc import Sequence


def counted(n: int, noun: str, plural: str = "") -> str:
    """``1 image``, ``2 images``."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def sides(shape: Sequence[int]) -> str:
    """``1x28x28``."""
    return "x".join(map(str, shape))


def line(thing: object, *facts: str) -> str:
    """``LatentTable(10000 test images of mnist, 10 latent neurons)``: facts that are not empty."""
    return f"{type(thing).__name__}({', '.join(fact for fact in facts if fact)})"


def number(value: float, decimals: int = 2) -> str:
    """To so many decimals, with a true minus sign, and never "−0.00"."""
    return f"{value:z,.{decimals}f}".replace("-", "−")


def is_number(text: str) -> bool:
    """Whether it is a number as tables show them: ``−3``, ``9.7 ± 0.1``, ``3 %``, ``–``."""
    plain = text.replace(",", "").replace("−", "-").replace("–", "nan").removesuffix(" %")
    try:
        for part in plain.split("±"):
            float(part)
    except ValueError:
        return False
    return True


def percent(share: float) -> str:
    """``93 %``; to a tenth where it is next to nothing or to everything."""
    is_plain = share in (0, 1) or 0.01 <= share <= 0.99
    shown = f"{share * 100:.0f}" if is_plain else f"{share * 100:.1f}"
    return f"{shown} %"
