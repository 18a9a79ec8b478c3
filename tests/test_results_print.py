"""Whatever a call returns prints as one readable line, and never as a whole module."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import zscape
from zscape import latents, neurons
from zscape.api import prepare_scene
from zscape.data.columns import Columns
from zscape.model import reconstruction_costs

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8)
IMAGES = zscape.ImageSet(
    torch.from_numpy(PIXELS[:, None]), torch.arange(40) % 2, ("a", "b"), "test", "noise"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("print") / "run"
    trained = zscape.train(
        PIXELS, latent_dim=2, network="mlp", epochs=1, batch_size=10, out=path, progress="none"
    )
    model = trained.model
    table = zscape.encode(model, IMAGES)
    known = replace(table, columns=Columns.of({"luck": np.arange(40) % 7}))
    drawn = zscape.fit_map(table, "pca")
    opened = zscape.load(path)
    return [
        (trained, ("TrainingResult", "MLPVAE of 2 latent neurons", "1 epoch", "test loss")),
        (trained._replace(is_finished=False), ("stopped after 1 epoch",)),
        (trained.run, ("Run", "mlp of 2 latent neurons", "1x16x16")),
        (trained.run.model(), ("LoadedModel", "MLPVAE of 2 latent neurons for images 1x16x16")),
        (opened, ("Opened", "run", "MLPVAE of 2 latent neurons for images 1x16x16")),
        (IMAGES, ("ImageSet(40 test images of noise, 1x16x16, 2 classes)",)),
        (zscape.Splits(IMAGES, IMAGES[3]), ("Splits(40 train and 1 test images of noise",)),
        (table, ("LatentTable(40 test images of noise, 2 latent neurons, 2 classes)",)),
        (drawn, ("Embedding(pca, 40 test images of noise)",)),
        (drawn.inverse_transform([[0, 0]]), ("Inverse(1 vector of 2 latent neurons", "distance")),
        (zscape.sample(model, 3), ("Walk(3 places of 2 latent neurons, pictures 1x16x16)",)),
        (latents.manifold(model, x_values=[0], y_values=[0, 1]), ("Walk(2x1 places",)),
        (latents.prototypes(table), ("Prototypes(a, b, 2 latent neurons)",)),
        (latents.nearest(table, [0, 0], 3), ("Neighbours(3 rows", "away")),
        (prepare_scene(model, IMAGES, maps=[drawn]), ("Prepared(Scene(", "40 images", "maps pca")),
        (neurons.layer_moments(model, IMAGES, ["z"])["z"], ("ClassMoments(2 units, a, b)",)),
        (neurons.neuron_columns(known), ("NeuronColumns(1 column of 2 neurons", "clear effect")),
        (neurons.top_images(model, IMAGES, "z", 4), ("TopImages(4 images for each of 2 units)",)),
        (reconstruction_costs(model, IMAGES, table.mu), ("ReconstructionCosts(40 images", "nats")),
    ]  # fmt: skip


def test_one_readable_line(results):
    for result, facts in results:
        text = repr(result)
        assert text == str(result)
        assert text.count("\n") == 0
        assert len(text) < 300, text
        assert "tensor(" not in text
        assert "object at 0x" not in text
        for fact in facts:
            assert fact in text
