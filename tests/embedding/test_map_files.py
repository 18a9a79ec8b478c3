from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedding.conftest import make_table
from zscape.embedding import Embedding, fit_map
from zscape.errors import ConfigError, DataError


def test_a_map_comes_back_as_it_was(embedding, held_out, tmp_path):
    path = tmp_path / "map.safetensors"
    embedding.save(path)
    loaded = Embedding.load(path)
    np.testing.assert_array_equal(loaded.coordinates, embedding.coordinates)
    for name in ("mu", "logvar", "labels", "indices"):
        np.testing.assert_array_equal(getattr(loaded.table, name), getattr(embedding.table, name))
    assert replace(loaded.table, mu=0 * loaded.table.mu).class_names == embedding.table.class_names
    assert (loaded.method, loaded.settings, loaded.standardize, loaded.seed) == (
        embedding.method,
        embedding.settings,
        embedding.standardize,
        embedding.seed,
    )
    np.testing.assert_array_equal(loaded.transform(held_out.mu), embedding.transform(held_out.mu))
    points = embedding.coordinates[:5] + 0.1
    for one, other in zip(
        loaded.inverse_transform(points), embedding.inverse_transform(points), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_without_labels(tmp_path):
    path = tmp_path / "map.safetensors"
    table = replace(make_table(labelled=False), split="train", name="noise", fingerprint="ab")
    fit_map(table, "pca", standardize=True, seed=3).save(path)
    loaded = Embedding.load(path)
    assert loaded.table.labels is None
    assert (loaded.table.split, loaded.table.name, loaded.table.fingerprint) == (
        "train",
        "noise",
        "ab",
    )
    assert loaded.standardize
    assert loaded.seed == 3


def test_another_ending(maps, tmp_path):
    with pytest.raises(ConfigError, match=r"\.safetensors"):
        maps["pca"].save(tmp_path / "map.npz")
    with pytest.raises(ConfigError, match=r"\.safetensors"):
        Embedding.load(tmp_path / "map.npz")


def test_a_folder_that_is_not_there(maps, tmp_path):
    with pytest.raises(ConfigError, match="cannot write"):
        maps["pca"].save(tmp_path / "none" / "map.safetensors")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no file"):
        Embedding.load(tmp_path / "map.safetensors")


@pytest.mark.parametrize("damage", ["cut", "noise", "foreign"])
def test_a_file_that_is_no_map(maps, tmp_path, damage):
    from safetensors.numpy import save_file

    path = tmp_path / "map.safetensors"
    maps["pca"].save(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "noise":
        path.write_bytes(b"not a map")
    else:
        save_file({"mu": np.zeros((3, 2), np.float32)}, path)
    with pytest.raises(DataError, match="map"):
        Embedding.load(path)
