"""Scenes that were built before, in the user's cache folder: t-SNE and UMAP take half a minute."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape._version import __version__
from zscape.cache import cache_folder, code_of, prune
from zscape.data import ImageSet, shown_channels
from zscape.embedding.methods import Tell
from zscape.errors import ConfigError, DataError
from zscape.explorer.scene import FORMAT, VERSION, Scene, build_scene
from zscape.files import make_folder
from zscape.latents import fingerprint
from zscape.model import VAE, evaluating
from zscape.seeding import torch_generator

MAX_SCENES = 10
"""The oldest beyond these are deleted; one of 10 000 digits takes 5 MB."""
SUFFIX = ".zscene"
_CODE = ("data", "embedding", "explorer", "latents", "model", "neurons")
"""Folders of the package whose source decides what a scene is."""

_log = logging.getLogger(__name__)


def cached_scene(
    vae: VAE,
    images: ImageSet,
    *,
    maps: Sequence[str] | None = None,
    title: str,
    n: int | None = None,
    rows: NDArray[np.int64] | None = None,
    weights: str = "f16",
    seed: int = 0,
    fresh: bool = False,
    progress: Tell | None = None,
) -> Scene:
    """``build_scene``, or what it made the last time it was asked for the same.

    The same are: weights and what the network makes of noise, images with labels and columns, all
    options, and the code of this package. Where the folder cannot be written, that is logged, and
    the scene is built every time.

    Parameters
    ----------
    vae, images, title, n, rows, weights, seed, progress
        See ``build_scene``.
    maps
        Names of map methods; see ``build_scene``.
    fresh
        Build it in any case, and draw the maps that ship with the package too.
    """
    some = None if rows is None else rows.tolist()
    settings = {"maps": maps, "title": title, "n": n, "weights": weights, "seed": seed,
                "rows": some, "told": vae.chosen,
                "shown": shown_channels(vae.image_shape[0])}  # fmt: skip
    file = cache_folder() / "scenes" / f"{_key(vae, images, settings)}{SUFFIX}"
    if not fresh and file.is_file():
        try:
            scene = Scene.load(file)
            file.touch()
        except (DataError, OSError) as error:
            _log.warning("the scene is built again: %s", error)
        else:
            _log.info("scene from %s", file)
            return scene
    scene = build_scene(
        vae, images, maps=maps, title=title, n=n, rows=rows, weights=weights, seed=seed, anew=fresh,
        progress=progress,
    )  # fmt: skip
    try:
        make_folder(file.parent)
        scene.save(file)
        prune(file.parent, SUFFIX, MAX_SCENES)
    except ConfigError as error:
        _log.warning("the scene could not be kept: %s", error)
    return scene


def _key(vae: VAE, images: ImageSet, settings: dict[str, Any]) -> str:
    digest = hashlib.sha256(f"{FORMAT} {VERSION} {__version__} {_code()}".encode())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    digest.update(f"{fingerprint(vae)} {type(vae).__qualname__}".encode())
    digest.update(_behaviour(vae))
    # Of a copy: the labels that are shown count too.
    shown = replace(images).fingerprint
    digest.update(json.dumps([images.name, images.split, images.fingerprint, shown]).encode())
    if images.columns is not None:
        digest.update(images.columns.to_bytes())
    return digest.hexdigest()[:32]


def _behaviour(vae: VAE) -> bytes:
    """What the network makes of noise: a class may change while its weights do not."""
    generator = torch_generator(0, "explorer", "cache")
    device = next(vae.parameters()).device
    x = torch.rand(1, *vae.image_shape, generator=generator).to(device)
    z = torch.randn(1, vae.latent_dim, generator=generator).to(device)
    vae = vae.told_anything()
    with evaluating(vae):
        results = [*vae.encode(x), vae.decode(z), vae.likelihood.log_prob(x, vae.decode_logits(z))]
    return b"".join(result.float().cpu().numpy().tobytes() for result in results)


def _code() -> str:
    return code_of(_CODE)
