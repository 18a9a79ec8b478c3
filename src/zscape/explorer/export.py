"""A scene as one HTML file that opens anywhere, or as a folder of files that is served."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zscape.data.mapped import in_bytes
from zscape.errors import ConfigError
from zscape.explorer.blocks import Packed, pack, squeeze
from zscape.explorer.page import file_page, folder_page, read_bundle
from zscape.explorer.scene import FORMAT, Scene
from zscape.files import check_writable, make_folder, write_atomic
from zscape.words import counted

SUFFIXES = (".html", ".htm")
INDEX, MANIFEST, BLOCKS = "index.html", "manifest.json", "blocks"
"""Of a folder: the page, and what it asks for."""
MOST_BYTES = 160_000_000
"""Of a page, or of what a notebook is sent."""
GRID = 2**16
"""Places of a map along its longer side: far below a pixel, and half the bytes."""


def is_folder(out: Path | str) -> bool:
    """Whether ``out`` names a folder: by a slash at its end, or as one that is there."""
    is_page = Path(out).suffix.lower() in SUFFIXES
    return str(out).endswith(("/", os.sep)) or (Path(out).is_dir() and not is_page)


def check_export(out: Path | str) -> Path:
    """``out`` as a path that can be written to, found out before anything is computed.

    Raises
    ------
    ConfigError
        Another ending than .html or a slash, no folder that can be written to, or a folder with
        other things in it than an explorer.
    DataError
        The explorer's bundle was not built.
    """
    path = Path(out)
    if is_folder(out):
        check_writable(path / INDEX, makes_folders=True)
        if path.is_dir() and any(path.iterdir()) and not _is_ours(path):
            raise ConfigError(
                f"{path} has other things in it than an explorer; give a folder of its own."
            )
    elif path.suffix.lower() in SUFFIXES:
        check_writable(path)
    else:
        raise ConfigError(
            f"{path}: the export is a page, with a name that ends in .html, or a folder of files "
            "to be served, with a name that ends in a slash."
        )
    read_bundle()
    return path


def check_size(scene: Scene, where: str) -> None:
    """Raise ``ConfigError`` if all of the scene at once is more than browsers take gladly."""
    size = 4 / 3 * sum(map(len, scene.blocks.values()))
    if size > MOST_BYTES:
        raise ConfigError(
            f"{counted(scene.manifest['points']['n'], 'image')} are too much for {where}: they "
            f"take {in_bytes(size)}, and a browser should not be given more than "
            f"{in_bytes(MOST_BYTES)} at once. Export them into a folder, zscape export … -o name/, "
            f"look at them by zscape explore, or choose fewer with -n."
        )


def write_export(scene: Scene, out: Path | str) -> Path:
    """Write ``scene`` and the explorer into one page, or into a folder for a server of files.

    Every block is stored in the smallest way there is for it, places on the maps to 1/65536 of
    the map's extent; in a page base64 then adds a third. In a folder each block is a file, of which
    the page asks for what it shows.

    Returns
    -------
    The path of the page, or of the folder.

    Raises
    ------
    ConfigError, DataError
        See ``check_export``.
    """
    path = check_export(out)
    if is_folder(out):
        _write_folder(squeezed(scene), path)
    else:
        check_size(scene, "one page")
        write_atomic(path, file_page(squeezed(scene), read_bundle()))
    return path


def _write_folder(scene: Scene, folder: Path) -> None:
    """Blocks first, the page that asks for them last; blocks of an earlier scene are removed."""
    blocks = folder / BLOCKS
    make_folder(blocks)
    for name, data in scene.blocks.items():
        write_atomic(blocks / name, (data,))
    write_atomic(folder / MANIFEST, scene.manifest_json)
    write_atomic(folder / INDEX, folder_page(scene.manifest["title"], read_bundle()))
    for file in blocks.iterdir():
        if file.name not in scene.blocks:
            file.unlink()


def _is_ours(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


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
