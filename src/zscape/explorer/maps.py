"""Maps of a scene: which can be drawn, and everything the page needs of one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import nn

from zscape.embedding import (
    TSNE,
    Embedding,
    Fitted,
    LearnedWay,
    Pair,
    fit_map,
    methods,
    prepare_inverse,
)  # fmt: skip
from zscape.embedding.methods import Tell
from zscape.errors import DataError
from zscape.latents import LatentTable, check_belongs
from zscape.model import VAE

Add: TypeAlias = Callable[..., str]
"""``add(name, array, dtype, codec=…)`` stores a block and returns its name."""

DEFAULT_MAPS = ("pca", "tsne", "umap")
MIN_PERPLEXITY = 5.0
"""Below, t-SNE draws noise; so few points are left to the other maps."""

_log = logging.getLogger(__name__)


def draw_maps(
    table: LatentTable,
    maps: Iterable[str | Embedding] | None,
    kl: NDArray[Any],
    progress: Tell,
    seed: int = 0,
    anew: bool = False,
) -> list[Embedding]:
    """The maps of a scene, in the order asked for.

    Parameters
    ----------
    maps
        Names of methods, or maps fitted before on the same rows. None: ``DEFAULT_MAPS``, without
        those that need more points or neurons than there are; that is logged. So is a perplexity
        lowered for few points, which the map's label says too.
    kl
        (latent_dim,): decides which two neurons make a plain map where nothing else can.
    seed, anew
        Of the maps that are drawn here; see ``fit_map``.

    Raises
    ------
    ConfigError, DataError
        A map that was asked for by name cannot be drawn, or is of other points.
    """
    wanted = list(DEFAULT_MAPS if maps is None else maps)
    drawn = []
    for i, item in enumerate(wanted):
        if isinstance(item, Embedding):
            check_same_rows(item, table)
            drawn.append(item)
            continue

        def tell(stage: str, done: float, i: int = i, name: str = item) -> None:
            progress(f"{methods[name].label}: {stage}", (i + done) / len(wanted))

        try:
            settings = settings_for(item, len(table))
            drawn.append(fit_map(table, item, seed=seed, anew=anew, progress=tell, **settings))
        except DataError as error:
            if maps is not None:
                raise
            _log.warning("no %s map: %s", methods[item].label, error)
    return drawn or [_plain(table, kl)]


def check_same_rows(embedding: Embedding, table: LatentTable) -> None:
    """Raise ``DataError`` unless the map is of exactly these points."""
    own = embedding.table
    if own.mu.shape != table.mu.shape or not np.allclose(own.mu, table.mu, rtol=1e-4, atol=1e-4):
        raise DataError(
            f"the {embedding.method} map is of other points: {len(own)} of {own.name}, while the "
            f"scene has {len(table)} of {table.name}; fit it on the table of the same images."
        )


def check_maps_belong(maps: Iterable[str | Embedding] | None, vae: VAE) -> None:
    """Raise if a fitted map is of another model; see ``zscape.latents.check_belongs``."""
    for item in maps or ():
        if isinstance(item, Embedding):
            check_belongs(item.table, vae)


def describe_map(
    embedding: Embedding, name: str, add: Add, half: str, progress: Tell, *, learns: bool = True
) -> Any:
    """``MapSpec`` of ``web/src/scene/manifest.ts``; its arrays go to ``add``.

    Parameters
    ----------
    half
        ``f16`` or ``f32``: how the learned way back is stored.
    learns
        Whether there is one.
    """
    prefix, state, table = f"map.{name}", embedding.fitted.state, embedding.table
    is_pair = isinstance(embedding.settings, Pair)
    is_linear = {"axes", "centre"} <= set(state)
    spec: dict[str, Any] = {
        "name": name,
        "label": "z0" if table.latent_dim == 1 and is_pair else embedding.settings.title(),
        "method": embedding.method,
        "settings": embedding.settings.to_dict(),
        "seed": embedding.seed,
        "coordinates": add(f"{prefix}.coordinates", embedding.coordinates, "f32"),
        "inverses": ["nearest"],
        "unit": typical_gap(embedding.coordinates),
    }
    if len(embedding) > 1:
        spec["inverses"].insert(0, "local")
    if is_linear:
        spec["inverses"].append("exact")
        spec["linear"] = {
            part: add(f"{prefix}.{part}", state[part], "f32") for part in ("axes", "centre")
        }
    elif learns and len(embedding) > 1:
        progress(f"{embedding.settings.label}: the learned way back", 0)
        spec["inverses"].insert(1, "learned")
        spec["learned"] = _describe_learned(embedding, f"{prefix}.learned", add, half)
    if embedding.standardize:
        shift, scale = embedding.scaling
        spec["standardize"] = {
            "shift": add(f"{prefix}.shift", shift, "f32"),
            "scale": add(f"{prefix}.scale", scale, "f32"),
        }
    if "explained_variance_ratio" in state:
        spec["explained"] = [float(share) for share in state["explained_variance_ratio"][:2]]
    return spec


def typical_gap(coordinates: NDArray[Any]) -> float:
    """Median distance of a point to its nearest other one that is not on top of it; 1 if none."""
    from scipy.spatial import cKDTree

    places = np.unique(coordinates, axis=0)
    if len(places) < 2:
        return 1.0
    gaps = cKDTree(places).query(places, 2)[0][:, 1]
    return float(np.median(gaps))


def _describe_learned(embedding: Embedding, prefix: str, add: Add, half: str) -> dict[str, Any]:
    way = prepare_inverse(embedding, "learned")
    assert isinstance(way, LearnedWay)
    linear = [layer for layer in way.network if isinstance(layer, nn.Linear)]
    return {
        "middle": [float(value) for value in way.middle],
        "spread": float(way.spread),
        # Phases of several turns: rounded waves would shift them.
        "waves": add(f"{prefix}.waves", way.waves.numpy(), "f32"),
        "layers": [
            {
                "weight": add(f"{prefix}.{i}.weight", layer.weight.detach().numpy(), half),
                "bias": add(f"{prefix}.{i}.bias", layer.bias.detach().numpy(), "f32"),
            }
            for i, layer in enumerate(linear)
        ],
        "mean": add(f"{prefix}.mean", way.mean, "f32"),
        "scale": float(way.scale),
    }


def settings_for(method: str, n: int) -> dict[str, Any]:
    """A smaller perplexity where there are too few points for the usual one; that is logged."""
    usual, perplexity = TSNE(), float((n - 2) // 3)
    if method != "tsne" or n >= usual.min_points() or perplexity < MIN_PERPLEXITY:
        return {}
    _log.warning(
        "t-SNE is drawn with perplexity %g: the usual %g needs %d points, and there are %d.",
        perplexity, usual.perplexity, usual.min_points(), n,
    )  # fmt: skip
    return {"perplexity": perplexity}


def _plain(table: LatentTable, kl: NDArray[Any]) -> Embedding:
    """Two neurons as they are, those with most to say; a single one along a line."""
    dim = table.latent_dim
    first, *others = (int(neuron) for neuron in np.argsort(-kl, kind="stable"))
    axes = np.zeros((2, dim))
    axes[0, first] = 1
    if others:
        axes[1, others[0]] = 1
    state = {"axes": axes, "centre": np.zeros(dim)}
    settings = Pair(first, others[0]) if others else Pair()
    coordinates = (table.mu @ axes.T).astype(np.float32)
    return Embedding(table, "pair", settings, Fitted(coordinates, state))
