"""The gallery of the site: ``python tools/gallery.py [NAME ...] [--pictures]``.

Each piece is an explorer that opens anywhere, in ``build/gallery``. What is there is kept, runs too
(``runs/gallery``). ``--pictures`` also draws ``docs/images/gallery``, by Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "build" / "gallery"
RUNS = ROOT / "runs" / "gallery"
PICTURES = ROOT / "docs" / "images" / "gallery"
SIZE = "1280,800"
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--virtual-time-budget=15000",
)  # fmt: skip


FAMILIES = ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif", "STIXGeneral")
"""Those of Matplotlib's fonts that have all letters and digits."""


class Piece(NamedTuple):
    """One explorer, its card, and how it is made."""

    title: str
    sentence: str
    commands: tuple[str, ...]
    """As a reader would type them; run as they stand, but for where they write."""
    view: str = ""
    """Of the picture on its card: what a link of the explorer keeps."""
    prepare: Callable[[Path], None] | None = None
    """Makes the images that the commands speak of, in the folder they run in."""


def main(words: list[str]) -> None:
    """Make what is missing of the named pieces, or of all."""
    for name in [word for word in words if not word.startswith("-")] or PIECES:
        if not (PAGES / f"{name}.html").exists():
            make(name)
        if "--pictures" in words:
            take_picture(name)


def make(name: str) -> Path:
    """Run the commands of a piece; its page."""
    piece, folder = PIECES[name], RUNS / name
    PAGES.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        begun = folder.with_suffix(".begun")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        if piece.prepare is not None:
            piece.prepare(begun)
        begun.rename(folder)  # All its images or none.
    for command in piece.commands:
        words = command.split()
        if words[1] == "train":
            words.append("--go-on")  # with what an interrupted call has trained
        subprocess.run([sys.executable, "-m", *words], cwd=folder, check=True)
    shutil.copy(folder / f"{name}.html", PAGES)
    return PAGES / f"{name}.html"


def take_picture(name: str) -> None:
    """What the page shows, on its card."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = PAGES / f"{name}.html"
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        subprocess.run(
            ["chromium", *QUIET, f"--user-data-dir={folder}/profile", f"--window-size={SIZE}",
             f"--screenshot={shot}", f"{page.as_uri()}#{PIECES[name].view}"],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        picture = Image.open(shot).convert("RGB").resize((800, 500), Image.Resampling.LANCZOS)
        picture.save(PICTURES / f"{name}.webp", quality=85, method=6)


def draw_glyphs(folder: Path) -> None:
    """Letters and digits in the fonts that Matplotlib brings: a folder of pictures and a table."""
    from matplotlib import font_manager

    lines = ["file_name,family,weight,slant"]
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: Path(entry.fname).name):
        font = Path(entry.fname)
        if "mpl-data" not in font.parts or entry.name not in FAMILIES:
            continue
        face = ImageFont.truetype(str(font), 22)
        slant = "upright" if entry.style == "normal" else "slanted"
        weight = "bold" if str(entry.weight) in ("bold", "700") else "regular"
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
            for shift in range(3):
                at = f"{letter}/{font.stem}-{shift}.png"
                (folder / "glyphs" / letter).mkdir(parents=True, exist_ok=True)
                canvas = Image.new("L", (28, 28))
                ImageDraw.Draw(canvas).text(
                    (13.5 + (shift - 1) * 0.7, 13.5), letter, font=face, fill=255, anchor="mm"
                )
                canvas.save(folder / "glyphs" / at)
                lines.append(f"{at},{entry.name},{weight},{slant}")
    (folder / "glyphs.csv").write_text("\n".join(lines) + "\n")


def draw_cells(folder: Path) -> None:
    """The files of the fourth notebook: its own cells, up to the first that trains."""
    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / "04_your_own_images.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != "install"]
    code = [cell.source for cell in cells]
    script = "\n".join(code[: 1 + next(i for i, text in enumerate(code) if "cells.csv" in text)])
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)


PIECES = {
    "zoo-2": Piece(
        "Two neurons",
        "All that two numbers can say of a digit, on one sheet.",
        ("zscape export zoo:2 --maps pca -o zoo-2.html",),
        "map=z0,z1",
    ),
    "zoo-10": Piece(
        "Ten neurons",
        "The model most pages speak of: classes apart, and every place of the map a picture.",
        ("zscape export zoo:10 -o zoo-10.html",),
        "map=tsne",
    ),
    "zoo-10-kld4": Piece(
        "Four times the price",
        "What is left of a code when every nat of it costs four: soft digits, one idle neuron.",
        ("zscape export zoo:10-kld4 -o zoo-10-kld4.html",),
        "map=umap",
    ),
    "zoo-32": Piece(
        "Thirty-two neurons",
        "It was given 32 and uses 17; the others have nothing to say.",
        ("zscape export zoo:32 -o zoo-32.html",),
        "map=tsne&color=error",
    ),
    "cells": Piece(
        "Cells and three treatments",
        "Drawn cells as a microscope leaves them, 16-bit files and a table, by elongation.",
        ("zscape train --data cells --columns cells.csv --label treatment --latent-dim 4 "
         "--epochs 12 --out run",
         "zscape export run --split train -o cells.html"),
        "map=umap&color=elongation&tab=columns",
        draw_cells,
    ),
    "film": Piece(
        "A model while it learns",
        "Two neurons from the blank network to the end; the slider over the map is time.",
        ("zscape train --network mlp --latent-dim 2 --n-train 20000 --epochs 4 --snapshots 10 "
         "--out run",
         "zscape export run --film --maps pca --weights i8 -n 2000 -o film.html"),
        "map=z0,z1",
    ),
    "sprites": Piece(
        "Sprites",
        "Shapes whose every property is known: size, turn, place. Which neuron found which?",
        ("zscape train --data sprites --n-train 12000 --n-test 3000 --resize 32 --latent-dim 6 "
         "--kld-weight 4 --epochs 8 --out run",
         "zscape export run -o sprites.html"),
        "map=tsne&color=scale",
    ),
    "glyphs": Piece(
        "The letters of some fonts",
        "Letters and digits in all cuts of DejaVu and STIX: a walk from A to B goes by letters "
        "nobody has cut.",
        ("zscape train --data glyphs --columns glyphs.csv --latent-dim 8 --epochs 60 --out run",
         "zscape export run --split train -o glyphs.html"),
        "map=tsne",
        draw_glyphs,
    ),
}  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
