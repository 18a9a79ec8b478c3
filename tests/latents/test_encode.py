from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.contract import NETWORKS
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.latents import check_belongs, decode, encode, fingerprint, locate


@pytest.mark.parametrize("latent_dim", [1, 2, 10, 64])
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_encodes_and_decodes(build, images, network, latent_dim):
    vae = build(latent_dim, network)
    table = encode(vae, images, batch_size=7)
    vae.eval()
    with torch.no_grad():
        mu, logvar = vae.encode(images.pixels())
        pictures = vae.decode(mu)
    assert table.mu.shape == (30, latent_dim)
    np.testing.assert_allclose(table.mu, mu, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(table.logvar, logvar, rtol=1e-4, atol=1e-6)
    decoded = decode(vae, table.mu, batch_size=7)
    torch.testing.assert_close(decoded, pictures, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_colour(build, colour_images, network):
    vae = build(2, network, channels=3)
    assert decode(vae, encode(vae, colour_images).mu).shape == (30, 3, 16, 16)


def test_what_the_table_knows_of_the_images(build, images):
    vae = build()
    table = encode(vae, images)
    assert table.labels.tolist() == images.labels.tolist()
    assert table.class_names == images.class_names
    assert table.indices.tolist() == list(range(30))
    assert (table.split, table.name) == ("test", "noise")
    assert table.fingerprint == fingerprint(vae)
    unlabelled = encode(vae, replace(images, labels=None))
    assert not unlabelled.has_labels
    assert unlabelled.class_names == ()
    assert np.array_equal(unlabelled.mu, table.mu)


def test_the_model_is_left_as_it_was(build, images):
    vae = build(network="enhanced")
    vae.fc1.eval()
    before, modes = fingerprint(vae), [part.training for part in vae.modules()]
    table = encode(vae, images)
    pictures = decode(vae, table.mu)
    assert fingerprint(vae) == before
    assert [part.training for part in vae.modules()] == modes
    assert not pictures.requires_grad
    assert all(parameter.grad is None for parameter in vae.parameters())


def test_progress_counts_to_the_end(build, images):
    seen: list[int] = []
    encode(build(), images, batch_size=12, progress=seen.append)
    assert seen == [10, 20, 30]


def test_numbers_are_float32_under_any_precision(build, images):
    with torch.autocast("cpu", torch.bfloat16):
        table = encode(build(), images)
        assert decode(build(), table.mu).dtype == torch.float32
    assert table.mu.dtype == table.logvar.dtype == np.float32


def test_bad_input(build, images, colour_images):
    vae = build()
    with pytest.raises(ShapeError, match=r"x must be \(batch, 1, 16, 16\)"):
        encode(vae, colour_images)
    with pytest.raises(ShapeError, match="must have 3 numbers"):
        decode(vae, np.zeros((2, 4)))
    for verb in (lambda: encode(vae, images, batch_size=0), lambda: decode(vae, {}, batch_size=0)):
        with pytest.raises(ConfigError, match="batch_size must be at least 1; got 0"):
            verb()
    with torch.no_grad():
        vae.mu.bias[0] = torch.nan
    with pytest.raises(DataError, match=r"not finite; its layer mu \(Linear\) makes NaN"):
        encode(vae, images)


def test_decode_takes_vectors_in_any_form(build):
    vae = build()
    expected = decode(vae, np.array([[1, 0, -2]]))
    assert expected.shape == (1, 1, 16, 16)
    for form in ({0: 1, "z2": -2}, "{0: 1, 2: -2}", torch.tensor([1, 0, -2])):
        assert torch.equal(decode(vae, form), expected)


def test_places(build, images):
    vae = build()
    assert locate(vae, None).tolist() == [0, 0, 0]
    assert locate(vae, {1: 2}).tolist() == [0, 2, 0]
    place = locate(vae, images[[4]])
    np.testing.assert_allclose(place, encode(vae, images).mu[4], rtol=1e-4, atol=1e-6)
    with pytest.raises(ShapeError, match="one latent vector is needed; got 2"):
        locate(vae, images[[4, 5]])


def test_fingerprints_tell_weights_apart(build):
    vae = build()
    own = fingerprint(vae)
    assert own == fingerprint(build()) == fingerprint(build().eval())
    assert len(own) == 16
    assert int(own, 16) >= 0
    others = [fingerprint(model) for model in (build(seed=1), build(4), build(network="enhanced"))]
    assert len({own, *others}) == 4
    with torch.no_grad():
        vae.mu.bias[0] += 1e-6
    assert fingerprint(vae) != own
    assert fingerprint(build().bfloat16()) != own


def test_a_table_belongs_to_one_model(build, images):
    vae = build()
    table = encode(vae, images)
    check_belongs(table, vae)
    check_belongs(table[:3], build())
    check_belongs(replace(table, fingerprint=""), build(seed=1))
    with pytest.raises(CheckpointError, match=r"^the table of noise is from another model: its"):
        check_belongs(table, build(seed=1))
    with pytest.raises(ShapeError, match=r"from another model: it has latent_dim 3, the model 4"):
        check_belongs(table, build(4))
