"""Scenes for the tests of the page, with what torch and zscape make of them.

``python tools/web_fixtures.py`` writes two folders under ``web/tests/fixtures``: ``small``, a
network of every kind of layer with random weights (committed), and ``zoo10``, the real one.
Each holds ``scene.json``, ``{"manifest": …, "blocks": {name: base64}}``, and ``expected.json``.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import zscape
from zscape.data import ImageSet
from zscape.embedding import Embedding, fit_map
from zscape.explorer.scene import Scene, build_scene
from zscape.latents import decode, encode
from zscape.model import VAE
from zscape.model.layers import soft_bound
from zscape.seeding import numpy_generator, torch_generator

FOLDER = Path(__file__).parent.parent / "web" / "tests" / "fixtures"
N_POINTS = {"small": 120, "zoo10": 300}
N_CHECKED = 6
WAYS = ("nearest", "local", "learned", "exact")


class SmallVAE(VAE):
    """Every kind of layer the page knows, on pictures that are not square."""

    def __init__(
        self,
        latent_dim: int = 4,
        image_shape: tuple[int, int, int] = (3, 9, 12),
        likelihood: str = "continuous-bernoulli",
    ) -> None:
        super().__init__(latent_dim, image_shape, likelihood)
        self.encoder = nn.Sequential(
            nn.BatchNorm2d(3), nn.Conv2d(3, 6, (3, 4), (1, 2), (0, 1)), nn.BatchNorm2d(6),
            nn.Tanh(),
            nn.Conv2d(6, 8, 3, 2, 1), nn.LeakyReLU(0.1), nn.Flatten(),
            nn.Linear(8 * 4 * 3, 24), nn.BatchNorm1d(24), nn.Sigmoid(),
        )  # fmt: skip
        self.heads = nn.Linear(24, 2 * latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 8 * 2 * 3), nn.ReLU(), nn.Unflatten(1, (8, 2, 3)),
            nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=(0, 1)), nn.BatchNorm2d(6),
            nn.LeakyReLU(0.2), nn.ConvTranspose2d(6, 4, (3, 2), (3, 2)), nn.Tanh(),
            nn.Conv2d(4, 3, 3, 1, 1, bias=False),
        )  # fmt: skip

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See ``VAE.encode``; the logarithm is stretched to reach beyond the soft bound."""
        self.check_images(x)
        mu, logvar = self.heads(self.encoder(2 * x - 1)).chunk(2, dim=1)
        return mu, soft_bound(30 * logvar)

    def decode_logits(self, z: Tensor) -> Tensor:
        """See ``VAE.decode_logits``."""
        logits: Tensor = self.decoder(z)
        return logits


def small_model(seed: int = 0) -> VAE:
    """A ``SmallVAE`` with random weights, batch norm's statistics among them."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        vae = SmallVAE().eval()
        for name, tensor in vae.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.3)
            elif name.endswith("running_var"):
                tensor.uniform_(0.3, 2)
    return vae


def small_images(n: int, shape: tuple[int, int, int] = (3, 9, 12)) -> ImageSet:
    """Soft coloured spots in three classes, by colour; the last class has no image."""
    rng = numpy_generator(0, "web fixtures")
    channels, height, width = shape
    centres = rng.random((n, 2, 1, 1)) * np.array([height, width])[:, None, None]
    y, x = np.mgrid[:height, :width]
    distance = (y - centres[:, :1]) ** 2 + (x - centres[:, 1:]) ** 2
    labels = np.arange(n) % 3
    spots = np.exp(-distance / (height / 2)) * (
        0.3 + 0.7 * np.eye(3)[labels][:, :channels, None, None]
    )
    images = torch.from_numpy((255 * spots).astype(np.uint8))
    names = ("red", "green", "</script><b>blue", "none")
    return ImageSet(images, torch.from_numpy(labels), names, "test", "spots & <i>more</i>")


def scene_json(scene: Scene) -> str:
    """The scene as one JSON file."""
    blocks = {name: base64.b64encode(data).decode() for name, data in scene.blocks.items()}
    return json.dumps({"manifest": scene.manifest, "blocks": blocks})


def expected(vae: VAE, images: ImageSet, maps: list[Embedding]) -> dict[str, Any]:
    """What the model and the maps answer in Python."""
    generator = torch_generator(0, "web fixtures")
    z = torch.randn(N_CHECKED, vae.latent_dim, generator=generator).numpy()
    pixels = decode(vae, z).numpy()
    chosen = images[:N_CHECKED]
    codes = encode(vae, chosen)
    answer: dict[str, Any] = {
        "decode": [
            {"z": vector.tolist(), "pixels": picture.ravel().tolist()}
            for vector, picture in zip(z, pixels, strict=True)
        ],
        "encode": [
            {"x": x.ravel().tolist(), "mu": mu.tolist(), "logvar": logvar.tolist()}
            for x, mu, logvar in zip(chosen.pixels().numpy(), codes.mu, codes.logvar, strict=True)
        ],
        "inverse": [],
        "transform": [],
    }  # fmt: skip
    for embedding in maps:
        places = _places(embedding)
        ways = [way for way in WAYS if _goes_with(way, embedding)]
        for way in ways:
            found = embedding.inverse_transform(places, way)
            answer["inverse"] += [
                {
                    "map": embedding.method, "method": way, "x": float(x), "y": float(y),
                    "z": vector.tolist(), "distance": float(distance), "roundTrip": float(trip),
                }
                for (x, y), vector, distance, trip in zip(places, *found, strict=True)
            ]  # fmt: skip
        answer["transform"] += [
            {"map": embedding.method, "z": vector.tolist(), "xy": xy.tolist()}
            for vector, xy in zip(z, embedding.transform(z), strict=True)
        ]
    return answer


def write(folder: Path, vae: VAE, images: ImageSet, *, title: str, weights: str) -> None:
    """Write both files of one fixture."""
    table = encode(vae, images)
    maps = [
        fit_map(table, "pca"),
        fit_map(table, "tsne", **({"perplexity": 20} if len(table) < 92 * 3 else {})),
        fit_map(table, "umap"),
        fit_map(table, "pair", first=1, second=0, standardize=True),
    ]
    scene = build_scene(vae, images, table=table, maps=maps, title=title, weights=weights)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scene.json").write_text(scene_json(scene))
    (folder / "expected.json").write_text(json.dumps(expected(vae, images, maps)))
    print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 1e3:.0f} KB")


def _places(embedding: Embedding) -> Any:
    """Points of the map: on a data point, between two, in the void."""
    at = embedding.coordinates
    places = [
        at[0],
        (at[1] + at[2]) / 2,
        at[3] + 0.1 * at.std(0),
        1.5 * at.max(0) - 0.5 * at.min(0),
    ]
    return np.array(places, np.float32)


def _goes_with(way: str, embedding: Embedding) -> bool:
    is_linear = "axes" in embedding.fitted.state
    return way in ("nearest", "local") or (way == "exact") == is_linear


def main() -> None:
    """Write the fixtures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="small, zoo10; both by default", metavar="NAME")
    names = parser.parse_args().names or list(N_POINTS)
    if "small" in names:
        write(FOLDER / "small", small_model(), small_images(N_POINTS["small"]),
              title="small", weights="f32")  # fmt: skip
    if "zoo10" in names:
        test = zscape.load_data("mnist").test
        images = test.subset(N_POINTS["zoo10"], torch_generator(0, "web fixtures"))
        write(FOLDER / "zoo10", zscape.load_pretrained(10), images, title="zoo:10", weights="f16")


if __name__ == "__main__":
    main()
