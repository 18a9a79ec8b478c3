"""A scene: everything the explorer shows, as one JSON manifest and named blocks of bytes.

The other side of the contract is ``web/src/scene/manifest.ts``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zscape import schema
from zscape._version import __version__
from zscape.data import ImageSet, ImagesLike, as_image_set, shown_channels
from zscape.data.bounded import reading
from zscape.data.mapped import view_of
from zscape.embedding import Embedding
from zscape.embedding.methods import Tell
from zscape.errors import CheckpointError, ConfigError, DataError
from zscape.explorer.blocks import ENTRY, Blocks, Bytes, check, check_weights, unpack
from zscape.explorer.columns import describe_columns
from zscape.explorer.layers import Network, describe_network
from zscape.explorer.maps import check_maps_belong, describe_map, draw_maps
from zscape.explorer.pictures import describe_pictures
from zscape.files import write_atomic
from zscape.latents import LatentTable, check_belongs, encode, fingerprint, prototypes
from zscape.model import VAE, ModelLike, as_vae, kl_to_standard_normal, reconstruction_costs
from zscape.neurons import neuron_table
from zscape.seeding import torch_generator
from zscape.words import counted, line

FORMAT, VERSION = "zscape-scene", 1
DEFAULT_POINTS, MAX_POINTS = 10_000, 1_000_000
MUTUAL_INFORMATION_POINTS = 10_000
"""Its error falls with 1/√n, its time rises with n."""
MAGIC = b"zscene1\n"
_MANIFEST = {
    "title": str, "data": str, "points": {"n": int}, "maps": [{"name": str, "coordinates": str}],
    "fingerprints?": {"model": str, "data": str}, "blocks": {str: ENTRY},
}  # fmt: skip
"""What Python itself asks of a manifest that it reads; the page asks for more."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What the page gets: ``manifest`` as JSON knows it, and the bytes of each of its blocks."""

    manifest: dict[str, Any]
    blocks: dict[str, Bytes]

    def __repr__(self) -> str:
        images = counted(self.manifest["points"]["n"], "image")
        maps = ", ".join(spec["name"] for spec in self.manifest["maps"])
        size = sum(map(len, self.blocks.values())) / 1e6
        return line(self, self.manifest["title"], images, f"maps {maps}", f"{size:.1f} MB")

    @property
    def manifest_json(self) -> str:
        """The manifest as text, always the same for the same scene."""
        return json.dumps(self.manifest, separators=(",", ":"), ensure_ascii=False)

    def array(self, name: str) -> NDArray[Any]:
        """The array in the block ``name``; see ``zscape.explorer.blocks.unpack``."""
        return unpack(self.manifest["blocks"][name], self.blocks[name])

    def check_belongs(self, vae: VAE, images: ImageSet | None = None) -> None:
        """Raise unless the scene is of ``vae``, as its weights are now, and of ``images``.

        Raises
        ------
        CheckpointError, DataError
            It is of others. A scene of an earlier version knows neither.
        """
        known = self.manifest.get("fingerprints", {"model": "", "data": ""})
        what = f"the scene of {self.manifest['title']} ({self.manifest['data']})"
        if known["model"] and known["model"] != (own := fingerprint(vae)):
            raise CheckpointError(
                f"{what} is of another model: its fingerprint is {known['model']}, the model's "
                f"{own}; make the scene again."
            )
        if images is not None and known["data"] not in ("", images.fingerprint):
            raise DataError(
                f"{what} is of other images: their fingerprint is {known['data']}, that of "
                f"{images.name}, {images.split} is {images.fingerprint}; make the scene again."
            )

    def save(self, path: Path) -> None:
        """Write to one file, whole or not at all."""
        head = self.manifest_json.encode()
        write_atomic(path, [MAGIC, struct.pack("<Q", len(head)), head, *self.blocks.values()])

    @classmethod
    def load(cls, path: Path) -> Scene:
        """The scene that ``save`` wrote; pictures in pages stay in the file until they are read.

        Raises
        ------
        DataError
            Missing, damaged, or not a scene.
        """
        with reading(path), path.open("rb") as file:
            is_scene = file.read(len(MAGIC)) == MAGIC
            content = view_of(file).data.toreadonly() if is_scene else memoryview(b"")
        try:
            if not is_scene:
                raise DataError("it begins otherwise.")
            at = len(MAGIC) + 8
            (length,) = struct.unpack("<Q", content[len(MAGIC) : at])
            manifest = schema.parse(bytes(content[at : at + length]), _MANIFEST)
            at += length
            blocks: dict[str, Bytes] = {}
            for name, entry in manifest["blocks"].items():
                own = content[at : at + entry["length"]]
                at += entry["length"]
                if "pages" in entry:
                    check(entry, own)
                    blocks[name] = own
                else:
                    blocks[name] = bytes(own)
                    unpack(entry, blocks[name])
        except (DataError, struct.error, ValueError, LookupError) as error:
            raise DataError(f"{path} is not a scene of zscape's: {error}") from error
        return cls(manifest, blocks)


def build_scene(
    vae: ModelLike,
    images: ImagesLike,
    *,
    table: LatentTable | None = None,
    maps: str | Embedding | Iterable[str | Embedding] | None = None,
    title: str = "",
    n: int | None = None,
    rows: NDArray[np.int64] | None = None,
    weights: str = "f16",
    seed: int = 0,
    anew: bool = False,
    is_brief: bool = False,
    near: NDArray[np.float32] | None = None,
    progress: Tell | None = None,
) -> Scene:
    """Everything the explorer shows of a model and a set of images.

    Parameters
    ----------
    vae
        A model, or what has one: what ``zscape.load`` or ``zscape.train`` returned.
    images
        Labelled or not.
    table
        Their latents, if they are encoded already: the rows it has are the points.
    maps
        Names of map methods, or fitted ``Embedding``s of the same points. By default PCA, t-SNE
        and UMAP, as far as the number of points and neurons allows.
    title
        What the page calls the model.
    n
        How many images to show, drawn with ``seed``; 10 000 by default, a million at most.
    rows
        Numbers of the images, ascending, from which they are drawn; all by default. A ``table``
        has its own.
    seed
        Of everything random: which images, the maps, the estimates of what a neuron knows.
    anew
        Draw every map here, also one that ships with the package.
    weights
        ``f32`` (exact), ``f16`` (pixels within 1e-3) or ``i8`` (a quarter of the bytes; pixels
        within a few hundredths).
    is_brief
        Without what takes long: learned ways back, and what a neuron knows of the class.
    near
        (n, 2): where pictures that are too many to be read at once lie near each other, so that
        those which are seen together come together; on the first map by default.
    progress
        Told what is being done and how much of it is done.

    Raises
    ------
    ConfigError
        ``n`` or ``weights`` out of range, or an unknown map.
    ShapeError, CheckpointError
        The images, the table or a map do not belong to the model.
    DataError
        A map that was asked for cannot be drawn on so few points.
    """
    vae = as_vae(vae)
    images = as_image_set(images, image_shape=vae.image_shape)
    check_weights(weights)
    if maps is not None:
        maps = [maps] if isinstance(maps, (str, Embedding)) else list(maps)
    if maps is not None and not maps:
        raise ConfigError("a scene needs at least one map; got none.")
    check_maps_belong(maps, vae)
    tell: Tell = progress or (lambda stage, done: None)
    images, table = _points(vae, images, table, n, rows, seed, tell)
    half = "f32" if weights == "f32" else "f16"
    blocks = Blocks()
    tell("neurons", 0)
    neurons = describe_neurons(table, seed, informs=not is_brief)
    kl = np.array([neuron["kl"] for neuron in neurons])
    drawn = draw_maps(table, maps, kl, tell, seed, anew)
    network = describe_network(vae)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "generator": f"zscape {__version__}",
        "title": title or type(vae).__name__,
        "data": f"{table.name}, {table.split}",
        "fingerprints": {"model": table.fingerprint, "data": table.data_fingerprint},
        "imageShape": list(vae.image_shape),
        "latentDim": vae.latent_dim,
        "points": _describe_points(
            vae, images, table, half, blocks, tell, drawn[0].coordinates if near is None else near
        ),
        "classNames": list(table.class_names),
        "prototypes": _describe_prototypes(table, blocks),
        "neurons": neurons,
        "maps": [
            describe_map(embedding, name, blocks.add, half, tell, learns=not is_brief)
            for name, embedding in zip(_names(drawn), drawn, strict=True)
        ],
        "model": network.spec,
        "why": network.why,
        "blocks": blocks.entries,
    }
    if vae.condition is not None:
        manifest["condition"] = _describe_condition(vae, table, blocks)
    if table.columns is not None:
        manifest["columns"] = describe_columns(table, blocks.add)
    _store_weights(network, weights, blocks)
    if shown := shown_channels(vae.image_shape[0]):
        manifest["showChannels"] = list(shown)
    tell("done", 1)
    return Scene(manifest, blocks.data)


def describe_neurons(
    table: LatentTable, seed: int = 0, *, informs: bool = True
) -> list[dict[str, Any]]:
    """``Neuron`` of the manifest for every latent neuron, and what it ``informs`` of the class."""
    frame = neuron_table(replace(table, labels=None, class_names=()))
    low, high = np.percentile(table.mu, (0.5, 99.5), axis=0)
    known = _mutual_information(table, seed) if informs else None
    return [
        {
            "name": str(name),
            "mean": float(row["mean"]),
            "std": float(row["std"]),
            "low": float(low[i]),
            "high": float(high[i]),
            "kl": float(row["kl"]),
            "isUsed": bool(row["is_used"]),
            "mutualInformation": None if known is None else float(known[i]),
        }
        for i, (name, row) in enumerate(frame.iterrows())
    ]


def chosen_rows(
    available: int, count: int, seed: int, among: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The rows that a scene of ``count`` of ``available`` images shows, ascending.

    Parameters
    ----------
    among
        Numbers of all that may be shown, ascending; else there are as many as ``available``.
    """
    order = torch.randperm(available, generator=torch_generator(seed, "scene"))
    rows: NDArray[np.int64] = order[:count].sort().values.numpy()
    return rows if among is None else among[rows]


def _points(
    vae: VAE,
    images: ImageSet,
    table: LatentTable | None,
    n: int | None,
    among: NDArray[np.int64] | None,
    seed: int,
    tell: Tell,
) -> tuple[ImageSet, LatentTable]:
    """The images to show and their latents, row by row."""
    if among is not None and table is not None:
        raise ConfigError("the rows of a table are chosen before it is shown; leave out rows.")
    available = len(images if among is None else among) if table is None else len(table)
    count = min(available, DEFAULT_POINTS) if n is None else n
    if not 1 <= count <= min(available, MAX_POINTS):
        raise ConfigError(
            f"n must be in [1, {min(available, MAX_POINTS)}], the {images.split} images of "
            f"{images.name}; got {count}."
        )
    rows = chosen_rows(available, count, seed, among)
    if table is not None:
        check_belongs(table, vae, images)
        table = table if count == available else table[rows]
        return _of(images, table.indices), table
    tell("encoding", 0)
    report = lambda done: tell("encoding", done / count)  # noqa: E731
    return _of(images, rows), encode(vae, images, rows=rows, progress=report)


def _of(images: ImageSet, indices: NDArray[np.int64]) -> ImageSet:
    """Some of the images; all of them are not copied, as they may fill the memory."""
    is_all = np.array_equal(indices, np.arange(len(images)))
    return images if is_all else images[torch.from_numpy(indices)]


def _describe_points(
    vae: VAE, images: ImageSet, table: LatentTable, half: str, blocks: Blocks, tell: Tell,
    near: NDArray[np.float32],
) -> dict[str, Any]:  # fmt: skip
    kl = kl_to_standard_normal(torch.from_numpy(table.mu), torch.from_numpy(table.logvar)).sum(1)
    tell("reconstruction errors", 0)
    error = reconstruction_costs(vae, images, table.mu).avoidable
    tell("originals", 0)
    labels = table.labels
    return {
        "n": len(table),
        "mu": blocks.add("mu", table.mu, half),
        "labels": None if labels is None else blocks.add("labels", labels, "i32", codec="gzip"),
        "indices": blocks.add("indices", table.indices, "i32", codec="gzip"),
        "kl": blocks.add("kl", kl.numpy(), half),
        "error": blocks.add("error", error, half),
        **describe_pictures(images, near, blocks),
    }


def _describe_prototypes(table: LatentTable, blocks: Blocks) -> dict[str, Any] | None:
    if table.labels is None:
        return None
    means = prototypes(table)
    vectors = np.zeros((len(table.class_names), table.latent_dim), np.float32)
    for name in means:
        vectors[table.class_names.index(name)] = means[name]
    counts = np.bincount(table.labels, minlength=len(vectors))
    return {"vectors": blocks.add("prototypes", vectors, "f32"), "counts": counts.tolist()}


def _describe_condition(vae: VAE, table: LatentTable, blocks: Blocks) -> dict[str, Any]:
    condition = vae.condition
    assert condition is not None
    try:
        codes = blocks.add("condition", condition.codes(table).numpy(), "i32", codec="gzip")
    except DataError:  # they were encoded as what was chosen
        codes = None
    first = 0 if vae.chosen is None else condition.code(vae.chosen)
    return {"title": condition.title, "names": list(condition.names), "first": first,
            "codes": codes}  # fmt: skip


def _mutual_information(table: LatentTable, seed: int) -> NDArray[Any] | None:
    step = -(-len(table) // MUTUAL_INFORMATION_POINTS)
    part = table[::step]
    if part.labels is None or np.bincount(part.labels).max() < 2:
        return None
    frame = neuron_table(part, seed=seed)
    known: NDArray[Any] = frame["mutual_information"].to_numpy()
    return known


def _names(maps: list[Embedding]) -> list[str]:
    """The method of each map; a second one of the same method is ``tsne-2``."""
    names: list[str] = []
    for embedding in maps:
        same = sum(other.method == embedding.method for other in maps[: len(names)])
        names.append(embedding.method if not same else f"{embedding.method}-{same + 1}")
    return names


def _store_weights(network: Network, weights: str, blocks: Blocks) -> None:
    for name, tensor in network.tensors.items():
        # Biases are few, and added to every pixel: not worth rounding.
        blocks.add(name, tensor.numpy(), weights if name.endswith(".weight") else "f32")
