"""The explorer of a model that is told what pictures are."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import numpy as np
import onnxruntime
import pytest
import torch
import traitlets
from test_layer_lists import run, stirred
from test_scenes import check
from tools.web_fixtures import small_images

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.explorer import ExplorerServer, Scene, build_scene
from zscape.explorer.layers import describe_network
from zscape.explorer.onnx import write_onnx
from zscape.explorer.widget import ExplorerWidget
from zscape.latents import decode, encode
from zscape.model import VAE, build_model, evaluating

NAMES = ("red", "green")


@pytest.fixture(scope="module")
def told() -> VAE:
    config = ModelConfig(
        network="mlp", latent_dim=3, image_shape=(1, 8, 8), condition="label", condition_names=NAMES
    )
    return build_model(config).eval()


@pytest.fixture(scope="module")
def images() -> ImageSet:
    every = small_images(30, (1, 8, 8))
    labels = torch.arange(30) % 2
    return ImageSet(every.images, labels, NAMES, "test", "spots")


@pytest.fixture(scope="module")
def scene(told: VAE, images: ImageSet) -> Scene:
    return build_scene(told, images, maps="pca", weights="f32")


@pytest.mark.parametrize(("network", "side"), [("mlp", 8), ("enhanced", 16)])
def test_layers_have_a_row_of_biases_for_every_class(network: str, side: int) -> None:
    config = ModelConfig(
        network=network, latent_dim=3, image_shape=(1, side, side), condition="label",
        condition_names=NAMES,
    )  # fmt: skip
    vae = stirred(build_model(config).eval())
    found = describe_network(vae)
    assert found.spec is not None, found.why
    rows = {name for name, array in found.tensors.items() if array.shape[:1] == (2,)
            and name.endswith("bias")}  # fmt: skip
    assert sorted(name.rpartition(".")[0].rstrip("01") for name in rows) == [
        "decoder.", "encoder.trunk."
    ]  # fmt: skip
    x, z = torch.rand(4, 1, side, side), torch.randn(4, 3)
    for k, name in enumerate(NAMES):
        own = {name: array[k] if name in rows else array for name, array in found.tensors.items()}
        with evaluating(vae):
            mu, _ = vae.given(name).encode(x)
            logits = vae.given(name).logits(z)
        encoder = found.spec["encoder"]
        ours = run(encoder["mu"], own, run(encoder["trunk"], own, x))
        torch.testing.assert_close(ours, mu, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(run(found.spec["decoder"], own, z), logits, atol=1e-5, rtol=1e-5)


def test_the_scene_says_what_can_be_chosen(told: VAE, images: ImageSet, scene: Scene) -> None:
    check(scene)
    assert scene.manifest["condition"]["names"] == list(NAMES)
    np.testing.assert_array_equal(scene.array("condition"), images.labels)
    chosen = build_scene(told.given("green"), images, maps="pca", weights="f32")
    assert chosen.manifest["condition"]["first"] == 1
    rest = [{**one.manifest, "condition": None} for one in (scene, chosen)]
    assert rest[0] == rest[1]


def test_biases_are_exact_however_weights_are_stored(told: VAE, images: ImageSet) -> None:
    small = build_scene(told, images, maps="pca", weights="i8")
    assert small.manifest["blocks"]["decoder.0.bias"]["dtype"] == "f32"
    assert small.manifest["blocks"]["decoder.0.weight"]["dtype"] == "i8"


def test_the_server_decodes_what_is_asked_for(told: VAE, scene: Scene, bundle: str) -> None:
    z = np.ones((2, 3), np.float32)
    with ExplorerServer(scene, told) as server:
        server.run_in_background()

        def ask(query: str) -> bytes:
            request = urllib.request.Request(f"{server.url}decode{query}", z.tobytes())
            with urllib.request.urlopen(request) as response:
                answer: bytes = response.read()
            return answer

        for k, name in enumerate(NAMES):
            pictures = np.frombuffer(ask(f"?condition={k}"), "<f4").reshape(2, 1, 8, 8)
            np.testing.assert_allclose(pictures, decode(told, z, condition=name), atol=1e-6)
        for query, said in (
            ("", "say which"), ("?condition=2", "must lie in [0, 1]"), ("?condition=x", "a number")
        ):  # fmt: skip
            with pytest.raises(urllib.error.HTTPError) as caught:
                ask(query)
            with caught.value as refused:
                assert refused.code == 400
                assert said in refused.read().decode()


def test_the_widget(told: VAE, images: ImageSet, scene: Scene, bundle: str) -> None:
    widget = ExplorerWidget(scene, told, images)
    first = widget.picture
    widget.condition = "green"
    assert not np.allclose(widget.picture, first)
    np.testing.assert_allclose(
        widget.picture, decode(told, np.zeros((1, 3)), condition="green")[0], atol=1e-6
    )
    with pytest.raises(traitlets.TraitError, match="one of red, green; got 'blue'"):
        widget.condition = "blue"
    sent: list[tuple] = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    x = images[:1].pixels().numpy()
    widget._receive(None, {"type": "encode", "id": 1, "condition": 1}, [memoryview(x.tobytes())])
    mu = np.frombuffer(sent[0][1][0], "<f4")
    expected = encode(told, ImageSet(images[:1].images, torch.ones(1).long(), NAMES))
    np.testing.assert_allclose(mu, expected.mu[0], atol=1e-5)


def test_onnx_takes_what_is_told(told: VAE, images: ImageSet, tmp_path) -> None:
    encoder, decoder = write_onnx(told.given("green"), tmp_path)
    session = onnxruntime.InferenceSession(decoder, providers=["CPUExecutionProvider"])
    names = session.get_modelmeta().custom_metadata_map["condition"]
    assert json.loads(names) == list(NAMES)
    table = encode(told, images[:5])
    codes = np.asarray(table.labels, np.int64)
    (drawn,) = session.run(["x"], {"z": table.mu, "condition": codes})
    np.testing.assert_allclose(drawn, decode(told, table.mu, condition=table), atol=1e-5)
    session = onnxruntime.InferenceSession(encoder, providers=["CPUExecutionProvider"])
    mu, _ = session.run(None, {"x": images[:5].pixels().numpy(), "condition": codes})
    np.testing.assert_allclose(mu, table.mu, atol=1e-5)
