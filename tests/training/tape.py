"""CUDA graphs as the CPU can have them: what is dispatched is written down, and done again."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import torch
import torch._dynamo  # which looks at the real ``torch.cuda`` when it is first imported
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Tape(TorchDispatchMode):
    """Operations between two points, replayed on the very same tensors, as a graph is."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Any] = []
        self.is_played = True
        """Recording is playing it once, unlike on a device: so that comes for the first replay."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("waiting for the device is not permitted while recording")
        found = func(*args, **(kwargs or {}))
        self.done.append((func, args, kwargs or {}, found))
        return found

    def register_generator_state(self, generator: torch.Generator) -> None:
        pass

    def replay(self) -> None:
        if self.is_played:
            self.is_played = False
            return
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, found in self.done:
                again = func(*args, **kwargs)
                for old, new in zip(tree_flatten(found)[0], tree_flatten(again)[0], strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


@contextmanager
def graph(tape: Tape, **_: Any) -> Any:
    with tape:
        yield


stream = SimpleNamespace(wait_stream=lambda other: None)
cuda = SimpleNamespace(
    Stream=lambda priority: stream, stream=lambda _: nullcontext(), current_stream=lambda: stream,
    CUDAGraph=Tape, graph=graph, synchronize=lambda: None,
)  # fmt: skip
"""In place of ``torch.cuda``."""
