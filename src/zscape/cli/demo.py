"""``zscape demo``: everything there is to see in a trained model, or in one trained on the spot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zscape.cli.browser import Open, show
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError

if TYPE_CHECKING:
    from zscape.training import TrainingResult

MODEL = "zoo:10"
LATENT_DIM = 10
EPOCHS = 3


def demo(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to: runs/demo, with --train runs/demo-train."),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Train a model for three epochs, and show that one.")
    ] = False,
    n_train: Annotated[
        int | None, typer.Option(help="With --train: on fewer images, for a quick look.", min=2)
    ] = None,
    open_: Open = True,
) -> None:
    """Explore a trained model of MNIST on two pages that open offline; nothing is trained.

    One is a report with everything there is to see, the other the explorer: point anywhere on a
    map and see the picture that lives there. It begins with a story: ten steps that need no
    knowledge of any of this.
    """
    if n_train is not None and not train:
        raise ConfigError("--n-train goes with --train; without it nothing is trained.")
    if train:
        _train_and_show(out or Path("runs/demo-train"), n_train, open_)
    else:
        _show_zoo(out or Path("runs/demo"), open_)


def _show_zoo(out: Path, open_: bool) -> None:
    from zscape.explorer.story import WALK
    from zscape.zoo import find_card

    card = find_card(MODEL.removeprefix("zoo:"))
    print(
        f"{MODEL} ships with zscape: {card.n_active} of {card.latent_dim} latent neurons in use, "
        f"test loss {card.test_loss:.2f} nats per image after {card.epochs} epochs."
    )
    _write_pages(MODEL, out, open_, WALK)
    print(f"Train your own with: zscape train --latent-dim {LATENT_DIM} --out runs/mine")


def _train_and_show(out: Path, n_train: int | None, open_: bool) -> None:
    from zscape import api
    from zscape.cli.train import report_result

    print(f"Training {LATENT_DIM} latent neurons on MNIST for {EPOCHS} epochs.")
    result: TrainingResult = api.train(
        "mnist", out=out, overwrite=True, latent_dim=LATENT_DIM, epochs=EPOCHS, n_train=n_train
    )
    report_result(result)
    if result.run is not None:
        _write_pages(str(result.run.path), result.run.path, open_)


def _write_pages(model: str, folder: Path, open_: bool, story: Path | None = None) -> None:
    """Everything that opens in a browser; one walks in the explorer while the report is drawn."""
    from zscape import api
    from zscape.training.run import EXPLORER, REPORT

    with suppress(OSError):  # what is wrong with the folder, the export says in a sentence
        folder.mkdir(parents=True, exist_ok=True)
    with showing_progress() as progress:
        explorer = api.export(model, folder / EXPLORER, story=story, progress=progress)
    if open_:
        show(explorer.resolve().as_uri())
    with showing_progress() as progress:
        report = api.write_report(model, folder / REPORT, explorer=EXPLORER, progress=progress)
    print(f"Open in a browser, both work offline:\n  {report.resolve()}\n  {explorer.resolve()}")
