"""What a network is made of and what flows where, found by sending one picture through it.

Nothing is read from the source or guessed from names. A tensor remembers which nodes it was made
from: a module that is called starts a node (or joins the one whose output it is given, if it
keeps every unit in place, as batch norm and nonlinearities do), and every function of torch hands
the memory on from its arguments to its results. So branches, sums and views are followed too; a
nonlinearity written as a function is not seen, as it is no module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zscape.model import ModelLike, as_vae, evaluating
from zscape.neurons.layers import device_of, hooked, keeps_units

IMAGE, Z, PICTURE = "image", "z", "picture"


@dataclass(frozen=True)
class Node:
    """One layer, with what is done to its output unit by unit.

    Parameters
    ----------
    name
        Of the module, as in the state dict; ``image``, ``z`` and ``picture`` for what goes in,
        the latent vector, and what comes out.
    part
        ``"encoder"``, ``"latent"`` or ``"decoder"``.
    title
        What it is, for a person: ``Conv 4 × 4, stride 2``.
    extras
        What follows it within the node: ``BatchNorm``, ``LeakyReLU 0.2``.
    shape
        Of its output, without the batch.
    n_parameters
        Of all its modules; those of a module that is called twice count once.
    """

    name: str
    part: str
    title: str
    extras: tuple[str, ...]
    shape: tuple[int, ...]
    n_parameters: int


@dataclass(frozen=True)
class Architecture:
    """The nodes of a network in the order they are used, and the pairs of names that flow."""

    name: str
    n_parameters: int
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for ``json.dump``."""
        return {
            "name": self.name,
            "n_parameters": self.n_parameters,
            "nodes": [
                {**vars(node), "extras": list(node.extras), "shape": list(node.shape)}
                for node in self.nodes
            ],
            "edges": [list(edge) for edge in self.edges],
        }


def trace_architecture(vae: ModelLike) -> Architecture:
    """The nodes of any network, from the picture over mean, log-variance and z to the picture.

    One black picture is sent through in evaluation mode; the model is left as it was.
    """
    vae = as_vae(vae).told_anything()
    trace = _Trace()
    x = torch.zeros(1, *vae.image_shape, device=device_of(vae))
    with evaluating(vae), hooked(vae.named_modules(), trace.see), trace.following():
        trace.start(IMAGE, "encoder", "picture", x)
        mu, logvar = vae.encode(x)
        heads = trace.head(mu, "mu", "μ"), trace.head(logvar, "logvar", "log σ²")
        trace.start(Z, "latent", "z = μ + σ ε", mu, heads).extras.append("latent space")
        trace.part = "decoder"
        logits = vae.decode_logits(mu)
        trace.start(PICTURE, "decoder", "picture", logits, trace.sources(logits))
    trace.nodes[PICTURE].extras.append(f"{type(vae.likelihood).__name__} likelihood")
    trace.nodes[PICTURE].modules.append(vae.likelihood)
    nodes, counted = [], set[int]()
    for node in trace.nodes.values():
        weights = [p for module in node.modules for p in module.parameters()]
        new = {id(p): p.numel() for p in weights if id(p) not in counted}
        counted |= set(new)
        nodes.append(
            Node(node.name, node.part, node.title, tuple(node.extras), node.shape,
                  sum(new.values()))
        )  # fmt: skip
    total = sum(p.numel() for p in vae.parameters())
    return Architecture(type(vae).__name__, total, tuple(nodes), tuple(trace.edges))


@dataclass
class _Draft:
    name: str
    part: str
    title: str
    shape: tuple[int, ...]
    modules: list[nn.Module] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)


class _Trace:
    """Builds the nodes while a picture goes through."""

    def __init__(self) -> None:
        self.part = "encoder"
        self.nodes: dict[str, _Draft] = {}
        self.edges: list[tuple[str, str]] = []
        self._heads: list[str] = []
        self._sources: dict[int, tuple[str, ...]] = {}
        # No tensor is given up, so that none is mistaken for a later one at the same address.
        self._kept: list[Tensor] = []

    def following(self) -> TorchFunctionMode:
        """While inside, results of torch's functions remember what their arguments do."""
        return _Following(self)

    def sources(self, *values: Any) -> tuple[str, ...]:
        """Names of the nodes that tensors in ``values`` were made from."""
        found = [name for t in _tensors(values) for name in self._sources.get(id(t), ())]
        return tuple(dict.fromkeys(found))

    def remember(self, value: Any, sources: tuple[str, ...]) -> None:
        for tensor in _tensors(value):
            self._sources[id(tensor)] = sources
            self._kept.append(tensor)

    def start(
        self, name: str, part: str, title: str, value: Any, sources: tuple[str, ...] = ()
    ) -> _Draft:
        tensor, first, number = next(_tensors(value)), name, 2
        while name in self.nodes:
            name, number = f"{first}#{number}", number + 1
        node = _Draft(name, part, title, tuple(tensor.shape[1:]))
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources if source != name]
        self.remember(value, (name,))
        return node

    def head(self, value: Tensor, name: str, title: str) -> str:
        """The node that ends in the mean or log-variance; one is added where none ends in it."""
        sources = self.sources(value)
        if len(sources) == 1:
            node = self.nodes[sources[0]]
            is_end = all(source != node.name for source, _ in self.edges)
            is_free = node.name not in (IMAGE, *self._heads)
            if is_end and is_free and node.shape == tuple(value.shape[1:]):
                node.title, node.extras = title, [node.title, *node.extras]
                self._heads.append(node.name)
                return node.name
        return self.start(name, "encoder", title, value, sources).name

    def see(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Called after every module."""
        tensors = list(_tensors(output))
        if any(True for _ in module.children()) and not module._parameters:
            return
        if not tensors or not name:
            return
        sources = self.sources(args)
        is_reshaping = isinstance(module, (nn.Flatten, nn.Unflatten, nn.Identity))
        if is_reshaping:
            self.remember(output, sources)
        elif len(sources) == 1 and self._joins(sources[0], module, args, output):
            node = self.nodes[sources[0]]
            node.extras.append(title_of(module))
            node.modules.append(module)
            self.remember(output, sources)
        else:
            self._replace_inner(name)
            # What no function of torch led to can only have come from the node before.
            before = sources or tuple(self.nodes)[-1:]
            self.start(name, self.part, title_of(module), output, before).modules.append(module)

    def _joins(self, source: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> bool:
        is_read_elsewhere = any(before == source for before, _ in self.edges)
        return (
            source not in (IMAGE, Z) and not is_read_elsewhere and keeps_units(module, args, output)
        )

    def _replace_inner(self, name: str) -> None:
        """A module with weights of its own is one node, whatever it called inside."""
        inner = {one for one in self.nodes if one.startswith(f"{name}.")}
        self.nodes = {one: node for one, node in self.nodes.items() if one not in inner}
        self.edges = [edge for edge in self.edges if not inner & set(edge)]


class _Following(TorchFunctionMode):
    def __init__(self, trace: _Trace) -> None:
        super().__init__()
        self._trace = trace

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        sources = self._trace.sources(args, kwargs)
        result = func(*args, **(kwargs or {}))
        if sources:
            self._trace.remember(result, sources)
        return result


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def title_of(module: nn.Module) -> str:
    """A module in a few words: ``Conv 4 × 4, stride 2``, ``LeakyReLU 0.2``.

    A subclass of one of torch's modules is called as that.
    """
    kinds = [kind for kind in type(module).__mro__ if kind.__module__.startswith("torch.nn.")]
    named = kinds[0] if kinds and kinds[0] is not nn.Module else type(module)
    kind = named.__name__.removesuffix("1d").removesuffix("2d").removesuffix("3d")
    kind = {"ConvTranspose": "Transposed conv"}.get(kind, kind)
    words = []
    for name, text in (("kernel_size", "{}"), ("stride", "stride {}"), ("output_size", "to {}"),
                       ("size", "to {}"), ("scale_factor", "× {}"), ("negative_slope", "{}"),
                       ("p", "{}")):  # fmt: skip
        value = getattr(module, name, None)
        is_said = value is None or (name == "stride" and _sides(value) == "1")
        if not is_said:
            words.append(text.format(_sides(value, squared=name != "stride")))
    return f"{kind} {', '.join(words)}".strip()


def _sides(value: Any, *, squared: bool = False) -> str:
    """``2``, ``4 × 4`` or ``3 × 5`` of a number or a pair."""
    if isinstance(value, (int, float)):
        return f"{value:g}"
    sides = [f"{side}" for side in value]
    return " × ".join(sides) if squared or len(set(sides)) > 1 else sides[0]
