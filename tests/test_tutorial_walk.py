"""The tutorial's walk, cell by cell, against a plain re-implementation of it: the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from zscape.data import ImageSet
from zscape.notebook import (
    EnhancedVAE,
    Loader,
    LossPlotter,
    VAETrainer,
    binarize_image,
    init_model,
    load_mnist,
    load_model,
    loss_function,
    visualize_results,
)


class PlainVAE(nn.Module):
    """The tutorial's network as it is written there: torch's own layers and nothing else."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()

        def stage(layer: nn.Module, channels: int) -> nn.Sequential:
            return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))

        self.encoder = nn.Sequential(
            stage(nn.Conv2d(1, 32, 4, 2, 1), 32),
            stage(nn.Conv2d(32, 64, 4, 2, 1), 64),
            stage(nn.Conv2d(64, 128, 3, 2, 1), 128),
            stage(nn.Conv2d(128, 256, 4, 1, 0), 256),
        )
        self.fc1, self.fc21 = nn.Linear(256, 512), nn.Linear(512, latent_dim)
        self.fc22, self.fc3 = nn.Linear(512, latent_dim), nn.Linear(latent_dim, 512)
        self.fc4 = nn.Linear(512, 256)
        self.decoder = nn.Sequential(
            stage(nn.ConvTranspose2d(256, 128, 4, 1, 0), 128),
            stage(nn.ConvTranspose2d(128, 64, 3, 2, 1), 64),
            stage(nn.ConvTranspose2d(64, 32, 4, 2, 1), 32),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.leaky_relu(self.fc1(self.encoder(x).view(-1, 256)), 0.2)
        return self.fc21(h), self.fc22(h)

    def decode(self, z: Tensor) -> Tensor:
        h = F.leaky_relu(self.fc4(F.leaky_relu(self.fc3(z), 0.2)), 0.2)
        return torch.sigmoid(self.decoder(h.view(-1, 256, 1, 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(x)
        z = mu + torch.randn_like(logvar) * torch.exp(0.5 * logvar)
        return self.decode(z), mu, logvar


def plain_loss(recon: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, weight: float) -> Tensor:
    divergence = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return F.binary_cross_entropy(recon, x, reduction="sum") + weight * divergence


def plain_training(
    model: PlainVAE, optimizer: torch.optim.Optimizer, loader: Loader, epochs: int, weight: float
) -> list[float]:
    losses = []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for x, _ in loader:
            optimizer.zero_grad()
            loss = plain_loss(*(out := model(x))[:1], x, *out[1:], weight)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader.dataset))
    return losses


def twin(model: nn.Module) -> PlainVAE:
    """The plain network with the same weights, in evaluation mode."""
    plain = PlainVAE(model.latent_dim)
    plain.load_state_dict(model.state_dict(), strict=True)
    return plain.eval()


def same(one: Tensor, other: Tensor, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def loaders() -> tuple[Loader, Loader]:
    return load_mnist(num_samples_train=160, num_samples_test=70, batch_size=64)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, loaders: tuple[Loader, Loader]) -> Path:
    """What the tutorial's training leaves on disk: batch statistics that are no longer 0 and 1."""
    torch.manual_seed(0)
    plain = PlainVAE(10)
    plain_training(plain, torch.optim.Adam(plain.parameters(), 1e-3), loaders[0], 3, 1.0)
    torch.save(plain.state_dict(), path := tmp_path_factory.mktemp("tutorial") / "vae.pth")
    return path


def test_the_loaders_deal_what_torchs_deal(loaders: tuple[Loader, Loader]) -> None:
    train, test = loaders
    for loader in loaders:
        n = len(loader.dataset)
        theirs = DataLoader(TensorDataset(loader.dataset.pixels(), torch.arange(n)), 64)
        assert len(loader) == len(theirs)
        assert [x.shape for x, _ in loader] == [x.shape for x, _ in theirs]
        assert {x.dtype for x, _ in loader} == {x.dtype for x, _ in theirs} == {torch.float32}
        assert {labels.dtype for _, labels in loader} == {torch.int64}
    pairs = zip(test, DataLoader(TensorDataset(test.dataset.pixels()), 64), strict=True)
    assert all(torch.equal(x, y) for (x, _), (y,) in pairs)
    assert [len(x) for x, _ in train] == [64, 64, 32]


@pytest.mark.parametrize(
    ("n", "size", "sizes"),
    [(9, 4, [4, 3, 2]), (8, 4, [4, 4]), (1, 4, [1]), (3, 1, [1, 1, 1]), (5, 2, [2, 2, 1])],
    ids=str,
)
def test_no_batch_of_one_is_left_over(n: int, size: int, sizes: list[int]) -> None:
    images = ImageSet(torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1))
    loader = Loader(images, size, shuffle=False)
    assert [len(x) for x, _ in loader] == sizes
    assert len(loader) == len(sizes)
    assert torch.equal(torch.cat([x for x, _ in loader]), images.pixels())


def test_init_model_is_that_network_and_that_optimizer() -> None:
    model, optimizer = init_model(latent_dim=10, device="cpu")
    plain = PlainVAE(10)
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    assert shapes == {name: value.shape for name, value in plain.state_dict().items()}
    assert sum(p.numel() for p in model.parameters()) == 1_543_509
    assert model.training
    assert optimizer.defaults == torch.optim.Adam(plain.parameters(), lr=1e-3).defaults


@pytest.mark.parametrize("kld_weight", [1.0, 0.3])
def test_the_trainer_takes_the_tutorials_steps(
    loaders: tuple[Loader, Loader], kld_weight: float
) -> None:
    torch.manual_seed(1)
    model, optimizer = init_model(latent_dim=4, device="cpu")
    plain = twin(model)
    torch.manual_seed(2)
    ours = VAETrainer(model, optimizer, loaders[0], "cpu", kld_weight).train(2)
    torch.manual_seed(2)
    theirs = plain_training(
        plain, torch.optim.Adam(plain.parameters(), 1e-3), loaders[0], 2, kld_weight
    )
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert model.training
    (line,) = LossPlotter().plot_losses(ours).axes[0].get_lines()
    assert list(line.get_ydata()) == ours


def test_what_is_minimised_is_the_sum_over_the_batch(loaders: tuple[Loader, Loader]) -> None:
    """Adam hides the scale of a loss; other optimisers do not."""
    torch.manual_seed(1)
    model = EnhancedVAE(3)
    plain, before = twin(model), model.fc3.weight.detach().clone()
    for trained, train in (
        (model, lambda o: VAETrainer(model, o, loaders[0], "cpu").train(1)),
        (plain, lambda o: plain_training(plain, o, loaders[0], 1, 1.0)),
    ):
        torch.manual_seed(2)
        train(torch.optim.SGD(trained.parameters(), lr=1e-6))
    same(model.fc3.weight - before, plain.fc3.weight - before, 1e-6)
    assert (model.fc3.weight - before).abs().max() > 1e-4


def test_the_trainer_learns_where_it_was_told_to(loaders: tuple[Loader, Loader]) -> None:
    model = EnhancedVAE(2)
    optimizer = torch.optim.Adam(model.parameters())
    VAETrainer(model, optimizer, loaders[1], torch.device("cpu")).train(1)
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert {value.device.type for value in model.parameters()} == {"cpu"}


def test_cells_after_load_model_give_the_tutorials_numbers(
    loaders: tuple[Loader, Loader], weights: Path
) -> None:
    model, plain = load_model(EnhancedVAE(latent_dim=10), weights), PlainVAE(10)
    plain.load_state_dict(torch.load(weights, weights_only=True))
    plain.eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    x, _ = next(iter(loaders[1]))
    for ours, theirs in zip(model.encode(x), plain.encode(x), strict=True):
        same(ours, theirs)
    mu, logvar = model.encode(x)
    same(model.encode(x[:1])[0], mu[:1])  # whatever else is in the batch
    same(model.decode(mu), plain.decode(mu))
    outputs = []
    for network in (model, plain):
        torch.manual_seed(3)
        outputs.append(network(x))
    for ours, theirs in zip(*outputs, strict=True):
        same(ours, theirs)
    torch.manual_seed(4)
    z = model.reparameterize(mu, logvar)
    torch.manual_seed(4)
    same(z, mu + torch.randn_like(mu) * torch.exp(0.5 * logvar))
    for weight in (0.0, 0.5, 1.0, 4.0):
        ours = loss_function(outputs[0][0], x, mu, logvar, kld_weight=weight)
        assert ours.shape == ()
        same(ours, plain_loss(outputs[0][0], x, mu, logvar, weight))
    assert not model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_a_model_that_was_in_training_mode_is_not_after_load_model(weights: Path) -> None:
    model = EnhancedVAE(latent_dim=10).train()
    assert not any(part.training for part in load_model(model, weights).modules())


def test_visualize_results_shows_the_tutorials_pictures(
    loaders: tuple[Loader, Loader], weights: Path
) -> None:
    model = load_model(EnhancedVAE(latent_dim=10), weights).train()
    plain = twin(model)
    figure = visualize_results(model, loaders[1], num_images=5, seed=1)
    assert not model.training
    places = {ax: ax.get_position() for ax in figure.axes}
    axes = sorted(places, key=lambda ax: (-round(places[ax].y0, 3), places[ax].x0))
    shown = torch.stack([torch.tensor(np.asarray(ax.get_images()[0].get_array())) for ax in axes])
    shown = shown.view(4, 5, 28, 28)
    known = loaders[1].dataset.pixels()
    rows = [int((known[:, 0] - picture).abs().sum((1, 2)).argmin()) for picture in shown[0].float()]
    x = known[rows]
    with torch.no_grad():
        reconstructions = plain.decode(plain.encode(x)[0])
    expected = [x, (x > 0.5).float(), reconstructions, (reconstructions > 0.5).float()]
    for row, pictures in zip((0, 2), (expected[0], expected[2]), strict=True):
        torch.testing.assert_close(shown[row].float(), pictures[:, 0], rtol=0, atol=5e-3)
    assert torch.equal(shown[1].float(), expected[1][:, 0])
    same_pixels = (shown[3].float() == expected[3][:, 0]).float().mean()
    assert same_pixels > 0.999  # a pixel on the threshold may fall to either side


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_binarize_image_of_pixels_and_of_bytes(make: type) -> None:
    assert binarize_image(make([0.0, 0.5, 0.51, 1.0])).tolist() == [0, 0, 1, 1]
    image = binarize_image(torch.rand(1, 28, 28), threshold=0.2)
    assert image.dtype == torch.float32
    assert image.shape == (1, 28, 28)
    picture = ImageSet(torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(4, 1, 1, 1)).images
    assert binarize_image(picture).flatten().tolist() == [0, 0, 1, 1]
    assert binarize_image(picture.numpy()).ravel().tolist() == [0, 0, 1, 1]
