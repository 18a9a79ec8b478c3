"""``zscape architecture``: the layers of a network, drawn from the network itself."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from zscape.cli.inputs import OWN
from zscape.cli.options import with_options
from zscape.cli.output import FIGURES, Outs, check_outs, show_table, write_outs
from zscape.config import ModelConfig
from zscape.errors import ConfigError


@with_options(ModelConfig, names={"network", "latent_dim", "likelihood"})
def architecture(
    *,
    model: Annotated[
        str | None, typer.Argument(help="A trained model (zoo:10, a run); none with --network.")
    ] = None,
    out: Outs = None,
    image_shape: Annotated[
        str | None, typer.Option(metavar="C,H,W", help="Of an untrained network's pictures.")
    ] = None,
    options: dict[str, Any],
) -> None:
    """Draw the layers of a network with their shapes and numbers of parameters.

    Of a trained model, or of a network by name: zscape architecture --network enhanced --latent-dim
    10 -o network.svg. Without -o the layers are printed; -o also takes .json.
    """
    from zscape import api, figures
    from zscape.model import allowed, build_model
    from zscape.neurons import trace_architecture

    outs = check_outs(out, (*FIGURES, ".json"))
    own: dict[str, Any] = {k: options.pop(k) for k in OWN if k in options}
    if model is not None and (options or image_shape):
        raise ConfigError("give either a trained model or options of an untrained one, not both.")
    if model is None and "network" not in own:
        raise ConfigError("give a trained model (zoo:10, a run), or --network NAME.")
    if image_shape is not None:
        options = options | {"image_shape": _shape(image_shape)}
    classes = allowed(**own, here=True)
    if model is None:
        vae = build_model(ModelConfig(**(options | classes)))
    else:
        vae = api.load(model, **classes).model
    plan = trace_architecture(vae)
    if not outs:
        _show(plan)
    write_outs(
        outs,
        figure=lambda: figures.plot_architecture(plan),
        others={".json": lambda: (json.dumps(plan.to_dict(), indent=1) + "\n").encode()},
    )


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError:
        shape = ()
    if len(shape) != 3:
        raise ConfigError(f"--image-shape must be C,H,W, such as 1,28,28; got {text!r}.")
    return shape


def _show(plan: Any) -> None:
    import pandas as pd

    rows = [
        (
            node.name,
            node.part,
            ", ".join((node.title, *node.extras)),
            " x ".join(map(str, node.shape)),
            f"{node.n_parameters:,}" if node.n_parameters else "",
        )
        for node in plan.nodes
    ]
    columns = ["module", "part", "layer", "output", "parameters"]
    print(f"{plan.name}, {plan.n_parameters:,} parameters")
    show_table(pd.DataFrame(rows, columns=columns), with_index=False)
