"""What the tables of finds share: what is known of each image, beside its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zscape.data.columns import FILE_NAME
from zscape.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

    from zscape.latents import LatentTable


def with_scores(
    table: LatentTable, scores: Mapping[str, Any], rows: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """File name and class, scores, other columns; the index is that of the images.

    ``rows`` of the table are those that there are scores of, all by default. A column that is
    called as a score is has ``column_`` before its name.
    """
    import pandas as pd

    known = table.to_frame().iloc[:, : -table.latent_dim]
    known = known if rows is None else known.iloc[rows]
    known = known.rename(columns=lambda name: f"column_{name}" if name in scores else name)
    first = [name for name in (FILE_NAME, "class") if name in known]
    found = pd.DataFrame(dict(scores), known.index)
    return pd.concat([known[first], found, known.drop(columns=first)], axis=1)


def check_neighbours(k: int, n: int, what: str) -> None:
    """Raise unless each of ``n`` images has ``k`` others."""
    if n < 2:
        raise DataError(f"{what} is one image, with no other to compare it with.")
    if not 1 <= k < n:
        raise ConfigError(f"k must be in [1, {n - 1}], the other images; got {k}.")
