"""``zscape zoo``: the trained models that ship inside the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zscape.zoo import Card

app = typer.Typer(help="The trained models inside the package.", no_args_is_help=True)

COLUMNS = ("name", "latent_dim", "kld_weight", "test loss", "reconstruction", "KL", "in use")


@app.command("list")
def list_() -> None:
    """One line per model; any command that takes a run takes its name."""
    from zscape.zoo import read_cards

    print(cards_text(list(read_cards().values())))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name from the list, such as zoo:10.")],
) -> None:
    """Print the card of one model: how it was made and how good it is."""
    from zscape.zoo import find_card

    print(card_text(find_card(name.removeprefix("zoo:"))))


def cards_text(cards: list[Card]) -> str:
    """The text of ``zscape zoo list``."""
    rows = [
        (
            f"zoo:{card.name}",
            str(card.latent_dim),
            f"{card.kld_weight:g}",
            f"{card.test_loss:.2f}",
            f"{card.reconstruction:.2f}",
            f"{card.kl:.2f}",
            f"{card.n_active} of {card.latent_dim}",
        )
        for card in cards
    ]
    widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    lines = [COLUMNS, *rows]
    text = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([*text, "", "Losses in nats per image, on the 10 000 test images of MNIST."])


def card_text(card: Card) -> str:
    """The text of ``zscape zoo show``."""
    train = card.run_config.train
    rows = [
        ("latent_dim", str(card.latent_dim)),
        ("kld_weight", f"{card.kld_weight:g}"),
        ("test loss", f"{card.test_loss:.2f} nats per image"),
        ("reconstruction", f"{card.reconstruction:.2f}"),
        ("KL", f"{card.kl:.2f}"),
        ("train loss", f"{card.train_loss:.2f}"),
        ("in use", f"{card.n_active} of {card.latent_dim} latent neurons"),
        ("float16 costs", f"{card.half_precision_cost:.4f} nats"),
        ("training", f"{card.epochs} epochs in {card.seconds:.0f} s, one thread"),
        (
            "recipe",
            f"{train.optimizer}, learning rate {train.learning_rate:g} ({train.schedule}), "
            f"batch size {train.batch_size}, seed {train.seed}",
        ),
        ("made with", f"zscape {card.version}"),
        ("sha256", card.sha256),
    ]
    width = max(len(label) for label, _ in rows)
    return "\n".join([f"zoo:{card.name}", *(f"  {label:<{width}}  {text}" for label, text in rows)])
