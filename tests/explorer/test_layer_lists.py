from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tools.web_fixtures import small_model
from torch import Tensor, nn

from zscape.config import ModelConfig
from zscape.explorer.layers import describe_network
from zscape.model import VAE, Likelihood, build_model
from zscape.model.layers import soft_bound

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def run(layers: list[dict], tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """A layer list run by torch, written from the contract and from nothing else."""
    for layer in layers:
        weight, bias = (tensors.get(layer.get(name)) for name in ("weight", "bias"))
        match layer["kind"]:
            case "linear":
                x = F.linear(x, weight, bias)
            case "conv":
                x = F.conv2d(x, weight, bias, layer["stride"], layer["padding"])
            case "convTranspose":
                x = F.conv_transpose2d(
                    x, weight, bias, layer["stride"], layer["padding"], layer["outputPadding"]
                )
            case "affine":
                shape = (1, -1, *[1] * (x.ndim - 2))
                x = x * tensors[layer["scale"]].view(shape) + tensors[layer["shift"]].view(shape)
            case "leakyRelu":
                x = F.leaky_relu(x, layer["slope"])
            case "softBound":
                x = soft_bound(x, layer["bound"])
            case "reshape":
                x = x.reshape(len(x), *layer["shape"])
            case kind:
                x = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[kind](x)
    return x


def kinds(layers: list[dict]) -> list[str]:
    return [layer["kind"] for layer in layers]


def stirred(vae: VAE) -> VAE:
    """Batch norm's statistics as after a training."""
    generator = torch.Generator().manual_seed(1)
    for name, value in vae.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.2, generator=generator)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=generator)
    return vae.eval()


class Functional(VAE):
    """Nothing but functions; parameters of its own; both heads from one layer."""

    def __init__(self, latent_dim=3, image_shape=(1, 8, 10), likelihood="bernoulli"):
        super().__init__(latent_dim, image_shape, likelihood)
        self.kernel = nn.Parameter(torch.randn(4, 1, 3, 3))
        self.into = nn.Linear(4 * 4 * 5, 2 * latent_dim)
        self.out = nn.Linear(latent_dim, 80)

    def encode(self, x):
        h = F.conv2d(2 * x - 1, self.kernel, stride=2, padding=1)
        h = F.leaky_relu(h, 0.3).tanh().relu()
        h = self.into(torch.sigmoid(h).reshape(len(h), -1))
        return h[:, : self.latent_dim], soft_bound(h[:, self.latent_dim :] / 4)

    def decode_logits(self, z):
        return F.relu(self.out(F.dropout(z, training=self.training))).view(-1, 1, 8, 10) - 0.5


NETWORKS = {
    "enhanced": lambda: stirred(build_model(ModelConfig())),
    "enhanced 32 px, colour": lambda: stirred(build_model(ModelConfig(image_shape=(3, 32, 32)))),
    "enhanced 64 px": lambda: stirred(build_model(ModelConfig(image_shape=(1, 64, 64)))),
    "enhanced, one neuron": lambda: stirred(build_model(ModelConfig(latent_dim=1))),
    "mlp, not square": lambda: build_model(
        ModelConfig(network="mlp", image_shape=(3, 20, 12), latent_dim=64)
    ),
    "continuous": lambda: build_model(
        ModelConfig(network="mlp", image_shape=(1, 8, 8), likelihood="continuous-bernoulli")
    ),
    "every layer": small_model,
    "functions": lambda: Functional().eval(),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_lists_compute_what_the_network_does(make):
    vae = make()
    spec, tensors, why = describe_network(vae)
    assert why is None
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(6, *vae.image_shape, generator=generator)
    z = 2 * torch.randn(6, vae.latent_dim, generator=generator)
    with torch.no_grad():
        trunk = run(spec["encoder"]["trunk"], tensors, x)
        mu, logvar = (run(spec["encoder"][head], tensors, trunk) for head in ("mu", "logvar"))
        logits = run(spec["decoder"], tensors, z)
        expected = [*vae.encode(x), vae.decode_logits(z)]
    for one, other in zip((mu, logvar, logits), expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).abs().max() <= 1e-5 * max(1, other.abs().max())


def test_names_are_those_of_tensors_and_json():
    spec, tensors, _ = describe_network(small_model())
    text = json.dumps(spec)
    assert all(f'"{name}"' in text for name in tensors)
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())


def test_batch_norm_is_folded_into_the_layer_before():
    spec, tensors, _ = describe_network(NETWORKS["enhanced"]())
    assert "affine" not in kinds(spec["encoder"]["trunk"]) + kinds(spec["decoder"])
    assert kinds(spec["encoder"]["mu"]) == ["linear"]
    assert kinds(spec["encoder"]["logvar"]) == ["linear", "softBound"]
    assert kinds(spec["decoder"])[-1] == "convTranspose"
    assert tensors[spec["decoder"][0]["weight"]].shape == (512, 10)


def test_batch_norm_without_a_layer_before_stays():
    spec, _, _ = describe_network(small_model())
    assert kinds(spec["encoder"]["trunk"])[0] == "affine"


def test_heads_of_one_layer_are_cut_apart():
    spec, tensors, _ = describe_network(NETWORKS["functions"]())
    for head in ("mu", "logvar"):
        assert tensors[spec["encoder"][head][0]["weight"]].shape == (3, 80)
    assert kinds(spec["encoder"]["trunk"])[-1] == "reshape"


def test_mean_of_the_likelihood():
    assert describe_network(NETWORKS["continuous"]()).spec["mean"] == "continuous-bernoulli"
    gaussian = ModelConfig(network="mlp", image_shape=(1, 8, 8), likelihood="gaussian-learned")
    assert describe_network(build_model(gaussian)).spec["mean"] == "sigmoid"


def test_the_model_is_left_as_it_was():
    vae = build_model(ModelConfig(network="mlp", image_shape=(1, 8, 8))).train()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    describe_network(vae)
    assert vae.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in vae.modules())
    assert all(torch.equal(before[name], value) for name, value in vae.state_dict().items())


class Base(VAE):
    """One layer too strange, in the encoder."""

    def __init__(self, strange: nn.Module | None = None, likelihood: str = "bernoulli"):
        super().__init__(2, (1, 8, 8), likelihood)
        self.strange = strange if strange is not None else nn.Identity()
        self.into, self.out = nn.Linear(64, 4), nn.Linear(2, 64)

    def encode(self, x):
        mu, logvar = self.into(self.strange(x).flatten(1)).chunk(2, dim=1)
        return mu, logvar

    def decode_logits(self, z):
        return self.out(z).view(-1, 1, 8, 8)


class Doubled(nn.Linear):
    """A linear layer that is none."""

    def forward(self, x):
        return super().forward(x) * x.mean()


class Skip(nn.Module):
    def forward(self, x):
        return x + torch.tanh(x)


class Pixelwise(nn.Module):
    def forward(self, x):
        return x * torch.linspace(0, 1, 8)


class Stretch(Likelihood):
    def log_prob(self, x, logits):
        return -(x - self.mean(logits)).square()

    def mean(self, logits):
        return logits.clamp(0, 1)


class ByBatch(nn.Module):
    """Depends on the other pictures, which no list of layers does."""

    def forward(self, x):
        return x if len(x) < 3 else x.flip(0).contiguous()


STRANGE = {
    "pooling": (nn.MaxPool2d(3, 1, 1), r"strange \(MaxPool2d\) is not among the layers"),
    "silu": (nn.SiLU(), r"strange \(SiLU\) is not among"),
    "groups": (
        nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 1, 1), nn.Conv2d(1, 2, 1),
                      nn.Conv2d(2, 2, 1, groups=2), nn.Conv2d(2, 1, 1)),
        r"strange\.3 \(Conv2d\) is a convolution in 2 groups",
    ),
    "dilation": (nn.Conv2d(1, 1, 3, padding=2, dilation=2), r"dilated"),
    "padding": (nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), r"pads with reflect"),
    "subclass": (
        nn.Sequential(nn.Flatten(), Doubled(64, 64)),
        r"strange\.1 \(Doubled\) does not compute what it says",
    ),
    "branches": (Skip(), r"strange \(Skip\) joins two branches"),
    "per pixel": (Pixelwise(), r"not the same for every pixel"),
    "batch statistics": (
        nn.BatchNorm2d(1, track_running_stats=False), r"no running statistics"),
    "of the batch": (ByBatch(), r"its mean is not what its layers one by one come to by \d"),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "reason"), STRANGE.values(), ids=STRANGE)
def test_other_networks_are_refused_by_name(layer, reason):
    torch.manual_seed(0)
    spec, tensors, why = describe_network(Base(layer).eval())
    assert spec is None
    assert tensors == {}
    assert why.startswith("The page cannot run this network: ")
    assert why.endswith(".")
    assert re.search(reason, why), why


def test_an_unknown_likelihood_is_refused():
    vae = Base()
    vae.likelihood = Stretch()
    assert describe_network(vae).why == (
        "The page cannot run this network: it does not know the likelihood Stretch."
    )


def test_what_is_thrown_away_does_not_matter():
    class Looks(Base):
        def encode(self, x):
            F.max_pool2d(x, 2)
            return super().encode(x)

    assert describe_network(Looks()).why is None


def test_the_example_of_the_docs_is_named(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    from zscape.model import networks

    name = networks.allow("tiny_network:TinyVAE")
    vae = build_model(ModelConfig(network=name, latent_dim=3))
    try:
        why = describe_network(vae).why
    finally:
        del sys.modules["tiny_network"]
        del networks._table["tiny"], networks._table[name]
    assert "encoder.4 (AdaptiveAvgPool2d)" in why
