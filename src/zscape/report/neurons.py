"""What each latent neuron tells of the images, and which tell the same."""

from __future__ import annotations

import numpy as np

from zscape import figures
from zscape.neurons import class_moments, correlation
from zscape.report.material import Material
from zscape.report.page import Block, Details, Heading, Plate, Section, Table
from zscape.report.words import count, neurons, number

N_PER_CLASS = 30
MOST_ROWS = 16
"""Rows of a table that is shown unfolded."""


def tell(m: Material) -> Section:
    """Which neurons fire for which class."""
    table = m.shown
    known = table.labels, table.class_names
    picture = figures.plot_neuron_image(table.mu, *known, n_per_class=N_PER_CLASS)
    histograms: Block = Plate(
        figures.plot_neuron_histograms(table.mu, *known),
        f"Posterior means. All panels share their scale. {_widths(m)}",
        "Histograms of every neuron",
    )
    if m.d > MOST_ROWS:
        histograms = Details(f"Histograms of all {m.d} neurons", [histograms])
    rows = f"{N_PER_CLASS} images of every class" if m.has_classes else f"{N_PER_CLASS} images"
    blocks: list[Block] = [
        "Read an image as a line: red where a neuron is above 0, blue where it is below."
        + (" A neuron that tells a class from the others changes its colour where the class begins."
           if m.has_classes else ""),
        Plate(picture, f"{rows}. {_loudest(m)}", "Samples by neurons"),
        Heading("Histograms"),
        histograms,
    ]  # fmt: skip
    if m.has_classes:
        blocks += _by_class(m)
    blocks += _correlations(m)
    blocks += [Heading("All in one table"), _neuron_table(m)]
    return Section("What the neurons tell", blocks)


def _by_class(m: Material) -> list[Block]:
    moments = class_moments(m.shown)
    means, d_prime = moments.mean_table().loc[m.classes], moments.d_prime().loc[m.classes]
    sizes = np.nan_to_num(d_prime.abs().to_numpy())
    i, j = np.unravel_index(sizes.argmax(), sizes.shape)
    hardest = int(sizes.max(1).argmin())
    best = int(sizes[hardest].argmax())
    caption = (
        f"The clearest voice is z{j} for {m.classes[i]}: mean {number(means.iloc[i, j])}, "
        f"d′ {number(d_prime.iloc[i, j], 1)}. Hardest to tell by one neuron is "
        f"{m.classes[hardest]}, at best d′ {number(d_prime.iloc[hardest, best], 1)} by z{best}."
    )
    return [
        Heading("Which neuron fires for which class"),
        "d′ is how many standard deviations a class stands apart from all others, the noise of the "
        "encoder counted in: at ±1 a threshold halfway would tell about two thirds of the images "
        "of either side right. The means themselves are the prototypes above.",
        Plate(figures.plot_class_neurons(d_prime, m.classes, label="d′"), caption,
              "Selectivity d′, class by neuron"),
    ]  # fmt: skip


def _correlations(m: Material) -> list[Block]:
    if m.d == 1:
        return []
    frame = correlation(m.table.mu)
    matrix = frame.to_numpy().copy()
    matrix[np.diag_indices(m.d)] = np.nan
    # Two dead neurons may go together in their fifth decimal.
    alive = np.isin(np.arange(m.d), m.used)
    matrix[~alive], matrix[:, ~alive] = np.nan, np.nan
    caption = "Fewer than two neurons are in use."
    if np.isfinite(matrix).any():
        i, j = np.unravel_index(np.nanargmax(np.abs(matrix)), matrix.shape)
        typical = float(np.nanmean(np.abs(matrix)))
        caption = (
            f"Of those in use, z{i} and z{j} go together most, {number(float(matrix[i, j]))}; the "
            f"mean of all such pairs, without sign, is {number(typical)}. Near 0 everywhere is "
            f"what the prior asks for."
        )
    return [
        Heading("Which neurons say the same"),
        Plate(figures.plot_correlations(frame), caption, "Correlations of the neurons"),
    ]


def _neuron_table(m: Material) -> Block:
    frame = m.neurons
    header = ["neuron", "KL", "in use", "mean", "std", "posterior std"]
    has_information = "mutual_information" in frame
    has_best = "best_class" in frame
    if has_information:
        header.append("nats of the class")
    if has_best:
        header += ["tells best", "d′"]
    rows = []
    for name, row in frame.iterrows():
        line = [str(name), number(row["kl"]), "yes" if row["is_used"] else "no",
                *(number(row[c]) for c in ("mean", "std", "posterior_std"))]  # fmt: skip
        if has_information:
            line.append(number(row["mutual_information"]))
        if has_best:
            line += [str(row["best_class"]), number(row["best_d_prime"], 1)]
        rows.append(line)
    caption = (
        "Mean and std: of the posterior means. Posterior std: how sure the encoder is of a neuron, "
        "on average; 1 is as unsure as the prior."
    )
    if has_information:
        information = frame["mutual_information"]
        counts = np.array([n for n in m.images.class_counts().values() if n])
        shares = counts / counts.sum()
        entropy = float(-(shares * np.log(shares)).sum())
        caption += (
            f" Nats of the class: what a neuron alone tells about it, of {number(entropy)} there "
            f"are to know; {information.idxmax()} tells most, {number(float(information.max()))}."
        )
    table = Table(header, rows, caption)
    return table if m.d <= MOST_ROWS else Details(f"All {m.d} neurons", [table])


def _loudest(m: Material) -> str:
    spread = m.shown.mu.std(0)
    text = f"z{int(spread.argmax())} spreads most, standard deviation {number(float(spread.max()))}"
    if m.d == 1:
        return f"{text}."
    return f"{text}, z{int(spread.argmin())} least, {number(float(spread.min()))}."


def _widths(m: Material) -> str:
    """Neurons that have nothing in common with the prior's one bump around 0."""
    means = m.shown.mu.mean(0)
    off = [int(i) for i in np.argsort(-np.abs(means)) if abs(means[i]) > 0.5]
    if not off:
        return "Every neuron is centred near 0 over all images, as the prior asks."
    first = off[0]
    return (
        f"{count(len(off), 'neuron').capitalize()} {'is' if len(off) == 1 else 'are'} centred more "
        f"than 0.5 from 0: {neurons(off, most=6)} (z{first} at {number(float(means[first]))})."
    )
