"""What the latent neurons tell of everything that is known of the images besides their class."""

from __future__ import annotations

import numpy as np

from zscape import figures
from zscape.neurons import NeuronColumns, class_moments
from zscape.neurons.columns import LEVEL, NOTICEABLE
from zscape.report.material import MOST_NEURONS, Material
from zscape.report.page import Block, Details, Heading, Plate, Section
from zscape.report.words import count, listing, number, sentence

MOST_SENTENCES = 8
MOST_SHOWN = 5
"""Columns that are shown one by one."""


def know(m: Material) -> Section | None:
    """Which neuron goes with which column; nothing where there are none to compare."""
    found = m.columns
    if found is None:
        return None
    names = list(found.effects().index)
    said = found.sentences()
    rest = len(said) - MOST_SENTENCES
    if rest > 0:
        said = [*said[:MOST_SENTENCES], f"So do {count(rest, 'pair')} more, less closely."]
    caption = (
        f"Numbers in black are beyond chance (q < {LEVEL:g}), pale ones may be chance. "
        f"{found.left_out_sentence()}"
    )
    blocks: list[Block] = [
        f"{sentence(count(len(names), 'thing'))} {'is' if len(names) == 1 else 'are'} known of "
        f"the images that the model was never told: {listing(names)}. ρ is Spearman's correlation "
        "of the ranks, 1 where a neuron rises whenever the number does; η is the same for "
        f"categories. Of {count(found.n_tests, 'test')} some would come out by chance, so q is p "
        "corrected for all of them (Benjamini and Hochberg); a pair is named if q is below "
        f"{LEVEL:g} and ρ or η at least {NOTICEABLE:g}.",
        f"{' '.join(said)} {_bends(found)}",
        Plate(figures.plot_neuron_columns(found.effects(), q=found.q_values()), caption,
              "Effects, column by neuron"),
    ]  # fmt: skip
    clear = list(found.clear["column"].unique())[:MOST_SHOWN]
    if clear:
        blocks += [Heading("Closest"), _one(m, found, clear[0])]
    if clear[1:]:
        blocks.append(Details(f"Also {listing(clear[1:])}", [_one(m, found, c) for c in clear[1:]]))
    return Section("What else the neurons know", blocks)


def _bends(found: NeuronColumns) -> str:
    """The pair with most mutual information, which sees what a correlation does not."""
    row = found.frame.loc[found.frame["mutual_information"].astype(float).idxmax()]
    return (
        "A curve that turns back has ρ near 0 but is seen in mutual information: "
        f"{row['neuron']} tells most, {number(row['mutual_information'])} nats of {row['column']}."
    )


def _one(m: Material, found: NeuronColumns, column: str) -> Plate:
    """The curves of a number, the selectivities of a category."""
    known, effects = m.table.known_columns(), found.effects().loc[column]
    kind = known.kind(column)
    if kind == "category":
        table = m.table.labelled_by(column)
        d_prime = class_moments(table).d_prime()
        sizes = np.nan_to_num(d_prime.abs().to_numpy())
        i, j = np.unravel_index(sizes.argmax(), sizes.shape)
        figure = figures.plot_class_neurons(d_prime, list(d_prime.index), label="d′")
        caption = (
            f"{column}: how far the images of each stand apart from all others. The clearest voice "
            f"is z{j} for {d_prime.index[i]}, d′ {number(d_prime.iloc[i, j], 1)}."
        )
        return Plate(figure, caption, f"Selectivity d′, {column} by neuron")
    values, shown = known.numbers(column), m.top(MOST_NEURONS)
    titles = [f"z{i}   ρ = {number(effects[f'z{i}'])}" for i in shown]
    figure = figures.plot_column_curves(
        m.table.mu[:, shown], values, name=column, titles=titles, is_date=kind == "date"
    )
    n_missing = int((~np.isfinite(values)).sum())
    missing = f"{sentence(count(n_missing, 'image'))} without a value left out."
    best = effects.abs().idxmax()
    caption = (
        f"Posterior means as {column} rises, all on one scale: {best} answers most, the others "
        f"the less the flatter they are.{f' {missing}' if n_missing else ''}"
    )
    return Plate(figure, caption, f"Every neuron as {column} rises")
