"""The layers of any network, and a pass through it that can be listened to.

What a layer's *activation* is: a unit is an output of a convolution (a channel) or of a fully
connected layer. Its activation is what leaves the last module after that layer which still keeps
the units apart and in place: batch norm, nonlinearity, dropout. So it is taken after the
nonlinearity, where the nonlinearity is a module; one written as a function (``F.relu(fc(x))``) is
invisible from outside, and the activation is then the layer's own output.

Which module follows which is not guessed from names: one picture is sent through, and a module
belongs to the layer whose very tensor it is given. That also tells apart the calls of one
nonlinearity used in several places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zscape.errors import ConfigError
from zscape.model import VAE, ConditionBias, ModelLike, as_vae, evaluating

LATENT = "z"
"""The latent neurons as a layer: the posterior mean, between encoder and decoder."""

Tap = Callable[[Tensor], Tensor | None]
"""Is shown an activation, (batch, n_units, ...); what it returns, if anything, takes its place."""


@dataclass(frozen=True)
class Layer:
    """Where to find the activation of some units.

    Parameters
    ----------
    name
        Of the module that holds the weights, as in the state dict; a second use of the same
        module is called ``name#2``.
    part
        ``"encoder"``, ``"latent"`` or ``"decoder"``.
    kind
        ``"conv"`` (units are channels), ``"dense"`` or ``"latent"``.
    n_units
        How many.
    map_shape
        (height, width) of a channel's activation map; empty for single numbers.
    source, call
        The module whose output is the activation, and which of its calls in a pass, from 1.
    """

    name: str
    part: str
    kind: str
    n_units: int
    map_shape: tuple[int, ...]
    source: str
    call: int = 1


def list_layers(vae: ModelLike) -> tuple[Layer, ...]:
    """Every 2-D convolution and fully connected layer, in the order they are used, and ``z``.

    The heads of mean and log-variance and the decoder's last layer (logits) are among them.
    One picture is sent through to find them; the model is left as it was.
    """
    vae = as_vae(vae)
    trace = _Trace()
    x = torch.zeros(1, *vae.image_shape, device=device_of(vae))
    vae = vae.told_anything()
    with evaluating(vae), hooked(vae.named_modules(), trace.see):
        mu, _ = vae.encode(x)
        trace.add(Layer(LATENT, "latent", "latent", vae.latent_dim, (), LATENT))
        trace.begin_decoder()
        vae.decode_logits(mu)
    return tuple(trace.layers)


def find_layer(vae: ModelLike, name: str) -> Layer:
    """The layer called ``name``.

    Raises
    ------
    ConfigError
        There is none; the message lists those there are.
    """
    vae = as_vae(vae)
    layers = list_layers(vae)
    for layer in layers:
        if layer.name == name:
            return layer
    known = ", ".join(layer.name for layer in layers)
    raise ConfigError(f"layer must be one of {known}; got {name!r}.")


def run(vae: VAE, x: Tensor, taps: Mapping[Layer, Tap], *, decode: bool | None = None) -> Tensor:
    """Send pixels through in evaluation mode, with a tap on some layers.

    The decoder is driven by the posterior mean. Hooks are gone when this returns or raises.

    Parameters
    ----------
    x
        (batch, c, h, w) in [0, 1], on any device.
    decode
        Whether to go beyond the latent neurons; by default if a tap needs it.

    Returns
    -------
    Logits (batch, c, h, w), or the posterior means if it went no further.

    Raises
    ------
    ShapeError
        ``x`` is not a batch of the model's pictures.
    """
    x = vae.check_images(x)
    if decode is None:
        decode = any(layer.part == "decoder" for layer in taps)
    calls: Counter[str] = Counter()
    at = {(layer.source, layer.call): (layer, tap) for layer, tap in taps.items()}

    def listen(name: str, _: nn.Module, __: Any, output: Any) -> Tensor | None:
        calls[name] += 1
        if (name, calls[name]) not in at:
            return None
        layer, tap = at[name, calls[name]]
        # A fully connected layer has its units last, which matters if there is more than a batch.
        changed = tap(output.movedim(-1, 1) if layer.kind == "dense" else output)
        if changed is not None and layer.kind == "dense":
            changed = changed.movedim(1, -1)
        return changed

    sources = {source: vae.get_submodule(source) for source, _ in at if source != LATENT}
    with evaluating(vae), hooked(sources.items(), listen):
        mu, _ = vae.encode(x.to(device_of(vae)))
        if (LATENT, 1) in at:
            changed = at[LATENT, 1][1](mu)
            mu = mu if changed is None else changed
        return vae.decode_logits(mu) if decode else mu


def check_index(index: Any, n: int, what: str) -> int:
    """``index`` as a plain integer in [0, n); else ``ConfigError``, which names ``what``."""
    if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not 0 <= index < n:
        raise ConfigError(f"{what} must be an integer in [0, {n - 1}]; got {index!r}.")
    return int(index)


def device_of(vae: VAE) -> torch.device:
    """Where the weights are."""
    return next(vae.parameters()).device


class _Trace:
    """Watches every module once and works out the layers."""

    def __init__(self) -> None:
        self.part = "encoder"
        self._layers: dict[str, Layer] = {}
        self._calls: Counter[str] = Counter()
        # Whose activation a tensor is, by identity; the tensors are kept so that none is reused.
        self._owners: dict[int, str] = {}
        self._kept: list[Tensor] = []

    @property
    def layers(self) -> list[Layer]:
        return list(self._layers.values())

    def add(self, layer: Layer) -> None:
        self._layers[layer.name] = layer

    def begin_decoder(self) -> None:
        """A module of the decoder that takes the mean itself does not belong to its head."""
        self.part = "decoder"
        self._owners.clear()

    def see(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._calls[name] += 1
        call = self._calls[name]
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            layer = Layer(_numbered(name, call), self.part, "conv", output.shape[1],
                          tuple(output.shape[2:]), name, call)  # fmt: skip
        elif isinstance(module, nn.Linear):
            layer = Layer(_numbered(name, call), self.part, "dense", output.shape[-1],
                          tuple(output.shape[1:-1]), name, call)  # fmt: skip
        elif keeps_units(module, args, output) and id(args[0]) in self._owners:
            before = self._layers[self._owners.pop(id(args[0]))]
            layer = Layer(before.name, before.part, before.kind, before.n_units,
                          before.map_shape, name, call)  # fmt: skip
        else:
            return
        self.add(layer)
        self._owners[id(output)] = layer.name
        self._kept.append(output)


def keeps_units(module: nn.Module, args: tuple[Any, ...], output: Any) -> bool:
    """Whether a module leaves every unit at its place: same shape, and no matrix that mixes."""
    is_bias = isinstance(module, ConditionBias) or all(p.ndim <= 1 for p in module.parameters())
    return (
        is_bias
        and not any(True for _ in module.children())
        and len(args) == 1
        and isinstance(args[0], Tensor)
        and isinstance(output, Tensor)
        and output.shape == args[0].shape
    )


def _numbered(name: str, call: int) -> str:
    return name if call == 1 else f"{name}#{call}"


@contextmanager
def hooked(modules: Any, hook: Callable[..., Any]) -> Iterator[None]:
    """``hook(name, module, inputs, output)`` after every call of the modules, while inside."""
    handles = []
    try:
        for name, module in modules:
            handles.append(module.register_forward_hook(partial(hook, name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
