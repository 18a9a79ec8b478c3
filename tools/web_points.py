"""Explorers of many digits for ``make bench-web``: ``python -m tools.web_points FOLDER N …``.

Each is a folder to be served, ``points_N_…``, with what other viewers of points take beside it:
``x.f32``, ``y.f32`` and ``label.u8``. The digits are the 70 000 of MNIST, and again moved by a few
pixels until they are enough; each is encoded, and placed by ``transform`` on the t-SNE map that
ships and on that by PCA. A million take long, once; the last line says where they
lie.
"""

from __future__ import annotations

import argparse
import json
import mmap
import resource
import sys
from pathlib import Path

import numpy as np
import torch
from tools.web_pages import joined

import zscape
from zscape.cache import code_of
from zscape.data import ImageSet
from zscape.data.mapped import nameless, release, view_of
from zscape.embedding import fit_map
from zscape.explorer import build_scene, write_export
from zscape.explorer.members import placed_on
from zscape.latents import encode

CODE = ("data", "embedding", "explorer", "latents", "model", "neurons")
SHIFTS = sorted(
    ((dx, dy) for dx in range(-3, 4) for dy in range(-3, 4)),
    key=lambda by: (abs(by[0]) + abs(by[1]), by),
)


def many_digits(n: int) -> ImageSet:
    """``n`` digits in a mapped file, the first 70 000 as they are."""
    splits = zscape.load_data("mnist")
    every = joined(splits.train, splits.test)
    assert every.labels is not None
    with nameless(n * every.images[0].numel()) as file:
        pixels = view_of(file, mmap.ACCESS_WRITE).reshape(n, *every.images.shape[1:])
    for k, first in enumerate(range(0, n, len(every))):
        own = pixels[first : first + len(every)]
        dx, dy = SHIFTS[k]
        own[:] = torch.roll(every.images[: len(own)], (dy, dx), (2, 3)).numpy()
        release(pixels)
    labels = every.labels.repeat(-(-n // len(every)))[:n]
    return ImageSet(torch.from_numpy(pixels), labels, every.class_names, "test", "digits")


def write_points(folder: Path, n: int) -> Path:
    """Write one of them, unless it is there; its folder."""
    out = folder / f"points_{n}_{code_of(CODE)[:8]}"
    if (out / "label.u8").is_file():
        return out
    vae, images = zscape.load_pretrained(10), many_digits(n)
    say = lambda what: lambda done: print(f"  {what} {done}", end="\r", file=sys.stderr)  # noqa: E731
    few = encode(vae, zscape.load_data("mnist").test)
    drawn = [fit_map(few, method) for method in ("tsne", "pca")]
    table = encode(vae, images, progress=say("encoded"))
    maps = placed_on(drawn, table)
    scene = build_scene(
        vae, images, table=table, maps=maps, n=n, title=f"{n} digits", is_brief=True
    )
    explorer = write_export(scene, f"{out}/explorer/")
    for name, values in zip("xy", maps[0].coordinates.T, strict=True):
        (out / f"{name}.f32").write_bytes(np.ascontiguousarray(values, "<f4").tobytes())
    assert table.labels is not None
    (out / "label.u8").write_bytes(table.labels.astype(np.uint8).tobytes())
    size = sum(file.stat().st_size for file in explorer.rglob("*") if file.is_file())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{out}: {size / 1e6:.0f} MB, resident at most {most:.0f} MB", file=sys.stderr)
    return out


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("n", type=int, nargs="+")
    options = parser.parse_args()
    print(json.dumps({n: str(write_points(options.folder, n)) for n in options.n}))


if __name__ == "__main__":
    main()
