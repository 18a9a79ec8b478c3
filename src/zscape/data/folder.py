"""Folders of picture files, with or without a sub-folder per class."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from zscape.data.arrays import from_arrays
from zscape.data.bounded import reading
from zscape.data.imageset import ImageSet, Splits
from zscape.data.resize import fit_square
from zscape.errors import DataError

_SUFFIXES = frozenset(
    (
        ".bmp",
        ".gif",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    )
)
# Named, so that no other of Pillow's decoders (one starts Ghostscript) is tried on a file.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_TEST_FOLDERS = ("test", "val")
_log = logging.getLogger(__name__)


def read_folder(folder: Path, side: int | None = None) -> Splits | ImageSet:
    """All pictures below ``folder``.

    Pictures are turned as their EXIF orientation says and transparency is laid on black. They
    have one channel if every file of both splits is grey (modes 1, L, LA, 16 bits) and three
    otherwise; 16-bit grey is scaled to 8 bits.

    Parameters
    ----------
    folder
        Holds ``train/`` and optionally ``test/`` (or ``val/``), or stands for ``train`` itself.
        Each of these holds either a sub-folder per class or, without labels, pictures. Hidden
        files and files that are not named as pictures are left out.
    side
        Pixels; scale and centre-crop every picture to this square. Needed if their sizes differ.

    Raises
    ------
    DataError
        No pictures, pictures both beside and inside sub-folders, a file that cannot be read, a
        decompression bomb, or different sizes without ``side``.
    """
    with reading(folder):
        found = [_find(half) for half in _halves(folder)]
    pictures = iter(_read_pictures([file for files, _ in found for file in files], side))
    arrays: list[object] = []
    for files, labels in found:
        arrays += [np.stack([next(pictures) for _ in files]), labels]
    return from_arrays(folder, *arrays)


def _halves(folder: Path) -> list[Path]:
    folders = {entry.name.lower(): entry for entry in folder.iterdir() if entry.is_dir()}
    tests = [folders[name] for name in _TEST_FOLDERS if name in folders]
    if "train" not in folders:
        if tests:
            raise DataError(f"{folder} has a folder {tests[0].name} but no folder train beside it.")
        return [folder]
    if len(tests) > 1:
        _log.info("%s: testing on %s, leaving out %s.", folder, tests[0].name, tests[1].name)
    return [folders["train"], *tests[:1]]


def _find(folder: Path) -> tuple[list[Path], list[str] | None]:
    """The picture files of one split, sorted, and the class of each if there are classes."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise DataError(
            f"{folder} holds no pictures ({' '.join(sorted(_SUFFIXES))}) and no IDX files."
        )
    loose = [file for file in files if file.parent == folder]
    if not loose:
        return files, [file.relative_to(folder).parts[0] for file in files]
    if len(loose) < len(files):
        raise DataError(
            f"{folder} holds pictures beside its class folders ({loose[0].name}); "
            f"put every picture into a class folder, or none."
        )
    return files, None


def _read_pictures(files: list[Path], side: int | None) -> list[NDArray[np.uint8]]:
    """Every file as (c, height, width), all of one shape."""
    pictures: list[NDArray[np.uint8]] = []
    for file in files:
        pixels = _read_picture(file, side)
        if pictures and pixels.shape[1:] != pictures[0].shape[1:]:
            (h0, w0), (h, w) = pictures[0].shape[1:], pixels.shape[1:]
            raise DataError(
                f"Pictures must have one size: {files[0]} is {w0}x{h0} pixels, {file} is {w}x{h}; "
                f"ask for a size with --resize."
            )
        pictures.append(pixels)
    channels = max(len(pixels) for pixels in pictures)
    return [np.broadcast_to(pixels, (channels, *pixels.shape[1:])) for pixels in pictures]


def _read_picture(file: Path, side: int | None) -> NDArray[np.uint8]:
    """(1, height, width) if the file is grey, (3, height, width) otherwise."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                picture = _as_grey_or_rgb(ImageOps.exif_transpose(opened))
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        raise DataError(
            f"{file} could not be read as a picture: {str(error).rstrip('.')}."
        ) from error
    if side is not None:
        picture = fit_square(picture, side)
    pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _as_grey_or_rgb(picture: Image.Image) -> Image.Image:
    """In mode L or RGB."""
    if picture.mode.startswith("I"):
        wide = np.asarray(picture).astype(np.int64)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("its grey values need more than 16 bits")
        return Image.fromarray(np.rint(wide / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("its grey values are floats, whose range is unknown")
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    return picture.convert(mode)
