"""The maps that ship with the zoo: they are found for what they are of, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from zscape.data import load_data
from zscape.embedding import TSNE, UMAP, fit_map, map_quality, prepare_inverse
from zscape.embedding.shipped import FOLDER, find_shipped, save_shipped
from zscape.latents import LatentTable, encode, fingerprint
from zscape.zoo import open_card, read_cards


@pytest.fixture(scope="module")
def table() -> LatentTable:
    return encode(open_card("10").model, load_data("mnist").test)


def test_every_model_of_the_zoo_has_its_maps_and_nobody_else() -> None:
    known = {f"{fingerprint(open_card(name).model)}.safetensors" for name in read_cards()}
    assert {file.name for file in FOLDER.iterdir()} == known


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_it_keeps_neighbours_and_its_way_back_leads_there(table: LatentTable, method: str) -> None:
    found = fit_map(table, method)
    assert found.coordinates.shape == (10_000, 2)
    assert (found.method, len(found.ways)) == (method, 1)
    few = np.arange(0, 10_000, 20)
    judged = map_quality(found, metrics=["trustworthiness"], n_sample=300)
    # 0.98 of t-SNE and 0.94 of UMAP; of scattered points it would be 0.5.
    assert judged["trustworthiness"].item() > 0.92
    back = found.inverse_transform(found.coordinates[few], "learned")
    error = np.square(back.vectors - table.mu[few]).mean()
    assert error < 0.5 * table.mu.var(0).mean()


def test_what_differs_in_anything_is_drawn_anew(table: LatentTable) -> None:
    other = {"fingerprint": "0" * 16, "data_fingerprint": "0" * 16, "mu": table.mu + 0.01}
    for name, value in other.items():
        assert find_shipped(replace(table, **{name: value}), "tsne", TSNE(), 0) is None
    assert find_shipped(table[::-1], "tsne", TSNE(), 0) is None
    assert find_shipped(table[:5000], "tsne", TSNE(), 0) is None
    assert find_shipped(table, "tsne", TSNE(perplexity=31), 0) is None
    assert find_shipped(table, "umap", UMAP(), 1) is None
    assert find_shipped(table, "pca", TSNE(), 0) is None


def test_what_was_written_is_found(table: LatentTable, tmp_path, monkeypatch) -> None:
    few = table[:300]
    drawn = fit_map(few, "umap", steps=5)
    way = prepare_inverse(drawn, "learned")
    save_shipped([drawn], tmp_path / f"{few.fingerprint}.safetensors")
    monkeypatch.setattr("zscape.embedding.shipped.FOLDER", tmp_path)
    before = torch.random.get_rng_state()
    found = find_shipped(few, "umap", UMAP(steps=5), 0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(found.coordinates, drawn.coordinates)
    points = drawn.coordinates[:7] + 0.1
    assert np.array_equal(prepare_inverse(found, "learned")(points), way(points))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_it_is_as_good_as_one_that_is_drawn_here(table: LatentTable, method: str) -> None:
    shipped, drawn = fit_map(table, method), fit_map(table, method, anew=True)
    here, there = map_quality([drawn, shipped]).to_numpy()
    assert there == pytest.approx(here, abs=0.005)
