from __future__ import annotations

import inspect
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from PIL import Image

from zscape import notebook
from zscape.config import ModelConfig
from zscape.errors import CheckpointError, ConfigError, MissingExtraError, ShapeError
from zscape.latents import as_vector, decode
from zscape.model import VAE, ElboObjective, build_model
from zscape.notebook import (
    EnhancedVAE,
    LossPlotter,
    VAETrainer,
    binarize_image,
    explore_sliders,
    init_model,
    load_mnist,
    load_model,
    loss_function,
    plot_sample_images,
    visualize_results,
)
from zscape.training import find_accelerator, save_weights

ABSENT = "cuda" if find_accelerator("auto") != "cuda" else "mps"
"""A device this machine does not have."""


@pytest.fixture(scope="module")
def loaders() -> tuple[notebook.Loader, notebook.Loader]:
    return load_mnist(num_samples_train=100, num_samples_test=40, batch_size=32)


@pytest.fixture(scope="module")
def model() -> VAE:
    torch.manual_seed(0)
    return EnhancedVAE(latent_dim=4).eval()


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for ax in figure.axes for image in ax.get_images()]


CELLS = """
import torch
from zscape.notebook import *

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
#%%
train_loader, test_loader = load_mnist(num_samples_train=128, num_samples_test=32, batch_size=64)
plot_sample_images(train_loader)
#%%
model, optimizer = init_model(latent_dim=10, device=device)
print(model.get_latent_dim())
#%%
trainer = VAETrainer(model, optimizer, train_loader, device, kld_weight=1.0)
losses = trainer.train(epochs=2, log_interval=1)
#%%
LossPlotter().plot_losses(losses, scale='log')
#%%
torch.save(model.state_dict(), path)
model = load_model(EnhancedVAE(latent_dim=10).to(device), path)
#%%
visualize_results(model, test_loader, num_images=10, device=device, seed=42)
#%%
x, labels = next(iter(test_loader))
mu, logvar = model.encode(x.to(device))
z = model.reparameterize(mu, logvar)
recon, mu, logvar = model(x.to(device))
loss = loss_function(recon, x.to(device), mu, logvar, kld_weight=0.5)
"""


def test_the_tutorials_cells_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"path": str(tmp_path / "vae.pth")}
    for cell in CELLS.split("#%%"):
        exec(compile(cell, "cell", "exec"), names)
    assert names["model"].latent_dim == 10
    assert len(names["losses"]) == 2
    assert names["recon"].shape == names["x"].shape == (32, 1, 28, 28)
    assert names["z"].shape == names["mu"].shape == (32, 10)
    assert names["loss"].ndim == 0
    printed = capsys.readouterr()
    assert "train: 128 of 60000 images" in printed.out
    assert "epoch 2/2" in printed.err


SLIDERS = {"LatentSliders", "explore_sliders"}
"""What the tutorial wrote out in a cell."""


def test_the_vocabulary_is_exactly_the_tutorials() -> None:
    def parameters(function: object) -> dict[str, object]:
        empty = inspect.Parameter.empty
        return {
            name: None if p.default is empty else p.default
            for name, p in inspect.signature(function).parameters.items()  # type: ignore[arg-type]
            if name != "self"
        }

    assert set(notebook.__all__) - SLIDERS == {
        "EnhancedVAE", "LossPlotter", "VAETrainer", "binarize_image", "init_model", "load_mnist",
        "load_model", "loss_function", "plot_sample_images", "visualize_results",
    }  # fmt: skip
    assert parameters(load_mnist) == {
        "num_samples_train": 60000, "num_samples_test": 10000, "batch_size": 64,
    }  # fmt: skip
    assert parameters(loss_function)["kld_weight"] == 1.0
    assert parameters(EnhancedVAE)["latent_dim"] == 20
    assert parameters(init_model)["latent_dim"] == 10
    assert list(parameters(VAETrainer)) == [
        "model", "optimizer", "train_loader", "device", "kld_weight",
    ]  # fmt: skip
    assert parameters(VAETrainer.train)["log_interval"] == 10
    assert parameters(LossPlotter.plot_losses)["scale"] == "log"
    assert parameters(binarize_image)["threshold"] == 0.5
    assert parameters(visualize_results) == {
        "model": None, "data_loader": None, "num_images": 10, "device": None, "seed": None,
    }  # fmt: skip


def test_load_mnist_prints_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    load_mnist(num_samples_train=50, num_samples_test=20)
    assert capsys.readouterr().out.splitlines() == [
        "train: 50 of 60000 images, values from 0.0 to 1.0",
        "test: 20 of 10000 images, values from 0.0 to 1.0",
    ]
    train, test = load_mnist()
    assert (len(train.dataset), len(test.dataset)) == (60000, 10000)
    assert (len(train), len(test)) == (938, 157)


def test_a_loader_is_like_torchs(loaders: tuple[notebook.Loader, notebook.Loader]) -> None:
    train, test = loaders
    assert (len(train.dataset), len(test.dataset)) == (100, 40)
    assert (len(train), len(test)) == (4, 2)
    assert [len(x) for x, _ in train] == [32, 32, 32, 4]
    for x, labels in train:
        assert x.shape[1:] == (1, 28, 28)
        assert x.dtype == torch.float32
        assert 0 <= x.min() < x.max() <= 1
        assert labels.shape == (len(x),)
        assert labels.dtype == torch.int64
        assert 0 <= labels.min() <= labels.max() <= 9


def test_only_training_images_are_shuffled(
    loaders: tuple[notebook.Loader, notebook.Loader],
) -> None:
    def order(loader: notebook.Loader) -> torch.Tensor:
        return torch.cat([x for x, _ in loader])

    train, test = loaders
    assert torch.equal(order(test), test.dataset.pixels())
    assert not torch.equal(order(train), order(train))
    assert order(train).sum() == pytest.approx(float(train.dataset.pixels().sum()), rel=1e-5)
    torch.manual_seed(3)
    first = order(train)
    torch.manual_seed(3)
    assert torch.equal(order(train), first)


def test_plot_sample_images(loaders: tuple[notebook.Loader, notebook.Loader]) -> None:
    train, test = loaders
    figure = plot_sample_images(train)
    assert isinstance(figure, Figure)
    assert len(pictures(figure)) == 10
    titles = [ax.get_title() for ax in figure.axes if ax.get_images()]
    assert all(title in "0123456789" and title for title in titles)
    again = pictures(plot_sample_images(train))
    assert not all(map(np.array_equal, pictures(figure), again))
    assert len(pictures(plot_sample_images(test, num_images=1000))) == 40


def test_init_model() -> None:
    model, optimizer = init_model(latent_dim=3, device="cpu")
    assert isinstance(model, EnhancedVAE)
    assert model.get_latent_dim() == model.latent_dim == 3
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.param_groups[0]["lr"] == 1e-3
    assert len(optimizer.param_groups[0]["params"]) == len(list(model.parameters()))
    assert next(init_model()[0].parameters()).device.type == find_accelerator("auto")


@pytest.mark.parametrize("kld_weight", [0.0, 0.5, 1.0, 4.0])
def test_loss_function_against_its_closed_form(kld_weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    recon, x = torch.rand(2, 5, 1, 28, 28, generator=generator).clamp(0.01, 0.99)
    mu, logvar = torch.randn(2, 5, 3, generator=generator)
    entropy = -(x * recon.log() + (1 - x) * (1 - recon).log()).sum()
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()
    loss = loss_function(recon, x, mu, logvar, kld_weight=kld_weight)
    torch.testing.assert_close(loss, entropy + kld_weight * kl)
    posterior = torch.distributions.Normal(mu, torch.exp(logvar / 2))
    prior = torch.distributions.Normal(torch.zeros(3), torch.ones(3))
    exact = torch.distributions.kl_divergence(posterior, prior).sum()
    torch.testing.assert_close(loss, entropy + kld_weight * exact)


def test_loss_function_is_the_objective_of_training(
    model: VAE, loaders: tuple[notebook.Loader, notebook.Loader]
) -> None:
    x, _ = next(iter(loaders[1]))
    with torch.no_grad():
        mu, logvar = model.encode(x)
        z = model.reparameterize(mu, logvar, torch.Generator().manual_seed(1))
        loss = loss_function(model.decode(z), x, mu, logvar, kld_weight=0.7)
        parts = ElboObjective(model)(x, torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss / len(x), parts.loss(0.7), rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def trained(
    loaders: tuple[notebook.Loader, notebook.Loader],
) -> tuple[VAE, list[float], list[float]]:
    torch.manual_seed(0)
    model, optimizer = init_model(latent_dim=4, device="cpu")
    trainer = VAETrainer(model, optimizer, loaders[0], "cpu")
    return model, trainer.train(epochs=3, log_interval=1), trainer.train(epochs=2)


def test_training_returns_the_mean_losses_and_they_fall(
    trained: tuple[VAE, list[float], list[float]],
) -> None:
    _, losses, more = trained
    assert (len(losses), len(more)) == (3, 2)
    assert all(isinstance(loss, float) for loss in losses)
    assert losses + more == sorted(losses + more, reverse=True)
    assert 28 * 28 > losses[0] > more[-1] > 50  # nats per image, not per batch or pixel


def test_training_changes_the_model_it_was_given(
    trained: tuple[VAE, list[float], list[float]],
    loaders: tuple[notebook.Loader, notebook.Loader],
) -> None:
    model, losses, _ = trained
    assert isinstance(model, EnhancedVAE)
    x = loaders[0].dataset.pixels()
    model.eval()
    with torch.no_grad():
        loss = float(loss_function(*(out := model(x))[:1], x, *out[1:])) / len(x)
    assert loss < losses[0]


def test_kld_weight_counts(loaders: tuple[notebook.Loader, notebook.Loader]) -> None:
    losses = []
    for weight in (0.0, 100.0):
        torch.manual_seed(0)
        model, optimizer = init_model(latent_dim=4, device="cpu")
        trainer = VAETrainer(model, optimizer, loaders[0], kld_weight=weight)
        losses += trainer.train(epochs=1)
    assert losses[1] > losses[0]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_loss_plotter(scale: str) -> None:
    losses = [500.0, 220.0, 180.0, 160.0]
    figure = LossPlotter().plot_losses(losses, scale=scale)
    (ax,) = figure.axes
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == [1, 2, 3, 4]
    assert list(line.get_ydata()) == losses
    assert ax.get_yscale() == scale


def test_loss_plotter_is_logarithmic_by_default_and_knows_two_scales() -> None:
    assert LossPlotter().plot_losses([3.0, 2.0]).axes[0].get_yscale() == "log"
    with pytest.raises(ConfigError, match="scale must be linear or log; got 'symlog'"):
        LossPlotter().plot_losses([3.0, 2.0], scale="symlog")


def test_load_model_from_both_kinds_of_file(tmp_path: Path, model: VAE) -> None:
    torch.save(model.state_dict(), tmp_path / "vae.pth")
    save_weights(model, ModelConfig(latent_dim=4), tmp_path / "vae.safetensors")
    for name in ("vae.pth", "vae.safetensors"):
        for path in (tmp_path / name, str(tmp_path / name)):
            other = EnhancedVAE(latent_dim=4)
            assert load_model(other, path) is other
            for key, value in model.state_dict().items():
                assert torch.equal(value, other.state_dict()[key])


def test_load_model_of_another_size_changes_nothing(tmp_path: Path, model: VAE) -> None:
    torch.save(model.state_dict(), tmp_path / "vae.pth")
    other = EnhancedVAE(latent_dim=5)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"fc21\.weight is \(4, 512\) instead of \(5, 512\)"):
        load_model(other, tmp_path / "vae.pth")
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    with pytest.raises(CheckpointError, match="there is no file"):
        load_model(other, tmp_path / "gone.pth")


def test_binarize_image() -> None:
    image = torch.tensor([[0.0, 0.2], [0.5, 0.9]])
    half, low = np.asarray(binarize_image(image)), np.asarray(binarize_image(image, threshold=0.1))
    assert half[0].tolist() == [0, 0]
    assert half[1, 1] == 1
    assert low.tolist() == [[0, 1], [1, 1]]


def test_visualize_results(model: VAE, loaders: tuple[notebook.Loader, notebook.Loader]) -> None:
    def shown(n: int = 6, seed: int | None = None) -> list[np.ndarray]:
        figure = visualize_results(model, loaders[1], num_images=n, seed=seed)
        assert isinstance(figure, Figure)
        return pictures(figure)

    first = shown(seed=42)
    assert len(first) == 4 * 6
    assert all(map(np.array_equal, first, shown(seed=42)))
    assert not all(map(np.array_equal, first, shown(seed=43)))
    assert not all(map(np.array_equal, shown(), shown()))
    torch.manual_seed(0)  # the seed alone decides
    assert all(map(np.array_equal, first, shown(seed=42)))
    with pytest.raises(ConfigError, match=r"n must be in \[1, 40\].*got 41"):
        shown(n=41)


def test_visualize_results_has_originals_above_and_labels_on_top(
    model: VAE, loaders: tuple[notebook.Loader, notebook.Loader]
) -> None:
    figure = visualize_results(model, loaders[1], num_images=3, seed=0)
    images = [
        (ax.get_position().y0, ax.get_position().x0, np.asarray(image.get_array()))
        for ax in figure.axes
        for image in ax.get_images()
    ]
    rows = sorted(images, key=lambda item: (-round(item[0], 3), item[1]))
    grey = [picture.astype(float) for _, _, picture in rows]
    scale = 255 if max(picture.max() for picture in grey) > 1 else 1
    known = (loaders[1].dataset.pixels()[:, 0].numpy() * scale).round(3)
    for original, binary in zip(grey[:3], grey[3:6], strict=True):
        assert any(np.allclose(original, picture, atol=1e-2) for picture in known)
        assert np.array_equal(binary > 0, original > scale / 2)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert len([title for title in titles if re.fullmatch("[0-9]", title)]) == 3


def test_a_device_that_is_not_there_is_said(
    model: VAE, loaders: tuple[notebook.Loader, notebook.Loader]
) -> None:
    message = f"accelerator {ABSENT} is not on this machine; use auto or cpu"
    with pytest.raises(ConfigError, match=message):
        visualize_results(model, loaders[1], device=ABSENT)
    with pytest.raises(ConfigError, match=message):
        init_model(latent_dim=3, device=torch.device(ABSENT))
    with pytest.raises(ConfigError, match=message):
        VAETrainer(model, torch.optim.Adam(model.parameters()), loaders[0], f"{ABSENT}:0")
    with pytest.raises(ConfigError, match="device must be cpu, cuda or mps; got 'abacus'"):
        init_model(device="abacus")


def test_the_models_probabilities_are_those_of_its_logits(model: VAE) -> None:
    z = torch.randn(3, 4)
    with torch.no_grad():
        assert torch.equal(model.decode(z), F.sigmoid(model.decode_logits(z)))


def drawn(sliders: notebook.LatentSliders) -> np.ndarray:
    """(c, h, w) bytes, at the model's own size."""
    picture = np.asarray(Image.open(io.BytesIO(sliders.picture.value)))
    picture = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    height, width = sliders.model.image_shape[1:]
    scale = picture.shape[1] // height
    assert picture.shape[1:] == (scale * height, scale * width)
    assert np.array_equal(picture, picture[:, ::scale, ::scale].repeat(scale, 1).repeat(scale, 2))
    return picture[:, ::scale, ::scale]


def expected(vae: VAE, z: np.ndarray) -> np.ndarray:
    return (decode(vae, z)[0] * 255).round().byte().numpy()


@pytest.mark.parametrize(
    ("latent_dim", "shape"), [(1, (1, 28, 28)), (4, (3, 12, 20)), (64, (1, 400, 300))], ids=str
)
def test_sliders_move_the_picture(latent_dim: int, shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    vae = build_model(ModelConfig(latent_dim=latent_dim, network="mlp", image_shape=shape)).eval()
    sliders = explore_sliders(vae)
    assert [slider.description for slider in sliders.sliders.values()] == [
        f"z{neuron}" for neuron in range(latent_dim)
    ]
    assert all((s.min, s.value, s.max) == (-3, 0, 3) for s in sliders.sliders.values())
    before = drawn(sliders)
    assert np.array_equal(before, expected(vae, np.zeros(latent_dim)))
    z = np.zeros(latent_dim, np.float32)
    z[-1] = 2.5
    sliders.sliders[latent_dim - 1].value = 2.5
    assert np.array_equal(sliders.z, z)
    after = drawn(sliders)
    assert np.array_equal(after, expected(vae, z))
    assert not np.array_equal(after, before)


def test_sliders_of_whatever_stands_for_a_model() -> None:
    assert len(explore_sliders("zoo:2").sliders) == 2


def test_the_vector_under_the_picture_can_be_pasted_back(model: VAE) -> None:
    sliders = explore_sliders(model, {0: 1.25, 3: -0.5})
    text = sliders.vector.value.removeprefix("<code>").removesuffix("</code>")
    assert text == "{0: 1.25, 1: 0.00, 2: 0.00, 3: -0.50}"
    assert np.array_equal(as_vector(text, 4), sliders.z)


def test_buttons_of_the_sliders(model: VAE) -> None:
    start = np.array([4.0, 0.5, 0, -1], np.float32)
    sliders = explore_sliders(model, start)
    assert (sliders.sliders[0].min, sliders.sliders[0].max) == (-4, 4)  # nothing is cut off
    before = drawn(sliders)
    reset, random = sliders.box.children[1].children[1].children
    assert (reset.description, random.description) == ("reset", "random")
    random.click()
    assert not np.isclose(sliders.z, start).any()
    assert np.array_equal(drawn(sliders), expected(model, sliders.z))
    reset.click()
    assert np.array_equal(sliders.z, start)
    assert np.array_equal(drawn(sliders), before)


def test_sliders_for_some_neurons(model: VAE) -> None:
    sliders = explore_sliders(model, [0, 1, 2, 0], neurons=["z3", 1], limit=2)
    assert list(sliders.sliders) == [3, 1]
    sliders.random()
    assert sliders.z[[0, 2]].tolist() == [0, 2]  # the others stay
    assert np.abs(sliders.z[[3, 1]]).max() <= 2


def test_sliders_show_a_still_picture_without_python(model: VAE) -> None:
    sliders = explore_sliders(model)
    bundle = sliders._repr_mimebundle_()
    live = bundle["application/vnd.jupyter.widget-view+json"]
    assert live["model_id"] == sliders.box.model_id
    still = Image.open(io.BytesIO(bundle["image/png"]))
    assert still.size[0] > 100
    sliders.sliders[0].value = 3.0
    assert sliders._repr_mimebundle_()["image/png"] != bundle["image/png"]


def test_sliders_say_what_is_wrong(model: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"integer in \[0, 3\]; got 'z4'"):
        explore_sliders(model, neurons="z4")
    with pytest.raises(ConfigError, match="neurons must differ"):
        explore_sliders(model, neurons=[1, 1])
    with pytest.raises(ConfigError, match="limit must be a finite number above 0; got 0"):
        explore_sliders(model, limit=0)
    with pytest.raises(ConfigError, match="side must be a finite number above 0; got -1"):
        explore_sliders(model, side=-1)
    with pytest.raises(ShapeError):
        explore_sliders(model, [1, 2])
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'zscape\[notebook\]'"):
        explore_sliders(model)
