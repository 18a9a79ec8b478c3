"""Pictures of 1 to 16 channels: read, refused in one sentence, and shown as a triple."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from zscape.config import DataConfig
from zscape.data import ImageSet, as_shown, load_data, showing, shown_channels
from zscape.data.resize import fit_square, resized
from zscape.errors import ConfigError, DataError

RNG = np.random.default_rng(0)


def pixels(channels: int, height: int = 20, width: int = 24, n: int = 6) -> np.ndarray:
    return RNG.integers(0, 256, (n, channels, height, width), dtype=np.uint8)


def all_of(source: object, **options: object) -> torch.Tensor:
    """Every picture of a source, in the order of both halves."""
    splits = load_data(source, DataConfig(**options))
    return torch.cat([splits.train.images, splits.test.images])


def is_of(found: torch.Tensor, expected: np.ndarray) -> bool:
    """Whether the pictures are those, in any order."""
    return sorted(x.numpy().tobytes() for x in found) == sorted(x.tobytes() for x in expected)


SAVED: dict[str, Callable[[Path, np.ndarray], None]] = {
    "x.npy": np.save,
    "x.npz": lambda at, x: np.savez(at, images=x),
    "x.pt": lambda at, x: torch.save(torch.from_numpy(x), at),
    "x.mat": lambda at, x: savemat(at, {"images": x}),
}


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("channels", [2, 4, 16])
def test_the_channels_of_an_array(name: str, is_first: bool, channels: int, tmp_path: Path) -> None:
    x = pixels(channels)
    SAVED[name](tmp_path / name, x if is_first else np.ascontiguousarray(np.moveaxis(x, 1, 3)))
    assert is_of(all_of(tmp_path / name), x)


def test_matlab_counts_images_last(tmp_path: Path) -> None:
    x = pixels(5, n=20)
    savemat(tmp_path / "x.mat", {"images": x.transpose(2, 3, 1, 0)})
    assert is_of(all_of(tmp_path / "x.mat"), x)


def test_small_pictures_are_rather_squares() -> None:
    x = pixels(4, 12, 12)
    assert is_of(all_of(x), x)
    assert is_of(all_of(np.moveaxis(x, 1, 3)), x)


@pytest.mark.parametrize("shape", [(8, 8, 8), (5, 8, 7)])
def test_an_array_of_two_readings_is_refused_until_its_shape_is_said(
    shape: tuple[int, int, int],
) -> None:
    x = pixels(*shape)
    with pytest.raises(DataError, match=rf"have {shape[0]} channels, or {shape[2]} if .*--shape"):
        load_data(x)
    assert is_of(all_of(x, shape="x".join(map(str, shape))), x)
    assert is_of(all_of(x, channels=shape[0]), x)


def test_rows_of_several_channels() -> None:
    x = pixels(2, 10, 10)
    assert is_of(all_of(x.reshape(6, 200), channels=2), x)
    assert is_of(all_of(x.reshape(6, 200), shape="2x10x10"), x)


@pytest.mark.parametrize(
    ("found", "asked"), [(2, 3), (2, 1), (4, 3), (3, 2), (1, 2)], ids=lambda n: str(n)
)
def test_channels_that_there_are_not(found: int, asked: int) -> None:
    said = f"^array: the images have {found} channels?, not {asked}; only grey"
    with pytest.raises(DataError, match=said):
        load_data(pixels(found), DataConfig(channels=asked))


def test_more_than_sixteen_channels_are_refused() -> None:
    with pytest.raises(DataError, match="1 to 16 channels"):
        load_data(pixels(17))
    with pytest.raises(ConfigError, match="1 to 16 channels; got 17"):
        load_data(pixels(17), DataConfig(shape="17x20x24"))


def save_pages(at: Path, pages: np.ndarray) -> None:
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(at, save_all=True, append_images=rest)


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pages_of_a_tiff_are_channels_if_said(channels: int, dtype: type, tmp_path: Path) -> None:
    x = pixels(channels)
    for i in range(3):  # two pictures a file
        pages = x[2 * i : 2 * i + 2].reshape(-1, 20, 24).astype(dtype)
        save_pages(tmp_path / f"{i}.tif", pages * (257 if dtype is np.uint16 else 1))
    assert all_of(tmp_path).shape == (6 * channels, 1, 20, 24)
    assert is_of(all_of(tmp_path, channels=channels), x)


def test_pages_that_are_not_whole_pictures_are_refused(tmp_path: Path) -> None:
    save_pages(tmp_path / "0.tif", pixels(5, n=1)[0])
    with pytest.raises(DataError, match=r"0\.tif .*its 5 pages are not pictures of 2 channels"):
        load_data(tmp_path, DataConfig(channels=2))


def test_alpha_is_a_channel_if_four_are_asked_for(tmp_path: Path) -> None:
    x = pixels(4)
    for i, picture in enumerate(x):
        Image.fromarray(picture.transpose(1, 2, 0), "RGBA").save(tmp_path / f"{i}.png")
    assert is_of(all_of(tmp_path, channels=4), x)
    Image.fromarray(x[0, :3].transpose(1, 2, 0)).save(tmp_path / "x.png")
    with pytest.raises(DataError, match="some pictures have 4 channels, not all"):
        load_data(tmp_path, DataConfig(channels=4))


def test_each_channel_is_resized_as_if_alone() -> None:
    x = pixels(3)
    found = resized(ImageSet(torch.from_numpy(np.concatenate([x, x[:, :2]], 1))), 10).images
    for i, picture in enumerate(x):
        rgb = fit_square(Image.fromarray(picture.transpose(1, 2, 0)), 10)
        expected = np.asarray(rgb).transpose(2, 0, 1)
        assert np.array_equal(found[i, :3], expected)
        assert np.array_equal(found[i, 3:], expected[:2])


@pytest.mark.parametrize(
    ("channels", "told", "expected"),
    [
        (1, None, None), (3, None, None), (2, None, (1, 0, 1)), (4, None, (0, 1, 2)),
        (4, "3, 0,1", (3, 0, 1)), (3, "2,1,0", (2, 1, 0)), (1, "0,0,0", (0, 0, 0)),
    ],
)  # fmt: skip
def test_which_channels_are_shown(
    channels: int, told: str | None, expected: tuple[int, int, int] | None
) -> None:
    assert shown_channels(channels, told) == expected
    x = np.arange(channels * 6).reshape(channels, 2, 3)
    with showing(told):
        assert np.array_equal(as_shown(x), x if expected is None else x[list(expected)])


def test_what_is_shown_ends_where_it_was_said() -> None:
    with showing("3,2,1"):
        with showing(None):
            assert shown_channels(4) == (3, 2, 1)
        with showing("0,0,0"):
            assert shown_channels(4) == (0, 0, 0)
        assert shown_channels(4) == (3, 2, 1)
    assert shown_channels(4) == (0, 1, 2)


@pytest.mark.parametrize("told", ["0,1", "0,1,4", "0,1,-1", "red,green,blue", "0,1,2,3", "0,,1"])
def test_a_triple_that_is_none_is_refused_when_the_images_are_read(told: str) -> None:
    with pytest.raises(ConfigError, match=r"three channels from 0 to 3, .*; got '"):
        load_data(pixels(4), DataConfig(show_channels=told))


def png_of_16_bits(pixels: np.ndarray, key: bytes = b"") -> bytes:
    """(h, w, 1 to 4), grey, with alpha, RGB or RGBA; Pillow cannot write the last three."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data).to_bytes(4)
        return len(data).to_bytes(4) + name + data + crc

    height, width, channels = pixels.shape
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([16, color, 0, 0, 0])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    body = chunk(b"IHDR", header) + (chunk(b"tRNS", key) if key else b"")
    body += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff_of_16_bits(
    pixels: np.ndarray,
    order: Literal["little", "big"],
    *,
    is_packed: bool = False,
    in_planes: bool = False,
    extra: int | None = None,
    kind: int = 2,
) -> bytes:
    """The same as a TIFF of either byte order; ``extra`` says what its fourth channel is."""
    height, width, channels = pixels.shape
    planes = pixels.transpose(2, 0, 1) if in_planes else pixels[None]
    blocks = [plane.astype("<u2" if order == "little" else ">u2").tobytes() for plane in planes]
    blocks = [zlib.compress(block) if is_packed else block for block in blocks]
    data = b"".join(blocks)
    long, short = 4, 3
    offsets, lengths = [8], [len(block) for block in blocks]
    for length in lengths[:-1]:
        offsets.append(offsets[-1] + length)
    tags = [
        (256, long, [width]), (257, long, [height]), (258, short, [16] * channels),
        (259, short, [8 if is_packed else 1]), (262, short, [kind]), (273, long, offsets),
        (277, short, [channels]), (278, long, [height]), (279, long, lengths),
        (284, short, [1 + in_planes]),
    ] + ([] if extra is None else [(338, short, [extra])])  # fmt: skip

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)

    content = (b"II" if order == "little" else b"MM") + number(42, 2) + number(8 + len(data), 4)
    content += data + number(len(tags), 2)
    at = len(content) + 12 * len(tags) + 4
    elsewhere = b""
    for tag, type_, values in tags:
        stored = b"".join(number(value, 2 if type_ == short else 4) for value in values)
        if len(stored) > 4:
            elsewhere += stored
            stored = number(at + len(elsewhere) - len(stored), 4)
        content += (
            number(tag, 2) + number(type_, 2) + number(len(values), 4) + stored.ljust(4, b"\0")
        )
    return content + bytes(4) + elsewhere


WRITTEN: dict[str, Callable[[np.ndarray], bytes]] = {
    "x.png": png_of_16_bits,
    "little.tif": lambda x: tiff_of_16_bits(x, "little"),
    "big.tif": lambda x: tiff_of_16_bits(x, "big"),
    "packed.tif": lambda x: tiff_of_16_bits(x, "little", is_packed=True),
    "packed_big.tif": lambda x: tiff_of_16_bits(x, "big", is_packed=True),
    "planes.tif": lambda x: tiff_of_16_bits(x, "little", in_planes=True),
    "planes_big.tif": lambda x: tiff_of_16_bits(x, "big", in_planes=True),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_colour_of_16_bits_keeps_its_lower_8(name: str, tmp_path: Path) -> None:
    """A microscope writes 12 of 16 bits: of the upper 8 alone it would be black."""
    x = RNG.integers(0, 4096, (2, 20, 24, 3))
    x[0, 0, 0] = 4095
    for i, picture in enumerate(x):
        (tmp_path / f"{i}{name}").write_bytes(WRITTEN[name](picture))
    expected = np.rint(x.transpose(0, 3, 1, 2) * (255 / 4095)).astype(np.uint8)
    assert is_of(all_of(tmp_path), expected)
    assert all_of(tmp_path, resize=10).shape == (2, 3, 10, 10)


ALPHA: dict[str, Callable[[np.ndarray], bytes]] = {
    "x.png": png_of_16_bits,
    "little.tif": lambda x: tiff_of_16_bits(x, "little", extra=2),
    "big.tif": lambda x: tiff_of_16_bits(x, "big", extra=2),
    "packed.tif": lambda x: tiff_of_16_bits(x, "little", is_packed=True, extra=2),
    "packed_big.tif": lambda x: tiff_of_16_bits(x, "big", is_packed=True, extra=2),
    "planes.tif": lambda x: tiff_of_16_bits(x, "little", in_planes=True, extra=2),
    "multiplied.tif": lambda x: tiff_of_16_bits(multiplied(x), "little", extra=1),
    "multiplied_packed.tif": lambda x: tiff_of_16_bits(
        multiplied(x), "big", is_packed=True, extra=1
    ),
}


def multiplied(pixels: np.ndarray) -> np.ndarray:
    """With its colours multiplied by its alpha."""
    return np.concatenate(
        [np.rint(pixels[..., :3] * (pixels[..., 3:] / 65535)), pixels[..., 3:]], 2
    )


def deep_pictures(channels: int) -> np.ndarray:
    """(2, 20, 24, channels) with colours of 12 bits, and alpha of 16 that is half for a half."""
    x = RNG.integers(0, 4000, (2, 20, 24, channels))
    x[0, 0, 0] = 4095
    x[..., -1] = np.where(np.arange(24) < 12, 65535, 32768)
    return x


@pytest.mark.parametrize("name", ALPHA)
def test_colour_of_16_bits_with_alpha_is_laid_on_a_ground_at_full_depth(
    name: str, tmp_path: Path
) -> None:
    x = deep_pictures(4)
    for i, picture in enumerate(x):
        (tmp_path / f"{i}{name}").write_bytes(ALPHA[name](picture))
    for background, below in (("black", 0), ("white", 4095), ("#ff0000", [4095, 0, 0])):
        alpha = x[..., 3:] / 65535
        on = np.rint(x[..., :3] * alpha + np.array(below) * (1 - alpha))
        expected = np.rint(on * (255 / 4095)).transpose(0, 3, 1, 2)
        found = all_of(tmp_path, background=background).numpy().astype(int)
        found = found if abs(found[0] - expected[0]).max() < 9 else found[::-1]
        assert abs(found - expected).max() <= 1


def test_alpha_of_16_bits_is_a_channel_if_four_are_asked_for(tmp_path: Path) -> None:
    x = RNG.integers(0, 65536, (2, 20, 24, 4))
    for i, picture in enumerate(x):
        (tmp_path / f"{i}.png").write_bytes(png_of_16_bits(picture))
    expected = np.rint(x.transpose(0, 3, 1, 2) * (255 / 65535)).astype(np.uint8)
    assert is_of(all_of(tmp_path, channels=4, range="0,65535"), expected)


def test_grey_of_16_bits_with_alpha(tmp_path: Path) -> None:
    x = deep_pictures(2)
    for i, picture in enumerate(x):
        (tmp_path / f"{i}.png").write_bytes(png_of_16_bits(picture))
    expected = np.rint(np.rint(x[..., 0] * (x[..., 1] / 65535)) * (255 / 4095)).astype(np.uint8)
    assert is_of(all_of(tmp_path, background="black"), expected[:, None])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_colour_of_16_bits_that_is_seen_through(channels: int, tmp_path: Path) -> None:
    """The key of a PNG has 16 bits too; of the upper 8 more would be the same."""
    x = RNG.integers(0, 256, (20, 24, channels)) + 2048
    x[0, 0], x[0, 1] = 2050, 2051
    key = b"".join((2050).to_bytes(2) for _ in range(channels))
    for i in range(2):
        (tmp_path / f"{i}.png").write_bytes(png_of_16_bits(x, key))
    is_key = (x == 2050).all(2)
    expected = np.where(is_key, 255, np.rint(x.transpose(2, 0, 1) * (255 / 4095))).astype(np.uint8)
    assert is_of(all_of(tmp_path, background="white"), np.stack([expected] * 2))


def test_cmyk_of_16_bits(tmp_path: Path) -> None:
    x = RNG.integers(0, 65536, (2, 20, 24, 4))
    for i, picture in enumerate(x):
        (tmp_path / f"{i}.tif").write_bytes(tiff_of_16_bits(picture, "little", kind=5))
    light = (65535 - x[..., :3]) * (1 - x[..., 3:] / 65535)
    expected = np.rint(np.rint(light) * (255 / 65535)).transpose(0, 3, 1, 2).astype(np.uint8)
    assert is_of(all_of(tmp_path), expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tiff_of_16_bits(deep_pictures(3)[0], "little", in_planes=True, is_packed=True),
         r"16-bit colours lie in packed planes"),
        (b"P6 24 20 65535\n" + deep_pictures(3)[0].astype(">u2").tobytes(),
         r"16-bit colours would lose 8 bits; save it as PNG or TIFF"),
        (b"P3 2 1 4095\n" + b"4095 1 2 3 4 5\n", r"would lose 8 bits"),
    ],
    ids=["packed planes", "ppm", "ppm as text"],
)  # fmt: skip
def test_what_pillow_reads_at_8_bits_only_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    for i in range(2):
        (tmp_path / f"{i}.{'ppm' if content[:1] == b'P' else 'tif'}").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_data(tmp_path)


def test_ppm_of_other_8_bits_are_read(tmp_path: Path) -> None:
    for i in range(2):
        (tmp_path / f"{i}.ppm").write_bytes(b"P3 2 1 15\n" + b"15 0 0 0 15 0\n")
    assert all_of(tmp_path)[0].flatten().tolist() == [255, 0, 0, 255, 0, 0]
