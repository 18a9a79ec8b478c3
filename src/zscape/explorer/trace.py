"""What a network does, recorded from one real pass through it.

Modules are not asked what they are called: every function that touches the pictures on their way
is seen (``TorchFunctionMode``), whether a module or plain code calls it. Only convolutions and
linear layers are taken whole, because ours compute them in other ways than they say
(``zscape.model.layers``). Each step is computed again from its record and compared, so that a
layer that is not what it looks like is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from zscape.explorer.ops import (
    Op,
    Unsupported,
    apply,
    conv,
    conv_transpose,
    is_close,
    linear,
    op_of,
)
from zscape.model import VAE, evaluating


def trace(vae: VAE, method: str, x: Tensor) -> list[list[Op]]:
    """The steps from ``x`` (batch, …) to each result of ``vae.encode`` or ``vae.decode_logits``.

    Steps that two results share are the same objects.

    Raises
    ------
    Unsupported
        A step on the way is none of the kinds the page knows.
    """
    recorder = _Recorder(x)
    with evaluating(vae), _listening(vae, recorder), recorder:
        results = getattr(vae, method)(x)
    results = [results] if isinstance(results, Tensor) else list(results)
    return [recorder.way_to(result) for result in results]


@dataclass(frozen=True, eq=False)
class _Step:
    op: Op | None
    before: _Step | None
    fault: str = ""


class _Recorder(TorchFunctionMode):
    """Follows every tensor that comes from the input."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self._steps = {id(x): _Step(None, None)}
        # Kept, so that no other tensor gets the number of one that is gone.
        self._kept = [x]
        self.names: list[str] = []
        self.inside = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if not self.inside:
            self._see(func, args, kwargs or {}, output)
        return output

    def way_to(self, result: Tensor) -> list[Op]:
        """All steps from the input to ``result``."""
        step = self._steps.get(id(result))
        if step is None:
            raise Unsupported("its result does not depend on its input")
        ops: list[Op] = []
        while step is not None:
            if step.fault:
                raise Unsupported(step.fault)
            if step.op is not None:
                ops.insert(0, step.op)
            step = step.before
        return ops

    def add(self, op: Op | None, x: Tensor, output: Tensor, what: str) -> None:
        """Record that ``op`` made ``output`` of ``x``; None: nothing was changed."""
        before, fault = self._steps[id(x)], ""
        changed_in_place = output is x
        if op is not None and not changed_in_place and not is_close(apply(op, x), output):
            fault = f"{self._where(what)} does not compute what it says it is"
        if op is not None or fault:
            before = _Step(op, before, fault)
        self._steps[id(output)] = before
        self._kept.append(output)

    def fail(self, reason: str, output: Tensor, before: _Step | None = None) -> None:
        """Record that ``output`` cannot be followed."""
        # The first fault on a way is the one to name.
        if before is None or not before.fault:
            before = _Step(None, before, reason)
        self._steps[id(output)] = before
        self._kept.append(output)

    def _see(self, func: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        outputs = [output] if isinstance(output, Tensor) else output
        if not isinstance(outputs, (tuple, list)):
            return
        outputs = [part for part in outputs if isinstance(part, Tensor)]
        given = [*_tensors(args), *_tensors(kwargs.values())]
        followed = {id(part): part for part in given if id(part) in self._steps}
        if not followed:
            return
        name = str(resolve_name(func) or getattr(func, "__name__", func)).rpartition(".")[2]
        for part in outputs:
            first = self._steps[next(iter(followed))]
            if len(followed) > 1:
                self.fail(f"{self._where(name)} joins two branches", part, first)
                continue
            (x,) = followed.values()
            try:
                op = op_of(func, x, args, kwargs, part)
            except Unsupported as error:
                self.fail(str(error).format(where=self._where(name)), part, first)
            else:
                self.add(op, x, part, name)

    def _where(self, function: str) -> str:
        """How a person finds the place: the module, else the function."""
        return self.names[-1] if self.names else f"the function {function}"


@contextmanager
def _listening(vae: VAE, recorder: _Recorder) -> Iterator[None]:
    """Tell ``recorder`` which module is running, and hand it the layers that are taken whole."""
    handles = []
    for name, module in vae.named_modules():
        if module is vae:
            continue
        label = f"{name} ({type(module).__name__})"
        is_whole = isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))

        def enter(
            module: nn.Module, args: Any, label: str = label, is_whole: bool = is_whole
        ) -> None:
            recorder.names.append(label)
            recorder.inside += is_whole

        def leave(module: nn.Module, args: Any, output: Any, is_whole: bool = is_whole) -> None:
            if is_whole:
                _see_layer(recorder, module, args, output)
            recorder.inside -= is_whole
            recorder.names.pop()

        handles += [
            module.register_forward_pre_hook(enter), module.register_forward_hook(leave)
        ]  # fmt: skip
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _see_layer(recorder: _Recorder, module: Any, args: Any, output: Tensor) -> None:
    if recorder.inside > 1 or id(args[0]) not in recorder._steps:
        return
    label = recorder.names[-1]
    try:
        if isinstance(module, nn.Linear):
            op = linear(args[0], module.weight, module.bias)
        elif module.padding_mode != "zeros":
            raise Unsupported(f"{{where}} pads with {module.padding_mode} and not with zeros")
        elif isinstance(module, nn.Conv2d):
            op = conv(
                args[0], module.weight, module.bias, module.stride, module.padding,
                module.dilation, module.groups,
            )  # fmt: skip
        else:
            op = conv_transpose(
                args[0], module.weight, module.bias, module.stride, module.padding,
                _output_padding(module, args[0], output), module.groups, module.dilation,
            )  # fmt: skip
    except Unsupported as error:
        recorder.fail(str(error).format(where=label), output, recorder._steps[id(args[0])])
    else:
        recorder.add(op, args[0], output, label)


def _output_padding(module: Any, x: Tensor, output: Tensor) -> tuple[int, ...]:
    """As it was in this pass: ``output_size`` may have asked for another than the module's."""
    return tuple(
        output.shape[2 + i] - ((x.shape[2 + i] - 1) * stride - 2 * padding + kernel)
        for i, (stride, padding, kernel) in enumerate(
            zip(module.stride, module.padding, module.kernel_size, strict=True)
        )
    )


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)
