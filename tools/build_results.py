"""Write ``docs/results.md``: what the zoo pays for the test images of MNIST, and what it draws.

``make results``: about an hour on one core. What is measured of a model is kept in
``runs/results``, so that what was stopped goes on, until the page is written. Everything random
has seed 0, so that only the last digit may differ from machine to machine.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zscape import api, figures
from zscape.cache import code_of
from zscape.cli.compare import markdown
from zscape.cli.output import format_table, npz
from zscape.cli.progress import showing_progress
from zscape.data import load_data
from zscape.embedding.methods import Tell
from zscape.evaluation import Comparison, Evaluation, Protocol, compare
from zscape.evaluation.comparison import Compared
from zscape.files import make_folder, write_atomic
from zscape.words import number
from zscape.zoo import Card, read_cards

ROOT = Path(__file__).parents[1]
DOCS, KEPT = ROOT / "docs", ROOT / "runs" / "results"
PROTOCOLS = {
    "zscape compare zoo:all --binarize dynamic --samples 50": Protocol("dynamic", samples=50),
    "zscape compare zoo:all": Protocol(),
}
"""By the command that prints the same."""
ARRAYS = ("reconstruction", "kl", "nll")
DECIMALS = {"frechet": 1}

HEAD = """# Results

What the models that ship pay for the 10 000 test images of MNIST, on which none was trained or
chosen. `make results` writes this page (2 CPU cores, one thread, float32); what the columns are
stands in [how good is it?](evaluation.md), how the models were trained in [the zoo](zoo.md). The
best of a column is bold.

## Black and white, as in the literature

Each test image is binarised once, a pixel turning white with its brightness as probability. `nll`
is the importance-weighted bound of 50 samples; the 5 000 of most papers would bring it lower.
"""
GREY = """
## Grey, the tutorial's loss

Pixels as they are: a cross-entropy, a score and no likelihood, and so no figures to set beside the
literature. What drawing the very pictures would cost is in it. It is the loss on the models' cards,
there with other posterior samples.
"""
SAMPLES = """
## Samples

As many samples of the prior as there are test images, in the features of a classifier that ships.
One set of samples of each model: what another would change was not measured.
"""


def main() -> None:
    """Measure, draw, write."""
    torch.set_num_threads(1)
    folder = KEPT / code_of(["data", "evaluation", "latents", "model"])[:12]
    make_folder(folder)
    cards, drawn = read_cards().values(), {}
    found: dict[str, list[Compared]] = {command: [] for command in PROTOCOLS}
    with showing_progress() as show:
        for i, card in enumerate(cards):
            known = None
            for j, (command, protocol) in enumerate(PROTOCOLS.items()):

                def tell(name: str, done: float, done_before: float = i + j / 2) -> None:
                    show(name, (done_before + done / 2) / len(cards))

                one = measured(card, protocol, folder, tell, known)
                found[command].append(one)
                known = one.accuracy
            drawn[f"zoo:{card.name}"] = sampled(card, folder)
    write({command: compare(models) for command, models in found.items()}, drawn)
    shutil.rmtree(KEPT)


def measured(
    card: Card, protocol: Protocol, folder: Path, tell: Tell, known: dict[str, float] | None
) -> Compared:
    """What is measured of a model under ``protocol``, now or before.

    ``known`` is the accuracy of the probes, whatever the protocol: they read the codes of the
    images as they are.
    """
    file = folder / f"{card.name}-{card.sha256[:8]}-{protocol.binarize}-{protocol.samples}.npz"
    if not file.is_file():
        (one,) = api.measure_models(
            [f"zoo:{card.name}"], protocol=protocol, probes=known is None, progress=tell
        ).models
        save(one if known is None else replace(one, accuracy=known), file)
    return load(file, card)


def save(one: Compared, file: Path) -> None:
    """Keep what was measured, so that it is the same to the bit when it is read again."""
    found = one.evaluation
    names = {field.name for field in fields(found)} - {*ARRAYS, "protocol", "labels"}
    told = {name: getattr(found, name) for name in names}
    told |= {"protocol": asdict(found.protocol), "accuracy": one.accuracy}
    arrays = {name: getattr(found, name) for name in ARRAYS}
    write_atomic(file, npz(**arrays, labels=found.labels, told=json.dumps(told)))


def load(file: Path, card: Card) -> Compared:
    """What ``save`` kept."""
    with np.load(io.BytesIO(file.read_bytes())) as kept:
        told = json.loads(str(kept["told"]))
        arrays = {name: kept[name] for name in (*ARRAYS, "labels")}
    accuracy, protocol = told.pop("accuracy"), Protocol(**told.pop("protocol"))
    told["class_names"] = tuple(told["class_names"])
    return Compared(Evaluation(protocol=protocol, **told, **arrays), card.run_config, accuracy)


def sampled(card: Card, folder: Path) -> dict[str, Any]:
    """How samples of a model compare with test images, and what is so compared, now or before."""
    file = folder / f"{card.name}-{card.sha256[:8]}-samples.json"
    if not file.is_file():
        one = api.quality(f"zoo:{card.name}", load_data("mnist"))
        rows = one.frame.to_dict(orient="index")
        write_atomic(file, json.dumps({"how": one.how, **rows}))
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def samples_table(drawn: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each model, and one for training images; the best of the models is bold."""
    import pandas as pd

    frame = pd.DataFrame({name: one["samples"] for name, one in drawn.items()}).T
    best = {name: frame[name].idxmax() for name in frame} | {"frechet": frame["frechet"].idxmin()}
    frame.loc["training images"] = next(iter(drawn.values()))["other images"]
    shown = pd.DataFrame(
        {name: [number(value, DECIMALS.get(name, 2)) for value in frame[name]] for name in frame},
        index=frame.index,
    )
    for name, row in best.items():
        shown.loc[row, name] = f"**{shown.loc[row, name]}**"
    return format_table(shown.rename_axis("model"), ".md").decode()


def write(found: Mapping[str, Comparison], drawn: Mapping[str, Mapping[str, Any]]) -> None:
    """The page and its figure, of what was measured for each of ``PROTOCOLS``, and of samples."""
    parts = [HEAD]
    for command, one in found.items():
        parts.append(f"\n```\n{command}\n```\n\n{markdown(one).decode()}\n{one.verdict()}\n")
        if len(parts) == 2:
            caption = "Measures against the number of latent neurons and the weight of the KL"
            parts += [f"\n![{caption}](images/results.png)\n", GREY]
    how = next(iter(drawn.values()))["how"]
    parts.append(f"{SAMPLES}\n```\nzscape quality zoo:10\n```\n\n{how}.\n\n{samples_table(drawn)}")
    figure = figures.plot_comparison(next(iter(found.values())).frame())
    for path, content in {
        DOCS / "images" / "results.png": figures.to_png(figure),
        DOCS / "results.md": "".join(parts),
    }.items():
        write_atomic(path, content)
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()
