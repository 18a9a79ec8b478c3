"""Exported pages for the browser tests of ``web/e2e``: ``python tools/web_pages.py FOLDER``.

``digits.html`` is zoo:10 on real test digits, ``story.html`` the same with the story of the demo,
``two.html`` it twice, ``columns.html`` with what could be known of each. ``large.html`` and the
folder ``large/`` have more points than are drawn one by one; the others are what could break a
page: hostile names, one point, one neuron, 2 000 classes, a network the page cannot run.
``numbers.json`` holds what torch makes of zoo:10, for comparison with the browser. Scenes are kept
in ``ZSCAPE_CACHE``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tools.web_fixtures import scene_json, small_images
from torch import Tensor, nn

import zscape
from zscape.api import prepare_scene
from zscape.data import ImageSet
from zscape.data.columns import Columns
from zscape.explorer import build_scene, cached_scene, join_scenes, pictures, write_export
from zscape.explorer.members import KEPT, kept_between, maps_of_members, with_column
from zscape.explorer.story import WALK
from zscape.latents import decode, encode
from zscape.model import MLPVAE, VAE, Condition
from zscape.model.condition import join_condition
from zscape.seeding import torch_generator

N_DIGITS = 2000
N_CHECKED = 16
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
SCRIPT = "</script><script>document.title='hacked'</script>"
NAMES = (HOSTILE, SCRIPT, "javascript:alert(1)", "“&amp;”")


class UnknownVAE(MLPVAE):
    """A network with a layer that the page has no code for."""

    def __init__(self, latent_dim: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__(latent_dim, image_shape)
        self.extra = nn.GELU()

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``."""
        logits: Tensor = self.extra(super().decode_logits(z))
        return logits


def random_model(latent_dim: int, shape: tuple[int, int, int], kind: type[VAE] = MLPVAE) -> VAE:
    """An untrained network, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(latent_dim)
        return kind(latent_dim, shape).eval()


def relabelled(images: ImageSet, names: tuple[str, ...]) -> ImageSet:
    """The same pictures in other classes, one after the other."""
    labels = torch.arange(len(images)) % len(names)
    return ImageSet(images.images, labels, names, images.split, images.name)


def with_columns(images: ImageSet) -> ImageSet:
    """The digits with columns of every kind, as a table of measurements has them, gaps and all."""
    ink = images.images.double().mean((1, 2, 3)).numpy() / 255
    columns = (images.images.amax((1, 2)) > 127).sum(1).numpy()
    labels = images.labels.numpy() if images.labels is not None else np.zeros(len(ink))
    rows = np.arange(len(ink))
    # Plates by size of a row's share, so that some are frequent and many are rare.
    plates = np.minimum((rows * 7919 % 1000) ** 2 // 30_000, 33)
    days = np.datetime64("2023-11-01") + (rows * 37 % 400).astype("timedelta64[D]")
    known = {
        "file_name": [
            f"plates/p{p:02}/digit_{r:05}.png" for p, r in zip(plates, rows, strict=True)
        ],
        "ink": np.where(rows % 23 == 5, np.nan, ink),
        "wide": columns,
        "treatment": [("control", "A", "B", None)[k % 4] for k in (rows + labels).astype(int)],
        "plate": [f"plate {p:02}" for p in plates],
        "day": days,
        "note": [f"{HOSTILE} of row {r}" if r % 50 == 0 else None for r in rows],
    }
    return replace(images, columns=Columns.of(known))


def numbers(weights: str) -> dict[str, Any]:
    """A scene of zoo:10 and what torch decodes and encodes with it."""
    vae = zscape.load_pretrained(10)
    images = zscape.load_data("mnist").test[:N_CHECKED]
    scene = build_scene(vae, images, maps=["pca"], title="zoo:10", weights=weights)
    z = 1.5 * torch.randn(N_CHECKED, 10, generator=torch_generator(0, "web pages")).numpy()
    table = encode(vae, images)
    return {
        "scene": json.loads(scene_json(scene)),
        "z": z.ravel().tolist(),
        "pixels": decode(vae, z).numpy().ravel().tolist(),
        "x": images.pixels().numpy().ravel().tolist(),
        "mu": table.mu.ravel().tolist(),
    }


def two_of(page: Path) -> str:
    """The page with two explorers of its scene."""
    one = '<div data-zscape="embedded"></div>'
    two = [
        f'<div data-zscape="embedded" data-layout="{layout}" data-view="{view}"></div>'
        for layout, view in (("embed", "#map=pca&amp;row=3"), ("full", "#map=umap&amp;row=5"))
    ]
    return page.read_text().replace(one, "".join(two))


def write_members(folder: Path) -> None:
    """Write ``pair.html``, two models, and ``film.html``, three moments of one."""
    images = small_images(200, (1, 12, 12))
    models = [random_model(3, (1, 12, 12)), random_model(4, (1, 12, 12))]
    moments = [random_model(2, (1, 12, 12)) for _ in range(3)]
    for vae, scale in zip(moments, (0.3, 0.6, 1), strict=True):
        vae.load_state_dict({name: scale * value for name, value in vae.state_dict().items()})
    for name, members, method, labels in (
        ("pair", models, "pca", ["three", "four"]),
        ("film", moments, "pair", ["start", "step 1", "epoch 2"]),
    ):
        tables = [encode(vae, images) for vae in members]
        maps = maps_of_members(tables, [method], 0, lambda stage, done: None)
        scenes = [
            build_scene(vae, images, table=table, maps=own, title=label, is_brief=True)
            for vae, table, own, label in zip(members, tables, maps, labels, strict=True)
        ]
        if name == "pair":
            kept = kept_between(*tables)
            scenes = [with_column(scene, KEPT, kept) for scene in scenes]
        is_film = name == "film"
        joined = join_scenes(
            scenes, labels, by="training" if is_film else "model", title=name,
            losses=[90.5, 80.25, 70][: len(members)], first=2 if is_film else 0, is_film=is_film,
        )  # fmt: skip
        write_export(joined, folder / f"{name}.html")


N_LARGE = 60_000
"""More than are drawn one by one, and than are indexed while one waits."""


def write_large(folder: Path) -> None:
    """Write ``large/``, a folder to be served, and the same as ``large.html``, both with pages."""
    images = small_images(N_LARGE, (1, 12, 12))
    limit, pictures.ORIGINALS_BYTES = pictures.ORIGINALS_BYTES, 2**20
    try:
        vae = random_model(4, (1, 12, 12))
        scene = build_scene(
            vae, images, n=N_LARGE, maps=["pca", "pair"], title="large", is_brief=True
        )
    finally:
        pictures.ORIGINALS_BYTES = limit
    write_export(scene, f"{folder}/large/")
    write_export(scene, folder / "large.html")


def write_pages(folder: Path) -> None:
    """Write all pages into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = prepare_scene("zoo:10", n=N_DIGITS).scene
    write_export(digits, folder / "digits.html")
    told = prepare_scene("zoo:10", n=N_DIGITS, story=WALK).scene
    write_export(told, folder / "story.html")
    (folder / "two.html").write_text(two_of(folder / "digits.html"))
    known = with_columns(zscape.load_data("mnist").test)
    columns = prepare_scene("zoo:10", known, maps="pca", n=N_DIGITS).scene
    write_export(columns, folder / "columns.html")
    exact = {weights: numbers(weights) for weights in ("f32", "f16")}
    (folder / "numbers.json").write_text(json.dumps(exact))

    square, wide = (1, 12, 12), (3, 9, 12)
    grey = relabelled(small_images(200, square), ("even", "odd"))
    colours = small_images(300, wide)
    many = small_images(4000, square)
    cases: dict[str, tuple[VAE, ImageSet, list[str] | None]] = {
        "colours": (random_model(6, wide), ImageSet(colours.images, name="spots"), ["pca", "tsne"]),
        "hostile": (random_model(4, square), relabelled(grey, NAMES), ["pca"]),
        "one_point": (random_model(3, square), grey[:1], None),
        "two_points": (random_model(3, square), grey[:2], None),
        "one_neuron": (random_model(1, square), grey, None),
        "many_neurons": (random_model(64, square), grey, ["pca"]),
        "many_classes": (
            random_model(4, square),
            relabelled(many, tuple(f"class {i}" for i in range(2000))),
            ["pca"],
        ),
        "unknown_layer": (random_model(4, square, UnknownVAE), grey, ["pca"]),
    }
    spots = small_images(200, square)
    told = Condition("label", spots.class_names[:3])
    cases["told"] = random_model(3, square), spots, ["pca"]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        join_condition(cases["told"][0], told)
    for name, (vae, images, maps) in cases.items():
        scene = cached_scene(vae, images, maps=maps, title=f"{name} <b>&amp;</b>")
        write_export(scene, folder / f"{name}.html")
    write_members(folder)
    write_large(folder)
    print(f"{folder}: {len(list(folder.glob('*.html')))} pages")


def write_bench_pages(folder: Path) -> None:
    """Write what ``make bench-web`` measures: 10 000 digits in two sizes, 70 000, and a scene.

    Maps of 70 000 take ten minutes, once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digits = prepare_scene("zoo:10").scene
    write_export(digits, folder / "digits.html")
    (folder / "digits.json").write_text(scene_json(digits))
    write_export(prepare_scene("zoo:10", weights="i8").scene, folder / "digits_i8.html")
    splits = zscape.load_data("mnist")
    every = prepare_scene("zoo:10", joined(splits.train, splits.test), n=70_000).scene
    write_export(every, folder / "digits_70000.html")


def joined(first: ImageSet, second: ImageSet) -> ImageSet:
    """Both sets as one."""
    assert first.labels is not None
    assert second.labels is not None
    return ImageSet(
        torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels]),
        first.class_names, "train and test", first.name,
    )  # fmt: skip


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bench", action="store_true", help="those of make bench-web instead")
    options = parser.parse_args()
    (write_bench_pages if options.bench else write_pages)(options.folder)


if __name__ == "__main__":
    main()
