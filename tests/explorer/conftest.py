"""A small real model with a scene of its images, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.web_fixtures import small_images, small_model

from zscape.data import ImageSet
from zscape.embedding import Embedding, Learned, fit_map
from zscape.explorer import Scene, build_scene, page
from zscape.latents import LatentTable, encode
from zscape.model import VAE

N = 120
BUNDLE = "export default { render() {} }; // </script><!-- é\n"
"""Stands for the built page, which Python only hands on."""


@pytest.fixture(scope="session")
def vae() -> VAE:
    return small_model()


@pytest.fixture(scope="session")
def images() -> ImageSet:
    return small_images(N)


@pytest.fixture(scope="session")
def table(vae, images) -> LatentTable:
    return encode(vae, images)


def with_quick_learned(embedding: Embedding) -> Embedding:
    """Its learned way back trained for a moment only."""
    embedding.ways[Learned()] = Learned(width=8, n_waves=4, steps=5).fit(embedding)
    return embedding


@pytest.fixture(scope="session")
def maps(table) -> list[Embedding]:
    tsne = with_quick_learned(fit_map(table, "tsne", perplexity=20))
    return [
        fit_map(table, "pca"),
        tsne,
        fit_map(table, "pair", first=1, standardize=True, second=0),
    ]


@pytest.fixture(scope="session")
def scene(vae, images, table, maps) -> Scene:
    return build_scene(vae, images, table=table, maps=maps, title="small & <b>", weights="f32")


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / page.BUNDLE).write_text(BUNDLE, encoding="utf-8")
    monkeypatch.setattr(page, "STATIC", folder)
    return BUNDLE
