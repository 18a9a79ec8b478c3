"""``zscape demo``: a trained model and a page of its first pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zscape.data import Splits
    from zscape.model import VAE
    from zscape.training import TrainingResult

LATENT_DIM = 10
EPOCHS = 3


def demo(
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to: runs/demo, with --zoo runs/demo-zoo.")
    ] = None,
    zoo: Annotated[
        bool, typer.Option("--zoo", help="Show zoo:10, which ships trained, instead of training.")
    ] = False,
    n_train: Annotated[
        int | None, typer.Option(help="Train on fewer images, for a quick look.", min=2)
    ] = None,
) -> None:
    """Train a small model of MNIST and show what it learned, on one page that opens offline."""
    folder = out or Path("runs/demo-zoo" if zoo else "runs/demo")
    page = _show_zoo(folder) if zoo else _train_and_show(folder, n_train)
    if page is not None:
        print(f"Open this page in a browser: {page.resolve()}")


def _show_zoo(out: Path) -> Path:
    from zscape.data import load_data
    from zscape.errors import ConfigError
    from zscape.training.run import REPORT
    from zscape.zoo import find_card, load_pretrained

    card = find_card(str(LATENT_DIM))
    try:
        out.mkdir(parents=True, exist_ok=True)
        page = write_page_of(
            out / REPORT,
            load_pretrained(LATENT_DIM),
            load_data("mnist"),
            card.history,
            n_active=card.n_active,
            seconds=card.seconds,
        )
    except OSError as error:
        raise ConfigError(f"cannot write to {out}: {error.strerror}.") from error
    print(
        f"zoo:{card.name} ships with zscape: {card.latent_dim} latent neurons, test loss "
        f"{card.test_loss:.2f} nats per image after {card.epochs} epochs.\n"
        f"Train your own with: zscape train --latent-dim {card.latent_dim} --out runs/mine"
    )
    return page


def _train_and_show(out: Path, n_train: int | None) -> Path | None:
    from zscape import api
    from zscape.cli.train import report_result
    from zscape.training.run import REPORT

    print(f"Training {LATENT_DIM} latent neurons on MNIST for {EPOCHS} epochs.")
    result: TrainingResult = api.train(
        "mnist", out=out, overwrite=True, latent_dim=LATENT_DIM, epochs=EPOCHS, n_train=n_train
    )
    report_result(result)
    if result.run is None:
        return None
    return write_page_of(
        result.run.path / REPORT,
        result.model,
        result.run.load_data(),
        result.history,
        n_active=result.history[-1]["n_active"],
        seconds=sum(line["seconds"] for line in result.history),
    )


def write_page_of(
    page: Path,
    vae: VAE,
    data: Splits,
    history: list[dict[str, Any]],
    *,
    n_active: int,
    seconds: float,
) -> Path:
    """Write ``page``: loss curve, reconstructions and random digits of a trained model."""
    from zscape import api, figures
    from zscape.report import Plate, Section, write_page

    last, dim = history[-1], vae.latent_dim
    test = last["test"]
    chosen = api.choose(data.test, 10, seed=0)
    curve = figures.plot_losses(history, "log" if len(history) > 10 else "linear")
    pairs = figures.plot_reconstructions(
        chosen.pixels(), api.reconstruct(vae, chosen), chosen.titles()
    )
    digits = figures.plot_random_samples(*api.sample(vae, 12, seed=0))
    return write_page(
        page,
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
            ("neurons in use", f"{n_active} of {dim}"),
            ("training, seconds", f"{seconds:.0f}"),
        ],
    )
