"""``zscape demo``: from nothing to a trained model and a page of its first pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zscape.data import Splits
    from zscape.training import TrainingResult

LATENT_DIM = 10
EPOCHS = 3


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the demo's run; replaced.")] = Path(
        "runs/demo"
    ),
    n_train: Annotated[
        int | None, typer.Option(help="Train on fewer images, for a quick look.", min=2)
    ] = None,
) -> None:
    """Train a small model on the MNIST digits that ship with zscape, and show what it learned."""
    from zscape import api
    from zscape.cli.train import report_result

    print(f"Training {LATENT_DIM} latent neurons on MNIST for {EPOCHS} epochs.")
    result = api.train(
        "mnist", out=out, overwrite=True, latent_dim=LATENT_DIM, epochs=EPOCHS, n_train=n_train
    )
    report_result(result)
    assert result.run is not None
    page = write_demo_page(result, result.run.load_data())
    print(f"Open this page in a browser: {page.resolve()}")


def write_demo_page(result: TrainingResult, data: Splits) -> Path:
    """Write the run's ``index.html``: loss curve, reconstructions, random digits."""
    from zscape import api, figures
    from zscape.report import Plate, Section, write_page
    from zscape.training.run import REPORT

    assert result.run is not None
    last, dim = result.history[-1], result.model.latent_dim
    test = last["test"]
    chosen = api.choose(data.test, 10, seed=0)
    curve = figures.plot_losses(result.history)
    pairs = figures.plot_reconstructions(
        chosen.pixels(), api.reconstruct(result.model, chosen), chosen.titles()
    )
    digits = figures.plot_random_samples(*api.sample(result.model, 12, seed=0))
    return write_page(
        result.run.path / REPORT,
        "What the model learned",
        [
            Section(
                "Learning",
                f"The loss is what the model pays for a picture, in nats: "
                f"{test['reconstruction']:.1f} for the pixels it gets wrong and {test['kl']:.1f} "
                f"for what it has to say about the picture through its {dim} latent neurons. "
                f"Solid lines are images it trained on, dashed lines images it has never seen.",
                [Plate(curve, "Loss per image after each epoch.")],
            ),
            Section(
                "Reconstruction",
                f"Ten test digits, squeezed through {dim} numbers each and drawn again. Thin "
                f"strokes and unusual loops are lost first; the black-and-white rows show where "
                f"a stroke changed its shape.",
                [Plate(pairs, "Originals and reconstructions, grey and at threshold 0.5.")],
            ),
            Section(
                "Imagination",
                "Vectors drawn at random, and the digits the decoder makes of them. None of these "
                "was ever written by anyone; those between two digits show that the space is "
                "filled without gaps, but not only with digits.",
                [Plate(digits, "Random digits, each beside its latent vector.")],
            ),
        ],
        subtitle=f"A variational autoencoder with {dim} latent neurons, trained on "
        f"{len(data.train):,} MNIST digits for {last['epoch']} epochs.",
        stats=[
            ("test loss, nats", f"{test['loss']:.1f}"),
            ("reconstruction", f"{test['reconstruction']:.1f}"),
            ("KL", f"{test['kl']:.1f}"),
            ("neurons in use", f"{last['n_active']} of {dim}"),
            ("training, seconds", f"{sum(line['seconds'] for line in result.history):.0f}"),
        ],
    )
