"""Clusters small enough to be mapped in a second, and their maps."""

from __future__ import annotations

import numpy as np
import pytest

from zscape.embedding import Embedding, fit_map
from zscape.latents import LatentTable

SETTINGS = {"pca": {}, "pair": {}, "tsne": {"perplexity": 15}, "umap": {}}
"""Every built-in method, with what it needs on few points."""


def make_table(n=300, dim=10, n_classes=4, seed=0, labelled=True, fingerprint=""):
    """Clusters of variance 1 around centres of variance 9."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = 3 * np.random.default_rng(7).standard_normal((n_classes, dim))
    mu = (centres[labels] + rng.standard_normal((n, dim))).astype(np.float32)
    return LatentTable(
        mu=mu,
        logvar=np.full_like(mu, -2),
        labels=labels if labelled else None,
        class_names=tuple("abcdefgh"[:n_classes]) if labelled else (),
        indices=np.arange(n),
        fingerprint=fingerprint,
    )


@pytest.fixture(scope="session")
def table() -> LatentTable:
    return make_table()


@pytest.fixture(scope="session")
def held_out() -> LatentTable:
    return make_table(n=100, seed=1)


@pytest.fixture(scope="session")
def maps(table) -> dict[str, Embedding]:
    return {method: fit_map(table, method, **options) for method, options in SETTINGS.items()}


@pytest.fixture(params=SETTINGS)
def embedding(request, maps) -> Embedding:
    """Each map in turn."""
    return maps[request.param]
