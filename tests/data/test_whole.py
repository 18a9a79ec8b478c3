"""Pictures and archives cut at any place: refused, or read to the last pixel."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.test_table import save_classes
from zscape.config import DataConfig
from zscape.data import load_data
from zscape.data.decoding import Blob
from zscape.data.pictures import Frame, read_frames
from zscape.errors import DataError

RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8))


def saved(format: str, picture: Image.Image, n: int = 1, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if n > 1:
        options |= {
            "save_all": True,
            "append_images": [noise(*np.asarray(picture).shape)] * (n - 1),
        }
    picture.save(buffer, format, **options)
    return buffer.getvalue()


FILES = {
    "png": saved("PNG", noise(9, 8)),
    "png of one colour": saved("PNG", Image.new("L", (64, 64), 7)),
    "apng": saved("PNG", noise(9, 8), 3),
    "jpeg": saved("JPEG", noise(16, 16)),
    "jpeg in colour": saved("JPEG", noise(16, 16, 3), progressive=True),
    "gif": saved("GIF", noise(9, 8)),
    "animated gif": saved("GIF", noise(9, 8), 3),
    "tiff": saved("TIFF", noise(9, 8)),
    "packed tiff": saved("TIFF", noise(9, 8), compression="tiff_lzw"),
    "pages": saved("TIFF", noise(9, 8), 3),
    "packed pages": saved("TIFF", noise(9, 8), 3, compression="tiff_lzw"),
    "bigtiff": saved("TIFF", noise(9, 8), compression="tiff_lzw", big_tiff=True),
    "webp": saved("WEBP", noise(9, 8, 3), lossless=True),
    "bmp": saved("BMP", noise(9, 8)),
    "ppm": saved("PPM", noise(9, 8, 3)),
}


def read(content: bytes) -> list[Frame]:
    return read_frames(Blob("x.png", content), DataConfig(), Counter())


def same(one: list[Frame], other: list[Frame]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore")
def test_a_picture_that_is_cut_anywhere(kind: str) -> None:
    whole = read(FILES[kind])
    n = len(FILES[kind])
    for end in sorted({*range(0, n, 1 + n // 150), *range(n - 40, n)}):
        try:
            found = read(FILES[kind][:end])
        except DataError:
            continue
        assert "pages" in kind  # a TIFF may end in padding
        assert same(found, whole)


@pytest.mark.parametrize("kind", [kind for kind in FILES if "png" in kind])
def test_a_png_says_of_every_bit_whether_it_is_right(kind: str) -> None:
    whole = read(FILES[kind])
    for _ in range(100):
        damaged = bytearray(FILES[kind])
        damaged[RNG.integers(8, len(damaged))] ^= 1 << RNG.integers(8)
        try:
            assert same(read(bytes(damaged)), whole)
        except DataError:
            continue


@pytest.mark.parametrize("kind", ["png", "jpeg", "jpeg in colour", "gif", "animated gif"])
@pytest.mark.parametrize("share", [0.6, 0.9, 0.99])
def test_a_picture_with_a_blank_end(kind: str, share: float) -> None:
    """As a download that broke off leaves it; a JPEG went on in grey."""
    n = len(FILES[kind])
    with pytest.raises(DataError, match="could not be read as a picture"):
        read(FILES[kind][: int(n * share)].ljust(n, b"\0"))


def test_a_jpeg_is_not_taken_for_whole_by_the_preview_in_its_header() -> None:
    preview = saved("JPEG", noise(8, 8))
    part = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    content = FILES["jpeg"][:2] + part + FILES["jpeg"][2:]
    assert same(read(content), read(FILES["jpeg"]))
    with pytest.raises(DataError, match="cut short"):
        read(content[:-2])


def test_what_follows_the_end_of_a_picture_does_no_harm() -> None:
    for kind in ("png", "jpeg", "gif", "packed tiff"):
        assert same(read(FILES[kind] + b"more"), read(FILES[kind]))


@pytest.mark.parametrize("packing", ["", "gz", "bz2", "xz"])
def test_a_tar_that_is_cut_anywhere(packing: str, tmp_path: Path) -> None:
    save_classes(tmp_path / "birds")
    at = tmp_path / "birds.tar"
    with tarfile.open(at, f"w:{packing}") as archive:  # type: ignore[call-overload]
        archive.add(tmp_path / "birds", "birds")
    whole, content = load_data(at), at.read_bytes()
    end = len(content) if packing else len(content.rstrip(b"\0")) + 1024
    for cut in (1, 2, 4, 8, 9, 16, 100, end // 20):
        at.write_bytes(content[: end - cut])
        with pytest.raises(DataError, match=r"birds\.tar"):
            load_data(at)
    at.write_bytes(content)
    assert load_data(at).train.fingerprint == whole.train.fingerprint


def test_a_damaged_gzip_is_no_archive_that_is_read_as_if_nothing_were(tmp_path: Path) -> None:
    """Its checksum is at its end, behind that of the tar."""
    save_classes(tmp_path / "birds")
    with tarfile.open(tmp_path / "birds.tar", "w") as archive:
        archive.add(tmp_path / "birds", "birds")
    content = gzip.compress((tmp_path / "birds.tar").read_bytes(), 0)  # stored: bits are pixels
    at = tmp_path / "birds.tar.gz"
    at.write_bytes(content)
    load_data(at)
    where = content.index(b"IDAT") + 8
    at.write_bytes(content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :])
    with pytest.raises(DataError, match=r"birds\.tar\.gz could not be read: CRC check failed"):
        load_data(at)


def test_a_picture_that_is_cut_short_is_skipped_if_so_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_classes(tmp_path / "birds")
    victim = tmp_path / "birds" / "class0" / "0.png"
    victim.write_bytes(victim.read_bytes()[:-6])
    with pytest.raises(
        DataError,
        match=r"class0/0\.png could not be .*: it is cut short; --skip-broken leaves it out\.$",
    ):
        load_data(tmp_path / "birds")
    assert sum(map(len, load_data(tmp_path / "birds", DataConfig(skip_broken=True)))) == 11
    assert "1 broken" in caplog.text
