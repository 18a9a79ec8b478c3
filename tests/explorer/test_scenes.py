from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tools.web_fixtures import small_images
from ts_contract import Contract

from zscape.config import ModelConfig
from zscape.data import ImageSet
from zscape.embedding import fit_map
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.explorer import Scene, build_scene
from zscape.explorer import scene as scenes
from zscape.explorer.maps import describe_map, draw_maps, typical_gap
from zscape.explorer.pictures import originals
from zscape.latents import encode
from zscape.model import build_model, kl_to_standard_normal
from zscape.neurons import neuron_table

CONTRACT = Contract(Path(__file__).parents[2] / "web" / "src" / "scene" / "manifest.ts")
RULES = CONTRACT.types["Manifest"]


def check(scene: Scene) -> None:
    """A scene is what ``manifest.ts`` says, and whole."""
    assert CONTRACT.check(scene.manifest, RULES) == []
    assert set(scene.manifest["blocks"]) == set(scene.blocks)
    for name, data in scene.blocks.items():
        assert scene.manifest["blocks"][name]["length"] == len(data)
        assert np.isfinite(scene.array(name)).all()
    shapes = {name: tuple(block["shape"]) for name, block in scene.manifest["blocks"].items()}
    points, dim = scene.manifest["points"], scene.manifest["latentDim"]
    n = points["n"]
    assert shapes[points["mu"]] == (n, dim)
    for column in ("indices", "kl", "error"):
        assert shapes[points[column]] == (n,)
    assert shapes[points["thumbnails"]][:2] == (n, scene.manifest["imageShape"][0])
    assert len(scene.manifest["neurons"]) == dim
    assert len(scene.manifest["maps"]) >= 1
    for spec in scene.manifest["maps"]:
        assert shapes[spec["coordinates"]] == (n, 2)
        assert spec["unit"] > 0
        if "learned" in spec:
            layers = [shapes[layer["weight"]] for layer in spec["learned"]["layers"]]
            assert layers[0][1] == 2 + 2 * shapes[spec["learned"]["waves"]][1]
            assert layers[-1][0] == dim


def model(latent_dim: int, shape=(1, 8, 8)):
    config = ModelConfig(network="mlp", latent_dim=latent_dim, image_shape=shape)
    return build_model(config).eval()


def unlabelled(n: int, shape=(1, 8, 8)) -> ImageSet:
    return replace(small_images(n, shape), labels=None, class_names=(), name="spots")


def test_contract_is_read():
    """The parser sees the types, and refuses what they refuse."""
    assert {"Manifest", "Block", "Layer", "Neuron", "MapSpec", "Pair"} <= set(CONTRACT.types)
    assert CONTRACT.check({"kind": "leakyRelu", "slope": 0.2}, ("name", "Layer")) == []
    assert CONTRACT.check({"kind": "leakyRelu"}, ("name", "Layer"))
    assert CONTRACT.check({"kind": "gelu"}, ("name", "Layer"))
    assert CONTRACT.check([1, 2, 3], ("name", "Pair"))
    assert CONTRACT.constants["FORMAT"] == '"zscape-scene"'


def test_scene_keeps_the_contract(scene):
    check(scene)


@pytest.mark.parametrize("field", ["title", "points", "blocks", "maps"])
def test_the_check_can_fail(scene, field):
    lacking = {name: value for name, value in scene.manifest.items() if name != field}
    assert CONTRACT.check(lacking, RULES) == [f"manifest lacks {field}"]


def test_points_are_those_of_the_table(scene, vae, images, table):
    assert np.array_equal(scene.array("mu"), table.mu)
    assert np.array_equal(scene.array("labels"), table.labels)
    assert np.array_equal(scene.array("indices"), np.arange(len(table)))
    kl = kl_to_standard_normal(torch.from_numpy(table.mu), torch.from_numpy(table.logvar)).sum(1)
    assert scene.array("kl") == pytest.approx(kl.numpy(), rel=1e-5)
    with torch.no_grad():
        logits, x = vae.decode_logits(torch.from_numpy(table.mu)), images.pixels()
        error = vae.likelihood.avoidable_cost(x, logits)
    assert scene.array("error") == pytest.approx(error.numpy(), rel=1e-4)
    assert scene.manifest["blocks"]["thumbnails"]["dtype"] == "u8"
    assert scene.array("thumbnails") == pytest.approx(images.pixels().numpy(), abs=1e-6)


def test_titles_and_sources_are_kept_as_they_are(scene):
    assert scene.manifest["title"] == "small & <b>"
    assert scene.manifest["data"] == "spots & <i>more</i>, test"
    assert "</script><b>blue" in scene.manifest["classNames"]


def test_prototypes_are_means_and_an_empty_class_has_none(scene, table):
    counts = scene.manifest["prototypes"]["counts"]
    assert counts == [40, 40, 40, 0]
    vectors = scene.array("prototypes")
    assert vectors[1] == pytest.approx(table.mu[table.labels == 1].mean(0), abs=1e-5)
    assert (vectors[3] == 0).all()


def test_neurons(scene, table):
    for i, neuron in enumerate(scene.manifest["neurons"]):
        assert neuron["name"] == f"z{i}"
        assert neuron["mean"] == pytest.approx(table.mu[:, i].mean(), abs=1e-5)
        low, high = np.percentile(table.mu[:, i], (0.5, 99.5))
        assert (neuron["low"], neuron["high"]) == pytest.approx((low, high), abs=1e-5)
        assert neuron["isUsed"] == (neuron["kl"] > 0.01)
        assert neuron["mutualInformation"] >= 0


def test_maps(scene, maps):
    pca, tsne, pair = scene.manifest["maps"]
    assert [spec["label"] for spec in (pca, tsne, pair)] == [
        "PCA",
        "t-SNE (perplexity 20)",
        "z1, z0",
    ]
    assert pca["inverses"] == ["local", "nearest", "exact"]
    assert tsne["inverses"] == ["local", "learned", "nearest"]
    assert "linear" not in tsne
    assert "standardize" not in pca
    assert sum(pca["explained"]) <= 1
    for spec, embedding in zip((pca, tsne, pair), maps, strict=True):
        assert np.array_equal(scene.array(spec["coordinates"]), embedding.coordinates)


def test_a_linear_map_can_be_computed_from_its_blocks(scene, table):
    spec = scene.manifest["maps"][2]
    shift, scale = (scene.array(spec["standardize"][name]) for name in ("shift", "scale"))
    axes, centre = (scene.array(spec["linear"][name]) for name in ("axes", "centre"))
    x = (table.mu - shift) / scale
    assert (x - centre) @ axes.T == pytest.approx(scene.array(spec["coordinates"]), abs=1e-5)


def test_the_learned_way_can_be_walked_from_its_blocks(scene, maps):
    spec = scene.manifest["maps"][1]["learned"]
    points = maps[1].coordinates[:9] + 0.3
    places = (points - np.array(spec["middle"])) / spec["spread"]
    phases = places @ scene.array(spec["waves"])
    x = np.concatenate([places, np.sin(phases), np.cos(phases)], axis=1)
    for i, layer in enumerate(spec["layers"]):
        x = x @ scene.array(layer["weight"]).T + scene.array(layer["bias"])
        if i < len(spec["layers"]) - 1:
            x = x / (1 + np.exp(-x))
    z = x * spec["scale"] + scene.array(spec["mean"])
    assert z == pytest.approx(maps[1].inverse_transform(points, "learned").vectors, abs=1e-4)


def test_saved_and_loaded(scene, tmp_path):
    scene.save(tmp_path / "a.zscene")
    back = Scene.load(tmp_path / "a.zscene")
    assert back.manifest_json == scene.manifest_json
    assert back.blocks == scene.blocks


@pytest.mark.parametrize(
    "damage",
    [lambda d: d[:-1], lambda d: d[:40], lambda d: b"", lambda d: d[:-9] + b"x" + d[-8:],
     lambda d: b"PK" + d[2:]],
    ids=["short", "header", "empty", "changed", "other"],
)  # fmt: skip
def test_a_damaged_file_is_refused(scene, tmp_path, damage):
    file = tmp_path / "a.zscene"
    scene.save(file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match="is not a scene of zscape's"):
        Scene.load(file)


def test_same_input_same_scene(vae, images):
    one, other = (build_scene(vae, images, maps=["pca"], n=30) for _ in range(2))
    assert one.manifest_json == other.manifest_json
    assert one.blocks == other.blocks
    assert len(set(one.array("indices").tolist())) == 30
    assert not np.array_equal(
        build_scene(vae, images, maps=["pca"], n=30, seed=1).array("indices"), one.array("indices")
    )


def test_a_subset_keeps_its_places_in_the_set(vae, images, table):
    scene = build_scene(vae, images, maps=["pca"], n=30, weights="f32")
    indices = scene.array("indices")
    assert scene.array("mu") == pytest.approx(table.mu[indices], abs=1e-5)
    assert scene.array("thumbnails") == pytest.approx(
        images.pixels(torch.from_numpy(indices).long()).numpy(), abs=1e-6
    )


@pytest.mark.parametrize(("weights", "tolerance"), [("f32", 0), ("f16", 1e-3), ("i8", 1 / 200)])
def test_how_weights_are_stored(vae, images, weights, tolerance):
    scene = build_scene(vae, images, maps=["pca"], weights=weights)
    check(scene)
    state = vae.state_dict()
    name = scene.manifest["model"]["decoder"][0]["weight"]
    assert scene.manifest["blocks"][name]["dtype"] == weights
    expected = state["decoder.0.weight"].numpy()
    assert np.abs(scene.array(name) - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("latent_dim", [1, 2, 64])
def test_any_number_of_neurons_without_labels(latent_dim):
    scene = build_scene(model(latent_dim), unlabelled(12))
    check(scene)
    assert scene.manifest["classNames"] == []
    assert scene.manifest["prototypes"] is None
    assert scene.manifest["points"]["labels"] is None
    assert scene.manifest["neurons"][0]["mutualInformation"] is None


def test_one_neuron_lies_on_a_line():
    scene = build_scene(model(1), unlabelled(12))
    (spec,) = scene.manifest["maps"]
    assert (spec["label"], spec["inverses"]) == ("z0", ["local", "nearest", "exact"])
    flat = scene.array(spec["coordinates"])
    assert flat[:, 0] == pytest.approx(scene.array("mu")[:, 0], abs=1e-3)
    assert (flat[:, 1] == 0).all()


def test_a_single_point(caplog):
    scene = build_scene(model(3), unlabelled(1))
    check(scene)
    (spec,) = scene.manifest["maps"]
    assert spec["method"] == "pair"
    assert spec["inverses"] == ["nearest", "exact"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert caplog.messages[0].startswith("no PCA map: ")


def test_labels_of_one_image_each():
    """Nothing can be told of such classes, and nothing breaks."""
    images = replace(unlabelled(3), labels=torch.arange(3), class_names=("a", "b", "c"))
    scene = build_scene(model(2), images)
    check(scene)
    assert scene.manifest["neurons"][0]["mutualInformation"] is None


def test_two_thousand_classes():
    names = tuple(f"class {i}" for i in range(2000))
    images = replace(unlabelled(40), labels=50 * torch.arange(40) % 1999, class_names=names)
    scene = build_scene(model(2), images, maps=["pca"])
    check(scene)
    assert len(scene.manifest["prototypes"]["counts"]) == 2000


def draw_tsne(table, seed=0):
    return draw_maps(table, ["tsne"], np.ones(4), lambda stage, done: None, seed)[0]


def test_a_map_of_a_few_points_has_a_smaller_perplexity_and_says_so(
    vae, images, table, caplog, monkeypatch
):
    assert draw_tsne(table).settings.perplexity == 30
    assert caplog.messages == []
    few = draw_tsne(table[:20])
    assert caplog.messages == [
        "t-SNE is drawn with perplexity 6: the usual 30 needs 92 points, and there are 20."
    ]
    monkeypatch.setattr("zscape.explorer.maps._describe_learned", lambda *_: {})
    spec = describe_map(few, "tsne", lambda *_: "", "f32", lambda stage, done: None)
    assert spec["label"] == "t-SNE (perplexity 6)"
    assert spec["settings"] == few.settings.to_dict()


def test_the_seed_reaches_the_maps_and_the_estimates(vae, images, table, monkeypatch):
    one, same, other = (draw_tsne(table[:20], seed).coordinates for seed in (0, 0, 5))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)
    seeds = []
    monkeypatch.setattr(
        scenes, "draw_maps", lambda *given: seeds.append(given[4]) or draw_maps(*given)
    )
    monkeypatch.setattr(
        scenes, "neuron_table",
        lambda table, seed=0: seeds.append(seed) or neuron_table(table, seed=seed),
    )  # fmt: skip
    scene = build_scene(vae, images[:20], maps=["pca"], seed=5)
    assert scene.manifest["maps"][0]["seed"] == 5
    assert seeds[-2:] == [5, 5]


def test_what_cannot_be_drawn_is_said_where_it_was_asked_for():
    with pytest.raises(DataError, match="needs at least"):
        build_scene(model(2), unlabelled(4), maps=["tsne"])


def test_two_maps_of_one_method_have_two_names(vae, images, table):
    maps = [fit_map(table, "pair", first=0, second=i) for i in (1, 2)]
    scene = build_scene(vae, images, table=table, maps=maps)
    assert [spec["name"] for spec in scene.manifest["maps"]] == ["pair", "pair-2"]


def test_originals_have_their_own_size_as_long_as_all_fit():
    images = small_images(5, (3, 40, 80))
    whole, depth = originals(images)
    assert np.array_equal(whole, images.images)
    assert depth == "u8"
    small, _ = originals(images, budget=images.images.numel() // 4)
    assert small.shape == (5, 3, 20, 40)
    assert small.mean() == pytest.approx(images.images.float().mean().item(), rel=0.05)
    assert originals(images, budget=1)[0].shape == (5, 3, 16, 32)
    assert originals(small_images(2), budget=1)[0].shape == (2, 3, 9, 12)


def test_greys_are_kept_and_only_strokes_are_rounded():
    strokes = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    strokes[:, :, 2:6, 3] = 255
    strokes[:, :, 2:6, 4] = 100
    assert originals(ImageSet(strokes))[1] == "u4"
    greys = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)
    assert originals(ImageSet(greys))[1] == "u8"


def test_the_gap_between_neighbours():
    assert typical_gap(np.array([[0, 0], [3, 4], [3, 4], [0, 1]], np.float32)) == pytest.approx(1)
    assert typical_gap(np.zeros((5, 2))) == 1


def test_a_network_the_page_cannot_run_leaves_the_rest():
    vae = model(2)
    vae.encoder.insert(1, torch.nn.SiLU())
    scene = build_scene(vae, unlabelled(9), maps=["pca"])
    check(scene)
    assert scene.manifest["model"] is None
    assert "encoder.1 (SiLU)" in scene.manifest["why"]


def test_table_and_maps_must_belong_to_the_model(vae, images, table, maps):
    other = build_model(ModelConfig(network="mlp", latent_dim=4, image_shape=(3, 9, 12)))
    with pytest.raises(CheckpointError, match="from another model"):
        build_scene(other, images, table=table)
    with pytest.raises(CheckpointError, match="from another model"):
        build_scene(other, images, maps=maps[:1])
    with pytest.raises(DataError, match="map is of other points: 120"):
        build_scene(vae, images, n=50, maps=maps[:1])
    with pytest.raises(ShapeError):
        build_scene(vae, unlabelled(5), maps=["pca"])
    with pytest.raises(DataError, match=r"up to number 119.*but these are the 50 "):
        build_scene(vae, images[:50], table=table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, r"^n must be in \[1, 120\]"),
        ({"n": 121}, r"^n must be in \[1, 120\], the test images of spots .*; got 121\.$"),
        ({"weights": "f64"}, "^weights must be one of"),
        ({"maps": []}, "at least one map"),
        ({"maps": ["mds"]}, "map method must be one of pca"),
    ],
)
def test_bad_options(vae, images, options, message):
    with pytest.raises(ConfigError, match=message):
        build_scene(vae, images, **options)


def test_progress_is_told(vae, images):
    told: list[tuple[str, float]] = []
    build_scene(vae, images, maps=["pca"], progress=lambda stage, done: told.append((stage, done)))
    assert told[0] == ("encoding", 0)
    assert told[-1] == ("done", 1)
    assert all(0 <= done <= 1 for _, done in told)


def test_table_of_some_rows(vae, images):
    rows = encode(vae, images)[[5, 7, 11]]
    scene = build_scene(vae, images, table=rows, maps=["pair"])
    assert scene.array("indices").tolist() == [5, 7, 11]
    assert scene.array("thumbnails")[1] == pytest.approx(images[[7]].pixels()[0].numpy(), abs=1e-6)
