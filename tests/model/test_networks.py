from __future__ import annotations

import pytest
import torch

from model.contract import CONTRACT, LIKELIHOODS, NETWORKS, latents, pictures
from zscape.config import ModelConfig
from zscape.errors import ConfigError, ShapeError
from zscape.model import (
    ElboObjective,
    EnhancedVAE,
    build_model,
    initialize_as_tutorial,
    networks,
)


def describe(value):
    return value.__name__.removeprefix("check_") if callable(value) else None


@pytest.mark.parametrize("check", CONTRACT, ids=describe)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_contract(network, likelihood, check):
    check(
        ModelConfig(network=network, likelihood=likelihood, latent_dim=3, image_shape=(1, 16, 16))
    )


def assert_runs(config):
    vae = build_model(config)
    reconstruction, mu, logvar = vae(pictures(config, 2))
    assert reconstruction.shape == (2, *config.image_shape)
    assert mu.shape == logvar.shape == (2, config.latent_dim)
    assert torch.isfinite(reconstruction).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 20, 28, 32, 64])
@pytest.mark.parametrize("network", NETWORKS)
def test_sizes(network, side, channels):
    assert_runs(ModelConfig(network=network, image_shape=(channels, side, side)))


def test_the_largest_size():
    assert_runs(ModelConfig(image_shape=(1, 128, 128)))


def test_mlp_takes_any_shape():
    assert_runs(ModelConfig(network="mlp", image_shape=(2, 5, 9)))


@pytest.mark.parametrize("latent_dim", [1, 2, 10, 64])
@pytest.mark.parametrize("network", NETWORKS)
def test_latent_dims(network, latent_dim):
    config = ModelConfig(network=network, latent_dim=latent_dim, image_shape=(1, 16, 16))
    assert_runs(config)
    parts = ElboObjective(build_model(config))(pictures(config))
    assert parts.kl.shape == (len(parts.reconstruction), latent_dim)
    assert build_model(config).decode(latents(config)).shape == pictures(config).shape


def batch_norm(name, channels):
    shapes = dict.fromkeys(
        (f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
        (channels,),
    )
    return {**shapes, f"{name}.num_batches_tracked": ()}


def published_layout(d):
    return {
        "encoder.0.0.weight": (32, 1, 4, 4), "encoder.0.0.bias": (32,),
        **batch_norm("encoder.0.1", 32),
        "encoder.1.0.weight": (64, 32, 4, 4), "encoder.1.0.bias": (64,),
        **batch_norm("encoder.1.1", 64),
        "encoder.2.0.weight": (128, 64, 3, 3), "encoder.2.0.bias": (128,),
        **batch_norm("encoder.2.1", 128),
        "encoder.3.0.weight": (256, 128, 4, 4), "encoder.3.0.bias": (256,),
        **batch_norm("encoder.3.1", 256),
        "fc1.weight": (512, 256), "fc1.bias": (512,),
        "fc21.weight": (d, 512), "fc21.bias": (d,),
        "fc22.weight": (d, 512), "fc22.bias": (d,),
        "fc3.weight": (512, d), "fc3.bias": (512,),
        "fc4.weight": (256, 512), "fc4.bias": (256,),
        "decoder.0.0.weight": (256, 128, 4, 4), "decoder.0.0.bias": (128,),
        **batch_norm("decoder.0.1", 128),
        "decoder.1.0.weight": (128, 64, 3, 3), "decoder.1.0.bias": (64,),
        **batch_norm("decoder.1.1", 64),
        "decoder.2.0.weight": (64, 32, 4, 4), "decoder.2.0.bias": (32,),
        **batch_norm("decoder.2.1", 32),
        "decoder.3.weight": (32, 1, 4, 4), "decoder.3.bias": (1,),
    }  # fmt: skip


@pytest.mark.parametrize("latent_dim", [2, 10])
def test_enhanced_has_the_published_layout(latent_dim):
    state = EnhancedVAE(latent_dim).state_dict()
    expected = published_layout(latent_dim)
    assert {name: tuple(value.shape) for name, value in state.items()} == expected
    assert list(state) == list(expected)


def test_the_registry_is_read():
    assert NETWORKS == ["enhanced", "mlp"]


def test_enhanced_has_the_published_size():
    assert sum(p.numel() for p in EnhancedVAE(10).parameters()) == 1_543_509


def plain_tutorial_network(state, x):
    """The tutorial's network by functions of torch alone, in evaluation mode: mu, picture of mu."""
    F = torch.nn.functional

    def norm(h, name):
        parts = ("running_mean", "running_var", "weight", "bias")
        return F.leaky_relu(F.batch_norm(h, *(state[f"{name}.{part}"] for part in parts)), 0.2)

    def layer(function, h, name, *arguments):
        return function(h, state[f"{name}.weight"], state[f"{name}.bias"], *arguments)

    h = x
    for i, (stride, padding) in enumerate([(2, 1), (2, 1), (2, 1), (1, 0)]):
        h = norm(layer(F.conv2d, h, f"encoder.{i}.0", stride, padding), f"encoder.{i}.1")
    h = F.leaky_relu(layer(F.linear, h.flatten(1), "fc1"), 0.2)
    mu = layer(F.linear, h, "fc21")
    h = F.leaky_relu(layer(F.linear, mu, "fc3"), 0.2)
    h = F.leaky_relu(layer(F.linear, h, "fc4"), 0.2)[:, :, None, None]
    for i, (stride, padding) in enumerate([(1, 0), (2, 1), (2, 1)]):
        h = layer(F.conv_transpose2d, h, f"decoder.{i}.0", stride, padding)
        h = norm(h, f"decoder.{i}.1")
    return mu, torch.sigmoid(layer(F.conv_transpose2d, h, "decoder.3", 2, 1))


def test_enhanced_computes_what_the_published_network_computes():
    config = ModelConfig(latent_dim=4)
    vae, x = build_model(config), pictures(config)
    vae(x)
    vae.eval()
    mu, picture = plain_tutorial_network(vae.state_dict(), x)
    torch.testing.assert_close(vae.encode(x)[0], mu, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vae.decode(mu), picture, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "shape", [(1, 27, 27), (1, 12, 12), (1, 132, 132), (17, 28, 28), (1, 28, 32), (4, 28, 32)]
)
def test_enhanced_says_what_it_takes(shape):
    with pytest.raises(ConfigError) as caught:
        build_model(ModelConfig(image_shape=shape))
    assert str(caught.value) == (
        "The enhanced network takes 1 to 16 channels and square images whose side is a multiple "
        f"of 4 from 16 to 128; got {shape}. Use resize (--resize 32), or the mlp network "
        "(--network mlp)."
    )


@pytest.mark.parametrize("shape", [[1, 16, 16], torch.zeros(1, 16, 16).shape])
def test_image_shape_may_be_a_list_or_a_size(shape):
    vae = EnhancedVAE(2, shape)
    assert vae.image_shape == (1, 16, 16)
    with pytest.raises(ShapeError, match=r"^x must be \(batch, 1, 16, 16\); got \(1, 1, 8, 8\)\."):
        vae.encode(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("network", ["enhanced", "mlp"])
def test_wrong_settings_are_config_errors(network):
    with pytest.raises(ConfigError, match=r"^latent_dim must be an integer in \[1, 4096\]; got 0"):
        networks[network](latent_dim=0)
    with pytest.raises(ConfigError, match=r"^image_shape must be three positive integers"):
        networks[network](image_shape=(28, 28))
    with pytest.raises(ConfigError, match=r"^likelihood must be one of bernoulli, "):
        networks[network](likelihood="poisson")


def logvar_before_bounding(vae, x):
    seen = []
    handle = vae.fc22.register_forward_hook(lambda module, inputs, output: seen.append(output))
    vae(x)
    handle.remove()
    return seen[0]


def test_tutorial_initialisation_explodes_reproducibly():
    config = ModelConfig(init="tutorial")
    x = pictures(config, 32)
    first, again = build_model(config), build_model(config)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert all(not bias.any() for name, bias in first.named_parameters() if name == "fc22.bias")
    default = logvar_before_bounding(build_model(config.replace(init="default")), x).var()
    assert logvar_before_bounding(first, x).var() > 100 * default
    before = torch.get_rng_state()
    build_model(config)
    assert torch.equal(torch.get_rng_state(), before)


def test_tutorial_initialisation_in_the_constructor_is_the_same():
    torch.manual_seed(0)
    by_name = EnhancedVAE(3, init="tutorial")
    torch.manual_seed(0)
    by_hand = EnhancedVAE(3)
    initialize_as_tutorial(by_hand)
    pairs = zip(by_name.parameters(), by_hand.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_tutorial_initialisation_survives_its_first_step():
    """The losses are astronomical; the bounded log-variance keeps them and the slopes finite."""
    config = ModelConfig(init="tutorial")
    vae, x = build_model(config), pictures(config, 32)
    loss = ElboObjective(vae)(x).loss()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in vae.parameters())


def test_weights_do_not_depend_on_the_default_device():
    config = ModelConfig(network="mlp", latent_dim=2, image_shape=(1, 4, 4))
    expected = build_model(config).state_dict()
    with torch.device("meta"):
        state = build_model(config).state_dict()
    assert all(torch.equal(state[name], value) for name, value in expected.items())


def test_reparameterize_is_the_posterior():
    vae = build_model(ModelConfig(network="mlp", image_shape=(1, 4, 4)))
    mu = torch.tensor([[1.0, -2.0]]).expand(40_000, 2)
    logvar = torch.tensor([[0.0, -3.0]]).expand(40_000, 2)
    z = vae.reparameterize(mu, logvar, torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(0), mu[0], rtol=0, atol=0.02)
    torch.testing.assert_close(z.var(0).log(), logvar[0], rtol=0, atol=0.03)
    again = vae.reparameterize(mu, logvar, torch.Generator().manual_seed(0))
    assert torch.equal(z, again)


def test_unknown_networks_are_answered_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        build_model(ModelConfig(network="resnet"))
    assert str(caught.value) == (
        f"network must be one of {', '.join(networks)}, or your own, allowed by --network "
        "module:Class (in Python network='module:Class'); got 'resnet'."
    )


def test_a_network_that_takes_rectangles_trains_on_them_and_one_that_does_not_says_so() -> None:
    from zscape import api
    from zscape.seeding import torch_generator

    images = torch.randint(0, 256, (24, 48, 32), generator=torch_generator(0, "rectangles")).byte()
    model = api.train(images, network="mlp", epochs=1, batch_size=10, progress="none").model
    assert api.reconstruct(model, images[:2]).shape == (2, 1, 48, 32)
    with pytest.raises(ConfigError, match=r"square images .* got \(1, 48, 32\). Use resize"):
        api.train(images, network="enhanced", epochs=1, batch_size=10, progress="none")
