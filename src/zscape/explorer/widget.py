"""The explorer in a notebook: a widget whose state Python sees and sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from zscape.data import ImageSet
from zscape.errors import ZscapeError
from zscape.explorer.columns import check_filter, colors
from zscape.explorer.export import check_size
from zscape.explorer.kernel import Kernel
from zscape.explorer.page import read_bundle
from zscape.explorer.scene import Scene
from zscape.latents import LatentTable, as_vector, as_vectors, decode, encode, locate
from zscape.model import VAE

if TYPE_CHECKING:
    import pandas as pd


class _Checked(traitlets.TraitType[Any, Any]):
    """A trait whose values the widget itself checks; ``ZscapeError`` becomes ``TraitError``."""

    def __init__(self, check: Callable[[Any, Any], Any], default: Any, help: str) -> None:
        super().__init__(default_value=default, help=help)
        self.check = check

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return self.check(obj, value)
        except ZscapeError as error:
            raise traitlets.TraitError(f"{self.name}: {error}") from error


def _vector(widget: ExplorerWidget, value: Any) -> list[float]:
    if _is_empty(value):
        return []
    return [float(number) for number in as_vector(value, widget.latent_dim)]


def _vectors(widget: ExplorerWidget, value: Any) -> list[list[float]]:
    if _is_empty(value):
        return []
    rows = as_vectors(value, widget.latent_dim)
    return [[float(number) for number in row] for row in rows]


def _rows(widget: ExplorerWidget, value: Any) -> list[int]:
    rows = np.asarray(value)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise traitlets.TraitError(f"selection must be a list of row numbers; got {value!r}.")
    if rows.size and not 0 <= rows.min() <= rows.max() < len(widget):
        raise traitlets.TraitError(
            f"selection must hold row numbers in [0, {len(widget) - 1}]; got "
            f"{rows.min()} to {rows.max()}."
        )
    return [int(row) for row in rows]


def _selections(widget: ExplorerWidget, value: Any) -> dict[str, list[int]]:
    if not isinstance(value, Mapping):
        raise traitlets.TraitError(f"selections must be a dict of row numbers; got {value!r}.")
    checked = {}
    for name, rows in value.items():
        if not isinstance(name, str) or not name.strip():
            raise traitlets.TraitError(f"selections have names; got {name!r}.")
        checked[name] = sorted(set(_rows(widget, rows)))
    return checked


def _map(widget: ExplorerWidget, value: Any) -> str:
    names = widget.maps
    if value in ("", *names) or _is_pair(value, widget.latent_dim):
        return str(value)
    raise traitlets.TraitError(
        f"map must be one of {', '.join(names)}, or two neurons as 'z0,z1'; got {value!r}."
    )


def _color(widget: ExplorerWidget, value: Any) -> str:
    neurons = [f"z{i}" for i in range(widget.latent_dim)]
    names = [*colors(widget.manifest_dict), *neurons]
    if value in ("", "selections", *names):
        return str(value)
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    raise traitlets.TraitError(f"color must be one of {shown}; got {value!r}.")


def _condition(widget: ExplorerWidget, value: Any) -> str:
    known = widget.manifest_dict.get("condition")
    if value == "" or (known is not None and value in known["names"]):
        return str(value)
    if known is None:
        raise traitlets.TraitError("condition: this model is told nothing of a picture.")
    raise traitlets.TraitError(
        f"condition must be one of {', '.join(known['names'])}; got {value!r}."
    )


def _filter(widget: ExplorerWidget, value: Any) -> dict[str, Any]:
    return check_filter(widget.manifest_dict, value)


class ExplorerWidget(anywidget.AnyWidget):
    """The explorer of one scene; display it as the last line of a cell.

    Everything a person does comes back as traits, and each of them can be set: ``z``,
    ``selection``, ``selections``, ``path``, ``map``, ``color``, ``condition``, ``filter``. Two
    widgets share them through ``traitlets.link((a, "z"), (b, "z"))``.

    Parameters
    ----------
    scene
        Of ``build_scene``.
    vae
        The model behind it; decodes and encodes here if the page cannot.
    images
        The set that the scene's indices point into.

    Raises
    ------
    CheckpointError, DataError
        The scene is of another model or of other images.
    ConfigError
        It is too large for a notebook.
    """

    manifest = traitlets.Unicode().tag(sync=True)
    blocks = traitlets.Dict(value_trait=traitlets.Bytes(), key_trait=traitlets.Unicode()).tag(
        sync=True
    )
    z = _Checked(_vector, [], "The current latent vector, in any form as_vectors takes.").tag(
        sync=True
    )
    selection = _Checked(_rows, [], "Rows of the points that are selected.").tag(sync=True)
    selections = _Checked(_selections, {}, "Selections that are kept: name → rows.").tag(sync=True)
    path = _Checked(_vectors, [], "Latent vectors along the path; empty: none.").tag(sync=True)
    map = _Checked(_map, "", "Name of the map shown, or two neurons: 'z0,z1'.").tag(sync=True)
    color = _Checked(_color, "", "class, kl, error, a column, or a neuron: 'z3'.").tag(sync=True)
    condition = _Checked(_condition, "", "What is decoded, by a model that is told.").tag(sync=True)
    filter = _Checked(_filter, {}, "What is shown, by column: {'area': (2, None)}.").tag(sync=True)

    def __init__(self, scene: Scene, vae: VAE, images: ImageSet, **traits: Any) -> None:
        scene.check_belongs(vae, images)
        check_size(scene, "a notebook")
        self.manifest_dict = scene.manifest
        self._vae, self._images, self._kernel = vae, images, Kernel(vae)
        self._indices = scene.array("indices")
        self._esm = read_bundle()
        # Empty: the page chooses, and says what it chose once it is shown.
        start: dict[str, Any] = {
            "z": [], "selection": [], "selections": {}, "path": [], "map": "", "color": "",
            "condition": "", "filter": {},
        }  # fmt: skip
        start |= traits
        blocks = {name: bytes(data) for name, data in scene.blocks.items()}
        super().__init__(manifest=scene.manifest_json, blocks=blocks, **start)
        self.on_msg(self._receive)
        self._closes_layout = "layout" not in traits

    def close(self) -> None:
        """Leave the page and the kernel."""
        # ipywidgets keeps the layout that it made for a widget, one for each that there ever was.
        if self.comm is not None and self._closes_layout:
            self.layout.close()
        super().close()

    def __len__(self) -> int:
        return int(self.manifest_dict["points"]["n"])

    @property
    def latent_dim(self) -> int:
        """Number of latent neurons."""
        return int(self.manifest_dict["latentDim"])

    @property
    def maps(self) -> list[str]:
        """Names of the maps of the scene; any two neurons are one more."""
        return [spec["name"] for spec in self.manifest_dict["maps"]]

    @property
    def picture(self) -> NDArray[np.float32]:
        """(c, h, w) in [0, 1]: the current vector decoded; as long as there is none, the origin."""
        z = locate(self._vae, self.z or None)
        known = self.manifest_dict.get("condition")
        told = None if known is None else self.condition or known["names"][known["first"]]
        picture: NDArray[np.float32] = decode(self._vae, z, condition=told)[0].numpy()
        return picture

    @property
    def selected(self) -> pd.DataFrame:
        """A row per selected image: index in the set, class if there is one, posterior means."""
        if not self.selection:
            return self._table([0]).to_frame().iloc[:0]
        return self._table(self.selection).to_frame()

    @property
    def selected_images(self) -> ImageSet:
        """The selected images themselves.

        Raises
        ------
        DataError
            Nothing is selected.
        """
        return self._images[self._indices[self.selection].tolist()]

    def _table(self, rows: list[int]) -> LatentTable:
        indices = self._indices[rows]
        return encode(self._vae, self._images, rows=indices.astype(np.int64))

    def _receive(self, _: Any, message: Any, buffers: list[memoryview]) -> None:
        """Answer ``{"type": "decode" or "encode", "id": …}``, which comes with its numbers."""
        kind, number = message.get("type"), message.get("id")
        try:
            if kind == "decode":
                answers = [self._kernel.decode(buffers[0], message.get("condition"))]
            elif kind == "encode":
                answers = list(self._kernel.encode(buffers[0], message.get("condition")))
            else:
                return
        except (ZscapeError, IndexError) as error:
            text = str(error) if isinstance(error, ZscapeError) else "the message has no numbers."
            self.send({"type": "error", "id": number, "message": text})
            return
        numbers = [answer.astype("<f4").tobytes() for answer in answers]
        self.send({"type": f"{kind}d", "id": number}, numbers)


def _is_empty(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not value


def _is_pair(value: Any, latent_dim: int) -> bool:
    first, comma, second = str(value).partition(",")
    neurons = {f"z{i}" for i in range(latent_dim)}
    return bool(comma) and first in neurons and second in neurons and first != second
