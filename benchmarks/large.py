"""Sets larger than memory: training on one in several ways, and encoding one.

Each way to train has a process of its own, so that its memory is known, and trains a few steps for
every line that it is sent, so that the ways alternate.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zscape.config import DataConfig, RunConfig
from zscape.data import ImageSet, Splits, batch_indices, load_data, mapped
from zscape.latents import encode_parts, save_parts
from zscape.model import build_model
from zscape.training import Trainer
from zscape.training.feed import fetched
from zscape.training.hardware import teach_allocator
from zscape.training.processes import create_fabric

SIDE = 64
BATCH = 512
WAITING = 5
"""Steps that are not counted: their batches were fetched while it was the others' turn."""
WAYS = ("memory", "mapped", "DataLoader")


def write_pictures(folder: Path, n: int) -> None:
    """``n`` grey PNGs of striped spots, 1 000 a folder inside one class."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    for number in range(n):
        cx, cy, a, b, width = rng.random(5)
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (0.05 + 0.2 * width) ** 2)
        picture = 255 * spot * (0.5 + 0.5 * np.sin(20 * (a * x + b * y)))
        (at := folder / "spots" / f"{number // 1000:04}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.astype(np.uint8)).save(at / f"{number}.png", compress_level=1)


class Pictures(torch.utils.data.Dataset[Tensor]):
    """The folder as torch's tutorials read it: a file is opened when its picture is asked for."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.rglob("*.png"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        pixels = np.asarray(Image.open(self.files[index]))
        return torch.from_numpy(pixels.copy())[None].float().div_(255)


def memory_mb() -> dict[str, float]:
    """Resident now, of that anonymous (not to be had again from a file), and the peak."""
    found = dict(re.findall(r"(\w+):\s*(\d+) kB", Path("/proc/self/status").read_text()))
    names = {"rss_mb": "VmRSS", "anonymous_mb": "RssAnon", "peak_rss_mb": "VmHWM"}
    return {name: int(found[field]) / 1024 for name, field in names.items()}


def batches_of(way: str, folder: Path, images: ImageSet) -> Iterator[Tensor]:
    """Batches without end."""
    device = torch.device("cpu")
    while True:
        if way == "DataLoader":
            # As many workers as processors, as is advised everywhere.
            yield from torch.utils.data.DataLoader(
                Pictures(folder), BATCH, shuffle=True, num_workers=os.cpu_count() or 1
            )
        else:
            yield from fetched(images, batch_indices(len(images), BATCH, torch.Generator()), device)


def child(way: str, folder: str, steps: str, network: str) -> None:
    """Train ``steps`` steps for every line of the input, and print how fast."""
    if way == "build":
        mapped.free_memory = lambda: 1 << 20  # as where next to nothing is free
    clock = time.perf_counter()
    images = load_data(folder, DataConfig(n_test=2)).train
    if way == "build":
        n, seconds = len(images), time.perf_counter() - clock
        print(json.dumps({"images_per_second": n / seconds, **memory_mb()}))
        return
    if way == "memory":
        images = replace(images, images=images.images.clone())
    if way == "DataLoader":
        images = images[:BATCH]
    config = RunConfig.from_options(network=network, batch_size=BATCH, evaluate_train=0)
    model = build_model(config.model.replace(image_shape=images.image_shape))
    trainer = Trainer(model, Splits(images, images[:2]), config.train, create_fabric(config.train))
    batches = batches_of(way, Path(folder), images)
    teach_allocator()
    for _ in range(3):
        trainer._train_step(next(batches))
    print(flush=True)
    for _ in sys.stdin:
        n, clock = 0, 0.0
        for step in range(WAITING + int(steps)):
            if step == WAITING:
                n, clock = 0, time.perf_counter()
            n += len(x := next(batches))
            trainer._train_step(x)
        trainer._collect()  # as the loop does now and then, or what a step leaves would pile up
        rate = n / (time.perf_counter() - clock)
        print(json.dumps({"images_per_second": rate, **memory_mb()}), flush=True)


def start(way: str, *arguments: object, cache: str = "") -> subprocess.Popen[str]:
    """One of the ways, once it is ready."""
    command = [sys.executable, "-m", "benchmarks.large", way, *map(str, arguments)]
    environment = {**os.environ, **({"ZSCAPE_CACHE": cache} if cache else {})}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def large(n: int = 200_000, rounds: int = 5, steps: int = 40, network: str = "mlp") -> Any:
    """(f) Training on ``n`` pictures in memory, mapped, and read one by one, alternating."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        write_pictures(folder := Path(scratch) / "set", n)
        told: Any = (folder, steps, network)
        cache = f"{scratch}/cache"
        built = json.loads(start("build", *told, cache=cache).communicate()[0])
        ways = {way: start(way, *told, cache=cache) for way in WAYS}
        for process in ways.values():
            assert process.stdout is not None
            process.stdout.readline()
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, process in ways.items():
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write("\n")
                process.stdin.flush()
                found[way].append(json.loads(process.stdout.readline()))
        for process in ways.values():
            process.communicate()
    return {"n": n, "side": SIDE, "network": network, "load": load, "build": built, "ways": found}


def flat(n: int = 1_000_000) -> Any:
    """(g) Memory while ``n`` images are encoded into a file of Parquet, and a tenth of them."""
    return {size: json.loads(start("encode", size).communicate()[0]) for size in (n // 10, n)}


def encode(n: int) -> None:
    """Encode ``n`` images of 28 x 28 pixels as ``zscape encode`` does, and print how it went."""
    mapped.free_memory = lambda: n  # so that the images lie in a mapped file
    pixels = torch.from_numpy(mapped.empty((n, 1, 28, 28)))
    for rows in mapped.slices(n):
        pixels[rows] = torch.randint(0, 256, pixels[rows].shape).byte()
        mapped.release(pixels)
    images = ImageSet(pixels)
    model = build_model(RunConfig.from_options(network="mlp").model)
    before, most = memory_mb()["anonymous_mb"], 0.0
    assert images.fingerprint  # of all pixels, which is another thing

    def note(_: int) -> None:
        nonlocal most
        most = max(most, memory_mb()["anonymous_mb"])

    clock = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        save_parts(Path(folder) / "table.parquet", encode_parts(model, images, progress=note))
    rate = n / (time.perf_counter() - clock)
    print(json.dumps({"images_per_second": rate, "growth_mb": most - before, **memory_mb()}))


if __name__ == "__main__":
    if sys.argv[1] == "encode":
        encode(int(sys.argv[2]))
    else:
        child(*sys.argv[1:])
