"""Reading the zoo: one ``cards.json``, one file of weights per card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from zscape.config import RunConfig
from zscape.errors import CheckpointError, ConfigError
from zscape.model import VAE
from zscape.training import LoadedModel, load_weights

FOLDER = files("zscape.zoo")
CARDS = "cards.json"
WEIGHTS = "weights"


@dataclass(frozen=True)
class Card:
    """How one shipped model was made and what it came to; losses in nats per image.

    Losses are those of the shipped float16 weights, with one posterior sample per image, on all
    60 000 training and 10 000 test images, in evaluation mode.
    """

    name: str
    latent_dim: int
    kld_weight: float
    config: dict[str, dict[str, Any]]
    epochs: int
    seconds: float
    train_loss: float
    test_loss: float
    reconstruction: float
    kl: float
    n_active: int
    half_precision_cost: float
    """Test loss of the float16 weights minus that of the float32 ones they were rounded from."""
    sha256: str
    version: str
    history: list[dict[str, Any]]
    """One mapping per epoch of its training, as in ``metrics.jsonl``: its number and its losses."""

    @property
    def file(self) -> str:
        """Name of the weights' file."""
        return f"{self.name}.safetensors"

    @property
    def run_config(self) -> RunConfig:
        """The recipe, ready to train it again."""
        return RunConfig.from_dict(self.config)


def card_name(latent_dim: int, kld_weight: float = 1.0) -> str:
    """``"10"``, or ``"10-kld4"`` for another weight than 1."""
    return str(latent_dim) if kld_weight == 1 else f"{latent_dim}-kld{kld_weight:g}"


@cache
def read_cards() -> dict[str, Card]:
    """All cards by name, in the order of ``cards.json``."""
    text = (FOLDER / CARDS).read_text(encoding="utf-8")
    return {card["name"]: Card(**card) for card in json.loads(text)}


def find_card(name: str) -> Card:
    """The card called ``name``.

    Raises
    ------
    ConfigError
        No such model; the message lists those there are.
    """
    cards = read_cards()
    if name not in cards:
        raise ConfigError(
            f"the zoo has {', '.join(f'zoo:{key}' for key in cards)}; got zoo:{name}."
        )
    return cards[name]


def open_card(name: str) -> LoadedModel:
    """The model called ``name``, on the CPU, in evaluation mode.

    Raises
    ------
    ConfigError
        No such model; the message lists those there are.
    CheckpointError
        The file is not the one the card describes.
    """
    card = find_card(name)
    with as_file(FOLDER / WEIGHTS / card.file) as path:
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
        if found != card.sha256:
            raise CheckpointError(
                f"zoo:{name} is damaged: {card.file} has SHA-256 {found}, its card says "
                f"{card.sha256}; install zscape again."
            )
        return load_weights(path)


def load_pretrained(latent_dim: int = 10, kld_weight: float = 1.0) -> VAE:
    """A trained MNIST model on the CPU, in evaluation mode, ready to use.

    Parameters
    ----------
    latent_dim
        Number of latent neurons.
    kld_weight
        Weight of the KL term it was trained with.

    Raises
    ------
    ConfigError
        The zoo has no such model; the message lists those it has.
    """
    return open_card(card_name(latent_dim, kld_weight)).model
