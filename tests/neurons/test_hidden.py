from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from model.contract import NETWORKS
from zscape.config import ModelConfig
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.model import build_model, evaluating
from zscape.neurons import (
    activation_maps,
    find_layer,
    layer_moments,
    list_layers,
    silence,
    top_images,
)
from zscape.neurons.layers import run


def snapshot(vae):
    return copy.deepcopy(vae.state_dict()), [module.training for module in vae.modules()]


def assert_no_trace(vae, before):
    state, modes = before
    assert all(torch.equal(value, state[name]) for name, value in vae.state_dict().items())
    assert [module.training for module in vae.modules()] == modes
    assert not any(module._forward_hooks for module in vae.modules())
    assert not any(module._forward_pre_hooks for module in vae.modules())
    assert all(parameter.grad is None for parameter in vae.parameters())


@pytest.mark.parametrize("latent_dim", [1, 3])
@pytest.mark.parametrize("network", NETWORKS)
def test_contract(network, latent_dim, images):
    """Every registered network: all of its layers are found and can be worked with."""
    vae = build_model(ModelConfig(latent_dim=latent_dim, image_shape=(1, 16, 16), network=network))
    vae.train()
    next(vae.children()).eval()  # a mixed mode must come back as it was
    before = snapshot(vae)
    layers = list_layers(vae)
    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    weighted = [name for name, module in vae.named_modules() if isinstance(module, kinds)]
    assert {layer.name for layer in layers} == {*weighted, "z"}
    assert [layer.part for layer in layers] == sorted(
        (layer.part for layer in layers), key=["encoder", "latent", "decoder"].index
    )
    moments = layer_moments(vae, images, batch_size=7)
    for layer in layers:
        assert moments[layer.name].mean.shape == (3, layer.n_units)
        best = top_images(vae, images, layer.name, 4, batch_size=7)
        assert best.indices.shape == best.values.shape == (layer.n_units, 4)
        if layer.kind == "conv":
            maps = activation_maps(vae, images.pixels()[0], layer.name)
            assert maps.shape == (layer.n_units, *layer.map_shape)
    table = silence(vae, images, layers[0].name, 0)
    assert list(table.index) == ["a", "b", "c", "all"]
    assert_no_trace(vae, before)


def test_enhanced_stages_end_after_their_nonlinearity(images):
    vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16))).eval()
    x = images.pixels()
    seen = {}
    layers = {layer.name: layer for layer in list_layers(vae)}
    run(vae, x, {layer: (lambda value, name=name: seen.update({name: value.clone()}))
                 for name, layer in layers.items()})  # fmt: skip
    with torch.no_grad():
        first = vae.encoder[0](x)
        h = vae.activation(vae.fc1(vae.encoder(x).flatten(1)))
        mu = vae.fc21(h)
        h3 = vae.activation(vae.fc3(mu))
        for name, expected in {"encoder.0.0": first, "fc1": h, "fc21": mu, "z": mu, "fc3": h3,
                               "fc4": vae.activation(vae.fc4(h3)),
                               "decoder.3": vae.decode_logits(mu)}.items():  # fmt: skip
            torch.testing.assert_close(seen[name], expected, msg=name)


class TestUserNetwork:
    def test_layers(self, user_vae):
        found = {layer.name: layer for layer in list_layers(user_vae)}
        assert list(found) == [
            "conv", "same", "same#2", "block.inner", "head", "z", "hidden", "out"
        ]  # fmt: skip
        assert (found["conv"].source, found["conv"].call) == ("act", 1)
        assert (found["same"].source, found["same"].call) == ("act", 2)
        # tanh is a function: nobody outside can see it.
        assert (found["same#2"].source, found["same#2"].call) == ("same", 2)
        assert (found["hidden"].source, found["hidden"].call) == ("act", 4)
        assert found["block.inner"].map_shape == (16,)
        assert found["block.inner"].n_units == 5

    def test_means_against_a_plain_pass(self, user_vae, images):
        user_vae.eval()
        with torch.no_grad():
            mu, logvar = user_vae.encode(images.pixels())
            hidden = F.relu(user_vae.hidden(mu))
        moments = layer_moments(user_vae, images, ["hidden", "z"], batch_size=11)
        for k in range(3):
            rows = images.labels == k
            assert moments["hidden"].mean[k] == pytest.approx(hidden[rows].mean(0), abs=1e-6)
            # What the decoder gets of a latent neuron is a sample, with the posterior's own width.
            variance = mu[rows].var(0, correction=0) + logvar[rows].exp().mean(0)
            assert moments["z"].variance[k] == pytest.approx(variance, abs=1e-6)

    def test_silencing_any_layer_runs(self, user_vae, images):
        for layer in list_layers(user_vae):
            for to in ("zero", "mean"):
                silence(user_vae, images, layer.name, 0, to=to)


def test_moments_do_not_depend_on_the_batches(vae, images):
    one, many = (layer_moments(vae, images, ["encoder.1"], batch_size=n)["encoder.1"]
                 for n in (100, 4))  # fmt: skip
    assert one.mean == pytest.approx(many.mean, abs=1e-6)
    assert one.counts.tolist() == [10, 10, 10]


def test_a_unit_made_to_see_one_corner_is_found(vae, images):
    with torch.no_grad():
        vae.encoder[1].weight[7] = 0
        vae.encoder[1].weight[7].view(16, 16)[:8, 8:] = 1
    ranking = layer_moments(vae, images, ["encoder.1"])["encoder.1"].most_selective(1)
    assert ranking.set_index("class").loc["b", "unit"] == 7
    best = top_images(vae, images, "encoder.1", 10)
    assert set(images.labels[best.indices[7]].tolist()) == {1}


@pytest.mark.parametrize("largest", [True, False])
def test_top_images_against_sorting_everything(vae, images, largest):
    with evaluating(vae):
        mu, _ = vae.encode(images.pixels())
    values, order = mu.sort(0, descending=largest)
    found = top_images(vae, images, "z", 5, largest=largest, batch_size=4)
    assert found.indices.tolist() == order[:5].T.tolist()
    assert found.values == pytest.approx(values[:5].T.numpy(), abs=1e-6)
    assert top_images(vae, images, "z", 99).indices.shape == (3, 30)


def test_activation_maps_are_those_of_the_convolution(images):
    vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16))).eval()
    x = images.pixels()
    with torch.no_grad():
        expected = vae.encoder[0](x[3:4])[0]
    torch.testing.assert_close(activation_maps(vae, x[3], "encoder.0.0"), expected)


def test_hooks_are_gone_after_an_error_too(vae, images):
    before = snapshot(vae)

    def fail(_):
        raise RuntimeError("tap")

    with pytest.raises(RuntimeError, match="tap"):
        run(vae, images.pixels(), {find_layer(vae, "encoder.1"): fail})
    assert_no_trace(vae, before)


def test_hooks_of_others_stay(vae, images):
    calls = []
    handle = vae.encoder[1].register_forward_hook(lambda *_: calls.append(1))
    layer_moments(vae, images)
    assert calls
    assert len(vae.encoder[1]._forward_hooks) == 1
    handle.remove()


class TestBadInput:
    def test_unknown_layer_lists_those_there_are(self, vae, images):
        for call in (
            lambda: find_layer(vae, "fc9"),
            lambda: layer_moments(vae, images, ["fc9"]),
            lambda: top_images(vae, images, "fc9"),
            lambda: activation_maps(vae, images.pixels()[0], "fc9"),
            lambda: silence(vae, images, "fc9", 0),
        ):
            with pytest.raises(ConfigError, match=r"one of encoder\.1, .*decoder\.4; got 'fc9'"):
                call()

    def test_no_labels(self, vae, images):
        with pytest.raises(DataError, match="need labels"):
            layer_moments(vae, replace(images, labels=None))

    def test_not_a_convolution(self, vae, images):
        with pytest.raises(ConfigError, match="convolution"):
            activation_maps(vae, images.pixels()[0], "encoder.1")

    def test_other_shapes(self, images):
        vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 20, 20)))
        with pytest.raises(ShapeError, match="20, 20"):
            layer_moments(vae, images)
        with pytest.raises(ShapeError, match="image must be"):
            activation_maps(vae, images.pixels()[0], "encoder.0.0")

    def test_no_images_asked_for(self, vae, images):
        with pytest.raises(ConfigError, match="k must be"):
            top_images(vae, images, "z", 0)
        with pytest.raises(ConfigError, match="n must be"):
            layer_moments(vae, images)["z"].most_selective(0)
