from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from zscape.config import ModelConfig
from zscape.model import VAE, build_model
from zscape.neurons import list_layers, trace_architecture
from zscape.neurons.architecture import title_of


def build(network: str, **options: object) -> VAE:
    return build_model(ModelConfig(network=network, **options))


@pytest.mark.parametrize("latent_dim", [1, 10, 64])
def test_the_tutorials_network_as_its_table_says(latent_dim: int) -> None:
    vae = build("enhanced", latent_dim=latent_dim)
    plan = trace_architecture(vae)
    assert [(node.name, node.shape) for node in plan.nodes] == [
        ("image", (1, 28, 28)),
        ("encoder.0.0", (32, 14, 14)), ("encoder.1.0", (64, 7, 7)), ("encoder.2.0", (128, 4, 4)),
        ("encoder.3.0", (256, 1, 1)), ("fc1", (512,)), ("fc21", (latent_dim,)),
        ("fc22", (latent_dim,)), ("z", (latent_dim,)), ("fc3", (512,)), ("fc4", (256,)),
        ("decoder.0.0", (128, 4, 4)), ("decoder.1.0", (64, 7, 7)), ("decoder.2.0", (32, 14, 14)),
        ("decoder.3", (1, 28, 28)), ("picture", (1, 28, 28)),
    ]  # fmt: skip
    chain = [node.name for node in plan.nodes if node.name not in ("fc21", "fc22")]
    straight = {pair for pair in itertools.pairwise(chain) if pair != ("fc1", "z")}
    fork = {("fc1", "fc21"), ("fc1", "fc22"), ("fc21", "z"), ("fc22", "z")}
    assert set(plan.edges) == straight | fork
    nodes = {node.name: node for node in plan.nodes}
    assert nodes["encoder.0.0"].title == "Conv 4 × 4, stride 2"
    assert nodes["encoder.0.0"].extras == ("BatchNorm", "LeakyReLU 0.2")
    assert nodes["fc21"].title == "μ"
    assert nodes["fc22"].title == "log σ²"
    # Convolution with its bias, and scale and shift of the batch norm.
    assert nodes["encoder.0.0"].n_parameters == 32 * 16 + 32 + 2 * 32
    assert plan.n_parameters == sum(p.numel() for p in vae.parameters())


def test_it_has_all_layers_that_can_be_listened_to() -> None:
    for network in ("enhanced", "mlp"):
        vae = build(network, latent_dim=3, image_shape=(3, 32, 32))
        plan = trace_architecture(vae)
        listed = {layer.name for layer in list_layers(vae)}
        assert {node.name for node in plan.nodes} == listed | {"image", "picture"}
        assert sum(node.n_parameters for node in plan.nodes) == plan.n_parameters
        assert not any(module._forward_hooks for module in vae.modules())


class Branched(VAE):
    """A skip connection, two layers that meet, a shared layer, and heads from one layer."""

    def __init__(self, latent_dim: int = 2, image_shape=(1, 8, 8), likelihood="bernoulli") -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.after = nn.ReLU()
        self.heads = nn.Linear(4 * 64, 2 * latent_dim)
        self.left, self.right = nn.Linear(latent_dim, 64), nn.Linear(latent_dim, 64)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.relu(self.first(x))
        h = self.after(h + self.again(h))
        h = self.again(h)
        mu, logvar = self.heads(h.flatten(1)).chunk(2, dim=1)
        return mu, logvar

    def decode_logits(self, z: Tensor) -> Tensor:
        return torch.cat([self.left(z)[:, :32], self.right(z)[:, 32:]], 1).view(-1, 1, 8, 8)


def test_branches_sums_and_views_are_followed() -> None:
    vae = Branched()
    plan = trace_architecture(vae)
    assert set(plan.edges) == {
        ("image", "first"), ("first", "again"), ("first", "after"), ("again", "after"),
        ("after", "again#2"), ("again#2", "heads"), ("heads", "mu"), ("heads", "logvar"),
        ("mu", "z"), ("logvar", "z"), ("z", "left"), ("z", "right"),
        ("left", "picture"), ("right", "picture"),
    }  # fmt: skip
    counts = {node.name: node.n_parameters for node in plan.nodes}
    assert counts["again"] == 4 * 4 * 9 + 4
    assert counts["again#2"] == 0  # the same weights
    assert sum(counts.values()) == plan.n_parameters == sum(p.numel() for p in vae.parameters())


def test_modules_in_a_few_words() -> None:
    assert title_of(nn.ConvTranspose2d(1, 1, (3, 5), 2)) == "Transposed conv 3 × 5, stride 2"
    assert title_of(nn.Conv2d(1, 1, 1)) == "Conv 1 × 1"
    assert title_of(nn.MaxPool2d(2)) == "MaxPool 2, stride 2"
    assert title_of(nn.Dropout(0.25)) == "Dropout 0.25"
    assert title_of(nn.Upsample(scale_factor=2)) == "Upsample × 2"

    class Swish(nn.Module):
        pass

    assert title_of(Swish()) == "Swish"


def test_it_is_plain_values() -> None:
    plan = trace_architecture(build("mlp", latent_dim=2)).to_dict()
    assert plan["nodes"][0] == {
        "name": "image", "part": "encoder", "title": "picture", "extras": [],
        "shape": [1, 28, 28], "n_parameters": 0,
    }  # fmt: skip
