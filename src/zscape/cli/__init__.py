"""The ``zscape`` command."""

from zscape.cli.app import app, main

__all__ = ["app", "main"]
