import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

from zscape import report
from zscape.errors import ShapeError
from zscape.report import Plate, Section, Table, write_page

VOID = {"meta", "link", "img", "br", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def picture():
    figure = Figure((3, 2))
    figure.subplots().imshow(np.eye(4))
    return figure


def curve():
    figure = Figure((3, 2))
    figure.subplots().plot([1, 2, 3])
    return figure


@pytest.fixture
def written(tmp_path):
    sections = [
        Section("Losses", "First.\n\nSecond.", [Plate(curve(), "The loss.", "A falling curve.")]),
        Section("Pictures", figures=[Plate(picture(), "An identity.")]),
        Section("Neurons", table=Table(["neuron", "KL"], [["z0", 1.23456], ["z1", "12,000"]])),
    ]
    path = tmp_path / "new" / "page.html"
    stats = [("test loss, nats", 96.414), ("in use", "9 of 10")]
    assert write_page(path, "Run 7", sections, subtitle="a subtitle", stats=stats) == path
    return path.read_text("utf-8")


def test_holds_everything_in_order(written):
    page = Page(written)
    wanted = [
        "Run 7", "a subtitle", "test loss, nats", "96.41", "in use", "9 of 10",
        "Losses", "Pictures", "Neurons",  # contents
        "Losses", "First.", "Second.", "The loss.", "Pictures", "An identity.",
        "Neurons", "neuron", "KL", "z0", "1.235", "z1", "12,000",
    ]  # fmt: skip
    assert re.search(".*".join(map(re.escape, wanted)), page.text, re.DOTALL)
    assert written.count("<p>") == 2


def test_contents_point_at_the_sections(written):
    page = Page(written)
    targets = [link["href"].removeprefix("#") for link in page.all("a")]
    assert targets == [section["id"] for section in page.all("section")]
    assert len(set(targets)) == 3


def test_asks_the_network_for_nothing(written):
    assert "http://" not in written
    assert "https://" not in written
    assert "@import" not in written
    assert "url(" not in written
    page = Page(written)
    assert not page.all("script")
    for _, attributes in page.elements:
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith(("#", "data:"))
    policy = next(meta for meta in page.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy["content"]


def test_figures_are_sharp_have_a_size_and_words(written):
    lines, pixels = Page(written).all("img")
    assert lines["alt"] == "A falling curve."
    assert pixels["alt"] == "An identity."
    for image in (lines, pixels):
        assert (image["width"], image["height"]) == ("288", "192")
    kind, data = lines["src"].split(";base64,")
    assert kind == "data:image/svg+xml"
    assert b"<svg" in base64.b64decode(data)
    kind, data = pixels["src"].split(";base64,")
    png = base64.b64decode(data)
    assert kind == "data:image/png"
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 2 * 288
    assert int.from_bytes(png[20:24], "big") == 2 * 192


def test_only_columns_of_numbers_are_flush_right(written):
    page = Page(written)
    assert [cell.get("class") for cell in page.all("th")] == [None, "number"]
    assert [cell.get("class") for cell in page.all("td")] == [None, "number"] * 2


def test_text_from_data_is_escaped(tmp_path):
    evil = "<script>alert('1')</script> \" onload=\"x & {style} é 日本"
    section = Section(evil, evil, [Plate(picture(), evil, evil)], Table([evil], [[evil]]))
    path = write_page(
        tmp_path / "page.html", evil, [section, section], subtitle=evil, stats=[(evil, evil)]
    )
    text = path.read_text("utf-8")
    page = Page(text)
    assert "<script" not in text
    assert not page.all("script")
    assert not any("onload" in attributes for _, attributes in page.elements)
    assert [image["alt"] for image in page.all("img")] == [evil, evil]
    # title, h1, subtitle, stat × 2, contents × 2, and each section's heading, text, caption, table
    assert page.text.count(evil) == 7 + 2 * 5


def test_same_page_is_the_same_bytes_and_follows_the_reader(tmp_path):
    first, second = (
        write_page(tmp_path / name, "t", [Section("s", figures=[Plate(curve(), "c")])])
        for name in ("a.html", "b.html")
    )
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text("utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text


def test_bare_page(tmp_path):
    text = write_page(str(tmp_path / "page.html"), "Nothing yet", []).read_text("utf-8")
    page = Page(text)
    assert not page.all("nav")
    assert not page.all("dl")
    assert not page.all("section")
    table = Section("s", table=Table(["a", "b"], []))
    assert Page(write_page(tmp_path / "t.html", "t", [table]).read_text("utf-8")).all("th")


def test_a_failure_leaves_the_old_page(tmp_path, monkeypatch):
    path = write_page(tmp_path / "page.html", "old", [])
    before = path.read_bytes()
    monkeypatch.setattr(report.base64, "b64encode", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_page(path, "new", [Section("s", figures=[Plate(picture(), "c")])])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_ragged_tables_are_refused():
    with pytest.raises(ShapeError, match="table of 2 columns got a row of 1 cells"):
        Table(["a", "b"], [["1", "2"], ["3"]])
