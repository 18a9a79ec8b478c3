"""A scene as one HTML file that opens anywhere, without Python and without a network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zscape.errors import ConfigError
from zscape.explorer.blocks import Packed, pack, squeeze
from zscape.explorer.page import file_page, read_bundle
from zscape.explorer.scene import Scene
from zscape.files import check_writable, write_atomic

SUFFIXES = (".html", ".htm")
GRID = 2**16
"""Places of a map along its longer side: far below a pixel, and half the bytes."""


def check_export(out: Path | str) -> Path:
    """``out`` as a path that a page can be written to, found out before anything is computed.

    Raises
    ------
    ConfigError
        Another ending than .html, or no folder that can be written to.
    DataError
        The explorer's bundle was not built.
    """
    path = Path(out)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: the export is a page; give it a name that ends in .html.")
    check_writable(path)
    read_bundle()
    return path


def write_export(scene: Scene, out: Path | str) -> Path:
    """Write ``scene`` and the explorer into one page.

    Every block is stored in the smallest way there is for it, places on the maps to 1/65536 of
    the map's extent; base64 then adds a third.

    Returns
    -------
    The path of the page.

    Raises
    ------
    ConfigError, DataError
        See ``check_export``.
    """
    path = check_export(out)
    page = file_page(squeezed(scene), read_bundle())
    write_atomic(path, page)
    return path


def squeezed(scene: Scene) -> Scene:
    """The same scene in fewer bytes, coordinates rounded as ``write_export`` says."""
    entries = scene.manifest["blocks"]
    blocks = {name: Packed(entries[name], data) for name, data in scene.blocks.items()}
    members = scene.manifest.get("members", {"list": []})["list"]
    manifests = [scene.manifest, *(member["manifest"] for member in members)]
    for name in {spec["coordinates"] for own in manifests for spec in own.get("maps", ())}:
        blocks[name] = pack(on_grid(scene.array(name)), "f32")
    blocks = {name: squeeze(block) for name, block in blocks.items()}
    manifest = scene.manifest | {"blocks": {name: block.entry for name, block in blocks.items()}}
    return Scene(manifest, {name: block.data for name, block in blocks.items()})


def on_grid(coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Coordinates (n, 2) at the nearest places of a grid, whose numbers compress well."""
    extent = float(np.ptp(coordinates, axis=0).max())
    if extent == 0:
        return coordinates
    # A power of two: such multiples have few digits in binary, and are exact.
    step = 2.0 ** math.ceil(math.log2(extent / GRID))
    rounded: NDArray[np.float32] = (np.rint(coordinates / step) * step).astype(np.float32)
    return rounded
