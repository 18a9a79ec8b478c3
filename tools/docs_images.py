"""Pictures of the docs, drawn anew: ``python tools/docs_images.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

import zscape
from zscape import api, figures
from zscape.embedding import fit_map
from zscape.figures import class_colors, house_style, new_figure
from zscape.latents import LatentTable, decode
from zscape.seeding import torch_generator

FOLDER = Path(__file__).parent.parent / "docs" / "images"
N_POINTS = 5_000
N_FEW = 2_000
N_STEPS = 12
PERPLEXITIES = (3, 30, 300)


def main() -> None:
    """Reconstructions, a line across the t-SNE map decoded on the way, and t-SNE by its knob."""
    vae = zscape.load_pretrained(10)
    test = zscape.load_data("mnist").test.subset(N_POINTS, torch_generator(0, "readme"))
    chosen = api.choose(test, 10, seed=0)
    pairs = figures.plot_reconstructions(
        chosen.pixels(), api.reconstruct(vae, chosen), chosen.titles()
    )
    (FOLDER / "reconstructions.png").write_bytes(figures.to_png(pairs))

    table = zscape.encode(vae, test)
    tsne = fit_map(table, "tsne")
    # From the ones to the zeros, through whatever lies between.
    ends = [np.median(tsne.coordinates[table.labels == label], axis=0) for label in (1, 0)]
    line = np.linspace(*ends, N_STEPS)
    picture = figures.plot_marked_scatter(
        tsne.coordinates,
        line,
        decode(vae, tsne.inverse_transform(line).vectors),
        table.labels,
        table.class_names,
        axis_names=("t-SNE 1", "t-SNE 2"),
        is_line=True,
    )
    (FOLDER / "map.png").write_bytes(figures.to_png(picture))
    for perplexity in PERPLEXITIES:
        picture = by_perplexity(table[:N_FEW], perplexity)
        (FOLDER / f"perplexity-{perplexity}.png").write_bytes(figures.to_png(picture))


@house_style
def by_perplexity(table: LatentTable, perplexity: int) -> Figure:
    """A table by t-SNE, every class named where most of it is."""
    assert table.labels is not None
    figure = new_figure(3.6, 3.8)
    ax = figure.add_axes((0.01, 0.01, 0.98, 0.91))
    colors = np.array(class_colors(len(table.class_names)))
    places = fit_map(table, "tsne", perplexity=perplexity).coordinates
    ax.scatter(*places.T, s=4, c=colors[table.labels], alpha=0.7, linewidths=0)
    for label, name in enumerate(table.class_names):
        x, y = np.median(places[table.labels == label], axis=0)
        ax.text(x, y, name, ha="center", va="center", fontsize=14, fontweight="bold",
                path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip
    ax.set_title(f"perplexity {perplexity}", loc="left", fontsize=13)
    # A square as wide as the map needs.
    middle, reach = (places.max(0) + places.min(0)) / 2, np.ptp(places, axis=0).max() * 0.52
    (left, right), (low, high) = ((m - reach, m + reach) for m in middle)
    ax.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    ax.set_axis_off()
    return figure


if __name__ == "__main__":
    main()
