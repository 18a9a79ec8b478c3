"""Several scenes as one: models beside each other, moments of a training, sets of images.

A scene with members is the scene of its first one, and of each member what differs from that; the
page puts the two together and has a whole scene of every member (``scene/members.ts``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zscape.embedding import Embedding, Fitted, align_maps, neighbours_kept
from zscape.embedding.methods import Tell
from zscape.embedding.neighbours import nearest_others
from zscape.errors import DataError
from zscape.explorer.blocks import Bytes, pack
from zscape.explorer.maps import settings_for
from zscape.explorer.scene import Scene
from zscape.latents import LatentTable

KEPT = "neighbours kept"
"""Column: the share of each image's neighbours in one latent space that are so in the other."""
N_NEIGHBOURS = 15

_REFERENCES = frozenset({
    "mu", "labels", "indices", "kl", "error", "thumbnails", "vectors", "coordinates", "axes",
    "centre", "shift", "scale", "waves", "weight", "bias", "mean", "codes", "values", "texts",
    "slots",
})  # fmt: skip
"""Keys of a manifest whose texts are names of blocks."""


def join_scenes(
    scenes: Sequence[Scene],
    labels: Sequence[str],
    *,
    by: str,
    title: str = "",
    losses: Sequence[float] | None = None,
    first: int = 0,
    is_film: bool = False,
) -> Scene:
    """One scene in which ``scenes`` are the members.

    Bytes that several have, such as the small pictures of the same images, are there once.

    Parameters
    ----------
    scenes
        Of the same images or of the same model, two at least.
    labels
        What the page calls each, next to ``by``: ``"epoch 2"``.
    by
        What they differ in: ``"model"``, ``"kld_weight"``, ``"training"``.
    title
        What the page calls the whole.
    losses
        Of each, nats per image: drawn as a curve along the slider.
    first
        The member that is shown first, and alone by a page of an earlier version.
    is_film
        They follow each other; the page shows one at a time, and a slider. Their encoders, which
        only drawings need, are left out but for that of ``first``. Otherwise the page begins with
        the first beside the next.
    """
    names: dict[tuple[str, bytes], str] = {}
    blocks: dict[str, Bytes] = {}
    entries: dict[str, Any] = {}
    manifests = []
    for k, scene in enumerate(scenes):
        own: dict[str, str] = {}
        for name, data in scene.blocks.items():
            entry = scene.manifest["blocks"][name]
            own[name] = names.setdefault(
                (json.dumps(entry), bytes(data)), name if name not in blocks else f"{k}.{name}"
            )
            blocks[own[name]], entries[own[name]] = data, entry
        manifest = {part: value for part, value in scene.manifest.items() if part != "blocks"}
        if is_film and k != first and manifest["model"] is not None:
            manifest["model"] = manifest["model"] | {"encoder": None}
        manifests.append(_renamed(manifest, own))
    if is_film:  # of what is nobody's any more
        used = set(_references(manifests))
        blocks = {name: data for name, data in blocks.items() if name in used}
        entries = {name: entries[name] for name in blocks}
    base = dict(manifests[first])
    members = [
        {
            "label": label,
            "loss": None if losses is None else float(losses[k]),
            "manifest": {part: value for part, value in manifest.items()
                         if value != base.get(part)}
                        | {part: None for part in base if part not in manifest},
        }
        for k, (label, manifest) in enumerate(zip(labels, manifests, strict=True))
    ]  # fmt: skip
    about = {"by": by, "first": first, "isFilm": is_film, "list": members}
    if title:
        about["title"] = title
    return Scene(base | {"members": about, "blocks": entries}, blocks)


def _references(value: Any) -> Iterator[str]:
    """Names of blocks in a part of a manifest."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _REFERENCES and isinstance(item, str):
                yield item
            else:
                yield from _references(item)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A part of a manifest, with other names for its blocks."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.get(item, item)
        if key in _REFERENCES and isinstance(item, str)
        else _renamed(item, names)
        for key, item in value.items()
    }


def maps_of_members(
    tables: Sequence[LatentTable], methods: Sequence[str], seed: int, progress: Tell
) -> list[list[Embedding]]:
    """For each table a map by each method, all of a method in one frame; see ``align_maps``."""
    n = len(tables[0])
    drawn = [
        align_maps(tables, method, seed=seed, progress=progress, **settings_for(method, n))
        for method in methods
    ]
    return [list(maps) for maps in zip(*drawn, strict=True)]


def placed_on(maps: Sequence[Embedding], table: LatentTable) -> list[Embedding]:
    """Other images by the same model on its maps: the maps stay, the images are placed there."""
    return [
        replace(one, table=table, fitted=Fitted(one.transform(table.mu), one.fitted.state))
        for one in maps
    ]


def kept_between(one: LatentTable, other: LatentTable) -> NDArray[np.float64]:
    """(n,): which share of the 15 nearest images of each, in one latent space, it keeps."""
    k = min(N_NEIGHBOURS, len(one) - 1)
    near = [nearest_others(table.mu, k, seed=0).rows for table in (one, other)]
    return neighbours_kept(*near)


def with_column(scene: Scene, name: str, values: NDArray[np.float64]) -> Scene:
    """The scene with one more column of numbers, the first of all.

    Raises
    ------
    DataError
        There is a column of that name.
    """
    columns = scene.manifest.get("columns") or []
    if any(column["name"] == name for column in columns):
        raise DataError(f"the images have a column “{name}”, as the comparison calls its own.")
    entry, data = pack(values, "f32")
    block = f"column.{name}"
    spec = {"kind": "number", "name": name, "missing": 0, "values": block}
    blocks = scene.manifest["blocks"] | {block: entry}
    manifest = scene.manifest | {"columns": [spec, *columns], "blocks": blocks}
    return Scene(manifest, scene.blocks | {block: data})
