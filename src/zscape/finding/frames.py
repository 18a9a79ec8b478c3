"""What the tables of finds share."""

from __future__ import annotations

from zscape.errors import ConfigError, DataError


def check_neighbours(k: int, n: int, what: str) -> None:
    """Raise unless each of ``n`` images has ``k`` others."""
    if n < 2:
        raise DataError(f"{what} is one image, with no other to compare it with.")
    if not 1 <= k < n:
        raise ConfigError(f"k must be in [1, {n - 1}], the other images; got {k}.")
