from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from tools.run_notebooks import FOLDER, WIDGET, execute, set_parameters, shrink, tidy
from traitlets.config import Config

from zscape import figures

NOTEBOOKS = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}

REDUCED = {
    "01_walkthrough": {
        "N_TRAIN": 256, "N_TEST": 300, "EPOCHS": 1, "N_SMALL": 64, "EPOCHS_SMALL": 1, "N_MAP": 150,
    },
    "02_maps_and_the_way_back": {"N_MAP": 200, "N_NEW": 60, "N_JUDGES": 100},
    "03_neurons": {"N_IMAGES": 200, "N_SILENCE": 50, "N_CARDS": 1},
    "04_your_own_images": {"N_CELLS": 480, "EPOCHS": 1, "LATENT_DIM": 3},
    "05_kld_weight": {"N_IMAGES": 150, "N_QUALITY": 20},
    "06_how_good_is_it": {
        "N_IMAGES": 100, "SAMPLES": (1, 2, 3), "N_QUALITY": 20, "SIZES": (2, 3),
    },
}  # fmt: skip
"""Settings that take seconds."""

MOST_BYTES = 5 * 2**20
RANDOM_ID = re.compile(r"[0-9a-f]{32}")


def read(name):
    return nbformat.read(NOTEBOOKS[name], as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook):
    """What a reader reads in the outputs, and the sources."""
    yield from (cell.source for cell in notebook.cells)
    for output in outputs(notebook):
        yield output.get("text", "")
        yield from (text for kind, text in output.get("data", {}).items() if "text" in kind)


def check_outputs(notebook):
    for output in outputs(notebook):
        assert output.output_type != "error", output
        assert output.get("name") != "stderr", output.text


def test_each_notebook_is_tested():
    assert set(NOTEBOOKS) == set(REDUCED)


# One trains the learned way back on two maps, one draws the most figures, two measure a lot.
SLOW = {
    "02_maps_and_the_way_back",
    "03_neurons",
    "04_your_own_images",
    "05_kld_weight",
    "06_how_good_is_it",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in REDUCED]
)
def test_a_notebook_runs(name, tmp_path):
    """All its cells, on few images; an error in a cell is raised here."""
    notebook = read(name)
    set_parameters(notebook, REDUCED[name])
    execute(notebook, tmp_path)
    check_outputs(notebook)
    shown = [len(cell.outputs) for cell in code_cells(notebook)]
    tidy(notebook)
    kept = [len(cell.outputs) for cell in code_cells(notebook)]
    committed = [len(cell.outputs) for cell in code_cells(read(name))]
    assert [min(n, 1) for n in kept] == [min(n, 1) for n in committed]
    assert sum(shown) >= sum(kept) >= 10


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_was_run(name):
    notebook = read(name)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    check_outputs(notebook)
    pictures = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    assert len(pictures) > 5
    assert NOTEBOOKS[name].stat().st_size < MOST_BYTES


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_says_nothing_of_its_run(name):
    """No time, machine, path or random name, so that a new run changes what is new alone."""
    notebook = read(name)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
    assert not any(WIDGET in output.get("data", {}) for output in outputs(notebook))
    for text in texts(notebook):
        assert str(Path.home()) not in text
        assert str(FOLDER.parent) not in text
        assert not RANDOM_ID.search(text)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_reads_well(name):
    """Every cell has a word before it: no more than three cells of code in a row."""
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in read(name).cells)
    assert kinds.startswith("m")
    assert kinds.endswith("m")
    assert "cccc" not in kinds


def test_all_begin_with_the_cell_that_installs():
    first = {name: code_cells(read(name))[0] for name in NOTEBOOKS}
    assert len({cell.source for cell in first.values()}) == 1
    assert not any(cell.outputs for cell in first.values())


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("has_wheel", [True, False])
def test_the_first_cell_installs_where_zscape_is_missing(
    is_there, has_wheel, tmp_path, monkeypatch
):
    found, asked = importlib.util.find_spec, []
    monkeypatch.setattr(
        importlib.util, "find_spec",
        lambda name, *rest: found(name, *rest) if is_there or name != "zscape" else None,
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    wheel = tmp_path / "zscape-0.1.0-py3-none-any.whl"
    wheel.touch() if has_wheel else None
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.register_magic_function(asked.append, "line", "pip")
    shell.run_cell(code_cells(read("02_maps_and_the_way_back"))[0].source).raise_error()
    source = wheel.as_uri() if has_wheel else "git+https://github.com/zscape/zscape"
    assert asked == ([] if is_there else [f'install "zscape[notebook] @ {source}"'])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_lead_somewhere(name):
    for cell in read(name).cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\((?!https?:)([^)#]+)", cell.source):
                assert (FOLDER / link).exists(), link


def test_parameters_must_be_those_of_the_notebook():
    notebook = read("03_neurons")
    with pytest.raises(ValueError, match=r"N_CARDS.*got \['N_CARDS'\]"):
        set_parameters(notebook, {"N_CARDS": 1})


def test_tidy_keeps_the_still_picture_alone():
    picture = figures.to_png(figures.new_figure(1, 1))
    png = base64.b64encode(picture).decode()
    still = {"image/png": png, "text/plain": "sliders", WIDGET: {"model_id": "1"}}
    bar = {"text/plain": "0%", WIDGET: {"model_id": "2"}}
    notebook = nbformat.v4.new_notebook(
        metadata={"widgets": {}, "language_info": {"name": "python", "version": "3.0"}},
        cells=[
            nbformat.v4.new_code_cell(
                "sliders",
                metadata={"execution": {"iopub.status.busy": "now"}},
                outputs=[nbformat.v4.new_output("display_data", data) for data in (bar, still)],
            )
        ],
    )
    tidy(notebook)
    text = json.dumps(notebook)
    assert "version" not in text
    assert "busy" not in text
    (output,) = outputs(notebook)
    assert output.data == {"image/png": png, "text/plain": "sliders"}


def test_shrink_takes_colours_no_eye_misses():
    rng = np.random.default_rng(0)
    points, labels = rng.standard_normal((3000, 2)), rng.integers(10, size=3000)
    large = figures.to_png(figures.plot_scatter(points, labels, "0123456789"))
    png = base64.b64encode(large).decode()
    kept = base64.b64decode(shrink(png))
    assert len(kept) < len(large) / 2
    before, after = (
        np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        for content in (large, kept)
    )
    assert np.abs(after - before).max() < 40
    assert np.abs(after - before).mean() < 2
