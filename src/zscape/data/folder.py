"""Folders of picture files: which are to train on, which to test on, and their classes."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from zscape.config import DataConfig
from zscape.data.arrays import Part, from_parts
from zscape.data.columns import FILE_NAME
from zscape.data.decoding import decoded
from zscape.data.imageset import ImageSet, Splits
from zscape.data.kinds import having
from zscape.data.looks import Look, check_sizes
from zscape.data.metadata import Row, columns_of, read_metadata
from zscape.data.pictures import SUFFIXES, Frame
from zscape.data.roles import split_of
from zscape.data.tree import Place, Tree
from zscape.errors import DataError

Places = dict[Place, Place]
"""The place of every file within its split: what is before the last part are its classes."""


def read_pictures(tree: Tree, config: DataConfig) -> Splits | ImageSet:
    """All pictures of a folder or an archive.

    Folders called ``train`` and ``test`` (or ``val``; see ``roles.split_of``) are the splits,
    above the classes or inside each of them. Within a split, either every picture lies in a
    folder, named after its class, or none does and there are no labels. A folder that holds all
    the others is entered. Every frame of a file is a picture. Tables called ``metadata`` add
    columns (see ``metadata.read_metadata``).

    Pictures have one channel if every file of both splits is grey (modes 1, L, LA, 16 bits, grey
    palettes) and three otherwise.

    Raises
    ------
    DataError
        Pictures both beside and inside sub-folders, a file that cannot be read, a
        decompression bomb, or different sizes without ``config.resize``.
    """
    files = having(tree, SUFFIXES)
    metadata, used = read_metadata(tree, files, config)
    for place in tree.files.keys() - files.keys() - used:
        tree.left_out[PurePosixPath(place[-1]).suffix.lower() or "without an ending"] += 1
    splits = _splits(list(files), tree.where, tree.left_out)
    kept = {place for places in splits.values() for place in places}
    files = {place: file for place, file in files.items() if place in kept}
    found = decoded(files.values(), config, tree.left_out, tree.where)
    frames = dict(zip(files, found, strict=True))
    check_sizes({str(files[place]): frames[place] for place in sorted(frames)})
    look = Look.of([f for several in frames.values() for f in several], config, tree.where)
    parts = {split: _part(places, frames, look, tree.where) for split, places in splits.items()}
    has_classes = parts["train"].labels is not None
    kind = "pictures, " + ("a folder per class" if has_classes else "without classes")
    if metadata:
        kind += ", metadata"
        for split, part in parts.items():
            parts[split] = _with_metadata(part, splits[split], frames, metadata, tree)
    tree.say_left_out()
    return from_parts(tree.where, parts, kind=kind, config=config)


def _with_metadata(
    part: Part,
    places: Places,
    frames: dict[Place, list[Frame]],
    metadata: dict[Place, Row],
    tree: Tree,
) -> Part:
    """A column for each of the tables'; without class folders, ``label`` is the class."""
    rows = [place for place in sorted(places) for _ in frames[place]]
    columns = columns_of(rows, metadata, tree.left_out)
    labels = columns.get("label", [None])
    if part.labels is None and None not in labels:
        part = replace(part, labels=columns.pop("label"))
    return replace(part, columns={**part.columns, **columns})


def _part(places: Places, frames: dict[Place, list[Frame]], look: Look, where: str) -> Part:
    """One split, in the order of the names, with the file of every picture."""
    order = sorted(places)
    loose = [place for place in order if len(places[place]) == 1]
    if loose and len(loose) < len(places):
        raise DataError(
            f"{where} holds pictures beside its class folders ({'/'.join(loose[0])}); "
            f"put every picture into a class folder, or none."
        )
    rows = [(place, number) for place in order for number in range(len(frames[place]))]
    several = {place for place in order if len(frames[place]) > 1}
    names = ["/".join(p) + (f"#{number}" if p in several else "") for p, number in rows]
    return Part(
        images=look.stacked([frames[place][number] for place, number in rows]),
        labels=None if loose else [places[place][0] for place, _ in rows],
        columns={FILE_NAME: np.array(names)},
    )


def _splits(places: list[Place], where: str, left_out: Counter[str]) -> dict[str, Places]:
    """The files of ``train`` and perhaps ``test``, each with its place below that folder."""
    top = _below_wrappers(places)
    level = _level_of_splits(places, top, where)
    if level is None:
        return {"train": {place: place[top:] for place in places}}

    found: dict[str | None, Places] = defaultdict(dict)
    names: dict[str | None, set[str]] = defaultdict(set)
    for place in places:
        split = split_of(place[level]) if len(place) > level + 1 else None
        found[split][place] = place[top:level] + place[level + 1 :]
        if split is not None:
            names[split].add(place[level])
    for several in names.values():
        if len(several) > 1:
            raise DataError(
                f"{where} has several folders for one split: {', '.join(sorted(several))}."
            )
    for place in found.pop(None, {}):
        left_out["beside the splits" if len(place) == level + 1 else f"in {place[level]}/"] += 1
    if "test" in found and "val" in found:
        left_out[f"in {min(names['val'])}/"] += len(found.pop("val"))
    test = found.get("test") or found.get("val")
    splits = {"train": found["train"]} | ({"test": test} if test else {})
    inner = _below_wrappers([rest for split in splits.values() for rest in split.values()])
    return {
        split: {place: rest[inner:] for place, rest in rests.items()}
        for split, rests in splits.items()
    }


def _below_wrappers(places: list[Place]) -> int:
    """How many folders hold all the others, such as an archive's folder of its own name."""
    depth = 0
    while (
        all(len(place) > depth + 2 for place in places)
        and len({place[depth] for place in places}) == 1
        and split_of(places[0][depth]) is None
    ):
        depth += 1
    return depth


def _level_of_splits(places: list[Place], top: int, where: str) -> int | None:
    """How deep the folders of the splits lie: on top, or inside the classes."""
    for level in (top, top + 1):
        folders = sorted({place[level] for place in places if len(place) > level + 1})
        words = {split: folder for folder in folders if (split := split_of(folder))}
        # Inside a class, one such name alone may mean anything.
        if "train" in words and (level == top or len(words) > 1):
            return level
        if level == top and words:
            name = min(words.values())
            raise DataError(
                f"{where} has pictures in a folder {name} but none in a folder train beside it; "
                f"if {name} is a class, give it another name."
            )
    return None
