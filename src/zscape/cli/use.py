"""``zscape reconstruct``, ``sample``, ``loss`` and ``info``: a trained model at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zscape.cli.inputs import Latents, NewSeed, with_model
from zscape.cli.output import FIGURES, check_outs, save_figure

if TYPE_CHECKING:
    from zscape.api import Opened

Out = Annotated[Path, typer.Option("-o", "--out", help="PNG or SVG file to write.")]


@with_model("data", "condition")
def reconstruct(
    where: Latents,
    out: Out,
    n: Annotated[int, typer.Option("-n", help="How many test images.", min=1)] = 10,
    seed: NewSeed = None,
) -> None:
    """Draw test images and what the model makes of them, as another class with --condition.

    Where pixels are nearly black and white, both also with a threshold at 0.5.
    """
    from zscape import api, figures

    check_outs([out], FIGURES)
    chosen = api.choose(where.all_images, n, seed=seed)
    pictures = api.reconstruct(where.opened, chosen, condition=where.condition)
    told = where.opened.model.condition
    name = "reconstruction"
    if where.condition is not None and told is not None:
        name = f"{name}\nas {told.title} {where.condition}"
    figure = figures.plot_reconstructions(
        chosen.pixels(), pictures, chosen.titles(), names=("original", name)
    )
    save_figure(figure, out)


@with_model("condition")
def sample(
    where: Latents,
    out: Out,
    n: Annotated[int, typer.Option("-n", help="How many pictures.", min=1)] = 10,
    seed: NewSeed = None,
) -> None:
    """Draw pictures decoded from random latent vectors, each beside its vector."""
    from zscape import api, figures

    check_outs([out], FIGURES)
    drawn = api.sample(where.opened, n, seed=seed)
    say_turns(where)
    save_figure(figures.plot_random_samples(drawn.images, drawn.vectors), out, where.note)


def say_turns(where: Latents) -> None:
    """Say what random vectors were drawn as, where nobody said what."""
    vae = where.opened.model
    if where.condition is not None:
        _ = where.decoder
    elif vae.condition:
        where.drawn_as = vae.condition.in_turn()
        print(f"{where.drawn_as.capitalize()}.")


def loss(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Out,
    scale: Annotated[Literal["linear", "log"], typer.Option(help="Of the loss.")] = "linear",
) -> None:
    """Draw the loss of a run and its terms over the epochs, for both splits."""
    from zscape import figures
    from zscape.training import Run

    check_outs([out], FIGURES)
    save_figure(figures.plot_losses(Run.open(run).metrics(), scale), out)


@with_model()
def info(where: Latents) -> None:
    """Print what a model is, and for a run how its training went."""
    print(model_text(where.opened))


def model_text(opened: Opened) -> str:
    """The text of ``zscape info``."""
    config = opened.model_config
    n_parameters = sum(parameter.numel() for parameter in opened.model.parameters())
    channels, height, width = config.image_shape
    rows = [
        ("network", f"{config.network}, {n_parameters:,} parameters"),
        ("latent_dim", str(config.latent_dim)),
        ("images", f"{channels} x {height} x {width} (channels, height, width)"),
        ("likelihood", config.likelihood),
    ]
    if told := opened.model.condition:
        rows.append(("told", f"the {told.title}: {told.choices()}"))
    if opened.run is not None:
        rows += _training_rows(opened)
    width = max(len(name) for name, _ in rows)
    return "\n".join([opened.name, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _training_rows(opened: Opened) -> list[tuple[str, str]]:
    assert opened.run is not None
    train, data = opened.run.config.train, opened.run.config.data
    environment, history = opened.run.environment(), opened.history
    rows = [
        ("data", f"{data.data or 'an array from Python'}, binarize {data.binarize}"),
        ("kld_weight", f"{train.kld_weight:g}"),
        (
            "training",
            f"{len(history)} of {train.epochs} epochs, batch size {train.batch_size}, "
            f"learning rate {train.learning_rate:g} ({train.schedule}), seed {train.seed}",
        ),
    ]
    if opened.snapshot is not None:
        rows.append(
            ("snapshot", f"after step {opened.snapshot.step}, epoch {opened.snapshot.epoch:.4g}")
        )
    if environment:
        rows.append(("trained on", f"{environment['accelerator']} in {environment['precision']}"))
    if history:
        last = history[-1]
        names = {"running": "running", "evaluated_train": "train", "test": "test"}
        for terms, name in ((last[key], name) for key, name in names.items() if key in last):
            rows.append(
                (
                    f"{name} loss",
                    f"{terms['loss']:.2f} nats per image (reconstruction "
                    f"{terms['reconstruction']:.2f}, KL {terms['kl']:.2f})",
                )
            )
        rows.append(("in use", f"{last['n_active']} of {opened.model.latent_dim} latent neurons"))
    return rows
