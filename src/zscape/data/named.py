"""Files of arrays: which array of which file are the images and labels of which split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from zscape.config import DataConfig
from zscape.data.arrays import Part, as_numpy, from_parts
from zscape.data.imageset import ImageSet, Splits
from zscape.data.kinds import having, suffix_of
from zscape.data.roles import Part as Role
from zscape.data.roles import Role as RoleOf
from zscape.data.roles import choose, role_of, split_of, splits_among
from zscape.data.tree import Place, Readable, Tree, say_left_out
from zscape.errors import DataError

CLASS_NAMES = "class_names"


@dataclass(frozen=True)
class Found:
    """The arrays of one file.

    Parameters
    ----------
    arrays
        By split and kind.
    names
        What the file calls them.
    is_lone
        Whether the file holds this array only, so that the file's name says what it is.
    class_names
        In the order of the labels, if the file has them.
    columns
        What else it knows of its training images.
    """

    arrays: dict[Role, NDArray[Any]]
    names: tuple[str, ...] = ()
    is_lone: bool = False
    class_names: tuple[str, ...] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)


ReadOne = Callable[[Readable, DataConfig], Found]


def find_named(
    where: object, names: Iterable[str], get: Callable[[str], Any], config: DataConfig
) -> Found:
    """What ``names`` say (or ``config.keys``; see ``roles.choose``); ``get`` reads only that."""
    names = list(names)
    others = [name for name in names if name != CLASS_NAMES]
    if len(others) == 1 and config.keys is None:
        chosen = {("train", role_of(others[0]).kind or "images"): others[0]}
    else:
        chosen = choose(others, where, config.keys)
    used = (*chosen.values(), CLASS_NAMES)
    say_left_out(where, Counter(f"array {name}" for name in names if name not in used))
    arrays = {part: as_numpy(get(name), f"{where}:{name}") for part, name in chosen.items()}
    class_names = None
    if CLASS_NAMES in names:
        texts = as_numpy(get(CLASS_NAMES), f"{where}:{CLASS_NAMES}")
        if texts.dtype.kind != "U" or texts.ndim != 1:
            raise DataError(
                f"{where}: class_names must be text (k,); got {texts.dtype} {texts.shape}."
            )
        class_names = tuple(texts.tolist())
    return Found(arrays, tuple(sorted(chosen.values())), len(names) == 1, class_names)


def read_arrays(
    tree: Tree, config: DataConfig, readers: Mapping[str, ReadOne]
) -> Splits | ImageSet:
    """An image set of files of arrays.

    A file holds everything, or one split (``train.npz``, ``test.npz``), or a single array that
    its name describes (``x_train.npy``, ``k49-train-labels.npz``). To a file that is given by
    itself belong the labels, and to training images the test images, that lie in such files
    beside it.

    Parameters
    ----------
    readers
        How files of a suffix are read.

    Raises
    ------
    DataError
        A file that cannot be read, files of several sets, or no images.
    """
    files = having(tree, readers)
    for place in tree.files.keys() - files.keys():
        tree.left_out[PurePosixPath(place[-1]).suffix or place[-1]] += 1
    first = next(iter(files.values()))
    is_given = len(tree.files) == 1 and isinstance(first, Path)
    files = _with_files_beside(first, readers) if is_given else _of_one_set(files, tree.where)
    arrays: dict[Role, NDArray[Any]] = {}
    owners: dict[Role, str] = {}
    kinds: list[str] = []
    class_names, columns = None, {}
    for place, file in files.items():
        suffix = suffix_of(file)
        suffix = suffix if suffix in readers else PurePosixPath(file.name).suffix.lower()
        found = readers[suffix](file, config)
        role = _role(place)
        for (split, kind), array in found.arrays.items():
            part = (
                (role.split or "train") if split == "train" else split,
                (role.kind or kind) if found.is_lone else kind,
            )
            if part in arrays:
                raise DataError(
                    f"{tree.where} has {' '.join(part)} both in {owners[part]} and in {file.name}."
                )
            arrays[part], owners[part] = array, file.name
            if kinds:
                kinds.append(f"{part[0]} {part[1]} from {file.name}")
        kinds = kinds or [_said(found)]
        class_names = class_names or found.class_names
        columns[role.split or "train"] = found.columns
        if is_given and not found.is_lone:
            break
    tree.say_left_out()
    names = _splits_of(arrays, tree.where)
    parts = {
        split: Part(arrays[name, "images"], arrays.get((name, "labels")), columns.get(name, {}))
        for split, name in names.items()
    }
    return from_parts(
        tree.where, parts, class_names=class_names, kind=", ".join(kinds), config=config
    )


def _said(found: Found) -> str:
    text = ("an array " if found.is_lone else "arrays ") + ", ".join(found.names)
    return text.strip()


def _role(place: Place) -> RoleOf:
    """What the name of a file says, or else the folders it lies in."""
    role = role_of(PurePosixPath(place[-1]).stem)
    split = role.split or next((s for part in place[:-1] if (s := split_of(part))), None)
    return role._replace(split=split)


def _with_files_beside(file: Readable, readers: Collection[str]) -> dict[Place, Readable]:
    """``file`` and what belongs to it: its labels, and the test split of training images."""
    assert isinstance(file, Path)
    own = _role((file.name,))
    found: dict[Place, Readable] = {(file.name,): file}
    wanted = (None, "test") if own.split is None else ("train", "test", "val")
    for other in sorted(file.parent.iterdir()):
        role = _role((other.name,))
        if (
            PurePosixPath(other.name.lower().removesuffix(".gz")).suffix in readers
            and other.name != file.name
            and role.about == own.about
            and role.kind is not None
            and role.split in ((own.split,) if own.split in ("test", "val") else wanted)
        ):
            found[other.name,] = other
    return found


def _of_one_set(files: dict[Place, Readable], where: str) -> dict[Place, Readable]:
    """The files, test images last, or an error if they are not about the same."""
    abouts = {_role(place).about for place in files}
    if len(abouts) > 1:
        names = ", ".join("/".join(place) for place in sorted(files))
        raise DataError(f"{where} holds files of several sets: {names}; give one of them.")
    return dict(sorted(files.items(), key=lambda item: (_role(item[0]).split == "test", item[0])))


def _splits_of(arrays: dict[Role, NDArray[Any]], where: str) -> dict[str, str]:
    """What ``train`` and ``test`` are called among ``arrays``."""
    splits = {split for split, kind in arrays if kind == "images"}
    if labels := {split for split, _ in arrays} - splits:
        split = labels.pop()
        raise DataError(f"{where} has {split} labels but no {split} images.")
    if splits == {"train", "test", "val"}:
        say_left_out(where, Counter(["split to validate on"]))
    return splits_among(splits, where)
