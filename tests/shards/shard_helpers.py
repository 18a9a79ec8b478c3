"""Folders of shards of small pictures, and what must be in their tables."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from zscape.latents import LatentTable

SIDE = 28


def picture(number: int, mode: str = "L") -> bytes:
    """A PNG that is like no other."""
    pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, numbers: range, mode: str = "L") -> None:
    """A shard of WebDataset: a picture, its class and something else of each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for number in numbers:
            files = {"png": picture(number, mode), "cls": str(number % 3).encode(),
                     "json": b'{"number": %d}' % number}  # fmt: skip
            for ending, content in files.items():
                info = tarfile.TarInfo(f"{number:06}.{ending}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def write_parquet(path: Path, numbers: range) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"bytes": picture(number), "path": f"{number}.png"} for number in numbers]
    pq.write_table(pa.table({"image": cells, "number": list(numbers)}), path)


def write_shards(folder: Path, n: int = 6, size: int = 5) -> Path:
    """``n`` shards of ``size`` pictures, two thirds of them tars, one in a folder of its own."""
    for shard in range(n):
        numbers = range(shard * size, (shard + 1) * size)
        if shard % 3 == 2:
            write_parquet(folder / f"part-{shard:03}.parquet", numbers)
        else:
            write_tar(folder / ("deep" if shard == 1 else "") / f"train-{shard:03}.tar", numbers)
    return folder


def tables_of(folder: Path) -> dict[str, LatentTable]:
    files = sorted(folder.rglob("*.parquet"))
    return {file.relative_to(folder).as_posix(): LatentTable.load(file) for file in files}


def numbers_of(tables: dict[str, LatentTable]) -> list[int]:
    """Of all pictures in all tables."""
    return sorted(
        int(number)
        for table in tables.values()
        for number in table.known_columns().numbers("number")
    )
