from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zscape.errors import ConfigError, DataError, ShapeError
from zscape.latents import as_neuron, as_neurons, as_vector, as_vectors, format_vector

EXPECTED = np.array([0.5, 0, -1.25], np.float32)

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
vectors = hnp.arrays(np.float32, st.integers(1, 12), elements=floats32)


@pytest.mark.parametrize(
    "value",
    [
        {0: 0.5, 2: -1.25},
        {"2": -1.25, "0": 0.5},
        {"z0": 0.5, "z2": np.float64(-1.25)},
        {np.int64(0): 0.5, np.int32(2): -1.25},
        [0.5, 0, -1.25],
        (0.5, 0, -1.25),
        list(np.array([0.5, 0, -1.25], np.float32)),
        np.array([0.5, 0, -1.25]),
        np.array([[0.5, 0, -1.25]], np.float16),
        torch.tensor([0.5, 0, -1.25], requires_grad=True),
        torch.tensor([[0.5, 0, -1.25]], dtype=torch.bfloat16),
        [[0.5, 0, -1.25]],
        [{0: 0.5, 2: -1.25}],
        "{0: 0.50, 2: -1.25}",
        ' {"0": 0.5, "z2": -125e-2}\n',
        "[0.5, 0, -1.25]",
    ],
    ids=str,
)
def test_one_vector_in_every_form(value):
    for array in (as_vector(value, 3), *as_vectors(value, 3)):
        assert array.dtype == np.float32
        assert array.tolist() == EXPECTED.tolist()
    assert as_vectors(value, 3).shape == (1, 3)


@pytest.mark.parametrize(
    "value",
    [
        [{0: 1}, {"z1": 2}],
        [[1, 0], (0, 2)],
        [np.array([1, 0]), {1: 2}],
        [torch.tensor([1, 0]), [0, 2.0]],
        np.array([[1, 0], [0, 2]]),
        torch.tensor([[1, 0], [0, 2]]),
        "[{0: 1}, {1: 2}]",
        "[[1, 0], [0, 2]]",
    ],
    ids=str,
)
def test_several_vectors(value):
    assert as_vectors(value, 2).tolist() == [[1, 0], [0, 2]]
    with pytest.raises(ShapeError, match=r"^one latent vector is needed; got 2\.$"):
        as_vector(value, 2)


def test_an_empty_dict_is_the_origin_and_one_neuron_is_enough():
    assert as_vector({}, 2).tolist() == [0, 0]
    assert as_vectors([3], 1).tolist() == [[3]]
    assert as_vectors([[3], [4]], 1).tolist() == [[3], [4]]


def test_the_answer_is_a_copy():
    mine = np.ones((2, 3), np.float32)
    as_vectors(mine, 3)[:] = 0
    as_vector(mine[0], 3)[:] = 0
    as_vectors(torch.from_numpy(mine), 3)[:] = 0
    assert mine.min() == 1


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.json", lambda path: path.write_text(json.dumps({"0": 0.5, "2": -1.25}))),
        ("b.json", lambda path: path.write_text(format_vector(EXPECTED))),
        ("c.JSON", lambda path: path.write_text("[0.5, 0.0, -1.25]\n")),
        ("d.npy", lambda path: np.save(path, EXPECTED)),
        ("e.npy", lambda path: np.save(path, EXPECTED[None].astype(">f8"))),
    ],
)
def test_files(tmp_path, name, write):
    write(tmp_path / name)
    for path in (tmp_path / name, str(tmp_path / name)):
        assert as_vector(path, 3).tolist() == EXPECTED.tolist()


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("a.json", b"", ConfigError, "must read {neuron: value}"),
        ("a.json", b"\xff\xfe{", ConfigError, "must read {neuron: value}"),
        ("a.json", b"\0", ConfigError, "must read {neuron: value}"),
        ("a.json", b"[" * 50_000, ConfigError, "must read {neuron: value}"),
        ("a.json", b"[1, NaN, 2]", ConfigError, "must read {neuron: value}"),
        ("a.json", b"{[1]: 2}", ConfigError, "must read {neuron: value}"),
        ("a.json", b"__import__('os').getcwd()", ConfigError, "must read {neuron: value}"),
        ("a.json", b"[" + b"0," * (1 << 19) + b"0]", ConfigError, "save it as .npy"),
        ("a.json", b"'other.npy'", ConfigError, "numbers only; got 'other.npy'"),
        ("a.json", b"['other.npy']", ConfigError, "numbers only; got 'other.npy'"),
        ("a.json", b"[1, 2]", ShapeError, r"must have 3 numbers.* shape \(2,\)"),
        ("a.json", b'{"3": 1}', ConfigError, r"in \[0, 2\]; got '3'"),
        ("a.npy", b"", DataError, "is not an .npy file"),
        ("a.npy", b"\x93NUMPY\1\0", DataError, "is not an .npy file"),
        ("a.txt", b"[1, 2, 3]", ConfigError, "the name of a .json or .npy file"),
    ],
)
def test_damaged_files(tmp_path: Path, name, content, kind, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(kind, match=message) as caught:
        as_vectors(path, 3)
    assert type(caught.value) is kind


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"^There is no file .*no\.npy\.$"):
        as_vector(tmp_path / "no.npy", 3)
    with pytest.raises(ConfigError, match=r"the name of a \.json or \.npy file; got 'seven'\.$"):
        as_vector("seven", 3)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ([1, 2], ShapeError, r"^the latent vector must have 3 numbers, .* shape \(2,\)\.$"),
        ([], ShapeError, r"got an array of shape \(0,\)\.$"),
        (np.zeros((0, 3)), ShapeError, r"got an array of shape \(0, 3\)\.$"),
        (np.zeros((2, 2)), ShapeError, r"got an array of shape \(2, 2\)\.$"),
        (np.zeros((1, 1, 3)), ShapeError, r"got an array of shape \(1, 1, 3\)\.$"),
        (4.0, ShapeError, r"got an array of shape \(\)\.$"),
        ([[1, 2, 3], [1, 2]], ShapeError, "must have 3 numbers"),
        ([1, [2, 3]], ShapeError, "must be an array of numbers"),
        ([[[1, 2, 3], [1, 2, 3]]], ShapeError, "must be a list of vectors of 3 numbers each"),
        ([1, 2, np.nan], ConfigError, r"finite numbers only; got nan\.$"),
        ({1: -np.inf}, ConfigError, r"finite numbers only; got -inf\.$"),
        ([1e39, 0, 0], ConfigError, r"finite numbers only; got 1e\+39\.$"),
        ([10**400, 0, 0], ConfigError, "numbers only"),
        ({0: 10**400}, ConfigError, "numbers only"),
        (["1", "2", "3"], ConfigError, "numbers only; got '1'"),
        ({0: "1"}, ConfigError, "numbers only"),
        ([True, False, True], ConfigError, "numbers only"),
        (torch.ones(3, dtype=torch.bool), ConfigError, "numbers only"),
        (torch.ones(3, dtype=torch.complex64), ConfigError, "numbers only"),
        (None, ConfigError, r"numbers only; got 'None'\.$"),
        ({3: 1}, ConfigError, r"^a latent neuron must be an integer in \[0, 2\]; got 3\.$"),
        ({-1: 1}, ConfigError, r"got -1\.$"),
        ({"z3": 1}, ConfigError, r"got 'z3'\.$"),
        ({"one": 1}, ConfigError, r"got 'one'\.$"),
        ({"-0": 1}, ConfigError, r"got '-0'\.$"),
        ({1.0: 1}, ConfigError, r"got 1\.0\.$"),
        ({True: 1}, ConfigError, r"got True\.$"),
        ({None: 1}, ConfigError, r"got None\.$"),
        ({"²": 1}, ConfigError, r"got '²'\.$"),
        ({1: 1, "z1": 1}, ConfigError, r"names a neuron twice: 1, z1\.$"),
        ("{0: 1, 1", ConfigError, r"must read .*; got '{0: 1, 1'\.$"),
        ("[" + "-" * 200_000 + "1]", ConfigError, "must read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_a_vector(value, kind, message):
    with pytest.raises(kind, match=message) as caught:
        as_vectors(value, 3)
    assert type(caught.value) is kind
    assert len(str(caught.value)) < 400


def test_neurons():
    assert [as_neuron(value, 10) for value in (9, "9", "z9", np.int64(9))] == [9] * 4
    assert as_neurons(None, 3) == [0, 1, 2]
    assert as_neurons("z1", 3) == as_neurons(1, 3) == as_neurons(np.int64(1), 3) == [1]
    assert as_neurons([2, "z0"], 3) == as_neurons(np.array([2, 0]), 3) == [2, 0]
    for wrong in (3, [0, 3], [0.0], "z", [True]):
        with pytest.raises(ConfigError, match=r"must be an integer in \[0, 2\]"):
            as_neurons(wrong, 3)
    with pytest.raises(ConfigError, match="at least one latent neuron"):
        as_neurons([], 3)


def test_a_printed_vector():
    assert format_vector([-0.53, 1.2, -0.001]) == "{0: -0.53, 1: 1.20, 2: 0.00}"
    assert format_vector(torch.tensor([0.5]), decimals=0) == "{0: 0}"
    assert format_vector(np.float32([0.1, -2]), decimals=None) == "{0: 0.1, 1: -2.0}"
    with pytest.raises(ShapeError, match=r"\(latent_dim,\); got \(2, 3\)"):
        format_vector(np.zeros((2, 3)))
    with pytest.raises(ConfigError, match="finite"):
        format_vector([np.nan])


@given(vectors)
def test_a_printed_vector_is_pasted_back(z):
    text = format_vector(z, decimals=None)
    pasted = ast.literal_eval(text)
    for form in (text, pasted, json.loads(json.dumps(pasted)), list(pasted.values())):
        assert as_vector(form, len(z)).tolist() == z.tolist()


@given(
    hnp.arrays(np.float32, st.integers(1, 12), elements=st.floats(-100, 100, width=32)),
    st.integers(0, 5),
)
def test_to_as_many_decimals_as_were_printed(z, decimals):
    back = as_vector(format_vector(z, decimals=decimals), len(z))
    assert np.abs(back - z).max() <= 0.5 * 10.0**-decimals + 1e-5
