"""Latent vectors as they are written on the command line: one grammar for all commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from zscape.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zscape.cli.inputs import Latents
    from zscape.neurons import Layer

VECTOR_HELP = (
    "A VECTOR is a dict or list ('{0: -0.5, 3: 1}', '[0, 1.2]'), a .json or .npy file "
    "(walk.json#3 is its vector 3), image:INDEX (where the model puts that image), proto:CLASS "
    "(the mean of a class), random:SEED, mean (of all images), origin, or a sum of these: "
    "'proto:7 - proto:1 + 0.5*image:3'."
)

At = Annotated[str, typer.Option(metavar="VECTOR", help="The vector that all starts from.")]

FORMS = (
    "{neuron: value}, [value, …], a .json or .npy file, image:INDEX, proto:CLASS, random:SEED, "
    "mean or origin"
)


class Term(NamedTuple):
    """One part of a sum: how often it counts, and what it is."""

    factor: float
    name: str

    def title(self, *, is_first: bool) -> str:
        """``− 0.5 × proto:1``; the first has its sign only if that is a minus."""
        sign = "− " if self.factor < 0 else "" if is_first else "+ "
        size = abs(self.factor)
        return f"{sign}{'' if size == 1 else f'{size:g} × '}{self.name}"


def parse_terms(text: str) -> list[Term]:
    """The terms of a sum.

    A plus or minus counts where a space is on both sides of it (or it comes first), outside
    brackets and quotes; so names of classes and files may hold one.

    >>> parse_terms("proto:T-shirt - 0.5*image:3")
    [Term(factor=1.0, name='proto:T-shirt'), Term(factor=-0.5, name='image:3')]
    """
    parts = _split(text)
    terms = []
    for sign, part in parts:
        match = re.fullmatch(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*\*\s*(.+)", part, re.DOTALL)
        try:
            factor, name = (float(match[1]), match[2]) if match else (1.0, part)
        except ValueError as error:
            raise ConfigError(f"a factor must be a number; got {part!r}.") from error
        if not name:
            raise ConfigError(f"a vector or a sum of vectors is {FORMS}; got {text!r}.")
        terms.append(Term(-factor if sign == "-" else factor, name))
    return terms


def read_vectors(text: str, latents: Latents) -> NDArray[np.float32]:
    """All the vectors that ``text`` means, (n, latent_dim); only a file or list has several.

    Raises
    ------
    ConfigError, ShapeError, DataError
        It is none of the forms, or does not fit the model or its images.
    """
    import numpy as np

    from zscape.latents import as_vectors

    terms = parse_terms(text)
    if terms[0].factor == 1 == len(terms):
        return _read(terms[0].name, latents)
    total = np.sum([factor * _read_one(name, latents) for factor, name in terms], axis=0)
    return as_vectors(total, latents.opened.model.latent_dim)


def read_vector(text: str, latents: Latents) -> NDArray[np.float32]:
    """The one vector (latent_dim,) that ``text`` means; see ``read_vectors``."""
    from zscape.latents import as_vector

    return as_vector(read_vectors(text, latents), latents.opened.model.latent_dim)


def read_numbers(text: str, what: str) -> list[float]:
    """``-3,-1.5,0`` as numbers; ``what`` they are is for the message."""
    try:
        numbers = [float(part) for part in text.strip("[]() ").split(",")]
    except ValueError as error:
        raise ConfigError(f"{what} must be numbers like -3,0,1.5; got {text!r}.") from error
    if any(abs(number) == float("inf") or number != number for number in numbers):
        raise ConfigError(f"{what} must be finite numbers; got {text!r}.")
    return numbers


def read_neurons(text: str | None, latent_dim: int) -> list[int]:
    """``0,z3,5`` as neurons; None for all."""
    from zscape.latents import as_neurons

    return as_neurons(None if text is None else [p.strip() for p in text.split(",")], latent_dim)


def read_units(text: str | None, layer: Layer) -> list[int]:
    """``0,5`` as units of a hidden layer (or ``z3`` of the latent one); None for all.

    Raises
    ------
    ConfigError
        A unit that is not there.
    """
    if text is None:
        return list(range(layer.n_units))
    units = []
    for part in text.split(","):
        number = part.strip().removeprefix("z" if layer.kind == "latent" else "")
        units.append(_index(number, layer.n_units, f"unit of layer {layer.name}"))
    return units


def _read_one(name: str, latents: Latents) -> NDArray[Any]:
    from zscape.latents import as_vector

    dim = latents.opened.model.latent_dim
    return as_vector(_read(name, latents), dim).astype("float64")


def _read(name: str, latents: Latents) -> NDArray[np.float32]:
    from zscape.latents import as_vectors, fingerprint
    from zscape.latents.vectors import model_of

    vae = latents.opened.model
    kind, _, rest = name.partition(":")
    if name.startswith(("{", "[")):
        return as_vectors(name, vae.latent_dim)
    if kind == "image":
        return _image(rest, latents)
    if kind == "proto":
        return latents.prototype(_unquote(rest))[None]
    if kind == "random":
        return _random(rest, vae.latent_dim)
    if name == "origin":
        return as_vectors([0.0] * vae.latent_dim, vae.latent_dim)
    if name == "mean":
        return as_vectors(latents.table.mu.mean(0, dtype="float64"), vae.latent_dim)
    path, _, row = _unquote(name).rpartition("#")
    path, row = (path, row) if path else (row, "")
    if Path(path).suffix.lower() not in (".json", ".npy"):
        raise ConfigError(f"a vector is {FORMS}; got {name[:80]!r}.")
    vectors, maker, own = (
        as_vectors(Path(path), vae.latent_dim),
        model_of(Path(path)),
        fingerprint(vae),
    )
    if maker not in ("", own):
        raise CheckpointError(
            f"the vectors of {path} are of another model: its fingerprint is {maker}, that of "
            f"{latents.model} is {own}; make them anew."
        )
    if not row:
        return vectors
    return vectors[[_index(row, len(vectors), f"the vector after # of {path}")]]


def _image(text: str, latents: Latents) -> NDArray[np.float32]:
    index = _index(text, len(latents.all_images), f"the {latents.split} image")
    return latents.look_up(index).mu


def _random(text: str, latent_dim: int) -> NDArray[np.float32]:
    import torch

    from zscape.latents import as_vectors
    from zscape.seeding import torch_generator

    seed = _index(text, 2**31, "the seed of a random vector")
    generator = torch_generator(seed, "random vector")
    return as_vectors(torch.randn(latent_dim, generator=generator), latent_dim)


def _index(text: str, n: int, what: str) -> int:
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else -1
    if not 0 <= number < n:
        raise ConfigError(f"{what} must be an integer in [0, {n - 1}]; got {text!r}.")
    return number


def _unquote(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def _split(text: str) -> list[tuple[str, str]]:
    """(sign, part) of every term."""
    parts, sign, start, depth, quote = [], "+", 0, 0, ""
    text = text.strip()
    if text[:2] in ("- ", "+ "):
        sign, start = text[0], 2
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and (i == 0 or text[i - 1] in ": *"):
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif i >= start and depth == 0 and re.match(r"\s[+-](\s|$)", text[i : i + 3]):
            parts.append((sign, text[start:i].strip()))
            sign, start = text[i + 1], i + 3
    return [*parts, (sign, text[start:].strip())]
