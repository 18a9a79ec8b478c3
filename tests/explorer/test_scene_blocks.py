from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from zscape.errors import ConfigError, DataError
from zscape.explorer import blocks
from zscape.explorer.blocks import check_weights, pack, pack_pages, squeeze, unpack


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("codec", ["raw", "gzip", "planes"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("f32", 0), ("f16", 1e-3), ("i8", 0.5 / 127)], ids=str
)
def test_floats_come_back(dtype, tolerance, codec):
    values = numbers(7, 3, 5)
    entry, data = pack(values, dtype, codec=codec)
    back = unpack(entry, data)
    assert back.dtype == np.float32
    assert back.shape == (7, 3, 5)
    largest = np.abs(values).max(axis=(1, 2), keepdims=True)
    assert (np.abs(back - values) <= 1.001 * tolerance * largest).all()


def test_entry_says_what_is_stored():
    values = numbers(10, 4)
    entry, data = pack(values, "f32")
    assert entry == {
        "dtype": "f32", "shape": [10, 4], "codec": "raw", "length": 160,
        "crc32": zlib.crc32(values.tobytes()),
    }  # fmt: skip
    assert data == values.tobytes()


def test_int8_has_a_scale_per_row_and_keeps_the_largest_exactly():
    values = np.array([[0.5, -1.27], [0, 0], [100, 3]], np.float32)
    entry, data = pack(values, "i8")
    assert entry["scale"] == pytest.approx([0.01, 1, 100 / 127], rel=1e-6)
    assert np.frombuffer(data, np.int8).tolist() == [50, -127, 0, 0, 127, 4]


def test_nibbles_are_the_nearest_of_sixteen_low_half_first():
    values = np.array([[0, 8, 9], [254, 255, 128]], np.uint8)
    entry, data = pack(values, "u4")
    assert data == bytes([0x00, 0xF1, 0x8F])
    assert entry["shape"] == [2, 3]
    assert (unpack(entry, data) * 15).round().tolist() == [[0, 0, 1], [15, 15, 8]]
    every = np.arange(256, dtype=np.uint8)
    assert np.abs(unpack(*pack(every, "u4")) * 255 - every).max() <= 8.5


def test_an_odd_number_of_nibbles():
    entry, data = pack(np.full((3, 1, 1, 1), 255, np.uint8), "u4")
    assert data == bytes([0xFF, 0x0F])
    assert unpack(entry, data).tolist() == np.ones((3, 1, 1, 1)).tolist()


def test_bytes_and_integers():
    assert unpack(*pack(np.array([0, 51, 255], np.uint8), "u8")).tolist() == pytest.approx(
        [0, 0.2, 1]
    )
    back = unpack(*pack(np.array([-1, 70000]), "i32", codec="gzip"))
    assert back.dtype == np.int32
    assert back.tolist() == [-1, 70000]


def test_planes_are_all_first_bytes_then_all_second():
    entry, data = pack(np.array([1.0, -2.0], np.float16), "f16", codec="planes")
    assert gzip.decompress(data) == bytes([0x00, 0x00, 0x3C, 0xC0])
    assert entry["codec"] == "planes"


def test_squeezing_keeps_the_numbers_and_takes_the_smallest():
    packed = pack(np.arange(4000, dtype=np.float32), "f32")
    small = squeeze(packed)
    assert small.entry["codec"] == "planes"
    assert len(small.data) == small.entry["length"] < len(packed.data) / 4
    assert (unpack(*small) == np.arange(4000)).all()
    tiny = squeeze(pack(np.array([1.5], np.float32), "f32"))
    assert tiny.entry["codec"] == "raw"


def test_squeezing_again_changes_nothing():
    once = squeeze(pack(numbers(500, 3), "f16"))
    assert squeeze(once) == once


def test_same_array_same_bytes():
    assert pack(numbers(50), "f16", codec="gzip") == pack(numbers(50), "f16", codec="gzip")


def test_what_a_half_cannot_hold_stays_whole():
    entry, data = pack(np.array([1e5, 1]), "f16")
    assert entry["dtype"] == "f32"
    assert unpack(entry, data).tolist() == [1e5, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_must_be_finite(value):
    with pytest.raises(DataError, match="finite"):
        pack(np.array([1, value]), "f16")


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: bytes([d[0] ^ 1]) + d[1:]])
def test_damage_is_noticed(damage):
    entry, data = pack(numbers(20), "f32")
    with pytest.raises(DataError, match="damaged"):
        unpack(entry, damage(data))


def test_unknown_weights():
    assert check_weights("i8") == "i8"
    with pytest.raises(ConfigError, match=r"^weights must be one of f32, f16, i8; got 'f64'\.$"):
        check_weights("f64")


@pytest.mark.parametrize("dtype", ["u4", "u8"])
def test_pages_are_read_alone_and_together(dtype, monkeypatch):
    monkeypatch.setattr(blocks, "PAGE_BYTES", 100)
    rng = np.random.default_rng(0)
    pictures = (17 * rng.integers(0, 16, (21, 1, 3, 5))).astype(np.uint8)
    order = rng.permutation(21)
    entry, data = pack_pages(pictures, dtype, order)
    expected = pictures[order] / np.float32(255)
    assert unpack(entry, data) == pytest.approx(expected, abs=1e-6)
    pages, first, row = entry["pages"], 0, 0
    assert len(pages["ends"]) == len(pages["crc32"]) == -(-21 // pages["rows"])
    for end, crc in zip(pages["ends"], pages["crc32"], strict=True):
        shape = [min(pages["rows"], 21 - row), 1, 3, 5]
        own = entry | {"shape": shape, "length": end - first, "crc32": crc}
        part = unpack(own, data[first:end])
        assert part == pytest.approx(expected[row : row + len(part)], abs=1e-6)
        first, row = end, row + len(part)
    assert (first, row) == (len(data), 21)
    assert squeeze(blocks.Packed(entry, data)) == (entry, data)
