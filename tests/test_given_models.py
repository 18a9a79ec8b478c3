"""Every public function takes a model, images and vectors in the forms people have them in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import zscape
from zscape import figures, latents, neurons
from zscape.api import Opened, open_model
from zscape.data import Splits
from zscape.embedding import InverseMethod, LinearMap, MapMethod, map_quality
from zscape.errors import ConfigError
from zscape.explorer import build_scene
from zscape.model import MLPVAE, VAE, Likelihood, mean_elbo, reconstruction_costs
from zscape.training import LoadedModel

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 16, 16), dtype=np.uint8)
LABELS = np.arange(30) % 3
SET = zscape.ImageSet(torch.from_numpy(PIXELS[:, None]))


QUICK = {"epochs": 1, "batch_size": 10, "progress": "none"}


class Half(VAE):
    def encode(self, x):
        return x, x


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return zscape.train(
        (PIXELS, LABELS), latent_dim=2, network="mlp", epochs=1, batch_size=10,
        progress="none", out=tmp_path_factory.mktemp("given") / "run",
    )  # fmt: skip


@pytest.fixture(scope="module")
def forms(result):
    """The same model as everything that stands for it."""
    opened = zscape.load(result.run.path)
    return {
        "path": result.run.path, "text": str(result.run.path), "run": result.run,
        "result": result, "opened": opened, "model": opened.model,
        "file": result.run.path / "model.safetensors",
        "loaded": LoadedModel(opened.model, opened.model_config),
    }  # fmt: skip


def test_a_model_in_every_form(forms):
    expected = zscape.encode(forms["model"], PIXELS).mu
    for name, form in forms.items():
        opened = open_model(form)
        assert opened.model_config.network == "mlp", name
        assert opened.model_config.latent_dim == 2
        assert np.array_equal(zscape.encode(form, PIXELS[:, None]).mu, expected), name
        torch.testing.assert_close(
            zscape.reconstruct(form, PIXELS[:3, None]), zscape.decode(form, expected[:3])
        )
        drawn = zscape.sample(form, 2, seed=1)
        assert np.array_equal(drawn.vectors, zscape.sample(forms["model"], 2, seed=1).vectors)


@pytest.mark.parametrize(
    "images",
    [
        PIXELS, PIXELS / 255, torch.tensor(PIXELS[:, None] / 255), list(PIXELS),
        list(zip(PIXELS, LABELS, strict=True)),
        DataLoader(TensorDataset(torch.from_numpy(PIXELS[:, None])), 7),
        Splits(SET[:5], SET),
    ],
    ids=["bytes", "float64", "tensor", "list", "pairs", "loader", "splits"],
)  # fmt: skip
def test_images_in_every_form(forms, images):
    expected = zscape.encode(forms["model"], PIXELS)
    table = zscape.encode(forms["file"], images)
    np.testing.assert_allclose(table.mu, expected.mu, atol=1e-5)


def test_what_a_run_was_trained_on_is_known_and_other_images_are_taken_whole(forms, result):
    own = zscape.encode(result, (PIXELS, LABELS))
    assert len(own) < len(PIXELS)
    assert len(zscape.encode(result, (PIXELS, LABELS), split="train")) == len(PIXELS) - len(own)
    assert len(zscape.encode(result, PIXELS[::2])) == 15
    assert len(zscape.encode(forms["model"], (PIXELS, LABELS))) == 30
    assert len(zscape.encode(forms["model"], PIXELS[3])) == 1


def test_the_models_own_images_are_the_default():
    assert len(zscape.encode("zoo:2")) == 10_000


ONE = {0: 1.0}
FUNCTIONS = {
    "latents.encode": lambda vae, images: latents.encode(vae, images),
    "latents.decode": lambda vae, images: latents.decode(vae, [[0, 1]]),
    "latents.locate": lambda vae, images: latents.locate(vae, ONE),
    "latents.walk": lambda vae, images: latents.walk(vae, ONE),
    "latents.sample_prior": lambda vae, images: latents.sample_prior(vae, 2),
    "latents.between": lambda vae, images: latents.between(vae, ONE, {1: 1}),
    "latents.traversal": lambda vae, images: latents.traversal(vae),
    "latents.manifold": lambda vae, images: latents.manifold(vae, x_values=[0], y_values=[0]),
    "latents.neighbourhood": lambda vae, images: latents.neighbourhood(vae, ONE, 1),
    "model.mean_elbo": lambda vae, images: mean_elbo(vae, images),
    "neurons.list_layers": lambda vae, images: neurons.list_layers(vae),
    "neurons.layer_moments": lambda vae, images: neurons.layer_moments(vae, images),
    "neurons.top_images": lambda vae, images: neurons.top_images(vae, images, "z"),
    "neurons.silence": lambda vae, images: neurons.silence(vae, images, "z", 0),
    "neurons.neuron_cards": lambda vae, images: neurons.neuron_cards(
        vae, images, latents.encode(vae, images), neurons=[0]
    ),
    "neurons.trace_architecture": lambda vae, images: neurons.trace_architecture(vae),
    "model.reconstruction_costs": lambda vae, images: reconstruction_costs(
        vae, images, np.zeros((30, 2), np.float32)
    ),
    "explorer.build_scene": lambda vae, images: build_scene(vae, images, maps=["pca"]),
    "figures.plot_architecture": lambda vae, images: figures.plot_architecture(vae),
    "neurons.decoder_jacobian": lambda vae, images: neurons.decoder_jacobian(vae, [0.0, 1.0]),
}


@pytest.mark.parametrize("call", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_functions_of_a_model_take_what_has_one_and_images_of_any_kind(forms, call):
    call(forms["opened"], (PIXELS, LABELS))
    with pytest.raises(ConfigError, match=r"needs a model.*zscape\.load\('zoo:2'\)"):
        call("zoo:2", PIXELS)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (torch.nn.Linear(2, 2), r"zscape\.wrap\("),
        (PIXELS, "got a ndarray"),
        (None, "got a NoneType"),
    ],
)
def test_what_is_no_model_is_said(source, said):
    for verb in (zscape.encode, zscape.sample, zscape.reconstruct):
        with pytest.raises(ConfigError, match=f"needs a model.*{said}"):
            verb(source)


def test_a_map_is_of_a_table(forms):
    with pytest.raises(ConfigError, match=r"LatentTable; got a ndarray: zscape\.encode"):
        zscape.fit_map(np.zeros((5, 2)), "pca")


def test_a_model_of_ones_own_class_is_called_by_its_name():
    class Own(VAE):
        def encode(self, x):
            return x.flatten(1)[:, :2], x.flatten(1)[:, :2]

        def decode_logits(self, z):
            return z.repeat(1, 128).view(-1, 1, 16, 16)

    opened = open_model(Own(2, (1, 16, 16)))
    assert isinstance(opened, Opened)
    assert (opened.name, opened.model_config.network) == ("Own", "Own")


def test_figures_take_a_set_or_anything_that_makes_one():
    assert len(figures.plot_samples(list(zip(PIXELS, LABELS, strict=True)), 4).axes) == 4
    assert len(figures.plot_pictures(SET[:3]).axes) == 3


def test_training_starts_from_a_model_and_leaves_it_alone(tmp_path):
    start = zscape.train(PIXELS, network="mlp", latent_dim=3, **QUICK).model
    before = {name: value.clone() for name, value in start.state_dict().items()}
    options = {"learning_rate": 0.0, "weight_decay": 0.0, "out": tmp_path / "run", **QUICK}
    result = zscape.train(PIXELS, network=start, **options)
    for name, value in result.model.state_dict().items():
        torch.testing.assert_close(value, before[name])
        assert torch.equal(start.state_dict()[name], before[name])
    assert result.run.config.model.network == "mlp"
    assert zscape.load(tmp_path / "run").model.latent_dim == 3
    by_class = zscape.train(PIXELS, network=MLPVAE, latent_dim=2, **QUICK)
    assert type(by_class.model) is MLPVAE


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: zscape.train(PIXELS, network=torch.nn.Linear(2, 2)), "must be a zscape.VAE.*wrap"),
        (lambda: zscape.train(PIXELS, network=MLPVAE(3), latent_dim=2), "the network, 3; got 2"),
        (lambda: zscape.train(PIXELS, network=7), "network must be a name or a class; got a int"),
        (lambda: zscape.load(MLPVAE(2)), "load takes a path or 'zoo:10'; got a MLPVAE"),
        (lambda: zscape.explore("zoo:2", map=["pca"]), r"no option map \(did you mean maps\?\)"),
        (lambda: zscape.export("zoo:2", "a.html", nn=9), "export has no option nn"),
        (lambda: zscape.register_network("half")(Half), "network 'half' lacks decode_logits"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(call, said):
    with pytest.raises(ConfigError, match=said):
        call()


def test_a_training_that_kept_nothing_cannot_go_on(result):
    with pytest.raises(ConfigError, match="kept nothing to go on with"):
        zscape.resume(result._replace(run=None))
    again = zscape.resume(result, (PIXELS, LABELS), progress="none")
    assert again.is_finished


def test_vectors_are_taken_from_what_holds_them(forms):
    model = forms["opened"]
    table = zscape.encode(model, PIXELS)
    drawn = zscape.fit_map(table, "pca")
    back = drawn.inverse_transform([[0, 0], [1, 0]])
    for holder, vectors in (
        (table, table.mu), (back, back.vectors), (zscape.sample(model, 2, seed=0), None),
        (latents.prototypes(zscape.encode(model, (PIXELS, LABELS), split="train")), None),
    ):  # fmt: skip
        expected = holder.vectors if vectors is None else vectors
        assert torch.equal(zscape.decode(model, holder), zscape.decode(model, expected))
    assert np.array_equal(drawn.transform(table), drawn.transform(table.mu))


def test_one_map_is_as_good_as_a_list_of_one(forms):
    table = zscape.encode(forms["model"], (PIXELS, LABELS))
    drawn = zscape.fit_map(table, "pca")
    assert map_quality(drawn, n_neighbors=3).equals(map_quality([drawn], n_neighbors=3))
    for maps in ("pca", drawn, ["pca"]):
        scene = build_scene(forms["model"], (PIXELS, LABELS), maps=maps)
        assert [spec["name"] for spec in scene.manifest["maps"]] == ["pca"]


@pytest.mark.parametrize("n", [2.0, "3", 0])
def test_a_count_is_a_whole_number(forms, n):
    with pytest.raises(ConfigError, match="n must be an integer, at least 1"):
        zscape.sample(forms["model"], n)


@pytest.mark.parametrize(
    ("base", "missing"),
    [
        (VAE, "decode_logits"), (Likelihood, "log_prob"), (MapMethod, "fit"),
        (LinearMap, "axes"), (InverseMethod, "fit"),
    ],
)  # fmt: skip
def test_what_is_half_written_cannot_be_made(base, missing):
    class Half(base):
        pass

    with pytest.raises(TypeError, match=f"Half.*{missing}"):
        Half()
