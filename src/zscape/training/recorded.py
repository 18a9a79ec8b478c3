"""Steps on a GPU, recorded once as a CUDA graph: one launch each, where there were hundreds.

A GPU finishes the small products of these networks sooner than Python can ask for the next one, and
waits. What it is asked for is the same in every step, so it is written down once, kernel by kernel,
and then replayed whole; tensors stay where they were, and what changes from step to step is copied
into them before.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

WARM_UP = 3
"""Calls of every shape that run as they are: libraries choose kernels, optimisers make state."""

_Shapes: TypeAlias = tuple[torch.Size, ...]
_log = logging.getLogger(__name__)


class Recorded:
    """A function of CUDA tensors that is recorded, shape by shape, and from then on replayed.

    Where it cannot be recorded, because it waits for the device say, that is warned of once and it
    runs as it is.

    Parameters
    ----------
    function
        Takes and returns tensors; whatever else it changes (weights, state, gradients that are
        gone at its end) must be CUDA tensors too. Its Python is run no more than ``WARM_UP`` + 1
        times per shape.
    generators
        All that it draws from; they may be seeded anew between two calls, and give what they would
        have given without a recording.
    priority
        Of its kernels, 0 or negative: those of the least go first where several are replayed.
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        generators: Sequence[torch.Generator] = (),
        priority: int = 0,
    ) -> None:
        self._function, self._generators = function, generators
        self._stream: Any = torch.cuda.Stream(priority=priority)  # type: ignore[no-untyped-call]
        self._calls: Counter[_Shapes] = Counter()
        self._graphs: dict[_Shapes, tuple[Any, tuple[Tensor, ...], Tensor]] = {}
        self._cannot = False

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What the function returns; a copy, which no later call changes."""
        shapes = tuple(given.shape for given in inputs)
        self._calls[shapes] += 1
        if self._calls[shapes] > WARM_UP and shapes not in self._graphs and not self._cannot:
            self._record(shapes, inputs)
        if shapes not in self._graphs:
            return self._run(inputs)
        graph, own, output = self._graphs[shapes]
        torch._foreach_copy_(own, inputs)
        graph.replay()
        return output.clone()

    def _run(self, inputs: tuple[Tensor, ...]) -> Tensor:
        # On the stream of the recording: gradients are added up where they were first made.
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            output = self._function(*inputs)
        torch.cuda.current_stream().wait_stream(self._stream)
        return output

    def _record(self, shapes: _Shapes, inputs: tuple[Tensor, ...]) -> None:
        own = tuple(given.clone() for given in inputs)
        graph: Any = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                output = self._function(*own)
        except RuntimeError as error:
            torch.cuda.synchronize()
            self._cannot = True
            reason = str(error).splitlines()[0]
            _log.warning("steps are not recorded, which makes them slower: %s", reason)
        else:
            self._graphs[shapes] = graph, own, output
