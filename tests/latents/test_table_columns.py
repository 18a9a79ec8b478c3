"""What is known of the images goes with their latents: through subsets, frames and files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.data.columns import Columns
from zscape.embedding import Embedding, fit_map
from zscape.errors import DataError, ShapeError
from zscape.latents import LatentTable, encode
from zscape.model import build_model

N = 8


@pytest.fixture(scope="module")
def images():
    pixels = torch.randint(0, 256, (N, 1, 16, 16), dtype=torch.uint8,
                           generator=torch.Generator().manual_seed(0))  # fmt: skip
    known = {
        "file_name": [f"{i}.png" for i in range(N)],
        "kind": ["a", None, "b", "a", "b", "a", "b", "a"],
        "area": [*np.arange(N - 1) / 2, np.nan],
    }
    return ImageSet(pixels, torch.arange(N) % 2, ("x", "y"), split="test", columns=known)


@pytest.fixture(scope="module")
def table(images):
    vae = build_model(ModelConfig(latent_dim=3, image_shape=(1, 16, 16)), seed=0)
    return encode(vae, images)


def same(one: LatentTable, other: LatentTable) -> bool:
    pair = (one.columns, other.columns)
    first, second = ({name: (c.kind(name), c.texts(name)) for name in c} for c in pair)
    return first == second


def test_a_table_has_the_columns_of_its_images(table, images):
    assert same(table, replace(table, columns=images.columns))
    some = table[[5, 1]]
    assert some.columns.texts("file_name") == ["5.png", "1.png"]
    assert some.columns.texts("kind") == ["a", ""]


def test_chosen_rows_are_encoded_with_their_columns(images, table):
    vae = build_model(ModelConfig(latent_dim=3, image_shape=(1, 16, 16)), seed=0)
    chosen = encode(vae, images, rows=np.array([6, 2]))
    assert same(chosen, table[[6, 2]])


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_files_keep_them(table, tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    table[[3, 7, 1]].save(path)
    again = LatentTable.load(path)
    assert same(again, table[[3, 7, 1]])
    assert [again.columns.kind(name) for name in again.columns] == ["file", "category", "number"]
    replace(table, columns=None).save(path)
    assert LatentTable.load(path).columns is None


def test_maps_keep_them(table, tmp_path):
    fit_map(table, "pca").save(tmp_path / "m.safetensors")
    assert same(Embedding.load(tmp_path / "m.safetensors").table, table)


def test_other_programs_read_them_in_parquet(table, tmp_path):
    table.save(tmp_path / "t.parquet")
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert frame["file_name"].tolist() == [f"{i}.png" for i in range(N)]
    assert frame["kind"].dtype == "category"


def test_the_frame_has_class_columns_and_neurons_in_this_order(table):
    frame = table.to_frame()
    assert list(frame) == ["class", "file_name", "kind", "area", "z0", "z1", "z2"]
    assert frame["area"].iloc[3] == 1.5
    known = replace(table, columns=Columns.of({"z1": range(N), "class": range(N)}))
    assert list(known.to_frame()) == ["class", "column_z1", "column_class", "z0", "z1", "z2"]
    assert list(table.describe().index) == ["z0", "z1", "z2"]


def test_what_does_not_fit_is_refused(table, tmp_path):
    with pytest.raises(ShapeError, match="as many rows as the table, 8; got 3"):
        replace(table, columns=table.columns[:3])
    with pytest.raises(DataError, match="'logvar2' has a name that a table of latents uses"):
        replace(table, columns=Columns.of({"logvar2": range(N)})).save(tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())


def test_a_parquet_column_that_does_not_say_what_it_is_is_refused(table, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    replace(table, columns=None).save(tmp_path / "t.parquet")
    plain = pq.read_table(tmp_path / "t.parquet")
    more = plain.append_column("extra", pa.array(range(N)))
    pq.write_table(more.replace_schema_metadata(plain.schema.metadata), tmp_path / "t.parquet",
                   use_dictionary=False, compression="none")  # fmt: skip
    with pytest.raises(DataError, match="these are no columns"):
        LatentTable.load(tmp_path / "t.parquet")
