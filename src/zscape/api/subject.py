"""What is known of a model, for the report and the doctor."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from zscape.api.filming import film
from zscape.api.opening import Opened
from zscape.training import snapshots
from zscape.zoo import find_card

if TYPE_CHECKING:
    from zscape.report import Subject


MOST_MOMENTS = 10
"""Of the film in a report."""


def subject_of(opened: Opened, data: Any) -> Subject:
    """What the report is to say about a model: its scores hold for its own images only."""
    from zscape.report import Scores, Subject

    images = opened.data(data)
    vae, config = opened.model, opened.model_config
    if opened.name.startswith("zoo:"):
        card = find_card(opened.name.removeprefix("zoo:"))
        said = "on its card, for all 10,000 test images of MNIST"
        known = Scores(card.test_loss, card.reconstruction, card.kl, said)
        is_own = data is None or (isinstance(data, str) and data == "mnist")
        facts = [
            ("training", f"{card.epochs} epochs in {card.seconds:.0f} s"),
            ("made with", f"zscape {card.version}"),
            ("SHA-256 of the weights", card.sha256),
        ]
        return Subject(opened.name, vae, config, images, is_own, card.run_config, card.history,
                       known if is_own else None, facts)  # fmt: skip
    if opened.run is None:
        return Subject(opened.name, vae, config, images, is_own=False)
    settings, history = opened.run.config, opened.history
    environment = opened.run.environment()
    facts = [("training", f"{len(history)} of {settings.train.epochs} epochs in "
              f"{sum(line['seconds'] for line in history):.0f} s")]  # fmt: skip
    if environment:
        facts.append(("trained on", f"{environment['accelerator']} in {environment['precision']}"))
    scores = None
    is_own = data is None or opened.run.is_trained_on(images)
    if history and is_own and opened.snapshot is None:
        # Under early stopping the weights are those of the best epoch.
        lines = history if settings.train.early_stopping else history[-1:]
        best = min(lines, key=lambda line: float(line["test"]["loss"]))
        test = best["test"]
        said = f"from the run, after epoch {best['epoch']}, for all its test images"
        scores = Scores(test["loss"], test["reconstruction"], test["kl"], said)
    raw = None
    if opened.snapshot is None and (weights := opened.run.raw_weights()) is not None:
        raw = deepcopy(vae)
        raw.load_state_dict(weights)
    makes = None
    if opened.snapshot is None and snapshots(opened.run):
        makes = lambda few: film(opened, few, n=len(few), most=MOST_MOMENTS)  # noqa: E731
    return Subject(
        opened.name, vae, config, images, is_own, settings, history, scores, facts, raw, makes
    )
