"""Pictures of the docs, drawn anew: ``python tools/docs_images.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import zscape
from zscape import api, figures
from zscape.embedding import fit_map
from zscape.latents import decode
from zscape.seeding import torch_generator

FOLDER = Path(__file__).parent.parent / "docs" / "images"
N_POINTS = 5_000
N_STEPS = 12


def main() -> None:
    """Reconstructions, and a line across the t-SNE map decoded on the way."""
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


if __name__ == "__main__":
    main()
