"""Writing what a command made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zscape.errors import ConfigError
from zscape.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write ``figure`` as PNG, whole or not at all, and say where.

    Raises
    ------
    ConfigError
        Not a .png, or the folder is missing or cannot be written.
    """
    from zscape.figures import to_png

    if path.suffix.lower() != ".png":
        raise ConfigError(f"{path}: the picture is a PNG; give it a name that ends in .png.")
    try:
        write_atomic(path, to_png(figure))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}.") from error
    print(f"Wrote {path}")
