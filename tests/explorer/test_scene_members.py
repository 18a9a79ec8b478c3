"""Scenes with members: what each is alone is what it is together, in fewer bytes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tools.web_fixtures import small_model

import zscape
from zscape.api.members import members_of, scene_of_members, scene_of_sets
from zscape.errors import CheckpointError, ConfigError, DataError, ShapeError
from zscape.explorer import Scene, build_scene, join_scenes, write_export
from zscape.explorer.export import squeezed
from zscape.explorer.members import KEPT, kept_between, placed_on, with_column
from zscape.latents import encode


def other_model():
    vae = small_model()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(1.1)
    return vae


@pytest.fixture(scope="module")
def scenes(vae, images, table) -> list[Scene]:
    first = build_scene(vae, images, table=table, maps="pca", title="one", is_brief=True)
    other = other_model()
    return [first, build_scene(other, images, maps="pca", title="two", is_brief=True)]


@pytest.fixture(scope="module")
def joined(scenes) -> Scene:
    return join_scenes(scenes, ["one", "two"], by="model", losses=[2, 1.5])


def member(scene: Scene, k: int) -> Scene:
    """As the page puts it together (``web/src/scene/members.ts``)."""
    own = {part: value for part, value in scene.manifest.items() if part != "members"}
    return Scene(own | scene.manifest["members"]["list"][k]["manifest"], scene.blocks)


def test_each_member_is_the_scene_that_it_was(scenes, joined) -> None:
    for k, alone in enumerate(scenes):
        whole = member(joined, k)
        for part in ("title", "neurons", "latentDim", "classNames", "fingerprints"):
            assert whole.manifest[part] == alone.manifest[part]
        for name in ("mu", "indices", "thumbnails", "error"):
            ours = whole.array(whole.manifest["points"][name])
            assert np.array_equal(ours, alone.array(alone.manifest["points"][name]))
        ours, theirs = whole.manifest["model"], alone.manifest["model"]
        for layer, other in zip(ours["decoder"], theirs["decoder"], strict=True):
            if "weight" in layer:
                found = whole.array(layer["weight"])
                assert np.array_equal(found, alone.array(other["weight"]))


def test_what_they_share_is_there_once(scenes, joined) -> None:
    alone = sum(len(data) for scene in scenes for data in scene.blocks.values())
    together = sum(map(len, joined.blocks.values()))
    shared = ("thumbnails", "indices", "labels")
    both = [member(joined, k).manifest["points"] for k in range(2)]
    assert all(both[0][name] == both[1][name] for name in shared)
    assert together <= alone - sum(len(scenes[0].blocks[name]) for name in shared)
    assert both[0]["mu"] != both[1]["mu"]


def test_a_film_keeps_the_encoder_of_one_moment(scenes) -> None:
    film = join_scenes(scenes, ["start", "end"], by="training", first=1, is_film=True)
    assert film.manifest["model"]["encoder"] is not None
    early, late = member(film, 0), member(film, 1)
    assert early.manifest["model"]["encoder"] is None
    assert early.manifest["model"]["decoder"]
    assert late.manifest["model"]["encoder"]
    own = [name for name in scenes[1].blocks if name.startswith("encoder.")]
    assert sum("encoder." in name for name in film.blocks) == len(own)
    for scene in (early, late):
        for layer in scene.manifest["model"]["decoder"]:
            if "weight" in layer:
                scene.array(layer["weight"])
        scene.array(scene.manifest["points"]["mu"])


def test_a_page_of_before_shows_the_first(scenes, joined) -> None:
    own = {
        part: value for part, value in joined.manifest.items() if part not in ("members", "blocks")
    }
    theirs = {part: value for part, value in scenes[0].manifest.items() if part != "blocks"}
    assert own == theirs
    about = joined.manifest["members"]
    assert [one["label"] for one in about["list"]] == ["one", "two"]
    assert about["list"][0]["manifest"] == {}
    assert [one["loss"] for one in about["list"]] == [2, 1.5]


def test_names_of_classes_are_not_taken_for_blocks(scenes) -> None:
    manifest = scenes[1].manifest | {"classNames": ["mu", "labels"], "title": "mu"}
    found = join_scenes([scenes[0], Scene(manifest, scenes[1].blocks)], ["a", "b"], by="model")
    own = found.manifest["members"]["list"][1]["manifest"]
    assert own["classNames"] == ["mu", "labels"]
    assert own["title"] == "mu"
    assert own["points"]["mu"] == "1.mu"


def test_saved_read_and_exported(joined, tmp_path, bundle) -> None:
    joined.save(tmp_path / "a.zscene")
    assert Scene.load(tmp_path / "a.zscene").manifest == joined.manifest
    small = squeezed(joined)
    for k in range(2):
        name = member(joined, k).manifest["maps"][0]["coordinates"]
        extent = np.ptp(joined.array(name), axis=0).max()
        assert np.allclose(small.array(name), joined.array(name), atol=extent / 2**15)
    page = write_export(joined, tmp_path / "a.html").read_text()
    assert json.dumps(joined.manifest["members"]["by"]) in page


def test_neighbours_kept_is_a_column_of_all_members(scenes, table, vae, images) -> None:
    assert (kept_between(table, table) == 1).all()
    turned = replace(table, mu=-table.mu)
    assert (kept_between(table, turned) == 1).all()
    kept = kept_between(table, encode(other_model(), images))
    assert 0 < kept.mean() < 1
    with_it = [with_column(scene, KEPT, kept) for scene in scenes]
    found = join_scenes(with_it, ["a", "b"], by="model")
    assert found.manifest["columns"][0]["name"] == KEPT
    assert "columns" not in found.manifest["members"]["list"][1]["manifest"]
    assert np.allclose(found.array("column.neighbours kept"), kept)
    with pytest.raises(DataError, match="have a column"):
        with_column(with_it[0], KEPT, kept)


def test_other_images_are_placed_on_the_same_map(maps, table) -> None:
    few = table[np.arange(20)]
    for one, placed in zip(maps, placed_on(maps, few), strict=True):
        assert np.allclose(placed.coordinates, one.coordinates[:20], atol=1e-4)


@pytest.fixture(scope="module")
def digits():
    return zscape.load("zoo:10").images()[torch.arange(100)]


def test_models_in_the_order_of_what_they_differ_in() -> None:
    found = members_of(["zoo:10-kld4", "zoo:10", "zoo:10-kld0"])
    assert (found.by, found.labels, found.is_film) == ("kld_weight", ["0", "1", "4"], False)
    assert [one.name for one in found.models] == ["zoo:10-kld0", "zoo:10", "zoo:10-kld4"]
    found = members_of(["zoo:5", "zoo:3"])
    assert (found.by, found.labels) == ("latent_dim", ["3", "5"])
    found = members_of(["zoo:5", "zoo:10-kld4"])
    assert (found.by, found.labels) == ("model", ["zoo:5", "zoo:10-kld4"])
    assert len(members_of(["zoo:kld"]).models) == 4
    assert members_of(["zoo:dims"]).labels[:3] == ["2", "3", "4"]


def test_two_models_of_the_zoo_on_the_same_images(digits) -> None:
    scene, images = scene_of_members(
        members_of(["zoo:3", "zoo:2"]), digits, maps=["pca"], n=60, weights="i8"
    )
    assert images is digits
    about = scene.manifest["members"]
    assert (about["by"], about["isFilm"], about["title"]) == ("latent_dim", False, "zoo:2 · zoo:3")
    both = [member(scene, k).manifest for k in range(2)]
    assert [one["latentDim"] for one in both] == [2, 3]
    assert both[0]["points"]["indices"] == both[1]["points"]["indices"]
    assert scene.manifest["columns"][0]["name"] == KEPT
    assert all(one["loss"] > 50 for one in about["list"])


def test_one_model_on_two_sets(digits) -> None:
    opened = zscape.load("zoo:2")
    train = digits[torch.arange(40)]
    scene, _ = scene_of_sets(opened, digits, train, maps=["pca"], weights="i8")
    both = [member(scene, k) for k in range(2)]
    assert [one.manifest["points"]["n"] for one in both] == [100, 40]
    places = [one.array(one.manifest["maps"][0]["coordinates"]) for one in both]
    assert np.allclose(places[0][:40], places[1], atol=1e-3)


def test_what_cannot_be_compared_is_refused(digits, tmp_path) -> None:
    with pytest.raises(ConfigError, match="two models at least are compared; got 1"):
        members_of(["zoo:10"])
    with pytest.raises(CheckpointError, match="a film is of a run"):
        members_of("zoo:10", film=True)
    with pytest.raises(ShapeError, match="only models of the same images"):
        scene_of_members(members_of([small_model(), "zoo:2"]), digits)
    with pytest.raises(ConfigError, match=r"n must be in \[2, 100\]"):
        scene_of_members(members_of(["zoo:2", "zoo:3"]), digits, n=101)
    with pytest.raises(ConfigError, match="one model is shown on two sets"):
        zscape.export(["zoo:2", "zoo:3"], tmp_path / "a.html", against="mnist")
