"""A disk that is really full: a file system in memory, of a size; needs root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Callable[[str], None]]:
    """The folder ``at`` on a disk of ``size``; yields what gives it another."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("only root may mount a disk")
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    if subprocess.run([*mount, f"size={size}", "none", at], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield (
            lambda more: (
                subprocess.run(["mount", "-o", f"remount,size={more}", at], check=True) and None
            )
        )
    finally:
        subprocess.run(["umount", "-l", at], check=False)
