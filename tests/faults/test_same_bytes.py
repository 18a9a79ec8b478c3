"""Made twice by processes of their own, a figure, table, map or page is the same, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reliability import Tries

from training.training_helpers import blobs
from zscape.embedding import Embedding
from zscape.latents import LatentTable

PART = "Wrong numbers"
PROGRAM = """
import sys
from zscape.cli import main
for line in sys.argv[1:]:
    sys.argv = ["zscape", *line.split()]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, line
"""
TRAIN = (
    "train --data some.npz --out run --network mlp --latent-dim 3 --epochs 3 --batch-size 16 "
    "--optimizer adam"
)
LINES = ("encode run -o t.npz", "encode run -o t.csv", "neurons heatmap run -o heat.png",
         "map run --method tsne --split train -o tsne.safetensors -o tsne.svg",
         "sample run -o s.png --seed 3", "encode run -o t.parquet",
         "map run --method umap --split train -o umap.safetensors -o umap.png",
         "neurons table run -o n.csv", "neurons card run z1 -o card.svg", "loss run -o loss.svg",
         "walk line run --from image:0 --to image:3 -o line.gif",
         "reconstruct run -o pairs.png --seed 3",
         "report run -o report.html", "export run -o page.html")  # fmt: skip


def make(folder: Path, lines: tuple[str, ...], threads: int = 1) -> Path:
    """``lines`` in a process of their own, always in the same place; then all that they made."""
    work = folder / "work"
    work.mkdir()
    labels = np.array(["left", "right"])[np.arange(130) % 2]
    np.savez(work / "some.npz", images=blobs(130)[:, 0].numpy(), labels=labels)
    number = str(len(list(folder.iterdir())))
    cache = folder / f"cache {number}"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *lines], cwd=work, check=True, capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "ZSCAPE_CACHE": str(cache),
             "PYTHONHASHSEED": number},
    )  # fmt: skip
    return work.rename(folder / f"made {number}")


def files_of(folder: Path) -> list[Path]:
    return sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())


def contents(file: Path) -> bytes:
    """All of it but the seconds that were measured."""
    if file.name != "metrics.jsonl":
        return file.read_bytes()
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    kept = [{k: v for k, v in line.items() if "second" not in k} for line in lines]
    return json.dumps(kept).encode()


def compare(one: Path, other: Path, tries: Tries) -> None:
    assert files_of(one) == files_of(other)
    others = [name for name in files_of(one) if contents(one / name) != contents(other / name)]
    tries.add(len(files_of(one)), len(files_of(one)) - len(others))
    assert others == []


@pytest.mark.slow
@pytest.mark.attack(PART, "every kind of file made twice: figures, tables, maps, report, explorer")
def test_twice_the_same_bytes_of_every_kind(tmp_path: Path, tries: Tries) -> None:
    lines = (TRAIN, *LINES)
    compare(make(tmp_path, lines), make(tmp_path, lines), tries)


@pytest.mark.slow
@pytest.mark.attack(PART, "one thread and two: the same within what docs/training.md states")
def test_two_threads_are_near_one(tmp_path: Path, tries: Tries) -> None:
    lines = (TRAIN, "encode run -o t.npz", "map run --method pca -o pca.safetensors")
    one, two = make(tmp_path, lines), make(tmp_path, lines, threads=2)
    tables = [LatentTable.load(folder / "t.npz") for folder in (one, two)]
    maps = [Embedding.load(folder / "pca.safetensors") for folder in (one, two)]
    pairs = [[table.mu for table in tables], [each.coordinates for each in maps]]
    for a, b in tries(pairs):
        assert np.abs(a - b).max() < 1e-3 * np.abs(a).max()
