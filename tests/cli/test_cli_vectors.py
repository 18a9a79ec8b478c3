from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zscape.cli.inputs import Latents
from zscape.cli.vectors import Term, parse_terms, read_numbers, read_vector, read_vectors
from zscape.errors import CheckpointError, ZscapeError


@pytest.fixture(scope="module")
def latents(finished_run: Path) -> Latents:
    return Latents(str(finished_run))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("proto:7", [Term(1, "proto:7")]),
        (
            "proto:7 - proto:1 + image:3",
            [Term(1, "proto:7"), Term(-1, "proto:1"), Term(1, "image:3")],
        ),
        ("0.5*image:3", [Term(0.5, "image:3")]),
        ("- 2 * proto:1", [Term(-2, "proto:1")]),
        ("{0: -1, 2: 1e-3}", [Term(1, "{0: -1, 2: 1e-3}")]),
        ("[1, - 2] + mean", [Term(1, "[1, - 2]"), Term(1, "mean")]),
        ("proto:T-shirt - proto:'a - b'", [Term(1, "proto:T-shirt"), Term(-1, "proto:'a - b'")]),
        ("proto:don't - proto:won't", [Term(1, "proto:don't"), Term(-1, "proto:won't")]),
    ],
)
def test_a_sum_is_cut_where_signs_stand_alone(text: str, terms: list[Term]) -> None:
    assert parse_terms(text) == terms


def test_every_form(latents: Latents, tmp_path: Path) -> None:
    mu = latents.table.mu
    file = tmp_path / "walk.json"
    file.write_text('[{"z0": 1}, {"z2": -2.5}]')
    np.save(tmp_path / "one.npy", np.float32([1, 2, 3]))
    for text, expected in {
        "{0: -1, 2: 0.5}": [-1, 0, 0.5],
        "[1, 2, 3]": [1, 2, 3],
        "origin": [0, 0, 0],
        f"{file}#1": [0, 0, -2.5],
        str(tmp_path / "one.npy"): [1, 2, 3],
        "image:4": mu[4],
        "mean": mu.mean(0),
        "proto:1": mu[latents.table.labels == 1].mean(0),
        "image:4 - 2*[1, 0, 0] + {2: 1}": mu[4] + [-2, 0, 1],
    }.items():
        np.testing.assert_allclose(read_vector(text, latents), expected, atol=1e-5, err_msg=text)
    np.testing.assert_array_equal(read_vectors(str(file), latents), [[1, 0, 0], [0, 0, -2.5]])


def test_the_vectors_of_a_walk_are_those_of_its_model(latents: Latents, tmp_path: Path) -> None:
    file, own = tmp_path / "walk.json", latents.fingerprints()["model"]
    for model in (own, ""):
        file.write_text(json.dumps({"model": model, "data": "", "vectors": [{"z1": 3}]}))
        np.testing.assert_array_equal(read_vector(str(file), latents), [0, 3, 0])
    file.write_text(json.dumps({"model": "feed", "data": "", "vectors": [{"z1": 3}]}))
    with pytest.raises(CheckpointError, match=rf"its fingerprint is feed, that of .* is {own}"):
        read_vector(f"{file}#0", latents)


def test_a_random_vector_is_its_seeds(latents: Latents) -> None:
    first, again, other = (read_vector(f"random:{seed}", latents) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seven", "image:INDEX, proto:CLASS"),
        ("", "a vector or a sum"),
        ("proto:1 - ", "proto:CLASS"),
        ("[1, 2]", "must have 3 numbers"),
        ("{3: 1}", "[0, 2]; got 3"),
        ("[1, 2, 1e999]", "finite"),
        ("[1, 2, nan]", "must read"),
        ("image:60", "the test image must be an integer in [0, "),
        ("image:-1", "the test image must be an integer in [0, "),
        ("proto:9", "class must be one of 0, 1, 2; got '9'"),
        ("random:x", "seed of a random vector"),
        ("nowhere.json", "nowhere.json"),
        ("1..2*mean", "a factor must be a number"),
        ("[[1, 2, 3], [1, 2, 3]]", "one latent vector is needed; got 2"),
    ],
)
def test_what_is_no_vector_says_so(latents: Latents, text: str, message: str) -> None:
    with pytest.raises(ZscapeError) as error:
        read_vector(text, latents)
    assert message in str(error.value)


def test_a_file_with_nan_says_so(latents: Latents, tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.float32([1, np.nan, 3]))
    with pytest.raises(ZscapeError, match="finite numbers only; got nan"):
        read_vector(str(tmp_path / "bad.npy"), latents)


def test_numbers() -> None:
    assert read_numbers("-3, 0,1.5", "--values") == [-3, 0, 1.5]
    for text in ("a", "1,,2", "nan", "1,inf"):
        with pytest.raises(ZscapeError, match="--values must be"):
            read_numbers(text, "--values")
