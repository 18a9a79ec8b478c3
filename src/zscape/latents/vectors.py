"""Latent vectors as people write them, and as arrays."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zscape.data.bounded import reading
from zscape.data.npy import read_array
from zscape.errors import ConfigError, ShapeError

VectorLike: TypeAlias = (
    Mapping[int, float] | Mapping[str, float] | Sequence[Any] | NDArray[Any] | Tensor | Path
)
"""One vector or several, in any of the ways ``as_vectors`` takes."""

HOLDERS = ("vectors", "mu")
"""Under which name a result holds its vectors: a ``Walk``, a ``LatentTable``."""

_TEXT_LIMIT = 1 << 20


def as_vectors(value: VectorLike, latent_dim: int) -> NDArray[np.float32]:
    """One or more latent vectors, however they are written, as an array.

    Parameters
    ----------
    value
        A dict from neuron (``3``, ``"3"`` or ``"z3"``) to value, the others being 0; numbers as
        list, tuple, array or tensor, (latent_dim,) or (n, latent_dim); a list of vectors in any
        of these forms; text that starts with ``{`` or ``[``, as Python or JSON writes a dict or
        list; the path of a ``.json`` file with such text, or of an ``.npy`` file; or what holds
        vectors: a ``LatentTable`` (its means), ``Walk``, ``Prototypes`` or ``Inverse``.
    latent_dim
        Of the model.

    Returns
    -------
    (n, latent_dim) float32, n >= 1; always a copy.

    Raises
    ------
    ShapeError
        Another length than latent_dim, or no vector at all.
    ConfigError
        A neuron that is not there, something other than a number, or a number that is not finite
        in float32.
    DataError
        The file is missing or damaged.

    Examples
    --------
    >>> as_vectors("{0: -0.5, 2: 1}", 3)
    array([[-0.5,  0. ,  1. ]], dtype=float32)
    """
    if isinstance(value, (str, Path)):
        parsed, where = _read(value)
        if isinstance(parsed, Mapping) and "vectors" in parsed:
            parsed = parsed["vectors"]
        return _stack(parsed, latent_dim, where)
    value = next((getattr(value, name) for name in HOLDERS if hasattr(value, name)), value)
    return _stack(value, latent_dim, "the latent vector")


def as_vector(value: VectorLike, latent_dim: int) -> NDArray[np.float32]:
    """Exactly one latent vector, (latent_dim,) float32; see ``as_vectors``.

    Raises
    ------
    ShapeError
        None or several; the rest as of ``as_vectors``.
    """
    vectors = as_vectors(value, latent_dim)
    if len(vectors) != 1:
        raise ShapeError(f"one latent vector is needed; got {len(vectors)}.")
    vector: NDArray[np.float32] = vectors[0]
    return vector


def as_neuron(value: Any, latent_dim: int) -> int:
    """The number of a latent neuron, whose ``value`` is ``3``, ``"3"`` or ``"z3"``.

    Raises
    ------
    ConfigError
        Not an integer in [0, latent_dim - 1].
    """
    # NumPy's integers are Integral as well; True is, too, and is caught by its text.
    is_written_well = isinstance(value, (str, Integral))
    match = re.fullmatch("z?([0-9]{1,9})", str(value)) if is_written_well else None
    number = int(match[1]) if match else -1
    if not 0 <= number < latent_dim:
        raise ConfigError(
            f"a latent neuron must be an integer in [0, {latent_dim - 1}]; got {value!r}."
        )
    return number


def as_neurons(value: Any, latent_dim: int) -> list[int]:
    """One neuron, several, or (None) all of them, as a list; see ``as_neuron``.

    Parameters
    ----------
    value
        A neuron as ``as_neuron`` takes it, several, or None.
    latent_dim
        Of the model.

    Raises
    ------
    ConfigError
        None at all, or one that is not there.
    """
    if value is None:
        return list(range(latent_dim))
    several = [value] if isinstance(value, (str, Integral)) else list(value)
    if not several:
        raise ConfigError("at least one latent neuron is needed; got none.")
    return [as_neuron(neuron, latent_dim) for neuron in several]


def as_numbers(value: Any, where: str) -> NDArray[np.float32]:
    """An array of finite numbers, of any shape, as a float32 copy; ``where`` is for the message."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        # NumPy has no bfloat16.
        value = (value.float() if value.is_floating_point() else value).numpy()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"{where} must be an array of numbers: {str(error)[:200]}") from error
    if array.dtype.kind not in "iuf":
        raise ConfigError(f"{where} must hold numbers only; got {str(value)[:80]!r}.")
    with np.errstate(over="ignore"):
        numbers = array.astype(np.float32)
    if not (finite := np.isfinite(numbers)).all():
        raise ConfigError(f"{where} must hold finite numbers only; got {array[~finite][0]}.")
    return numbers


def format_vector(z: NDArray[Any] | Tensor | Sequence[float], *, decimals: int | None = 2) -> str:
    """One vector as a dict that can be pasted back into whatever takes a vector.

    Parameters
    ----------
    z
        (latent_dim,).
    decimals
        Digits after the point; None for as many as give back the same float32 numbers.

    Raises
    ------
    ShapeError
        Not one vector.

    Examples
    --------
    >>> format_vector([-0.5312, 1.2, -0.001])
    '{0: -0.53, 1: 1.20, 2: 0.00}'
    """
    numbers = as_numbers(z, "the latent vector")
    if numbers.ndim != 1:
        raise ShapeError(f"a latent vector must be (latent_dim,); got {numbers.shape}.")
    texts = (str(v) if decimals is None else f"{v:z.{decimals}f}" for v in numbers)
    return f"{{{', '.join(f'{neuron}: {text}' for neuron, text in enumerate(texts))}}}"


def model_of(path: Path) -> str:
    """Fingerprint of the model whose walk was written to ``path``; empty if it does not say."""
    parsed, _ = _read(path)
    return str(parsed.get("model", "")) if isinstance(parsed, Mapping) else ""


def _stack(value: Any, latent_dim: int, where: str) -> NDArray[np.float32]:
    if isinstance(value, Mapping):
        array = np.zeros(latent_dim, np.float32)
        neurons = [as_neuron(key, latent_dim) for key in value]
        if len(set(neurons)) < len(neurons):
            raise ConfigError(f"{where} names a neuron twice: {', '.join(map(str, value))}.")
        array[neurons] = as_numbers(list(value.values()), where)
    elif isinstance(value, (list, tuple)) and value and not isinstance(value[0], Real):
        parts = [_stack(part, latent_dim, where) for part in value]
        if any(len(part) != 1 for part in parts):
            raise ShapeError(f"{where} must be a list of vectors of {latent_dim} numbers each.")
        array = np.concatenate(parts)
    else:
        array = as_numbers(value, where)
    vectors = array[None] if array.ndim == 1 else array
    if vectors.ndim != 2 or vectors.shape[1] != latent_dim or len(vectors) == 0:
        raise ShapeError(
            f"{where} must have {latent_dim} numbers, one per latent neuron, or be "
            f"(n, {latent_dim}); got an array of shape {array.shape}."
        )
    return vectors


def _read(source: str | Path) -> tuple[Any, str]:
    """What a text or file holds, unchecked, and how a message should name it."""
    if isinstance(source, str) and source.lstrip().startswith(("{", "[")):
        return _parse(source, "the latent vector"), "the latent vector"
    path = Path(source)
    with reading(path):
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                return read_array(stream, str(path)), str(path)
        if path.suffix.lower() == ".json":
            with path.open("rb") as stream:
                text = stream.read(_TEXT_LIMIT + 1).decode(errors="replace")
            return _parse(text, str(path)), str(path)
    raise ConfigError(
        "a latent vector in text must be a {neuron: value} or [value, …], or the name of a .json "
        f"or .npy file; got {str(source)[:80]!r}."
    )


def _parse(text: str, where: str) -> Any:
    if len(text) > _TEXT_LIMIT:
        raise ConfigError(f"{where} is longer than {_TEXT_LIMIT} bytes of text; save it as .npy.")
    # Python's literals, because what format_vector prints has bare numbers as keys. They are
    # JSON's as well, but for true, false and null, which no vector holds.
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ConfigError(
            f"{where} must read {{neuron: value}} or [value, …]; got {text[:80]!r}."
        ) from error
