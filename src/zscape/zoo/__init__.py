"""Trained models that ship inside the package, each with a card that says how good it is."""

from zscape.zoo.cards import Card, find_card, load_pretrained, open_card, read_cards

__all__ = ["Card", "find_card", "load_pretrained", "open_card", "read_cards"]
