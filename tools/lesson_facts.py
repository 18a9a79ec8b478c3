"""The numbers of the lessons: ``python -m tools.lesson_facts`` writes docs/learn/facts.json.

All of zoo:2 and zoo:10 on the 10 000 test images of MNIST, seed 0; the maps are those that ship.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.docs_images import N_FEW, N_POINTS, PERPLEXITIES

import zscape
from zscape import neurons
from zscape.embedding import map_quality
from zscape.embedding.neighbours import nearest_others
from zscape.evaluation import Protocol
from zscape.files import write_atomic
from zscape.latents import LatentTable, prototypes
from zscape.seeding import torch_generator

OUT = Path(__file__).parent.parent / "docs" / "learn" / "facts.json"


def main() -> None:
    """Measure, and write."""
    tables = {name: zscape.encode(name) for name in ("zoo:2", "zoo:10")}
    ten = tables["zoo:10"]
    tsne, umap = (zscape.fit_map(ten, method) for method in ("tsne", "umap"))
    quality = map_quality([tsne, umap, zscape.fit_map(ten, "pca")])
    facts = {
        "probes": {name: probes(name) for name in tables},
        "posterior_std": {n: np.exp(t.logvar / 2).mean(0).tolist() for n, t in tables.items()},
        "data_std": {n: t.mu.std(0).tolist() for n, t in tables.items()},
        "kl": {n: neurons.mean_kl(t).tolist() for n, t in tables.items()},
        "nearest_classes": {
            "latent": nearest_classes(ten, ten.mu),
            "tsne": nearest_classes(ten, tsne.coordinates),
            "umap": nearest_classes(ten, umap.coordinates),
        },
        "map_quality": quality.to_dict(orient="index"),
        "knob": knob(),
        "between": between(ten),
        "reconstruction": {name: reconstruction(name) for name in tables},
        "neurons": json.loads(neurons.neuron_table(ten).reset_index().to_json(orient="records")),
    }
    write_atomic(OUT, (json.dumps(facts, indent=1) + "\n").encode())


def probes(name: str) -> dict[str, float]:
    """Accuracy of the readers of the class, by kind."""
    scores = zscape.probe(name, columns=["class"], seeds=1).frame["score"]
    return {kind: float(score) for (_, kind), score in scores.items()}


def reconstruction(name: str) -> float:
    """Nats of one sample."""
    return float(zscape.evaluate(name, protocol=Protocol()).reconstruction.mean())


def nearest_classes(table: LatentTable, places: NDArray[Any]) -> dict[str, list[str]]:
    """Of every class, the others by the distance of their means."""
    assert table.labels is not None
    means = np.stack([places[table.labels == k].mean(0) for k in range(len(table.class_names))])
    order = np.linalg.norm(means[:, None] - means, axis=-1).argsort(axis=1)[:, 1:]
    names = table.class_names
    return {names[k]: [names[i] for i in row] for k, row in enumerate(order)}


def knob() -> dict[str, dict[str, str]]:
    """Each class's nearest, among the digits of docs/images/perplexity-*.png and on its maps."""
    drawn = zscape.load_data("mnist").test.subset(N_POINTS, torch_generator(0, "readme"))
    table = zscape.encode("zoo:10", drawn)[:N_FEW]
    maps = {str(p): zscape.fit_map(table, "tsne", perplexity=p) for p in PERPLEXITIES}
    places = {"latent": table.mu} | {name: one.coordinates for name, one in maps.items()}
    found = {name: nearest_classes(table, at) for name, at in places.items()}
    return {name: {k: row[0] for k, row in one.items()} for name, one in found.items()}


def between(table: LatentTable) -> dict[str, float]:
    """Halfway from the mean 1 to the mean 0: how far from the data that is."""
    means = prototypes(table).vectors
    middle = (means[0] + means[1]) / 2
    usual = nearest_others(table.mu, 1, seed=0).distances
    away = np.linalg.norm(table.mu - middle, axis=1).min()
    return {"distance": float(away), "usual": float(np.median(usual))}


if __name__ == "__main__":
    main()
