"""``python -m benchmarks scale [PART …]``: how time and memory grow to ten million images.

Writes ``scale.json`` and ``scale.md``, measurement by measurement; what stands there is not
measured again, so that it goes on where it was stopped (``--again`` forgets the named parts). Every
measurement has a process of its own; the load of the machine before it is kept with it. The
libraries of ``neighbours`` are not among zscape's: ``pip install hnswlib faiss-cpu usearch``.

Latents are simulated: samples of the posteriors of MNIST's images by ``zoo:10`` and ``zoo:32``; 64
dimensions are those of an image beside those of another of its class.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.large import memory_mb
from benchmarks.neighbours import LIBRARIES, Points, recall, truth, version_of
from benchmarks.scale_page import as_markdown
from zscape.files import make_folder, write_atomic

FOLDER = Path(__file__).parent
KEPT = FOLDER / "scale.json"
SCRATCH = FOLDER.parent / "build" / "scale"
PATIENCE = 600
"""Seconds that one measurement may take."""

SIZES = (70_000, 1_000_000, 10_000_000)
DIMS = (10, 32, 64)
N_QUERIES, N_JUDGED = 10_000, 1_000
KS = (15, 90)

PLACED = (10_000, 100_000, 1_000_000, 10_000_000)
FITTED = (("umap", 20_000), ("tsne", 20_000), ("umap", 100_000), ("tsne", 100_000))
BACKGROUND, N_PART = 60_000, 2_000
TILE = 256
LEVELS = 5


def threads() -> int:
    """As many as there are cores."""
    return os.cpu_count() or 1


def timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """What it returns; seconds, and those of all processors, which others hardly change."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, (time.perf_counter() - wall, time.process_time() - cpu)


def simulated(dim: int, n: int) -> tuple[Points, NDArray[np.int64]]:
    """(n, dim) latents and the digit of each; mapped from a file that is made once."""
    file = SCRATCH / f"latents-{dim}-{n}.npy"
    labels = SCRATCH / f"labels-{dim}-{n}.npy"
    if not labels.exists():
        make_folder(SCRATCH)
        _simulate(dim, n, file, labels)
    return np.load(file, mmap_mode="r"), np.load(labels)


def _simulate(dim: int, n: int, file: Path, labels: Path) -> None:
    from zscape.data import load_data
    from zscape.latents import LatentTable, encode
    from zscape.seeding import numpy_generator
    from zscape.zoo import load_pretrained

    source = SCRATCH / f"mnist-{min(dim, 32)}.npz"
    if not source.exists():
        encode(load_pretrained(str(min(dim, 32))), load_data("mnist").train).save(source)
    table = LatentTable.load(source)
    assert table.labels is not None
    own_labels, rng = table.labels, numpy_generator(0, "scale", dim, n)
    by_class = [np.flatnonzero(own_labels == k) for k in range(len(table.class_names))]
    out = np.lib.format.open_memmap(file, "w+", np.float32, (n, dim))
    classes = np.empty(n, np.int64)
    for first in range(0, n, 100_000):
        part = slice(first, min(n, first + 100_000))
        images = [rng.integers(0, len(table), part.stop - first)]
        classes[part] = own_labels[images[0]]
        if dim > table.latent_dim:
            images.append(np.array([rng.choice(by_class[k]) for k in classes[part]]))
        drawn = [
            table.mu[i] + np.exp(0.5 * table.logvar[i])
            * rng.standard_normal((len(i), table.latent_dim), np.float32)
            for i in images
        ]  # fmt: skip
        out[part] = np.concatenate(drawn, axis=1)
    out.flush()
    np.save(labels, classes)


def _judged(x: Points, dim: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are asked for, the first of which are judged, and the truth of these."""
    rows = np.random.default_rng(1).choice(len(x), N_QUERIES, replace=False)
    file = SCRATCH / f"truth-{dim}-{len(x)}.npy"
    if not file.exists():
        np.save(file, truth(x, x[rows[:N_JUDGED]], max(KS) + 1))
    return rows, np.load(file)


def neighbours(library: str, dim: int, n: int) -> dict[str, Any]:
    """One library: what it takes to build, to ask for all, and how much of it is right."""
    found, _ = simulated(dim, n)
    rows, true = _judged(found, dim)
    x = np.array(found)
    queries = x[rows]
    build = LIBRARIES[library]
    if library == "PyNNDescent":  # what numba compiles for it is not counted
        build(x[:2000], threads())(x[:100], max(KS) + 1)
    before = memory_mb()["rss_mb"]
    search, built = timed(lambda: build(x, threads()))
    result: dict[str, Any] = {"build_s": built[0], "build_cpu_s": built[1]}
    for k in KS:
        got, asked = timed(lambda k=k: search(queries, k + 1))
        for name, one, all_ in zip(("s", "cpu_s"), built, asked, strict=True):
            result[f"all_{k}_{name}"] = one + n / len(queries) * all_
        # A point is the nearest to itself, and no neighbour.
        own = [[r for r in row if r != at][:k] for row, at in zip(got.tolist(), rows, strict=True)]
        real = [
            [r for r in row if r != at][:k] for row, at in zip(true.tolist(), rows, strict=False)
        ]
        result[f"recall_{k}"] = recall(np.array(own[:N_JUDGED]), np.array(real), k)
    result["memory_mb"] = memory_mb()["peak_rss_mb"] - before
    result["version"] = version_of(library)
    return result


def _table(n: int) -> Any:
    from zscape.latents import LatentTable

    x, labels = simulated(10, n)
    names = tuple(map(str, range(10)))
    return LatentTable(np.array(x), np.zeros(x.shape, np.float32), labels, names, np.arange(n))


def fit(method: str, fit_on: int) -> dict[str, Any]:
    """A map of so many of a million, drawn alike from every class; it is kept for ``place``."""
    from zscape.embedding import fit_map

    table = _table(1_000_000)
    rows = fit_map(table, "pca", fit_on=fit_on).fitted_rows  # the same that any method would take
    few = table[rows]
    before = memory_mb()["rss_mb"]
    drawn, (seconds, cpu) = timed(lambda: fit_map(few, method, fit_on=fit_on))
    memory = memory_mb()["peak_rss_mb"] - before
    drawn.save(SCRATCH / f"map-{method}-{fit_on}.safetensors")
    return {"seconds": seconds, "cpu_s": cpu, "memory_mb": memory}


def place(method: str, fit_on: int, n: int) -> dict[str, Any]:
    """All of ``n`` placed on that map part by part, and how good both parts of it are."""
    from zscape.embedding import Embedding, label_accuracy, trustworthiness
    from zscape.embedding.neighbours import nearest

    drawn = Embedding.load(SCRATCH / f"map-{method}-{fit_on}.safetensors")
    x, labels = simulated(10, n)
    drawn.transform(x[:1000])
    before = memory_mb()["rss_mb"]
    places = np.lib.format.open_memmap(
        SCRATCH / f"places-{method}-{fit_on}-{n}.npy", "w+", np.float32, (n, 2)
    )

    def place_all() -> None:
        for first in range(0, n, 10_000):
            part = slice(first, first + 10_000)
            places[part] = drawn.transform(np.array(x[part]))

    _, (seconds, cpu) = timed(place_all)
    memory = memory_mb()["peak_rss_mb"] - before
    rng = np.random.default_rng(2)
    some = rng.choice(n, min(n, BACKGROUND), replace=False)
    parts = {
        "fitted": (drawn.table.mu, drawn.coordinates, drawn.table.labels),
        "placed": (np.array(x[some]), np.array(places[some]), labels[some]),
    }
    result: dict[str, Any] = {"seconds": seconds, "cpu_s": cpu, "memory_mb": memory}
    for name, (z, y, classes) in parts.items():
        few = rng.permutation(len(z))[:N_PART]
        result[f"trustworthiness_{name}"] = trustworthiness(z, y, few)
        result[f"label_accuracy_{name}"] = label_accuracy(y, classes)
    # Neighbours in the latent space vote too: no map can tell classes better.
    votes = nearest(parts["placed"][0], parts["placed"][0][:N_PART], 16).rows[:, 1:]
    own = parts["placed"][2]
    counts = np.zeros((len(votes), 10), int)
    np.add.at(counts, (np.arange(len(votes))[:, None], own[votes]), 1)
    result["label_accuracy_z"] = float((counts.argmax(1) == own[:N_PART]).mean())
    return result


def steps(step: str, n: int) -> dict[str, Any]:
    """One of the other steps for ``n`` images: seconds, memory, and bytes that are kept."""
    if step in ("parquet", "in memory", "pca"):
        simulated(10, n)
    before = memory_mb()["rss_mb"]
    size, (seconds, cpu) = timed(lambda: STEPS[step](n))
    memory = memory_mb()["peak_rss_mb"] - before
    return {"seconds": seconds, "cpu_s": cpu, "memory_mb": memory, "bytes": size}


def _listed(n: int) -> int:
    import torch

    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    return order.nbytes


def _computed(n: int) -> int:
    import torch

    from zscape.training.order import Permutation

    shuffle = Permutation(n, 0)
    for first in range(0, n, 512):
        shuffle(torch.arange(first, min(n, first + 512)))
    return 0


def _parquet(n: int) -> int:
    from zscape.latents import LatentTable, save_parts

    x, labels = simulated(10, n)
    names = tuple(map(str, range(10)))
    parts = (
        LatentTable(z := np.array(x[at : at + 10_000]), z, labels[at : at + 10_000], names,
                    np.arange(at, at + len(z)))
        for at in range(0, n, 10_000)
    )  # fmt: skip
    file = SCRATCH / "table.parquet"
    save_parts(file, parts)
    return file.stat().st_size


def _in_memory(n: int) -> int:
    table = _table(n)
    return int(sum(a.nbytes for a in (table.mu, table.logvar, table.indices, table.labels)))


def _pca(n: int) -> int:
    from zscape.embedding import fit_map

    return int(fit_map(_table(n), "pca").coordinates.nbytes)


def _tiles(n: int) -> int:
    """Pictures of how many points lie where, of 256 x 256 pixels at five levels of detail."""
    import io

    from PIL import Image

    places = np.load(SCRATCH / f"places-umap-20000-{n}.npy", mmap_mode="r")
    low, high = places.min(0), places.max(0)
    side = TILE << (LEVELS - 1)
    counts = np.zeros((side, side), np.uint32)
    for first in range(0, n, 100_000):
        at = ((places[first : first + 100_000] - low) / (high - low) * (side - 1)).astype(int)
        np.add.at(counts, (at[:, 1], at[:, 0]), 1)
    size = 0
    for _ in range(LEVELS):
        grey = (255 * np.log1p(counts) / np.log1p(counts.max())).astype(np.uint8)
        for y in range(0, len(grey), TILE):
            for x in range(0, len(grey), TILE):
                if (tile := grey[y : y + TILE, x : x + TILE]).any():
                    buffer = io.BytesIO()
                    Image.fromarray(tile).save(buffer, "PNG")
                    size += buffer.tell()
        half = len(counts) // 2
        counts = counts.reshape(half, 2, half, 2).sum((1, 3), dtype=np.uint32)
    return size


STEPS: dict[str, Callable[[int], int]] = {
    "listed": _listed, "computed": _computed, "parquet": _parquet, "in memory": _in_memory,
    "pca": _pca, "tiles": _tiles,
}  # fmt: skip

PARTS: dict[str, tuple[Callable[..., Any], list[dict[str, Any]]]] = {
    "neighbours": (
        neighbours,
        [{"n": n, "dim": dim, "library": one} for n in SIZES for dim in DIMS for one in LIBRARIES],
    ),
    "fit": (fit, [{"method": method, "fit_on": m} for method, m in FITTED]),
    "place": (
        place,
        [{"n": n, "fit_on": m, "method": method} for method, m in FITTED for n in PLACED],
    ),
    "steps": (steps, [{"step": step, "n": n} for step in STEPS for n in PLACED]),
}


def _key(options: dict[str, Any]) -> str:
    return " ".join(str(value) for value in options.values())


def measure(part: str, options: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """One measurement in a process of its own, or why there is none."""
    if why := _hopeless(options, own):
        return {"why_not": why}
    load, clock = os.getloadavg()[0], time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.scale", part, json.dumps(options)]
    result: dict[str, Any] = {}
    try:
        done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)  # fmt: skip
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"ended by {-done.returncode}"]
            result["why_not"] = said[-1]
        else:
            result |= json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        result["why_not"] = f"more than {PATIENCE} s"
    return {**result, "took_s": time.perf_counter() - clock, "load": load}


def _hopeless(options: dict[str, Any], own: dict[str, Any]) -> str:
    """Why not to try: the same for fewer says that it would take too long."""
    rest = {name: value for name, value in options.items() if name != "n"}
    n = options.get("n", 0)
    fewer = [one for one in own.values() if rest.items() <= one.items() and one.get("n", n) < n]
    if not fewer:
        return ""
    last = max(fewer, key=lambda one: one["n"])
    if "why_not" in last:
        return f"not tried: {last['n']:,} were not measured"
    expected = last["took_s"] * n / last["n"]
    return f"not tried: about {expected:,.0f} s" if expected > PATIENCE else ""


def main(arguments: list[str]) -> None:
    """Measure what is not there yet, of the named parts or all."""
    names = [name for name in arguments if name != "--again"] or list(PARTS)
    if unknown := set(names) - set(PARTS):
        sys.exit(f"benchmarks scale: unknown {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    found: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    found["machine"] = f"{threads()} CPU cores, {platform.machine()}"
    for name in names:
        own = found.setdefault(name, {})
        if "--again" in arguments:
            own.clear()
        for options in PARTS[name][1]:
            if (key := _key(options)) in own:
                continue
            print(name, key, end=": ", flush=True)
            own[key] = {**options, **measure(name, options, own)}
            print(own[key].get("why_not") or f"{own[key]['took_s']:.1f} s", flush=True)
            write_atomic(KEPT, json.dumps(found, indent=1) + "\n")
            write_atomic(FOLDER / "scale.md", as_markdown(json.loads(KEPT.read_text())))


if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]][0](**json.loads(sys.argv[2]))))
