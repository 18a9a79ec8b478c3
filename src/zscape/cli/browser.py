"""Opening a page in the person's browser, where there is a screen to see it on."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]


def show(address: str) -> None:
    """Open ``address`` in a browser window; without a window system nothing happens."""
    if _has_screen():
        webbrowser.open(address)


def _has_screen() -> bool:
    """Whether a browser would open a window, and not take over the terminal."""
    is_window_system = sys.platform in ("win32", "darwin")
    return is_window_system or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
