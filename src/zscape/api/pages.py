"""What is written for a browser: the report, and the explorer in all its forms."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

from zscape.api.judging import measure_models
from zscape.api.opening import Openable, Opened, numbers_of, open_model, open_models
from zscape.api.subject import subject_of
from zscape.config import name_unknown
from zscape.data import ImageSet, ImagesLike, showing
from zscape.errors import ConfigError, needing
from zscape.files import check_writable, make_folder, write_atomic
from zscape.model import VAE, describe_model
from zscape.words import line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zscape.embedding import Embedding
    from zscape.embedding.methods import Tell
    from zscape.evaluation import Comparison, Protocol
    from zscape.explorer import Scene, Story
    from zscape.explorer.story import StoryLike
    from zscape.explorer.widget import ExplorerWidget
    from zscape.report import SideBySide

_log = logging.getLogger(__name__)


def write_report(
    source: Openable,
    out: Path | str,
    *,
    data: Any = None,
    explorer: str = "",
    seed: int = 0,
    progress: Tell | None = None,
) -> Path:
    """Write the whole walk through a model's latent space as one page that opens offline.

    Parameters
    ----------
    source
        A model, see ``open_model``: ``"zoo:10"``, a run folder, what ``train`` returned.
    out
        The page, a name that ends in .html; missing folders are made.
    data
        Other images than the model's own.
    explorer
        Address of what ``export`` wrote, seen from the report, to be linked at its top.
    seed
        Of the images and vectors that are chosen, and of the maps.
    progress
        Told what is being done, and the fraction of the whole that is done.

    Returns
    -------
    ``out``.

    Raises
    ------
    ConfigError
        ``out`` is a folder, has another ending, or cannot be written.
    CheckpointError, ShapeError, DataError
        There is no such model, or the images do not fit it or are fewer than four.
    """
    from zscape import report

    path = Path(out)
    _check_page(path)
    opened = open_model(source)
    subject = subject_of(opened, data)
    with showing(opened.show_channels):
        return report.write_report(subject, path, explorer=explorer, seed=seed, progress=progress)


def write_comparison(
    models: Sequence[Openable],
    out: Path | str,
    images: ImagesLike = None,
    protocol: Protocol | None = None,
    *,
    split: str = "test",
    probes: bool = True,
    progress: Tell | None = None,
) -> Path:
    """Write several models side by side as one page that opens offline.

    What was measured of each, against the number of neurons and the weight of the KL; and the same
    images, the same walks and the codes of each.

    Parameters
    ----------
    models, images, protocol, split, probes, progress
        See ``measure_models``.
    out
        The page, a name that ends in .html; missing folders are made.

    Returns
    -------
    ``out``.

    Raises
    ------
    ConfigError
        ``out`` is a folder, has another ending, or cannot be written; or two models cannot be
        compared.
    CheckpointError, ShapeError, DataError
        There is no such model, or the images do not fit one.
    """
    path = Path(out)
    _check_page(path)
    opened = open_models(models)
    found = measure_models(opened, images, protocol, split=split, probes=probes, progress=progress)
    page = comparison_page(found, opened, images, split=split)
    make_folder(path.parent)
    write_atomic(path, page)
    return path


def comparison_page(
    found: Comparison, models: Sequence[Opened], images: ImagesLike = None, *, split: str = "test"
) -> str:
    """The page of ``write_comparison``, of what ``measure_models`` found of ``models``."""
    from zscape import report

    with showing(models[0].show_channels):
        return report.draw_comparison(found, _beside(models, images, split))


def plot_models(
    models: Sequence[Opened], images: ImagesLike = None, *, split: str = "test"
) -> Figure:
    """An image of every class, and what each of the models, of different names, makes of it."""
    with showing(models[0].show_channels):
        return _beside(models, images, split).reconstructions()


def _beside(models: Sequence[Opened], images: ImagesLike, split: str) -> SideBySide:
    from zscape.report import SideBySide

    named = {model.name: model.model for model in models}
    return SideBySide(named, models[0].images(images, split))


class Prepared(NamedTuple):
    """A scene for the explorer, and what it was made of."""

    scene: Scene
    model: VAE
    images: ImageSet

    def __repr__(self) -> str:
        return line(self, str(self.scene), describe_model(self.model), str(self.images))

    def telling(self, story: Story) -> Prepared:
        """The same, with a story.

        Raises
        ------
        ConfigError
            It shows what the scene has not.
        """
        manifest = self.scene.manifest
        told = manifest | {"story": story.of(manifest)}
        return self._replace(scene=replace(self.scene, manifest=told))


class SceneOptions(TypedDict, total=False):
    """What the explorer can be told of a scene, as ``prepare_scene`` takes it."""

    against: Any
    film: bool
    split: str
    maps: str | Embedding | Sequence[str | Embedding] | None
    n: int | None
    rows: Any
    weights: str
    seed: int
    story: StoryLike | None
    fresh: bool
    progress: Tell | None


def prepare_scene(
    source: Openable | list[Openable],
    data: Any = None,
    *,
    against: Any = None,
    film: bool = False,
    split: str = "test",
    maps: str | Embedding | Sequence[str | Embedding] | None = None,
    n: int | None = None,
    rows: Any = None,
    weights: str = "f16",
    seed: int = 0,
    story: StoryLike | None = None,
    fresh: bool = False,
    progress: Tell | None = None,
) -> Prepared:
    """Everything the explorer shows of a model, from the user's cache if it was made before.

    Parameters
    ----------
    source
        A model, see ``open_model``: ``"zoo:10"``, a run folder, what ``train`` returned. Or a list
        of models, to be compared on the same images.
    data, split
        Which images, see ``Opened.images``; the model's own test images by default.
    against
        Other images, beside those of ``data``, to see one model on both.
    film
        The snapshots of a run, one after the other.
    rows
        Only these of the images, by their numbers: a list, or a table with a column ``index``, as
        the page saves a selection. Numbers that there are not are refused.
    maps, n, weights, seed
        See ``zscape.explorer.build_scene``. With maps that are fitted already nothing is cached.
    story
        What the page tells, step by step: a ``zscape.Story``, or the path of a JSON file.
    fresh
        Make it anew.

    Raises
    ------
    ConfigError, ShapeError, DataError, CheckpointError
        There is no such model, an option is out of range, the images do not fit, or the story
        shows what the scene has not.
    """
    from zscape.embedding import Embedding
    from zscape.explorer import as_story, build_scene, cached_scene

    told_story = None if story is None else as_story(story)  # before anything takes long
    if film or against is not None or isinstance(source, list):
        prepared = _prepare_members(
            source, data, against, film, split=split, maps=_named(maps), n=n, rows=rows,
            weights=weights, seed=seed, progress=progress,
        )  # fmt: skip
        return prepared if told_story is None else prepared.telling(told_story)
    opened = open_model(source)
    vae, title, images = opened.model, opened.name, opened.images(data, split)
    if maps is not None:
        maps = [maps] if isinstance(maps, (str, Embedding)) else list(maps)
    names = None if maps is None else [item for item in maps if isinstance(item, str)]
    told: dict[str, Any] = {
        "title": title, "n": n, "weights": weights, "seed": seed, "progress": progress,
        "rows": numbers_of(rows, len(images)),
    }  # fmt: skip
    with showing(opened.show_channels):
        if maps is None or (names and len(names) == len(maps)):
            scene = cached_scene(vae, images, maps=names, fresh=fresh, **told)
        else:
            scene = build_scene(vae, images, maps=maps, **told)
    prepared = Prepared(scene, vae, images)
    return prepared if told_story is None else prepared.telling(told_story)


def _prepare_members(
    source: Openable | list[Openable], data: Any, against: Any, film: bool, **told: Any
) -> Prepared:
    """Several models, moments or sets as one scene; nothing of it is cached."""
    from zscape.api.members import members_of, scene_of_members, scene_of_sets

    if against is not None:
        models = open_models(source if isinstance(source, list) else [source])
        if told.pop("rows") is not None:
            raise ConfigError("rows are numbers of one set of images; leave out the other one.")
        if film or len(models) > 1:
            raise ConfigError("one model is shown on two sets of images; give one, and no film.")
        (opened,) = models
        with showing(opened.show_channels):
            scene, images = scene_of_sets(opened, data, against, **told)
        return Prepared(scene, opened.model, images)
    members = members_of(source, film=film)
    first = members.models[-1 if members.is_film else 0]
    with showing(first.show_channels):
        scene, images = scene_of_members(members, data, **told)
    return Prepared(scene, first.model, images)


def _named(maps: Any) -> list[str] | None:
    """Names of maps to draw; what is fitted is of one model."""
    if maps is None:
        return None
    names = [maps] if isinstance(maps, str) else list(maps)
    if not all(isinstance(name, str) for name in names):
        raise ConfigError("maps of several models are drawn in one frame; give their names.")
    return names


def explore(
    source: Openable | list[Openable], data: Any = None, **options: Unpack[SceneOptions]
) -> ExplorerWidget:
    """The explorer as a notebook widget: last in a cell, it shows itself.

    What a person does there comes back as ``z``, ``selection``, ``selections``, ``path``, ``map``,
    ``color`` and ``filter``, and each of them can be set from Python.

    Parameters
    ----------
    source, data, options
        As for ``prepare_scene``; the first time takes a minute, for t-SNE and UMAP.

    Raises
    ------
    MissingExtraError
        anywidget is not installed.
    """
    with needing("notebook", "the explorer in a notebook"):
        from zscape.explorer.widget import ExplorerWidget
    _check_options("explore", options)
    return ExplorerWidget(*prepare_scene(source, data, **options))


def export(
    source: Openable | list[Openable],
    out: Path | str,
    data: Any = None,
    *,
    onnx: Path | str | None = None,
    **options: Unpack[SceneOptions],
) -> Path:
    """Write the explorer as one HTML file that opens anywhere, offline, without Python.

    Or as a folder of files for a server, as a million images are too many for one.

    Parameters
    ----------
    source, data, options
        As for ``prepare_scene``; ``weights="i8"`` makes the smallest file.
    out
        The page, a name that ends in .html; or a folder, a name that ends in a slash.
    onnx
        Also write ``encoder.onnx`` and ``decoder.onnx`` into this folder.

    Returns
    -------
    The path of the page, or of the folder.

    Raises
    ------
    ConfigError
        ``out`` cannot be written, or the images are too many for one page.
    MissingExtraError
        ``onnx`` without the packages it needs.
    """
    from zscape.explorer import check_export, write_export
    from zscape.explorer.onnx import check_onnx, write_onnx

    check_export(out)
    _check_options("export", options)
    if onnx is not None:
        check_onnx()
    prepared = prepare_scene(source, data, **options)
    if why := prepared.scene.manifest["why"]:
        _log.warning("%s shows the images on their maps, but decodes nothing. %s", out, why)
    if onnx is not None:
        write_onnx(prepared.model, onnx)
    return write_export(prepared.scene, out)


def _check_options(verb: str, options: SceneOptions) -> None:
    known = SceneOptions.__annotations__
    if unknown := set(options) - set(known):
        raise ConfigError(f"{verb} has no option {name_unknown(unknown, known)}.")


def _check_page(path: Path) -> None:
    """Raise now what would otherwise be found out a minute later."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"{path}: this is a page; give it a name that ends in .html.")
    check_writable(path, makes_folders=True)
