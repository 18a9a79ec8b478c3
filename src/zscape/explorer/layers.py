"""A network as a list of plain layers that the page can run, and the proof that it is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zscape.explorer.ops import Op, Unsupported, apply, is_close
from zscape.explorer.trace import trace
from zscape.model import VAE, evaluating
from zscape.model.likelihoods import Bernoulli, ContinuousBernoulli, Likelihood
from zscape.seeding import torch_generator

N_TRACED, N_PROVED = 2, 5
"""Inputs sent through to record the layers, and others to compare the list with the model."""


class Network(NamedTuple):
    """A network for the page.

    ``spec`` is ``ModelSpec`` of ``web/src/scene/manifest.ts``; ``tensors`` float32 on the CPU, by
    the names it uses. Where the page cannot run the network both are empty, and ``why`` says so
    in a sentence.
    """

    spec: dict[str, Any] | None
    tensors: dict[str, Tensor]
    why: str | None


class Lists(NamedTuple):
    """The steps of both halves, batch norm folded away."""

    trunk: list[Op]
    mu: list[Op]
    logvar: list[Op]
    decoder: list[Op]


def describe_network(vae: VAE) -> Network:
    """``vae`` as lists of plain layers, whatever its class.

    A real pass is recorded, batch norm is folded into the layers before it, and the lists are run
    on random inputs and compared with the model: to 1e-5, relative where numbers exceed 1. What a
    model is told adds to the bias of a layer, which then is (k, out), a row for each value.
    """
    try:
        views = (
            [vae] if vae.condition is None else [vae.given(name) for name in vae.condition.names]
        )
        mean = _find_mean(views[0])
        every = [record_layers(view) for view in views]
        for view, lists in zip(views, every, strict=True):
            prove(view, lists, mean)
        lists = Lists(*(_of_all(parts) for parts in zip(*every, strict=True)))
    except Unsupported as error:
        return Network(None, {}, f"The page cannot run this network: {error}.")
    tensors: dict[str, Tensor] = {}
    spec = {
        "encoder": {
            part: _entries(getattr(lists, part), f"encoder.{part}", tensors)
            for part in ("trunk", "mu", "logvar")
        },
        "decoder": _entries(lists.decoder, "decoder", tensors),
        "mean": mean,
    }
    return Network(spec, tensors, None)


def record_layers(vae: VAE) -> Lists:
    """The steps of ``vae``, recorded and simplified.

    Raises
    ------
    Unsupported
        A step that the page does not know.
    """
    x, z = _inputs(vae, N_TRACED, "record")
    mu, logvar = trace(vae, "encode", x)
    (decoder,) = trace(vae, "decode_logits", z)
    n_shared = 0
    while n_shared < min(len(mu), len(logvar)) and mu[n_shared] is logvar[n_shared]:
        n_shared += 1
    # One layer for both heads, cut in two afterwards: each head takes its own rows of it.
    while n_shared and any(
        rest and rest[0].kind == "slice" for rest in (mu[n_shared:], logvar[n_shared:])
    ):
        n_shared -= 1
    shape, dim = list(vae.image_shape), [vae.latent_dim]
    return Lists(
        _fold(mu[:n_shared], shape), _fold(mu[n_shared:]), _fold(logvar[n_shared:]),
        _fold(decoder, dim),
    )  # fmt: skip


def prove(vae: VAE, lists: Lists, mean: str) -> None:
    """Raise ``Unsupported`` unless the lists compute what the model does."""
    x, z = _inputs(vae, N_PROVED, "prove")
    device = x.device
    with evaluating(vae):
        trunk = _run(lists.trunk, x)
        logits = _run(lists.decoder, z)
        pixels = _MEANS[mean]().to(device).mean(logits)
        ours = (_run(lists.mu, trunk), _run(lists.logvar, trunk), logits, pixels)
        theirs = (*vae.encode(x), vae.decode_logits(z), vae.decode(z))
    for what, one, other in zip(("mean", "log-variance", "logits", "picture"), ours, theirs,
                                strict=True):  # fmt: skip
        if not is_close(one, other):
            gap = f"by {float((one - other).abs().max()):.1e}" if one.shape == other.shape else ""
            raise Unsupported(
                f"its {what} is not what its layers one by one come to {gap}".rstrip()
            )


_MEANS: dict[str, type[Likelihood]] = {
    "sigmoid": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
}


def _find_mean(vae: VAE) -> str:
    """What turns logits into pixels, known by what it does to numbers."""
    device = next(vae.parameters()).device
    logits = torch.linspace(-30, 30, 601, device=device)
    logits = logits[:, None, None, None].expand(-1, vae.logit_channels, *vae.image_shape[1:])
    with evaluating(vae):
        pixels = vae.likelihood.mean(logits)
        for name, likelihood in _MEANS.items():
            if is_close(likelihood().to(device).mean(logits), pixels):
                return name
    raise Unsupported(f"it does not know the likelihood {type(vae.likelihood).__name__}")


def _inputs(vae: VAE, n: int, purpose: str) -> tuple[Tensor, Tensor]:
    generator = torch_generator(0, "explorer", purpose)
    device = next(vae.parameters()).device
    x = torch.rand(n, *vae.image_shape, generator=generator)
    return x.to(device), torch.randn(n, vae.latent_dim, generator=generator).to(device)


def _run(ops: list[Op], x: Tensor) -> Tensor:
    for op in ops:
        x = apply(op, x)
    return x


def _fold(ops: list[Op], shape: list[int] | None = None) -> list[Op]:
    """Fewer steps that do the same: no affine map or slice after a layer, no idle reshape."""
    folded: list[Op] = []
    for op in ops:
        before = folded[-1] if folded else None
        if op.kind == "reshape" and before is None and op.options["shape"] == shape:
            continue
        together = _join(before, op) if before else None
        if together is None:
            folded.append(op)
        else:
            folded[-1] = together
    if any(op.kind == "slice" for op in folded):
        raise Unsupported("it takes a part of a vector that no linear layer made")
    return folded


def _join(before: Op, op: Op) -> Op | None:
    """One step for two, or None."""
    if op.kind == before.kind == "reshape":
        return op
    if op.kind == "slice" and before.kind == "linear":
        rows = slice(op.options["start"], op.options["stop"])
        return Op("linear", {name: array[rows] for name, array in before.arrays.items()})
    if op.kind != "affine" or before.kind not in ("linear", "conv", "convTranspose"):
        return None
    own = before.arrays["weight"]
    # On the CPU, because not every device has float64.
    weight, scale, shift = (
        array.cpu().double() for array in (own, op.arrays["scale"], op.arrays["shift"])
    )
    axis = 1 if before.kind == "convTranspose" else 0
    if len(scale) != weight.shape[axis]:
        return None
    along = [-1 if i == axis else 1 for i in range(weight.ndim)]
    bias = before.arrays.get("bias")
    moved = shift if bias is None else shift + scale * bias.cpu().double()
    arrays = {"weight": (weight * scale.view(along)).to(own), "bias": moved.to(own)}
    return Op(before.kind, arrays, before.options)


def _of_all(every: Sequence[list[Op]]) -> list[Op]:
    """One list for those of all that a model can be told; they differ in biases alone."""
    first, *others = every
    ops = []
    for i, op in enumerate(first):
        arrays = dict(op.arrays)
        for name, array in op.arrays.items():
            same = [other[i].arrays[name] for other in others]
            if all(is_close(array, one) for one in same):
                continue
            if name != "bias":
                raise Unsupported(f"what it is told changes the {name} of a layer")
            arrays[name] = torch.stack([array, *same])
        ops.append(Op(op.kind, arrays, op.options))
    return ops


def _entries(ops: list[Op], prefix: str, tensors: dict[str, Tensor]) -> list[dict[str, Any]]:
    """The layers as the manifest has them; their arrays go into ``tensors``."""
    entries = []
    for i, op in enumerate(ops):
        entry: dict[str, Any] = {"kind": op.kind, **op.options}
        if op.kind in ("linear", "conv", "convTranspose"):
            entry["bias"] = None
        for name, array in op.arrays.items():
            entry[name] = f"{prefix}.{i}.{name}"
            tensors[entry[name]] = array.float().cpu().contiguous()
        entries.append(entry)
    return entries
