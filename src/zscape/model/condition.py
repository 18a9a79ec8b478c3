"""What encoder and decoder are told of a picture: its class, or another category.

A network knows nothing of it. The first layer of either half, which takes the picture or the
latent vector, is followed by a ``ConditionBias``, and that adds what a one-hot joined to the input
of the layer (to a picture as constant planes) would add. Which class that is, is a property of a
view of the model, made by ``VAE.given``: the same weights, told one class or one per picture.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from zscape.config import plain
from zscape.data import ImageSet
from zscape.errors import ConfigError, DataError

if TYPE_CHECKING:
    from zscape.model.vae import VAE

CLASS = "label"
"""The condition that is the class of an image; any other is a column."""
MOST = 100
"""Values that a condition may have."""

M = TypeVar("M", bound=nn.Module)


class Condition(NamedTuple):
    """What a model is told of every picture."""

    column: str
    """``label``, the class, or a column of the images."""
    names: tuple[str, ...]
    """Its values, in the order of the one-hot."""

    @property
    def title(self) -> str:
        """What it is, for a sentence: ``class``, or the column."""
        return "class" if self.column == CLASS else self.column

    def choices(self) -> str:
        """All values, for a message."""
        return ", ".join(self.names)

    def in_turn(self) -> str:
        """What random vectors are drawn as, where nobody said what."""
        return f"every {self.title} in turn: {self.choices()}"

    def code(self, name: Any) -> int:
        """Where the value called ``name`` (a number is the name it reads as) stands.

        Raises
        ------
        ConfigError
            There is none.
        """
        if str(plain(name)) not in self.names:
            raise ConfigError(
                f"condition must be one of {self.choices()}, the values of {self.title} that this "
                f"model was trained with; got {str(plain(name))!r}."
            )
        return self.names.index(str(plain(name)))

    def one_hot(self, given: Any, device: torch.device) -> Tensor:
        """(1, k) or (batch, k) float32 on ``device``; see ``VAE.given``.

        Raises
        ------
        ConfigError
            There is no such value.
        """
        if isinstance(given, Tensor) and given.is_floating_point() and given.ndim == 2:
            return given
        if isinstance(given, (Tensor, np.ndarray)) and given.ndim == 1:
            codes = torch.as_tensor(given, device=device).long()
            # On a device, looking would wait for it.
            if codes.device.type == "cpu" and not self._fits(codes):
                raise ConfigError(
                    f"conditions as numbers must lie in [0, {len(self.names) - 1}], one for each "
                    f"of {self.choices()}; got {int(codes.min())} to {int(codes.max())}."
                )
        else:
            is_many = isinstance(given, Sequence) and not isinstance(given, str)
            names = given if is_many else [given]
            codes = torch.tensor([self.code(name) for name in names], device=device)
        return torch.eye(len(self.names), device=device)[codes]

    def _fits(self, codes: Tensor) -> bool:
        return not codes.numel() or (int(codes.min()) >= 0 and int(codes.max()) < len(self.names))

    def codes(self, source: Any) -> Tensor:
        """(n,) int64, on the CPU: what every image of a set (or row of a table of latents) is.

        Parameters
        ----------
        source
            An ``ImageSet``, or a ``LatentTable``.

        Raises
        ------
        DataError
            They do not say, some of them do not, or one is of a value that the model was not
            trained with.
        """
        codes, names = _coded(self.column, source)
        places = [self.names.index(name) if name in self.names else -1 for name in names]
        found = torch.tensor([*places, -1])[codes]
        if strange := [names[k] for k in torch.unique(codes[found < 0]).tolist()]:
            raise DataError(
                f"the model was trained with {self.title} {self.choices()}; among the images of "
                f"{source.name} are some of {', '.join(strange[:5])}, of which it knows nothing."
            )
        return found


def find_condition(column: str, images: ImageSet) -> Condition:
    """The condition ``column`` with the values that there are among ``images``.

    Raises
    ------
    DataError
        They have no such column, or not all a value in it; or there are fewer than two values, or
        too many.
    """
    codes, names = _coded(column, images)
    present = torch.unique(codes).tolist()
    if not 2 <= len(present) <= MOST:
        raise DataError(
            f"a condition needs 2 to {MOST} different values among the training images; "
            f"{Condition(column, ()).title} has {len(present)} in {images.name}."
        )
    return Condition(column, tuple(names[k] for k in present))


def _coded(column: str, source: Any) -> tuple[Tensor, tuple[str, ...]]:
    """(n,) numbers and the names they stand for, of an image set or a table."""
    if column == CLASS:
        if source.labels is None:
            raise DataError(
                f"{source.name} has no labels, and this model is told the class of every image; "
                "choose labelled images, or say a condition for all of them."
            )
        return torch.as_tensor(source.labels).cpu().long(), tuple(source.class_names)
    known = source.columns
    if known is None or column not in known:
        has = f"its columns are {', '.join(known)}" if known is not None else "it has no columns"
        raise DataError(
            f"{source.name} has no column {column!r} for the condition: {has}; {CLASS} means the "
            "class."
        )
    if known.kind(column) not in ("category", "number"):
        raise DataError(
            f"a condition is {CLASS} or a column of categories; {column!r} is one of "
            f"{known.kind(column)}s."
        )
    codes, names = known.classes(column, most=MOST)
    if n_missing := int((codes < 0).sum()):
        raise DataError(
            f"{n_missing} of {len(codes)} images of {source.name} have no {column}, which the "
            "model is told of every image; leave them out, or give them one."
        )
    return torch.from_numpy(codes), names


class ConditionBias(nn.Module):
    """Adds what a one-hot, joined to the input of the layer before, would add to its output.

    Parameters
    ----------
    condition
        What the model is told.
    features
        Outputs of the layer: channels, or units.
    """

    def __init__(self, condition: Condition, features: int) -> None:
        super().__init__()
        self.condition = condition
        self.weight = nn.Parameter(torch.empty(len(condition.names), features))
        bound = 1 / math.sqrt(len(condition.names))
        nn.init.uniform_(self.weight, -bound, bound)
        self.one_hot: Tensor | None = None
        """(1, k) or (batch, k); None: nobody has said."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` (batch, features, …) → the same.

        Raises
        ------
        ConfigError
            Nobody has said what the pictures are.
        """
        if self.one_hot is None:
            raise ConfigError(
                f"this model is told the {self.condition.title} of every picture: say which, "
                f"condition=…, one of {self.condition.choices()}."
            )
        bias = self.one_hot.to(self.weight) @ self.weight
        return x + bias.view(*bias.shape, *[1] * (x.ndim - 2)).to(x.dtype)

    def extra_repr(self) -> str:
        """What ``print`` shows of it."""
        return f"{self.condition.title}: {self.condition.choices()}"


def join_condition(vae: VAE, condition: Condition) -> None:
    """Have ``vae`` be told ``condition``, in place.

    Raises
    ------
    ConfigError
        Either half has no layer, linear or convolution, that it could be joined to.
    """
    x = torch.zeros(2, *vae.image_shape)
    z = torch.zeros(2, vae.latent_dim)
    for half, send in (
        ("encoder", lambda: vae.encode(x)),
        ("decoder", lambda: vae.decode_logits(z)),
    ):
        name, features = _first_layer(vae, half, send)
        parent, _, own = name.rpartition(".")
        layer, home = vae.get_submodule(name), vae.get_submodule(parent)
        setattr(home, own, nn.Sequential(layer, ConditionBias(condition, features)))
    vae.condition = condition


def _first_layer(vae: VAE, half: str, send: Any) -> tuple[str, int]:
    """Name and number of outputs of the first layer that ``send`` calls."""
    called: list[tuple[str, int]] = []
    layers = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    handles = []
    for name, module in vae.named_modules():
        if isinstance(module, layers):
            handles.append(
                module.register_forward_hook(
                    lambda _, __, output, name=name: called.append((name, output.shape[1]))
                )
            )
    was_training = vae.training
    try:
        vae.eval()
        with torch.no_grad():
            send()
    finally:
        vae.train(was_training)
        for handle in handles:
            handle.remove()
    if not called:
        raise ConfigError(
            f"{type(vae).__name__} takes no condition: its {half} calls no linear layer or "
            "convolution that the condition could be joined to."
        )
    return called[0]


def told(module: M, one_hot: Tensor | None) -> M:
    """A view of ``module``, of the same weights, whose every ``ConditionBias`` has ``one_hot``.

    The module is left as it is, so that several views can be used at once.
    """
    view = copy.copy(module)
    if isinstance(view, ConditionBias):
        view.one_hot = one_hot
        return view
    view._modules = dict(module._modules)
    for name, child in module._modules.items():
        if child is not None and any(isinstance(part, ConditionBias) for part in child.modules()):
            view._modules[name] = told(child, one_hot)
    return view


def is_told(module: nn.Module) -> bool:
    """Whether every ``ConditionBias`` of ``module`` knows what it is told (or there is none)."""
    return all(p.one_hot is not None for p in module.modules() if isinstance(p, ConditionBias))


def one_hot_of(module: nn.Module) -> Tensor | None:
    """What ``told`` gave to every ``ConditionBias`` of ``module``; None: nothing."""
    every = (part.one_hot for part in module.modules() if isinstance(part, ConditionBias))
    return next(every, None)
