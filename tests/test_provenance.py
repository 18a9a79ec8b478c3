"""What belongs together is checked to belong together: runs, tables, maps, scenes, images."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import zscape
from zscape.cli.inputs import Latents
from zscape.data import ImageSet, Splits, place_of
from zscape.embedding import Embedding, fit_map
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.explorer import ExplorerServer, build_scene
from zscape.latents import LatentTable, check_belongs, encode
from zscape.latents.store import TEXTS
from zscape.model import MLPVAE, VAE

TINY = {
    "network": "mlp", "latent_dim": 2, "epochs": 1, "batch_size": 8, "precision": "32",
    "accelerator": "cpu", "progress": "none",
}  # fmt: skip


def save_images(path: Path, seed: int, n: int = 30) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 8, 8), dtype=np.uint8)
    np.savez(path, images=pixels, labels=np.arange(n) % 3)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images d.npz and a run on them, their path typed as from inside it."""
    folder, before = tmp_path_factory.mktemp("home"), Path.cwd()
    save_images(folder / "d.npz", seed=0)
    os.chdir(folder)
    try:
        zscape.train("d.npz", out="run", **TINY)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed; its run still says that the images are in the first."""
    return Path(shutil.copytree(home, tmp_path / "home"))


def test_its_own_images_by_their_path_are_split_as_they_were(tmp_path: Path) -> None:
    """Dealt image by image, some of those it was trained on would be tested."""
    source, table = save_images(tmp_path / "d.npz", seed=0), tmp_path / "t.csv"
    np.savetxt(table, np.arange(30) // 3, "%d", header="patient", comments="")
    known = {"columns": str(table), "split_by": "patient", "label": "patient", "n_train": 9}
    zscape.train(source, out=tmp_path / "run", **known, **TINY)
    opened = zscape.load(tmp_path / "run")
    own = opened.data()
    for again in (source, str(source), os.path.relpath(source)):
        whole = opened.data(again)
        assert whole.test.fingerprint == own.test.fingerprint
        assert len(whole.train) + len(whole.test) == 30
    other = opened.data(save_images(tmp_path / "e.npz", seed=1))
    assert other.train.class_names == ("0", "1", "2")


def test_a_run_finds_its_images_from_any_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = zscape.load(home / "run").data()
    monkeypatch.chdir(home)
    assert torch.equal(zscape.load("run").data().test.images, there.test.images)
    assert zscape.resume("run", progress="none").is_finished


def test_a_home_that_was_moved_is_its_own(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.loads((own_home / "run" / "config.json").read_text())
    content["images"]["place"] = "/gone/d.npz"
    (own_home / "run" / "config.json").write_text(json.dumps(content))
    monkeypatch.chdir(own_home)
    assert len(zscape.load("run").data().train)


def test_other_images_of_that_name_are_refused_by_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_images(tmp_path / "d.npz", seed=1)
    monkeypatch.chdir(tmp_path)
    opened = zscape.load(home / "run")
    both = rf"was trained on .* of {home}/d\.npz; now there are .* of {tmp_path}/d\.npz"
    with pytest.raises(DataError, match=both):
        opened.data()
    with pytest.raises(DataError, match=both):
        zscape.resume(home / "run", progress="none")
    assert sum(map(len, opened.data("d.npz"))) == 30  # who names them means them


def test_a_changed_folder_is_refused_and_its_hold_out_stays(
    tmp_path: Path, save_picture_folder: Path
) -> None:
    run = zscape.train(save_picture_folder, out=tmp_path / "run", **TINY).run
    assert run is not None
    before = run.load_data()
    shutil.copy(next((save_picture_folder / "b").iterdir()), save_picture_folder / "a" / "new.png")
    with pytest.raises(DataError, match=r"was trained on .*; now there are .*: put the former"):
        run.load_data()
    after = zscape.load_data(save_picture_folder)
    keys = [{image.numpy().tobytes() for image in images.images} for images in (*before, *after)]
    assert not keys[3] & keys[0]  # nothing that is tested on now was trained on then


@pytest.fixture
def save_picture_folder(tmp_path: Path) -> Path:
    from PIL import Image

    rng = np.random.default_rng(3)
    for name in "ab":
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(9):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{i}.png")
    return tmp_path / "set"


def test_a_folder_called_array_is_a_folder(
    tmp_path: Path, save_picture_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_picture_folder.rename(tmp_path / "array")
    monkeypatch.chdir(tmp_path)
    zscape.train("array", out="run", **TINY)
    assert sum(map(len, zscape.load("run").data())) == 18


def test_a_run_of_a_version_without_fingerprints_opens_and_says_so(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(own_home)
    file = own_home / "run" / "config.json"
    content = json.loads(file.read_text())
    del content["images"]
    file.write_text(json.dumps(content))
    assert len(zscape.load("run").data().train)
    assert "did not keep which images it was trained on" in caplog.text
    content["data"]["data"] = "array"
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="was trained on an array from Python"):
        zscape.load("run").data()


def test_the_place_of_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_images(tmp_path / "d.npz", seed=0)
    (tmp_path / "mnist").mkdir()
    assert place_of("d.npz") == str(tmp_path / "d.npz")
    assert place_of("mnist") is None  # the word
    assert place_of("./mnist") == str(tmp_path / "mnist")


def test_the_fingerprint_tells_images_apart() -> None:
    pixels = torch.arange(32, dtype=torch.uint8).reshape(4, 1, 2, 4)
    labels = torch.tensor([0, 1, 0, 1])
    images = zscape.ImageSet(pixels, labels, ("a", "b"))
    others = [
        images[[1, 0, 2, 3]], images[:3], images.binarized(),
        zscape.ImageSet(pixels), zscape.ImageSet(pixels.reshape(4, 1, 4, 2), labels, ("a", "b")),
        zscape.ImageSet(pixels, 1 - labels, ("a", "b")),
        zscape.ImageSet(pixels, labels, ("a", "c")),
    ]  # fmt: skip
    found = [images.fingerprint, *(other.fingerprint for other in others)]
    assert len(set(found)) == len(found)
    same = zscape.ImageSet(pixels.clone(), labels, ("a", "b"), split="test", name="elsewhere")
    assert same.fingerprint == images.fingerprint == images.to("cpu").fingerprint


@pytest.fixture(scope="module")
def model(home: Path) -> VAE:
    return zscape.load(home / "run").model


@pytest.fixture(scope="module")
def images(home: Path) -> Splits:
    return zscape.load_data(home / "d.npz")


@pytest.fixture(params=[".npz", ".parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path, model: VAE, images: Splits) -> Path:
    """A table of the test images, as a file."""
    encode(model, images.test).save(tmp_path / f"table{request.param}")
    return tmp_path / f"table{request.param}"


def test_a_table_knows_its_images(model: VAE, images: Splits, file: Path) -> None:
    table = LatentTable.load(file)
    assert table.data_fingerprint == images.test.fingerprint
    check_belongs(table, model, images.test)
    both = rf"of the test images of d\.npz \({images.test.fingerprint}.* train images of d\.npz \("
    with pytest.raises(DataError, match=both + images.train.fingerprint):
        check_belongs(table, model, images.train)


def test_a_table_of_a_few_images_points_into_all_of_them(model: VAE, images: Splits) -> None:
    rows = np.array([7, 2, 11])
    table, whole = encode(model, images.train, rows=rows), encode(model, images.train)
    np.testing.assert_array_equal(table.indices, rows)
    np.testing.assert_allclose(table.mu, whole.mu[rows], atol=1e-5)
    assert images.train.labels is not None
    assert table.labels is not None
    np.testing.assert_array_equal(table.labels, images.train.labels.numpy()[rows])
    assert table.data_fingerprint == images.train.fingerprint
    check_belongs(table[1:], model, images.train)


def test_the_split_of_a_command_is_that_of_its_table(home: Path, file: Path) -> None:
    run = str(home / "run")
    where = Latents(run, split=None, table=file, n=2)
    assert where.split == "test"
    assert torch.equal(where.images.images[0], where.all_images.images[where.table.indices[0]])
    with pytest.raises(DataError, match=r"is of the test images of d\.npz, but --split train"):
        Latents(run, split="train", table=file).table  # noqa: B018


def test_a_table_of_other_images_is_refused(home: Path, file: Path, tmp_path: Path) -> None:
    other = save_images(tmp_path / "other.npz", seed=5)
    where = Latents(str(home / "run"), str(other), table=file)
    with pytest.raises(DataError, match=r"the table is of .* but these are .* of other\.npz"):
        where.images  # noqa: B018


def without_data(about: str) -> str:
    known = json.loads(about)
    (known.get("table") or known).pop("data_fingerprint")
    return json.dumps(known)


def test_tables_of_a_version_without_fingerprints_open(
    model: VAE, images: Splits, tmp_path: Path
) -> None:
    path = tmp_path / "old.npz"
    encode(model, images.test).save(path)
    arrays = dict(np.load(path))
    np.savez(path, **arrays | {"zscape": np.array(without_data(str(arrays["zscape"])))})
    table = LatentTable.load(path)
    assert table.data_fingerprint == ""
    check_belongs(table, model, images.train)  # it cannot say
    with pytest.raises(DataError, match=r"of no known fingerprint"):
        check_belongs(table, model, images.train[:2])  # but this cannot be


def test_maps_know_their_images_and_old_ones_open(
    model: VAE, images: Splits, tmp_path: Path
) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = tmp_path / "map.safetensors"
    fit_map(encode(model, images.train), "pca").save(path)
    assert Embedding.load(path).table.data_fingerprint == images.train.fingerprint
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = file.metadata()["zscape"]
    save_file(arrays, path, metadata={"zscape": without_data(about)})
    assert Embedding.load(path).table.data_fingerprint == ""


def test_every_text_of_a_table_is_kept(model: VAE, images: Splits, file: Path) -> None:
    made, read = encode(model, images.test), LatentTable.load(file)
    assert all(getattr(made, name) == getattr(read, name) != "" for name in TEXTS)


def test_a_scene_is_of_its_model_and_images(model: VAE, images: Splits) -> None:
    scene = build_scene(model, images.train, maps=["pca"], n=12)
    scene.check_belongs(model, images.train)
    known = scene.manifest["fingerprints"]
    assert known["data"] == images.train.fingerprint
    with pytest.raises(DataError, match=rf"{known['data']}, that of d\.npz, test is"):
        scene.check_belongs(model, images.test)
    with pytest.raises(CheckpointError, match=rf"{known['model']}, the model's"):
        ExplorerServer(scene, MLPVAE(2, (1, 8, 8)))
    table = encode(model, images.test)
    with pytest.raises(DataError, match="the table is of the test images"):
        build_scene(model, images.train, table=table, maps=["pca"])


def test_images_of_a_subset_have_another_fingerprint_than_the_whole(images: Splits) -> None:
    part: ImageSet = images.train[:5]
    assert part.fingerprint != images.train.fingerprint
