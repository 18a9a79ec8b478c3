"""``python -m benchmarks.maps [quality] [inverse] [times] [growth]``: tables for docs/maps.md.

Every map is fitted in a process of its own, one at a time, and what is compared alternates. Wall
times say nothing on a busy machine: close everything else, or read the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from zscape.data import ImageSet, load_data
from zscape.embedding import (
    HeldOut,
    fit_map,
    inverse_quality,
    label_accuracy,
    map_quality,
    trustworthiness,
)
from zscape.latents import LatentTable, encode
from zscape.model import VAE
from zscape.seeding import numpy_generator

FOLDER = Path(__file__).parent
METHODS = ("pca", "pair", "tsne", "umap")
WAYS = ("nearest", "local", "learned", "exact", "umap")
MAX_RANKED = 700_000_000
"""Distances that trustworthiness sorts, a minute of them: 10 000 points among 70 000."""


def latents(model: str, n: int) -> tuple[VAE, ImageSet, LatentTable]:
    """A model, images of MNIST, and the latents of ``n`` of them.

    Up to 10 000 are test images, above training images; above 60 000, posterior samples of the
    same images stand in for more.
    """
    import zscape

    vae, data = zscape.load(model).model, load_data("mnist")
    images = data.test if n <= len(data.test) else data.train
    table = encode(vae, images)
    if n > len(table):
        rows = np.arange(n) % len(table)
        noise = numpy_generator(0, "growth").standard_normal((n, table.latent_dim), np.float32)
        spread = np.exp(0.5 * table.logvar[rows]) * (np.arange(n) >= len(table))[:, None]
        table = table[rows]
        table.mu[:] += noise * spread
    return vae, images, table[:n]


def halves(table: LatentTable) -> tuple[LatentTable, LatentTable]:
    """Four fifths of the rows to fit on and a tenth held out, drawn with seed 0."""
    n = len(table)
    order = numpy_generator(0, "split").permutation(n)
    return table[order[: n * 4 // 5]], table[order[-(n // 10) :]]


def quality(model: str, n: int) -> Any:
    """Map quality on four fifths of ``n`` test images."""
    _, _, table = latents(model, n)
    fitted, _ = halves(table)
    return map_quality(fit_map(fitted, method, anew=True) for method in METHODS)


def inverse(model: str, n: int) -> Any:
    """Ways back: fitted on four fifths of ``n`` test images, judged on a tenth."""
    vae, images, table = latents(model, n)
    fitted, rest = halves(table)
    maps = [fit_map(fitted, method, anew=True) for method in METHODS]
    # Images of the other split, so that the judges never saw the pictures they judge.
    judge = load_data("mnist").train[:10_000]
    return inverse_quality(maps, WAYS, vae, HeldOut(rest, images), judge=judge)


def fit_once(model: str, method: str, n: int) -> dict[str, Any]:
    """One map in this process: seconds from before the library is loaded until it is drawn."""
    _, _, table = latents(model, n)
    wall, cpu = time.perf_counter(), time.process_time()
    if method == "sklearn":
        from sklearn.manifold import TSNE

        coordinates = TSNE(random_state=0, n_jobs=-1).fit_transform(table.mu)
    else:
        coordinates = fit_map(table, method, anew=True).coordinates
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    few = numpy_generator(0, "judged").permutation(n)[: min(10_000, MAX_RANKED // n)]
    return {
        "method": method,
        "points": n,
        "wall_s": wall,
        "cpu_s": cpu,
        "trustworthiness": trustworthiness(table.mu, coordinates, few),
        "label_accuracy": label_accuracy(coordinates, table.labels),
    }


def measured(model: str, method: str, n: int) -> dict[str, Any]:
    """``fit_once`` in a process of its own."""
    print(f"  {method} {n}", file=sys.stderr, flush=True)
    options = [f"--model={model}", f"--n={n}", f"--fit-once={method}"]
    command = [sys.executable, "-m", "benchmarks.maps", *options]
    done = subprocess.run(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, check=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"    {result}", file=sys.stderr, flush=True)
    return result


def times(model: str, n: int) -> Any:
    """t-SNE against scikit-learn's, and umap in a new process (the second finds numba's cache)."""
    import pandas as pd

    order = ("sklearn", "tsne") * 2 + ("umap", "umap", "pca")
    return pd.DataFrame([measured(model, method, n) for method in order]).set_index("method")


def growth(model: str, n: int) -> Any:
    """How time grows from ``n`` points on: n, 7 n, 50 n."""
    import pandas as pd

    sizes = (n, 7 * n, 50 * n)
    rows = [measured(model, method, size) for size in sizes for method in ("pca", "tsne", "umap")]
    return pd.DataFrame(rows).set_index(["points", "method"]).sort_index()


PARTS = {part.__name__: part for part in (quality, inverse, times, growth)}


def main() -> None:
    """Print the asked tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.maps", description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--model", default="zoo:10", help="a run, a file of weights or zoo:10")
    parser.add_argument("--n", type=int, default=10_000, help="images")
    parser.add_argument("--fit-once", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.fit_once:
        print(json.dumps(fit_once(told.model, told.fit_once, told.n)))
        return
    if unknown := set(told.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} CPU cores, {platform.machine()}; load before: {busy}; {told.n} images")
    for name in told.parts or ("quality", "inverse", "times"):
        print(f"\n## {name}\n")
        print(as_markdown(PARTS[name](told.model, told.n)))


def as_markdown(table: Any) -> str:
    """A pandas table with three significant digits, as Markdown."""
    rows = [[str(value) for value in table.columns], ["---:"] * len(table.columns)]
    rows += [[f"{value:.4g}" for value in row] for row in table.to_numpy()]
    keys = [" ".join(table.index.names), "---"]
    keys += [" ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in table.index]
    lines = zip(keys, rows, strict=True)
    return "\n".join(f"| {' | '.join([key, *row])} |" for key, row in lines)


if __name__ == "__main__":
    main()
