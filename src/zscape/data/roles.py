"""What names of files, folders, arrays and columns say: which split, images or labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from zscape.errors import ConfigError, DataError

_SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing"),
}
_KINDS = {
    "images": ("images", "image", "imgs", "img", "x", "pixels", "data"),
    "labels": ("labels", "label", "y", "targets", "target"),
}
_SPLIT_OF = {word: split for split, words in _SPLITS.items() for word in words}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words}

Part = tuple[str, str]
"""A split (train, test) and what it is of it (images, labels)."""


class Role(NamedTuple):
    """What a name such as ``k49-train-imgs`` says."""

    about: str
    split: str | None
    kind: str | None
    rank: int
    """The smaller, the plainer the word for its kind."""


def split_of(word: str) -> str | None:
    """``train``, ``val`` or ``test`` if ``word`` means one of them, in any case."""
    return _SPLIT_OF.get(word.lower())


def role_of(name: str) -> Role:
    """Split and kind that the words of ``name`` say, and the rest of them.

    >>> role_of("k49-train-imgs")
    Role(about='k49', split='train', kind='images', rank=2)
    >>> role_of("testLabels")
    Role(about='', split='test', kind='labels', rank=0)
    """
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
    splits = [word for word in words if word in _SPLIT_OF]
    kinds = [word for word in words if word in _KIND_OF]
    split, kind = splits[:1], kinds[-1:]
    about = [word for word in words if word not in (*split, *kind)]
    return Role(
        "-".join(about),
        _SPLIT_OF[split[0]] if split else None,
        _KIND_OF[kind[0]] if kind else None,
        _KINDS[_KIND_OF[kind[0]]].index(kind[0]) if kind else 0,
    )


def choose(names: Iterable[str], where: object, keys: str | None) -> dict[Part, str]:
    """Which of the arrays or columns ``names`` is which part of an image set.

    Parameters
    ----------
    names
        What there is.
    where
        As a message should name it.
    keys
        ``images=NAME,labels=NAME,…`` if a person said so; otherwise the names speak.

    Raises
    ------
    DataError
        Nothing that is the images, or two of one kind; names all there is.
    ConfigError
        ``keys`` is of another form, or names something that is not there.
    """
    names = list(names)
    have = ", ".join(sorted(names)) or "nothing"
    if keys is not None:
        parts = parse_keys(keys, names, where)
        if ("train", "images") not in parts:
            raise ConfigError(f"keys must say which are the images: images=NAME; got {keys!r}.")
        return parts
    found: dict[Part, dict[int, str]] = {}
    for name in names:
        role = role_of(name)
        if role.kind and not role.about:
            ranked = found.setdefault((role.split or "train", role.kind), {})
            if (other := ranked.setdefault(role.rank, name)) != name:
                raise DataError(
                    f"{where} holds both {other} and {name}; say which is meant: "
                    f"--keys images=NAME,labels=NAME."
                )
    parts = {part: ranked[min(ranked)] for part, ranked in found.items()}
    if ("test", "images") not in parts:
        parts.update({("test", k): name for (s, k), name in parts.items() if s == "val"})
    parts = {part: name for part, name in parts.items() if part[0] != "val"}
    if not parts and len(names) == 1:
        parts = {("train", "images"): names[0]}
    if ("train", "images") not in parts:
        raise DataError(
            f"{where} must hold images under a name such as images; got {have}. Say which are "
            f"the images: --keys images=NAME,labels=NAME,test_images=NAME,test_labels=NAME."
        )
    return parts


def parse_keys(keys: str, names: Iterable[str], where: object) -> dict[Part, str]:
    """What ``images=NAME,labels=NAME,…`` says, each name one of ``names``.

    Raises
    ------
    ConfigError
        ``keys`` is of another form, or names something that is not there.
    """
    parts: dict[Part, str] = {}
    for pair in keys.split(","):
        key, _, name = (text.strip() for text in pair.partition("="))
        split = "test" if key.startswith("test_") else "train"
        kind = key.removeprefix("test_")
        if kind not in _KINDS or not name:
            raise ConfigError(
                f"keys must be some of images=NAME, labels=NAME, test_images=NAME and "
                f"test_labels=NAME, with commas between; got {keys!r}."
            )
        if name not in names:
            raise ConfigError(
                f"keys names {name}, but {where} holds {', '.join(sorted(names)) or 'nothing'}."
            )
        parts[split, kind] = name
    return parts


def splits_among(splits: Collection[str], where: object) -> dict[str, str]:
    """Which of ``train``, ``val`` and ``test`` to train on and, if there are two, to test on.

    What is alone is to train on, whatever it is called.

    Raises
    ------
    DataError
        There is something to test on twice, and nothing to train on.
    """
    if len(splits) == 1:
        return {"train": next(iter(splits))}
    if "train" not in splits:
        raise DataError(f"{where} has images to test on but none to train on.")
    return {"train": "train", "test": "test" if "test" in splits else "val"}
