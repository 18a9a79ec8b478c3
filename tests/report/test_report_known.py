"""The report's map, coloured by what is known of the images."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from zscape.data import Splits
from zscape.data.columns import Columns
from zscape.report import Heading, Plate, maps
from zscape.report.known import MOST_COLUMNS, by_columns
from zscape.report.material import Material

N = 40


@pytest.fixture
def material(make_subject):
    """A report's material whose test images have the columns given to it; PCA alone."""

    def make(values, **more) -> Material:
        subject = make_subject(N, **more)
        test = subject.data.test
        if values is not None:
            test = replace(test, columns=Columns.of(values))
        made = Material(replace(subject, data=Splits(subject.data.train, test)))
        made.maps = {"pca": maps_of(made)}
        return made

    return make


def maps_of(made):
    from zscape.embedding import fit_map

    return fit_map(made.mapped, "pca")


def plates(blocks):
    return [block for block in blocks if isinstance(block, Plate)]


def test_without_columns_nothing_is_added(material):
    assert by_columns(material(None)) == []
    rows = np.arange(N)
    silent = {"file_name": [f"{i}.png" for i in rows], "same": [1] * N,
              "kind": [f"row {i % 3}" for i in rows]}  # fmt: skip
    assert by_columns(material(silent)) == []  # kind is the class


def test_each_column_that_tells_has_a_map_and_few_values_have_panels(material):
    rows = np.arange(N)
    made = material(
        {
            "treatment": [("A", "B", None)[i % 3] for i in rows],
            "plate": [f"p{i % 15}" for i in rows],
            "area": np.where(rows % 5, rows, np.nan),
            "day": [datetime.datetime(2024, 1, 1) + datetime.timedelta(int(i)) for i in rows],
        },
        n_classes=None,
    )
    heading, text, *rest = by_columns(made)
    assert heading == Heading("Coloured by what is known of the images")
    assert "more column" not in text
    found = plates(rest)
    titles = [plate.alt.removeprefix("PCA map") for plate in found]
    assert titles[:2] == [" coloured by treatment", ", a panel for each treatment"]
    assert "treatment: most often A, of 14 images." in found[0].caption
    assert [ax.get_title("left") for ax in found[1].figure.axes] == [
        "A (14)", "B (13)", "missing (13)",
    ]  # fmt: skip
    by_name = {plate.alt.split(" by ")[-1]: plate for plate in found}
    assert by_name["area"].caption.startswith("area: 1 to 39, median 20.")
    assert by_name["area"].figure.axes[0].child_axes
    assert "day. It goes with the mean of the 15 nearest" in by_name["day"].caption
    assert any(block == heading for block in maps.maps(made).blocks)


def test_a_number_the_map_follows_is_foretold(material):
    made = material({"other": np.arange(N)}, n_classes=None)
    place = made.drawn["pca"].coordinates[:, 0].astype(float)
    made = material({"place": place}, n_classes=None)
    (plate,) = plates(by_columns(made))
    assert float(plate.caption.rsplit("ρ = ")[-1].rstrip(".")) > 0.9


def test_more_columns_than_fit_are_named(material):
    values = {f"c{i}": (np.arange(N) * (i + 1)) % 37 for i in range(MOST_COLUMNS + 2)}
    _, text, *rest = by_columns(material(values))
    assert "two more columns: c6 and c7; zscape map --color draws any." in text
    assert len(plates(rest)) == MOST_COLUMNS
