"""Run the notebooks and keep what they show: ``python tools/run_notebooks.py [NAME...]``.

A name is the beginning of a file's, ``03`` for instance; all of them by default. A notebook is
written back in place once all its cells have run, whole or not at all.
"""

from __future__ import annotations

import ast
import base64
import io
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from zscape.files import write_atomic

FOLDER = Path(__file__).parent.parent / "notebooks"
SECONDS_PER_CELL = 1800
LARGE = 300_000
"""Characters of base64."""
WIDGET = "application/vnd.jupyter.widget-view+json"


def main() -> None:
    """Run the chosen notebooks, one after the other."""
    names = sys.argv[1:] or [""]
    for name in names:
        paths = sorted(FOLDER.glob(f"{name}*.ipynb"))
        if not paths:
            sys.exit(f"there is no notebook {name}* in {FOLDER}")
        for path in paths:
            print(path.name, end=" ", flush=True)
            notebook = nbformat.read(path, as_version=4)
            with tempfile.TemporaryDirectory() as folder:
                execute(notebook, Path(folder))
            tidy(notebook)
            nbformat.validate(notebook)
            content = nbformat.writes(notebook) + "\n"
            write_atomic(path, content.encode())
            print(f"{len(content) / 2**20:.1f} MB")


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in a new kernel that works in ``folder``; an error in a cell is raised."""
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=SECONDS_PER_CELL,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        # What runs here is nobody's history, and the kernel's own warnings nobody's business.
        extra_arguments=["--HistoryManager.enabled=False", "--log-level=ERROR"],
    ).execute(env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"})


def set_parameters(notebook: NotebookNode, values: Mapping[str, Any]) -> None:
    """Put ``values`` into the cell with the tag ``parameters``; it must have just these names."""
    (cell,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    names = [
        target.id
        for line in ast.parse(cell.source).body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    ]
    if sorted(names) != sorted(values):
        raise ValueError(f"the notebook has the parameters {names}; got {list(values)}")
    cell.source = "\n".join(f"{name} = {values[name]!r}" for name in names)


def tidy(notebook: NotebookNode) -> None:
    """Forget what says nothing to a reader and differs from run to run.

    Widgets are of no use without their kernel: a progress bar goes, anything else leaves its
    still picture. Large pictures keep 256 colours, in a quarter of the bytes.
    """
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = shrink(data["image/png"])
            if data.pop(WIDGET, None) is None or set(data) - {"text/plain"}:
                kept.append(output)
        cell.outputs = kept


def shrink(png: str) -> str:
    """A large picture in base64 with a palette of its own; a small one as it is.

    Large are clouds of points, where it does not show; in a heatmap every shade says something.
    """
    if len(png) < LARGE:
        return png
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    buffer = io.BytesIO()
    # Of Pillow's ways the one with the smallest worst error: a legend keeps its few colours.
    palette = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    palette.save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


if __name__ == "__main__":
    main()
