"""A model that is told what a picture is."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zscape
import zscape.api
from zscape.config import ModelConfig, RunConfig
from zscape.data import ImageSet, Splits
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.evaluation import check_comparable
from zscape.latents import decode, encode, sample_prior
from zscape.model import (
    MLPVAE,
    VAE,
    Condition,
    ConditionBias,
    build_model,
    evaluating,
    find_condition,
    is_told,
    mean_elbo,
    networks,
    reconstruction_costs,
    wrap,
)
from zscape.model.condition import told
from zscape.model.elbo import draw_posterior
from zscape.neurons import layer_moments, list_layers, silence, trace_architecture
from zscape.neurons.effects import decoder_jacobian
from zscape.training import TrainingResult, fit
from zscape.training.weights import load_weights, save_weights

NAMES = ("across", "dot", "down")
SIDE = 16
Trained = dict[str, TrainingResult]


def bars(n: int, split: str = "train", seed: int = 0) -> ImageSet:
    """(n) bars across or down, and dots, each somewhere: what it is says nothing of where it is."""
    generator = torch.Generator().manual_seed(seed)
    where = 6 * torch.randint(3, (n,), generator=generator)
    labels = torch.arange(n) % 3
    images = torch.zeros(n, 1, SIDE, SIDE, dtype=torch.uint8)
    for image, at, label in zip(images, where.tolist(), labels.tolist(), strict=True):
        rows = slice(at, at + 2) if label != 2 else slice(None)
        columns = slice(at, at + 2) if label != 0 else slice(None)
        image[0, rows, columns] = 255
    kinds = {
        "kind": [NAMES[k] for k in labels.tolist()],
        "size": [float(k) for k in where.tolist()],
    }
    return ImageSet(images, labels, NAMES, split=split, name="bars", columns=kinds)


def config(**options: object) -> ModelConfig:
    usual = {"network": "mlp", "latent_dim": 2, "image_shape": (1, SIDE, SIDE)}
    return ModelConfig(**usual | {"condition": "label", "condition_names": NAMES} | options)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(bars(240), bars(60, "test", 1))


@pytest.fixture(scope="module")
def model() -> VAE:
    return build_model(config()).eval()


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.rand(6, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def test_the_bias_is_a_one_hot_joined_to_the_input() -> None:
    layer, bias = nn.Linear(5, 4), ConditionBias(Condition("label", NAMES), 4)
    x, one_hot = torch.randn(3, 5), torch.eye(3)
    joined = nn.functional.linear(
        torch.cat([x, one_hot], 1), torch.cat([layer.weight, bias.weight.T], 1), layer.bias
    )
    torch.testing.assert_close(told(bias, one_hot)(layer(x)), joined)


def test_to_a_convolution_it_is_joined_as_constant_planes() -> None:
    layer, bias = nn.Conv2d(1, 4, 3, padding=1), ConditionBias(Condition("label", NAMES), 4)
    x, planes = torch.randn(3, 1, 6, 6), torch.eye(3)[:, :, None, None].expand(-1, -1, 6, 6)
    # A plane's weights may add up to the bias in any way; here the middle has it all.
    middle = torch.zeros(4, 3, 3, 3)
    middle[:, :, 1, 1] = bias.weight.T
    joined = nn.functional.conv2d(
        torch.cat([x, planes], 1), torch.cat([layer.weight, middle], 1), layer.bias, padding=1
    )
    torch.testing.assert_close(told(bias, torch.eye(3))(layer(x)), joined)


@pytest.mark.parametrize("network", list(networks))
def test_what_is_told_changes_both_halves(network: str, x: Tensor) -> None:
    vae = build_model(config(network=network)).eval()
    z = torch.zeros(6, 2)
    with evaluating(vae):
        pictures = [vae.decode(z, name) for name in NAMES]
        means = [vae.given(name).encode(x)[0] for name in NAMES]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (pictures[one] - pictures[other]).abs().max() > 1e-3
        assert (means[one] - means[other]).abs().max() > 1e-4


@pytest.mark.parametrize("network", list(networks))
def test_one_for_every_picture_is_each_by_itself(network: str, x: Tensor) -> None:
    vae = build_model(config(network=network)).eval()
    codes = torch.tensor([0, 1, 2, 0, 1, 2])
    z = torch.randn(6, 2)
    with evaluating(vae):
        for each in (codes, codes.numpy(), [NAMES[k] for k in codes]):
            means, pictures = vae.given(each).encode(x)[0], vae.decode(z, each)
            for i, k in enumerate(codes.tolist()):
                alone = vae.given(NAMES[k])
                torch.testing.assert_close(means[i : i + 1], alone.encode(x[i : i + 1])[0])
                torch.testing.assert_close(pictures[i : i + 1], alone.decode(z[i : i + 1]))


def test_a_view_shares_the_weights_and_leaves_the_model_as_it_is(model: VAE, x: Tensor) -> None:
    one, other = model.given("across"), model.given("dot")
    assert is_told(one)
    assert not is_told(model)
    assert not is_told(one.untold())
    own, theirs = model.state_dict(), one.state_dict()
    assert list(own) == list(theirs)
    assert all(own[name].data_ptr() == theirs[name].data_ptr() for name in own)
    assert zscape.latents.fingerprint(model) == zscape.latents.fingerprint(one)
    with evaluating(model):
        assert not torch.equal(one.decode(torch.zeros(1, 2)), other.decode(torch.zeros(1, 2)))
        again = deepcopy(one)
        assert torch.equal(again.encode(x)[0], one.encode(x)[0])
    with pytest.raises(ConfigError, match="told the class of every picture: say which"):
        model.encode(x)
    with pytest.raises(ConfigError, match="one of across, dot, down"):
        decode(model, [0.0, 0.0])


def test_a_model_without_a_condition_is_told_nothing(x: Tensor) -> None:
    vae = build_model(config(condition=None, condition_names=()))
    assert vae.given(None) is vae is vae.untold() is vae.told_anything()
    for asked in ("dot", torch.zeros(6, dtype=torch.int64)):
        with pytest.raises(ConfigError, match="trained without a condition"):
            vae.given(asked)
    with pytest.raises(ConfigError, match="trained without a condition"):
        decode(vae, [0.0, 0.0], condition="dot")
    with pytest.raises(ConfigError, match="trained without a condition"):
        wrap(MLPVAE(2, (1, SIDE, SIDE)), 2, (1, SIDE, SIDE)).decode(torch.zeros(1, 2), "dot")


def test_the_same_seed_gives_an_unconditional_model_its_weights() -> None:
    plain = build_model(config(condition=None, condition_names=()), seed=3)
    joined = build_model(config(), seed=3)
    assert torch.equal(plain.mu.weight, joined.mu.weight)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("cross", "condition must be one of across, dot, down"),
        (7, "condition must be one of across, dot, down.*got '7'"),
        (torch.tensor([0, 3]), r"must lie in \[0, 2\].*got 0 to 3"),
        (["dot", "dash"], "got 'dash'"),
    ],
)
def test_what_there_is_not_is_refused(model: VAE, asked: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        model.given(asked)


def test_a_number_is_the_name_it_reads_as() -> None:
    vae = build_model(config(condition_names=("3", "1")))
    z = torch.zeros(1, 2)
    assert torch.equal(vae.decode(z, 1), vae.decode(z, "1"))
    assert torch.equal(vae.decode(z, np.int64(3)), vae.decode(z, "3"))


def test_neither_one_condition_nor_one_for_each_vector(model: VAE) -> None:
    with pytest.raises(ShapeError, match="3 vectors need one condition or as many; got 2"):
        decode(model, np.zeros((3, 2)), condition=["dot", "dot"])


def test_images_say_what_they_are(model: VAE, splits: Splits) -> None:
    images = splits.test
    table = encode(model, images)
    assert torch.equal(model.condition.codes(images), images.labels)
    rows = np.array([4, 0, 7])
    part = encode(model, images, rows=rows)
    np.testing.assert_allclose(part.mu, table.mu[rows], atol=1e-6)
    assert torch.equal(model.condition.codes(part), images.labels[rows])
    own = decode(model, table.mu, condition=table)
    with evaluating(model):
        z = torch.from_numpy(table.mu)
        torch.testing.assert_close(own, model.given(images.labels).decode(z))
        # What images are goes before what was chosen, which is of vectors that are of no image.
        chosen = model.given("dot")
        torch.testing.assert_close(decode(chosen, table.mu, condition=table), own)
        torch.testing.assert_close(decode(chosen, table.mu), chosen.decode(z))
    assert (model.chosen, chosen.chosen) == (None, "dot")
    for one, other in zip(
        *(reconstruction_costs(one, images, table.mu) for one in (model, chosen)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(encode(chosen, images).mu, table.mu, atol=1e-6)


def test_other_names_of_the_same_classes_are_found_by_name(model: VAE, splits: Splits) -> None:
    test = splits.test
    turned = ImageSet(test.images, 2 - test.labels, NAMES[::-1], split="test", name="turned")
    np.testing.assert_allclose(encode(model, turned).mu, encode(model, test).mu, atol=1e-6)


def test_images_that_do_not_say_are_refused_unless_someone_does(model: VAE, splits: Splits) -> None:
    bare = ImageSet(splits.test.images, split="test", name="bare")
    others = ImageSet(bare.images, splits.test.labels, ("a", "dot", "b"), name="others")
    for call in (encode, mean_elbo, zscape.evaluation.evaluate):
        with pytest.raises(DataError, match="bare has no labels, and this model is told the class"):
            call(model, bare)
        with pytest.raises(
            DataError, match="among the images of others are some of a, b, of which"
        ):
            call(model, others)
    assert len(encode(model.given("dot"), bare)) == len(bare)


def test_a_column_is_a_condition_too(splits: Splits) -> None:
    condition = find_condition("kind", splits.train)
    assert condition == Condition("kind", NAMES)
    assert torch.equal(condition.codes(splits.test), splits.test.labels)
    assert find_condition("size", splits.train).names == ("0", "6", "12")


@pytest.mark.parametrize(
    ("column", "columns", "said"),
    [
        ("colour", {"kind": ["a", "b"] * 30}, "no column 'colour'.*its columns are kind"),
        ("kind", None, "no column 'kind'.*it has no columns"),
        ("kind", {"kind": ["a", None] * 30}, "30 of 60 images of bars have no kind"),
        ("kind", {"kind": ["a"] * 60}, "needs 2 to 100 different values.*kind has 1"),
        ("kind", {"kind": [f"name {i}" for i in range(60)]}, "column of categories.*texts"),
    ],
)
def test_columns_that_cannot_be_a_condition(
    splits: Splits, column: str, columns: dict[str, object] | None, said: str
) -> None:
    images = ImageSet(splits.test.images, columns=columns, name="bars")
    with pytest.raises(DataError, match=said):
        find_condition(column, images)


def test_sampling_the_prior_draws_every_class_in_turn(model: VAE) -> None:
    found = sample_prior(model, 5, seed=0)
    with evaluating(model):
        z = torch.from_numpy(found.vectors)
        torch.testing.assert_close(found.images, model.decode(z, [*NAMES, *NAMES[:2]]))
    dots = sample_prior(model.given("dot"), 5, seed=0)
    assert np.array_equal(dots.vectors, found.vectors)
    torch.testing.assert_close(dots.images[1], found.images[1])


def test_several_samples_are_of_their_own_picture(model: VAE, x: Tensor) -> None:
    codes = torch.tensor([0, 1, 2, 0, 1, 2])
    generator = torch.Generator().manual_seed(0)
    with evaluating(model):
        draws = draw_posterior(model, x, 3, generator, codes)
        for i, k in enumerate(codes.tolist()):
            logits = model.given(NAMES[k]).logits(draws.z[i])
            cost = model.likelihood.cost(x[[i, i, i]], logits)
            torch.testing.assert_close(draws.cost[i], cost)


def test_what_asks_of_layers_needs_no_class(model: VAE, splits: Splits) -> None:
    plain = build_model(config(condition=None, condition_names=()))
    kinds = [(layer.kind, layer.n_units) for layer in list_layers(model)]
    assert kinds == [(layer.kind, layer.n_units) for layer in list_layers(plain)]
    nodes = trace_architecture(model).nodes
    assert [node.shape for node in nodes] == [
        node.shape for node in trace_architecture(plain).nodes
    ]
    first = list_layers(model)[0]
    assert first.source != first.name  # its activation is taken after the nonlinearity
    moments = layer_moments(model, splits.test, [first.name])[first.name]
    assert np.isfinite(moments.mean).all()


def test_neurons_are_silenced_and_turned_with_every_image_as_what_it_is(
    model: VAE, splits: Splits
) -> None:
    table = encode(model, splits.test)
    frame = silence(model, splits.test, "z", 0)
    costs = reconstruction_costs(model, splits.test, table.mu).total
    np.testing.assert_allclose(frame.loc["all", "reconstruction"], costs.mean(), rtol=1e-5)
    found = decoder_jacobian(model, table.mu[:3], condition=table[:3], batch_size=2)
    for i, name in enumerate(NAMES):
        alone = decoder_jacobian(model.given(name), table.mu[i])
        torch.testing.assert_close(found[i], alone)


class Bare(VAE):
    """Nothing in it that a condition could be joined to."""

    def __init__(self, *options: object) -> None:
        super().__init__(*options)
        self.w = nn.Parameter(torch.randn(self.latent_dim, SIDE * SIDE))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = x.flatten(1) @ self.w.T
        return h, 0 * h

    def decode_logits(self, z: Tensor) -> Tensor:
        return (z @ self.w).view(-1, 1, SIDE, SIDE)


def test_a_network_of_no_layers_takes_no_condition() -> None:
    name = networks.allow(Bare)
    with pytest.raises(ConfigError, match="Bare takes no condition: its encoder calls no linear"):
        build_model(config(network=name))


@pytest.fixture(scope="module")
def trained(splits: Splits) -> Trained:
    options = {
        "network": "mlp", "latent_dim": 2, "epochs": 20, "batch_size": 24, "precision": "32",
        "optimizer": "adam", "learning_rate": 2e-3, "evaluate_train": 0,
    }  # fmt: skip
    configs = {
        name: RunConfig.from_options(data=None, condition=condition, **options)
        for name, condition in (("told", "label"), ("untold", None))
    }
    return {name: fit(one, splits) for name, one in configs.items()}


def test_what_the_model_is_told_it_need_not_say(trained: Trained) -> None:
    kl, loss = ({name: result.history[-1]["test"][what] for name, result in trained.items()}
                for what in ("kl", "loss"))  # fmt: skip
    # One of three, log 3 = 1.1 nats, is told and not in the codes.
    assert kl["told"] < kl["untold"] - 0.8
    assert loss["told"] < loss["untold"]


def test_told_another_class_it_draws_that_at_the_same_place(
    trained: Trained, splits: Splits
) -> None:
    images = splits.test[splits.test.labels == 0]
    drawn = zscape.reconstruct(trained["told"], images, condition="down")
    # A bar down is alike in all its rows, and one across in all its columns.
    assert (drawn.std(2).mean() < drawn.std(3).mean() / 3).item()
    own = zscape.reconstruct(trained["told"], images)
    assert (own.std(3).mean() < own.std(2).mean() / 3).item()


def test_save_and_load_keep_it(trained: Trained, tmp_path: Path) -> None:
    result, file = trained["told"], tmp_path / "a.safetensors"
    opened = zscape.api.open_model(result.model)
    assert (opened.model_config.network, opened.model_config.condition) == ("mlp", "label")
    save_weights(result.model, opened.model_config, file)
    loaded = zscape.load(file)
    assert loaded.model.condition == Condition("label", NAMES)
    assert loaded.model_config.condition_names == NAMES
    z = [[0.3, -1.0]]
    for name in NAMES:
        one, other = (zscape.decode(each, z, condition=name) for each in (loaded, result))
        assert torch.equal(one, other)
        assert torch.equal(zscape.decode(loaded.given(name), z), one)


def test_damaged_names_are_no_model(trained: Trained, tmp_path: Path) -> None:
    result = trained["told"]
    wrong = zscape.api.open_model(result).model_config.replace(condition_names=("a", "b"))
    save_weights(result.model, wrong, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="does not fit the model"):
        load_weights(tmp_path / "a.safetensors")


def test_begun_with_another_model(trained: Trained, splits: Splits) -> None:
    again = zscape.train(splits, network=trained["told"].model, epochs=1, progress="none")
    assert again.history[0]["test"]["loss"] < trained["told"].history[0]["test"]["loss"]
    assert again.model.condition == trained["told"].model.condition
    with pytest.raises(ConfigError, match="condition is that of the network, label; got kind"):
        zscape.train(splits, network=trained["told"].model, condition="kind", progress="none")
    fewer = Splits(*(part[part.labels != 1] for part in splits))
    with pytest.raises(ConfigError, match=r"was told across, dot, down.*tells across, down;"):
        zscape.train(fewer, network=trained["told"].model, progress="none")


def test_a_bound_given_the_class_stands_in_no_column_with_one_that_is_not(
    trained: Trained, splits: Splits
) -> None:
    one, other = (zscape.evaluate(result, splits.test) for result in trained.values())
    assert one.condition == "class"
    assert "given the class" in repr(one)
    assert other.condition == ""
    with pytest.raises(ConfigError, match="condition class and none"):
        check_comparable(one, other)
    with pytest.raises(ConfigError, match="cannot be compared: condition class and none"):
        zscape.compare(list(trained.values()), splits.test)


def test_training_refuses_what_it_cannot_be_told(splits: Splits, tmp_path: Path) -> None:
    out = tmp_path / "run"
    bare = Splits(*(ImageSet(part.images, split=part.split, name="bare") for part in splits))
    with pytest.raises(DataError, match="bare has no labels"):
        zscape.train(bare, out=out, condition="label", progress="none")
    with pytest.raises(DataError, match="no column 'colour'"):
        zscape.train(splits, out=out, condition="colour", progress="none")
    fewer = Splits(splits.train[splits.train.labels != 1], splits.test)
    with pytest.raises(DataError, match=r"trained with class across, down.*some of dot"):
        zscape.train(fewer, out=out, condition="label", progress="none")
    with pytest.raises(ConfigError, match=r"cond \(did you mean condition\?\)"):
        zscape.train(splits, out=out, cond="label", progress="none")
    assert not out.exists()
