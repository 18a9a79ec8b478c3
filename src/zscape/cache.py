"""What can be made again and is kept to save the time: where, and for which version of the code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

VARIABLE = "ZSCAPE_CACHE"


def cache_folder() -> Path:
    """Where zscape keeps what can be made again: ``ZSCAPE_CACHE``, or the system's place for it."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("zscape", appauthor=False)


def code_of(folders: Iterable[str]) -> str:
    """A digest of the source of some folders of this package, which decides what they make."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def prune(folder: Path, suffix: str, most: int) -> None:
    """Delete the files of this ending that were used longest ago, beyond so many."""
    with suppress(OSError):  # another process deletes as well, and Windows keeps what one has open
        files = sorted(folder.glob(f"*{suffix}"), key=lambda file: file.stat().st_mtime)
        for file in files[:-most]:
            file.unlink()
