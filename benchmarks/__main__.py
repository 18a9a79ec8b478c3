"""``python -m benchmarks [throughput] [quality] [machine] [growth] [tsne] [large] [flat]
[sweeps]``.

All by default. ``--quick large flat sweeps`` only shows that these work, on next to nothing.
``python -m benchmarks gpu`` and ``python -m benchmarks scale`` are apart: see ``benchmarks/gpu.py``
and ``benchmarks/scale.py``.

Every measurement runs in its own process, one at a time; what is compared alternates. Results
are merged into ``benchmarks/results.json`` as they come, and ``benchmarks/results.md`` is made
from that file. What a change makes old says so under ``old`` there, until it is measured again.
Close everything else on the machine first.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import gpu, scale
from benchmarks.large import flat, large
from benchmarks.maps import measured as measured_map
from benchmarks.sweeps import sweeps
from benchmarks.tables import as_markdown
from zscape.files import write_atomic

FOLDER = Path(__file__).parent
REPEATS = 5
PLAIN_IMAGES = 20_000
"""Of an epoch of the plain loop, which is as fast for any number of them."""
PLAIN_BUDGET_SECONDS = 300
TSNE_PAIRS = {10_000: 3, 70_000: 1}
"""Points of a map, and how often each side draws it: the last takes scikit-learn ten minutes."""


def measure(kind: str, **options: Any) -> dict[str, Any]:
    """The result of one measurement in a process of its own."""
    print(f"  {kind} {options}", end=" ", flush=True)
    command = [sys.executable, "-m", "benchmarks.measure", kind, json.dumps(options)]
    done = subprocess.run(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, check=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print({name: round(value, 1) for name, value in result.items() if isinstance(value, float)})
    return result


def medians(results: list[dict[str, Any]]) -> dict[str, float]:
    """The median of every figure."""
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def throughput() -> dict[str, Any]:
    """(a) The plain loop against ours, alternating: with its own optimiser, and by the recipe."""
    found: dict[str, list[dict[str, Any]]] = {"plain": [], "zscape, Adam": [], "zscape": []}
    for _ in range(REPEATS):
        found["plain"].append(measure("plain_epoch", n_train=PLAIN_IMAGES))
        found["zscape, Adam"].append(measure("our_epoch", optimizer="adam", ema=0.0))
        found["zscape"].append(measure("our_epoch"))
    rates = {
        name: [result["images_per_second"] for result in results] for name, results in found.items()
    }
    return {
        **{name: medians(results) for name, results in found.items()},
        "ratio": {name: ratios(rates[name], rates["plain"]) for name in rates if name != "plain"},
    }


def ratios(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Smallest, median and largest ratio of what was measured side by side."""
    found = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"min": min(found), "median": statistics.median(found), "max": max(found)}


def quality() -> dict[str, Any]:
    """(b) Time to quality; the plain loop is cut off at its budget, not extrapolated."""
    return {
        "plain": measure("plain_quality", budget=PLAIN_BUDGET_SECONDS),
        "plain_budget_seconds": PLAIN_BUDGET_SECONDS,
        "zscape": measure("our_quality"),
    }


def machine() -> dict[str, Any]:
    """(c) What the machine can do, and how much of it training reaches."""
    rates = {dtype: measure("matrix_rate", dtype=dtype) for dtype in ("float32", "bfloat16")}
    return {
        "matrix_gflops": {dtype: rate["gflops"] for dtype, rate in rates.items()},
        "mflops_per_image": measure("flops_per_image")["mflops"],
        "training": measure("our_epoch"),
        "training, 32": measure("our_epoch", precision="32"),
    }


def growth() -> dict[str, Any]:
    """(d) How time and memory grow with images, latent neurons and pixels."""
    return {
        "images": {n: measure("our_epoch", n_train=n) for n in (6_000, 60_000, 600_000)},
        "latent_dim": {
            dim: measure("our_epoch", n_train=6_000, latent_dim=dim) for dim in (2, 10, 64, 512)
        },
        "side": {side: measure("our_epoch", n_train=6_000, side=side) for side in (28, 32, 48, 64)},
    }


def tsne() -> dict[str, Any]:
    """(e) scikit-learn's t-SNE against ours, on the latents of MNIST by zoo:10, alternating."""
    results: dict[str, Any] = {}
    for n, n_pairs in TSNE_PAIRS.items():
        found: dict[str, list[dict[str, Any]]] = {"sklearn": [], "tsne": []}
        for _ in range(n_pairs):
            for method, runs in found.items():
                run = measured_map("zoo:10", method, n)
                runs.append({k: v for k, v in run.items() if isinstance(v, float)})
        results[str(n)] = {method: medians(runs) for method, runs in found.items()}
        results[str(n)]["pairs"] = n_pairs
    return results


def bf16_units() -> str:
    """What the processor multiplies bf16 with: most of the time training takes depends on it."""
    if torch.cpu._is_amx_tile_supported():
        return "bf16 by AMX"
    return "bf16 by AVX-512" if torch.cpu._is_avx512_bf16_supported() else "no bf16"


PARTS: dict[str, Callable[..., Any]] = {
    part.__name__: part
    for part in (throughput, quality, machine, growth, tsne, large, flat, sweeps)
}
QUICK: dict[str, dict[str, Any]] = {
    "large": {"n": 500, "rounds": 2, "steps": 2},
    "flat": {"n": 20_000},
    "sweeps": {"n": 2, "n_train": 200, "epochs": 1, "rounds": 1},
}
"""How little shows that a part works; its numbers mean nothing, and are not kept."""


def main(names: list[str]) -> None:
    """Run the named parts and write what they found."""
    if names[:1] == ["gpu"]:
        gpu.main(names[1:])
        return
    if names[:1] == ["scale"]:
        scale.main(names[1:])
        return
    if names[:1] == ["--quick"]:
        quick = {name: PARTS[name](**QUICK[name]) for name in names[1:] or QUICK}
        quick |= {"machines": dict.fromkeys(quick, "any machine")}
        print(as_markdown(json.loads(json.dumps(quick))))
        return
    if unknown := set(names) - set(PARTS):
        sys.exit(f"benchmarks: unknown {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    file = FOLDER / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    machine = f"{os.cpu_count()} CPU cores, {platform.machine()}, {bf16_units()}"
    for name in names or list(PARTS):
        print(name)
        results[name] = PARTS[name]()
        results.setdefault("machines", {})[name] = machine
        results.get("old", {}).pop(name, None)
        # Through JSON, so that the table is made from what the file says.
        write_atomic(file, json.dumps(results, indent=1) + "\n")
        write_atomic(FOLDER / "results.md", as_markdown(json.loads(file.read_text())))
    print(as_markdown(json.loads(file.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
