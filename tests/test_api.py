from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zscape
from zscape import api
from zscape.data import ImageSet, Splits, load_data
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.training import TrainingResult

PIXELS = (np.random.default_rng(0).random((36, 16, 16)) ** 3 * 255).astype(np.uint8)
LABELS = np.arange(36) % 3


def train(data: Any = PIXELS, **options: Any) -> TrainingResult:
    tiny = {
        "network": "mlp", "latent_dim": 2, "epochs": 1, "batch_size": 16, "optimizer": "adam",
        "precision": "32", "accelerator": "cpu", "progress": "none",
    }  # fmt: skip
    return zscape.train(data, **{**tiny, **options})


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(v, theirs[k]) for k, v in mine.items())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on an array; not to be changed."""
    folder = tmp_path_factory.mktemp("api") / "run"
    train(out=folder)
    return folder


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "noise.npz"
    np.savez(path, images=PIXELS, labels=LABELS)
    return path


SAME_IMAGES = {
    "bytes": PIXELS,
    "floats": PIXELS / 255,
    "float32": (PIXELS / 255).astype(np.float32),
    "with a channel": PIXELS[:, None],
    "channels last": PIXELS[..., None],
    "tensor": torch.from_numpy(PIXELS),
    "float tensor": torch.from_numpy(PIXELS)[:, None] / 255,
    "with labels": (PIXELS, LABELS),
    "without labels": (PIXELS, None),
    "an ImageSet": ImageSet(torch.from_numpy(PIXELS)[:, None]),
}


@pytest.mark.parametrize("data", SAME_IMAGES.values(), ids=SAME_IMAGES.keys())
def test_every_kind_of_the_same_images_trains_the_same(data: Any) -> None:
    result = train(data)
    assert result.is_finished
    assert result.run is None
    assert result.model.image_shape == (1, 16, 16)
    assert not result.model.training
    assert same_weights(result.model, train(PIXELS).model)


def test_splits_are_taken_as_they_are() -> None:
    images = torch.from_numpy(PIXELS)[:, None]
    splits = Splits(ImageSet(images[:30]), ImageSet(images[30:], split="test"))
    (line,) = train(splits).history
    assert line["test"]["loss"] > 0
    assert not same_weights(train(splits).model, train(PIXELS).model)


@pytest.mark.parametrize("network", ["mlp", "enhanced"])
def test_colour(tmp_path: Path, network: str) -> None:
    images = np.random.default_rng(0).random((24, 32, 32, 3), dtype=np.float32)
    result = train((images, None), network=network, out=tmp_path / "run")
    assert result.model.image_shape == (3, 32, 32)
    assert api.load(tmp_path / "run").model.image_shape == (3, 32, 32)
    drawn = api.sample(result, 3, seed=0)
    assert (drawn.vectors.shape, drawn.images.shape) == ((3, 2), (3, 3, 32, 32))
    assert (tmp_path / "run" / "reconstructions.png").is_file()


def test_a_file_by_its_path(file: Path, tmp_path: Path) -> None:
    assert same_weights(train(file).model, train(str(file)).model)
    train(file, out=tmp_path / "run")
    opened = api.load(tmp_path / "run")
    assert opened.data().test.titles() is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_dims": 3}, "there is no option latent_dims"),
        ({"latent_dim": 0}, r"latent_dim must be an integer in \[1, 4096\]; got 0"),
        ({"epochs": 1.5}, "epochs must be an integer"),
        ({"progress": "bar"}, "progress must be one of"),
        ({"network": "enhanced", "resize": 18}, "multiple of 4 from 16 to 128"),
    ],
)
def test_bad_options_write_nothing(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("data", ["nowhere.npz", np.zeros((4, 4)), PIXELS.astype(float), 3, [1]])
def test_bad_data_writes_nothing(tmp_path: Path, data: Any) -> None:
    with pytest.raises(DataError):
        train(data, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_resume_of_an_array_needs_the_array(run: Path) -> None:
    with pytest.raises(ConfigError, match="was trained on an array from Python; pass it as data"):
        zscape.resume(run, progress="none")
    result = zscape.resume(run, PIXELS, progress="none")
    assert result.is_finished
    assert same_weights(result.model, api.load(run).model)
    again = zscape.resume(zscape.Run.open(run), data=PIXELS.copy(), progress="none")
    assert again.history == result.history
    with pytest.raises(
        DataError, match=r"run was trained on \d+ train images \(\w{16}\) and .* now"
    ):
        zscape.resume(run, PIXELS[::-1], progress="none")


def test_resume_of_a_file_does_not(file: Path, tmp_path: Path) -> None:
    first = train(file, out=tmp_path / "run")
    assert zscape.resume(str(tmp_path / "run"), progress="none").history == first.history


def test_resume_of_no_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no run folder"):
        zscape.resume(tmp_path / "nowhere")


def test_load_a_run_and_its_weights(run: Path) -> None:
    opened = zscape.load(run)
    assert (opened.name, opened.run.path) == ("run", run)
    weights = zscape.load(str(run / "model.safetensors"))
    assert (weights.name, weights.run) == ("model.safetensors", None)
    assert opened.model_config == weights.model_config
    assert same_weights(opened.model, weights.model)
    assert not opened.model.training


def test_load_a_published_file(tmp_path: Path) -> None:
    vae = zscape.EnhancedVAE(5).eval()
    torch.save(vae.state_dict(), tmp_path / "vae.pth")
    opened = zscape.load(tmp_path / "vae.pth")
    assert opened.model_config.latent_dim == 5
    assert same_weights(opened.model, vae)
    assert opened.data().test.image_shape == (1, 28, 28)  # mnist


def test_load_nothing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no file"):
        zscape.load(tmp_path / "gone")
    with pytest.raises(CheckpointError, match="is empty: no training has begun there"):
        zscape.load(tmp_path)


def test_data_of_another_shape(run: Path) -> None:
    for opened in (zscape.load(run), zscape.load(run / "model.safetensors")):
        with pytest.raises(ShapeError, match=r"takes images \(1, 16, 16\), but mnist has \(1, 28"):
            opened.data("mnist")
        with pytest.raises(ShapeError, match=r"has \(3, 16, 16\)"):
            opened.data(np.zeros((9, 3, 16, 16)))


def test_data_of_the_training_and_other_data(run: Path, tmp_path: Path, file: Path) -> None:
    with pytest.raises(ConfigError, match="pass it as data"):
        zscape.load(run).data()
    held_out = load_data(PIXELS).test
    for path in (run, run / "model.safetensors"):
        assert torch.equal(zscape.load(path).data(PIXELS).test.images, held_out.images)

    train(file, out=tmp_path / "sub", n_train=20, n_test=4, binarize="threshold", seed=3)
    opened = zscape.load(tmp_path / "sub")
    assert [len(images) for images in opened.data()] == [20, 4]
    assert torch.equal(opened.data().test.images, opened.data().test.images)
    other = opened.data(PIXELS[:12])  # fewer than the run's own subset
    assert sum(len(images) for images in other) == 12
    assert set(other.test.pixels().unique().tolist()) == {0.0, 1.0}


def test_reconstruct_decodes_posterior_means_in_order(run: Path) -> None:
    opened = zscape.load(run)
    images = opened.data(PIXELS).train
    opened.model.train()
    pictures = api.reconstruct(opened.model, images)
    assert opened.model.training
    assert pictures.shape == (len(images), 1, 16, 16)
    assert not pictures.requires_grad
    opened.model.eval()
    with torch.no_grad():
        expected = opened.model.decode(opened.model.encode(images.pixels())[0])
    torch.testing.assert_close(pictures, expected)
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_sample_draws_from_the_prior_and_decodes_it(run: Path) -> None:
    vae = zscape.load(run).model
    z, pictures = api.sample(vae, 2000, seed=5)
    assert np.abs(z.mean(0)).max() < 0.1
    assert np.abs(z.std(0) - 1).max() < 0.1
    with torch.no_grad():
        torch.testing.assert_close(pictures, vae.decode(z))

    def vectors(**seed: int) -> list[list[float]]:
        return api.sample(vae, 4, **seed).vectors.tolist()

    assert vectors(seed=5) == vectors(seed=5) != vectors(seed=6)
    assert vectors() != vectors()
    with pytest.raises(ConfigError, match="n must be an integer, at least 1; got 0"):
        api.sample(vae, 0)


def test_choose_is_a_seeded_choice_without_repetition() -> None:
    images = ImageSet(torch.arange(50, dtype=torch.uint8)[:, None, None, None])

    def chosen(n: int, **seed: int) -> list[int]:
        return api.choose(images, n, **seed).images.flatten().tolist()

    assert chosen(10, seed=1) == chosen(10, seed=1) != chosen(10, seed=2)
    assert chosen(10) != chosen(10)
    assert sorted(chosen(50)) == list(range(50))
    for n in (0, 51):
        with pytest.raises(ConfigError, match=rf"n must be in \[1, 50\].*got {n}"):
            chosen(n)


def test_public_names_are_there() -> None:
    for name in zscape.__all__:
        assert getattr(zscape, name) is not None
    assert set(zscape.__all__) <= set(dir(zscape))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        zscape.nonsense  # noqa: B018
