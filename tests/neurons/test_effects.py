from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.contract import NETWORKS
from zscape.config import ModelConfig
from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import decode, encode, traversal
from zscape.model import build_model, evaluating
from zscape.neurons import decoder_jacobian, neuron_cards, silence


def points(m, d):
    return torch.randn(m, d, generator=torch.Generator().manual_seed(1))


class TestJacobian:
    @pytest.mark.parametrize("network", NETWORKS)
    def test_is_the_full_jacobian(self, network):
        config = ModelConfig(latent_dim=3, image_shape=(3, 16, 16), network=network)
        vae = build_model(config)
        z = points(2, 3)
        found = decoder_jacobian(vae, z, batch_size=4)
        assert found.shape == (2, 3, 3, 16, 16)
        vae.eval()
        for i in range(2):
            full = torch.autograd.functional.jacobian(lambda one: vae.decode(one[None])[0], z[i])
            torch.testing.assert_close(found[i], full.movedim(-1, 0), rtol=1e-4, atol=1e-6)

    def test_is_the_limit_of_finite_differences(self, vae):
        z, step = points(1, 3)[0].double(), 1e-6
        found = decoder_jacobian(vae, z, [2])
        assert found.shape == (1, 1, 16, 16)
        ahead, behind = z.clone(), z.clone()
        ahead[2] += step
        behind[2] -= step
        with evaluating(vae.double()):
            difference = (vae.decode(ahead[None]) - vae.decode(behind[None])) / (2 * step)
        torch.testing.assert_close(found, difference.float(), rtol=1e-3, atol=1e-5)

    def test_of_one_neuron_in_numpy(self):
        vae = build_model(ModelConfig(latent_dim=1, image_shape=(1, 16, 16)))
        found = decoder_jacobian(vae, np.zeros(1))
        assert found.shape == (1, 1, 16, 16)
        assert not found.requires_grad
        assert found.abs().max() > 0

    def test_leaves_the_mode(self, vae):
        vae.train()
        decoder_jacobian(vae, torch.zeros(3))
        assert vae.training

    @pytest.mark.parametrize(
        ("z", "neurons", "error", "says"),
        [
            (torch.zeros(4), None, ShapeError, r"z must be \(3,\)"),
            (torch.zeros(1, 1, 3), None, ShapeError, "z must be"),
            (torch.full((3,), float("nan")), None, DataError, "finite"),
            (torch.zeros(3), [3], ConfigError, r"\[0, 2\]; got 3"),
            (torch.zeros(3), [-1], ConfigError, "got -1"),
            (torch.zeros(3), [1.5], ConfigError, "integer"),
            (torch.zeros(3), [], ConfigError, "at least one"),
        ],
    )
    def test_bad_input(self, vae, z, neurons, error, says):
        with pytest.raises(error, match=says):
            decoder_jacobian(vae, z, neurons)


class TestSilence:
    def test_a_unit_nobody_listens_to_changes_nothing(self, vae, images):
        with torch.no_grad():
            vae.decoder[2].weight[:, 11] = 0
        table = silence(vae, images, "decoder.0", 11)
        assert (table["reconstruction_change"] == 0).all()
        assert (table["pixel_error_change"] == 0).all()

    def test_a_vital_one_does(self, vae, images):
        """All pictures hang on unit 0 of the decoder, which draws the mean picture."""
        with torch.no_grad():
            vae.decoder[4].weight.zero_()
            vae.decoder[4].bias.zero_()
            vae.decoder[4].weight[:, 0] = images.pixels().mean(0).flatten().logit()
            vae.decoder[2].weight.zero_()
            vae.decoder[2].bias.zero_()
            vae.decoder[2].bias[0] = 1
        table = silence(vae, images, "decoder.2", 0)
        assert (table["reconstruction_change"] > 1).all()
        # It is the same for every picture: its mean does just as well.
        same = silence(vae, images, "decoder.2", 0, to="mean")
        assert same["reconstruction_change"].to_numpy() == pytest.approx(0, abs=1e-3)

    def test_numbers_are_those_of_a_plain_pass(self, vae, images):
        vae.eval()
        x = images.pixels()
        with torch.no_grad():
            mu, _ = vae.encode(x)
            plain = vae.decode_logits(mu)
            mu[:, 1] = 0
            logits = vae.decode_logits(mu)
            nats, nats_silenced = (
                torch.nn.functional.binary_cross_entropy_with_logits(one, x, reduction="none")
                .flatten(1).sum(1) for one in (plain, logits)
            )  # fmt: skip
            error = (logits.sigmoid() - x).abs().flatten(1).mean(1)
        table = silence(vae, images, "z", 1, batch_size=7)
        assert table["n_images"].tolist() == [10, 10, 10, 30]
        rows = images.labels == 1
        assert table.loc["b", "reconstruction"] == pytest.approx(nats[rows].mean().item())
        assert table.loc["all", "reconstruction_silenced"] == pytest.approx(
            nats_silenced.mean().item()
        )
        assert table.loc["b", "pixel_error_silenced"] == pytest.approx(error[rows].mean().item())
        change = table["reconstruction_silenced"] - table["reconstruction"]
        assert table["reconstruction_change"].to_numpy() == pytest.approx(change.to_numpy())

    def test_a_channel_is_replaced_by_its_mean_map(self, images):
        vae = build_model(ModelConfig(latent_dim=2, image_shape=(1, 16, 16)))
        one = images[[0, 0, 0]]
        table = silence(vae, one, "decoder.2.0", 3, to="mean")
        assert table["reconstruction_change"].to_numpy() == pytest.approx(0, abs=1e-3)
        assert silence(vae, one, "decoder.2.0", 3).loc["all", "reconstruction_change"] != 0

    def test_classes_without_images_and_sets_without_labels(self, vae, images):
        assert list(silence(vae, images[images.labels != 1], "z", 0).index) == ["a", "c", "all"]
        assert list(silence(vae, replace(images, labels=None), "z", 0).index) == ["all"]

    def test_bad_input(self, vae, images):
        with pytest.raises(ConfigError, match=r"unit of layer z must be .*\[0, 2\]; got 3"):
            silence(vae, images, "z", 3)
        with pytest.raises(ConfigError, match="zero or mean"):
            silence(vae, images, "z", 0, to="one")


class TestCards:
    def test_gathers(self, vae, images):
        table = encode(vae, images)
        cards = neuron_cards(vae, images, table, k=4)
        assert [card.name for card in cards] == ["z0", "z1", "z2"]
        order = torch.from_numpy(table.mu[:, 1]).argsort()
        assert torch.equal(cards[1].lowest, images.pixels()[order[:4]])
        assert torch.equal(cards[1].highest, images.pixels()[order[-4:]])
        torch.testing.assert_close(cards[2].jacobian, decoder_jacobian(vae, torch.zeros(3))[2])
        torch.testing.assert_close(cards[2].traversal, traversal(vae, neurons=2).images[0])
        assert cards[0].steps.tolist() == [-3, -2, -1, 0, 1, 2, 3]
        assert cards[0].mutual_information >= 0
        assert cards[0].best_class in images.class_names
        assert cards[0].labels.tolist() == images.labels.tolist()

    def test_some_without_labels_around_a_place(self, vae, images):
        few = replace(images[:2], labels=None)
        (card,) = neuron_cards(
            vae, few, encode(vae, few), at=[1, 0, 2], steps=[-1, 0], neurons=["z2"]
        )
        assert card.name == "z2"
        assert len(card.lowest) == 2
        assert card.mutual_information is None
        assert card.best_class is None
        torch.testing.assert_close(card.traversal, decode(vae, [[1, 0, -1], [1, 0, 0]]))

    @pytest.mark.parametrize(
        ("changes", "error", "says"),
        [
            ({"k": 0}, ConfigError, "k must be"),
            ({"neurons": [0, 1, 5]}, ConfigError, "5"),
            ({"at": np.zeros((2, 3))}, ShapeError, "one latent vector is needed"),
            ({"steps": [[1.0]]}, ShapeError, "values must be a list"),
        ],
    )
    def test_bad_input(self, vae, images, changes, error, says):
        with pytest.raises(error, match=says):
            neuron_cards(vae, images, encode(vae, images), **changes)

    def test_a_table_of_other_images_is_refused(self, vae, images):
        with pytest.raises(ShapeError, match=r"must be \(29, 3\), a row per image; got \(30, 3\)"):
            neuron_cards(vae, images[:29], encode(vae, images))
