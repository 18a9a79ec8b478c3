"""A device without float64, as Apple's GPUs are, and the whole way of a model on it.

Its tensors are computed by the CPU, but are not of the CPU: what should live on the model's device
is refused in float64, and what belongs to either is refused by the other. A program of its own,
because PyTorch has room for one such device per process.

``decoder_jacobian`` is left out: forward-mode differentiation does not go through such tensors. A
test of its own looks at the types of what it computes.

``python narrow_device.py`` walks the whole way; with ``--break`` it first does what is not allowed.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "narrowgpu"


class NarrowTensor(Tensor):
    """Stands for a tensor on the device; ``inner`` has its numbers."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> NarrowTensor:
        made = Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, device=torch.device(NAME, 0),
        )  # fmt: skip
        made.inner = inner
        return made

    def tolist(self) -> Any:
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(op, args, kwargs or {})


class Narrow(TorchDispatchMode):
    """While it lasts, tensors can be made on the device."""

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(op, args, kwargs or {})


def compute(op: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    given: dict[int, NarrowTensor] = {}

    def unwrap(value: Any) -> Any:
        if isinstance(value, NarrowTensor):
            given[id(value.inner)] = value
            return value.inner
        return value

    target = kwargs.get("device")
    inner_args, inner_kwargs = tree_map(unwrap, args), tree_map(unwrap, kwargs)
    is_narrow = torch.device(target).type == NAME if target is not None else bool(given)
    if target is not None:
        inner_kwargs["device"] = torch.device("cpu")
    result = op(*inner_args, **inner_kwargs)
    if not is_narrow:
        is_same = isinstance(result, Tensor) and id(result) in given
        return result.clone() if is_same else result

    def wrap(value: Any) -> Any:
        if not isinstance(value, Tensor) or isinstance(value, NarrowTensor):
            return value
        if value.dtype == torch.float64:
            raise TypeError(f"{NAME} has no float64: {op}")
        return given[id(value)] if id(value) in given else NarrowTensor(value)

    return tree_map(wrap, result)


def walk() -> None:
    """Train, evaluate, encode, ask the neurons, gather a report, describe the network."""
    from lightning_fabric import Fabric
    from lightning_fabric.accelerators.cpu import CPUAccelerator
    from lightning_fabric.strategies import SingleDeviceStrategy

    from zscape import evaluation, finding, latents, neurons
    from zscape.config import RunConfig
    from zscape.data import ImageSet, Splits
    from zscape.explorer import describe_network
    from zscape.model import mean_elbo
    from zscape.report.material import Material, Subject
    from zscape.training import processes, train

    class Accelerator(CPUAccelerator):
        def setup_device(self, device: torch.device) -> None:
            assert device.type == NAME

    def create_fabric(*_: Any) -> Fabric:
        strategy = SingleDeviceStrategy(torch.device(NAME, 0), accelerator=Accelerator())
        return Fabric(strategy=strategy, precision="32-true")

    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (56, 1, 16, 16), generator=generator, dtype=torch.uint8)
    labels = torch.arange(56) % 2
    data = Splits(
        ImageSet(images[:40], labels[:40], class_names=("a", "b")),
        ImageSet(images[40:], labels[40:], class_names=("a", "b"), split="test"),
    )
    processes.create_fabric = create_fabric
    config = RunConfig.from_options(latent_dim=2, epochs=2, batch_size=20, precision="32")
    result = train.fit(config, data)
    assert len(result.history) == 2

    on_cpu = mean_elbo(result.model, data.test)
    vae = result.model.to(NAME)
    assert type(next(vae.parameters()).data) is NarrowTensor
    assert abs(mean_elbo(vae, data.test).loss() - on_cpu.loss()) < 1e-3
    table = latents.encode(vae, data.test)
    latents.decode(vae, table.mu)
    latents.sample_prior(vae, 3)
    neurons.layer_moments(vae, data.test)
    neurons.neuron_table(table)
    neurons.class_moments(table)
    neurons.correlation(table.mu)
    layer = neurons.list_layers(vae)[0].name
    neurons.top_images(vae, data.test, layer, 2)
    for to in ("zero", "mean"):
        neurons.silence(vae, data.test, layer, 0, to=to)
    neurons.trace_architecture(vae)
    assert not describe_network(vae).why
    material = Material(Subject("narrow", vae, config.model, data))
    assert material.scores.loss > 0
    assert material.trained.n_images == 40
    assert len(material.costs.total) == 16
    found = evaluation.evaluate(vae, data.test, evaluation.Protocol("dynamic", samples=3))
    assert found.nll.shape == (16,)
    finding.outliers(vae, data.test)


class Generator(torch.Generator):
    """Noise for either device: that of the narrow one is computed by the CPU too."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        return super().__new__(cls, "cpu")


if __name__ == "__main__":
    torch.Generator = Generator
    _setup_privateuseone_for_python_backend(NAME)
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    with Narrow():
        if "--break" in sys.argv:
            torch.zeros(3).to(NAME).double()
        walk()
    print("the whole way")
