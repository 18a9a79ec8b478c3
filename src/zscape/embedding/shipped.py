"""Maps that were drawn before the package was built: those of the zoo's test images."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zscape._version import __version__
from zscape.embedding.methods import Fitted, MapMethod
from zscape.errors import DataError
from zscape.latents import LatentTable

if TYPE_CHECKING:
    from zscape.embedding.embedding import Embedding

FOLDER = files("zscape.zoo") / "maps"
"""One file a model, named by its ``fingerprint``."""
METADATA_KEY = "zscape"
CLOSE = 1e-3
"""How far means may be from those that were mapped: processors round differently."""

_log = logging.getLogger(__name__)


def save_shipped(maps: Iterable[Embedding], path: Path) -> None:
    """Write maps of one table, and the learned way back from each, for ``find_shipped``."""
    from safetensors.numpy import save

    from zscape.embedding.inverse import prepare_inverse
    from zscape.embedding.learned import LearnedWay
    from zscape.files import write_atomic

    arrays: dict[str, Any] = {}
    about: dict[str, Any] = {}
    for one in maps:
        way = prepare_inverse(one, "learned")
        assert isinstance(way, LearnedWay)
        kept = {"coordinates": one.coordinates}
        kept |= {f"state.{name}": array for name, array in one.fitted.state.items()}
        kept |= {f"way.{name}": array for name, array in way.arrays().items()}
        arrays |= {f"{one.method}.{name}": np.array(a, order="C") for name, a in kept.items()}
        about[one.method] = {
            "version": __version__, "settings": one.settings.to_dict(), "seed": one.seed,
            "model": one.table.fingerprint, "data": one.table.data_fingerprint, "n": len(one),
        }  # fmt: skip
    write_atomic(path, save(arrays, metadata={METADATA_KEY: json.dumps(about)}))


def find_shipped(
    table: LatentTable, method: str, settings: MapMethod, seed: int
) -> Embedding | None:
    """The map of ``table`` that ships with the package, its learned way back ready; or None.

    It is that of the same weights, the same images, all of them and in their order, the same
    settings and the same seed.
    """
    from safetensors import SafetensorError, safe_open

    from zscape.embedding.embedding import Embedding
    from zscape.embedding.learned import Learned, LearnedWay

    source = FOLDER / f"{table.fingerprint}.safetensors"
    if not table.fingerprint or not source.is_file():
        return None
    try:
        with as_file(source) as path, safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()[METADATA_KEY]).get(method)
            if about is None or _differs(about, table, settings, seed):
                return None
            names = [name for name in file.keys() if name.startswith(f"{method}.")]  # noqa: SIM118
            arrays = {name.removeprefix(f"{method}."): file.get_tensor(name) for name in names}
        way = LearnedWay.of_arrays(_under("way.", arrays))
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{source} is damaged ({error}); install zscape again.") from error
    spread = float(table.mu.std())
    if not np.allclose([*table.mu.mean(0), spread], [*way.mean, way.scale], rtol=0, atol=CLOSE):
        return None
    found = Embedding(
        table, method, settings, Fitted(arrays["coordinates"], _under("state.", arrays)), seed=seed
    )
    found.ways[Learned()] = way
    _log.info("the %s map ships with zscape %s", method, about["version"])
    return found


def _differs(about: dict[str, Any], table: LatentTable, settings: MapMethod, seed: int) -> bool:
    return (
        about["settings"] != settings.to_dict()
        or (about["seed"], about["data"]) != (seed, table.data_fingerprint)
        or not np.array_equal(table.indices, np.arange(about["n"]))
    )


def _under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
