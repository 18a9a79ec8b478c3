import base64
import gc
import io
import re
import weakref
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from zscape.errors import ShapeError
from zscape.report import Code, Details, Heading, Plate, Row, Section, Table, write_page
from zscape.report import page as rooms

VOID = {"meta", "link", "img", "br", "hr", "wbr"}


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
        Section("Losses", ["First.\n\nSecond.", Plate(curve(), "The loss.", "A falling curve.")]),
        Section("Pictures", [Plate(picture(), "An identity.")]),
        Section("Neurons", [Table(["neuron", "KL"], [["z0", 1.23456], ["z1", "12,000"]])]),
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


def test_pictures_keep_their_colours_and_greys_stay_grey(tmp_path):
    """Of a picture with thousands of colours, beside which greys once got specks."""
    figure = Figure((4, 2))
    left, right = figure.subplots(1, 2)
    left.imshow(np.linspace(0, 1, 900).reshape(30, 30), cmap="gray")
    points = np.random.default_rng(0).random((3000, 5))
    right.scatter(*points[:, :2].T, c=points[:, 2:], s=9, alpha=0.4, linewidths=0)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=192)
    with Image.open(buffer) as image:
        exact = np.asarray(image.convert("RGB")).astype(int)
    assert len(np.unique(exact.reshape(-1, 3), axis=0)) > 5000

    path = write_page(tmp_path / "page.html", "t", [Section("s", [Plate(figure, "c")])])
    (pixels,) = Page(path.read_text("utf-8")).all("img")
    with Image.open(io.BytesIO(base64.b64decode(pixels["src"].split(";base64,")[1]))) as image:
        assert image.mode == "P"
        found = np.asarray(image.convert("RGB")).astype(int)
    is_grey = np.ptp(exact, axis=2) == 0
    assert (np.ptp(found[is_grey], axis=1) == 0).all()
    assert np.abs(found - exact)[is_grey].max() <= 2
    assert (found[(exact == 255).all(2)] == 255).all()
    assert np.abs(found - exact).max() <= 40


def test_blocks_come_in_their_order_and_fold(tmp_path):
    blocks = [
        "one", Heading("two"), Row([Plate(curve(), "three"), Plate(picture(), "four")]),
        Details("five", [Code("six = {\n    7}"), Table(["eight"], [["−0.5"], ["–"]], "nine")]),
    ]  # fmt: skip
    text = write_page(tmp_path / "page.html", "t", [Section("s", blocks)]).read_text("utf-8")
    page = Page(text)
    order = ["one", "two", "three", "four", "five", "six = {\n    7}", "eight", "−0.5", "–", "nine"]
    assert re.search(".*".join(map(re.escape, order)), page.text, re.DOTALL)
    assert [tag for tag, _ in page.elements if tag in ("details", "pre", "h3")] == [
        "h3", "details", "pre",
    ]  # fmt: skip
    # A plate beside another is as wide as its figure and card, not as its caption.
    beside = [figure["style"] for figure in page.all("figure") if "style" in figure]
    assert beside == ["flex-basis: 306px"] * 2
    # A minus sign, and a dash for what is missing, are numbers too.
    assert [cell.get("class") for cell in page.all("td")] == ["number"] * 2


def test_sections_are_drawn_as_they_come(tmp_path):
    alive = []

    def sections():
        for i in range(3):
            figure = picture()
            alive.append(weakref.ref(figure))
            yield Section(f"s{i}", [Plate(figure, "c")])
            del figure
            gc.collect()
            assert all(figure() is None for figure in alive[:-1])

    text = write_page(tmp_path / "page.html", "t", sections()).read_text("utf-8")
    assert len(Page(text).all("section")) == 3


def test_only_columns_of_numbers_are_flush_right(written):
    page = Page(written)
    assert [cell.get("class") for cell in page.all("th")] == ["short", "number"]
    assert [cell.get("class") for cell in page.all("td")] == ["short", "number"] * 2


def test_cells_that_stand_out_and_cells_that_may_break(tmp_path):
    long = "a sentence of some words"
    table = Table(
        ["model", "nll", "said"], [["a-b", "2 ± 1", long], ["c", "3 %", ""]], "", {(1, 1)}
    )
    text = write_page(tmp_path / "page.html", "t", [Section("s", [table])]).read_text("utf-8")
    assert re.findall("<b>(.*?)</b>", text) == ["3 %"]
    classes = [cell.get("class") for cell in Page(text).all("td")]
    assert classes == ["short", "number", None] * 2


def test_a_table_of_many_columns_is_set_smaller(tmp_path):
    tables = [Table([f"n_{i}" for i in range(n)], [[1] * n]) for n in (8, 9)]
    text = write_page(tmp_path / "page.html", "t", [Section("s", tables)]).read_text("utf-8")
    page = Page(text)
    assert [table.get("class") for table in page.all("table")] == [None, "wide"]
    assert (len(page.all("wbr")), "n_8" in page.text) == (9, True)


def test_text_from_data_is_escaped(tmp_path):
    evil = "<script>alert('1')</script> \" onload=\"x & {style} é 日本"
    inside = [Heading(evil), Code(evil), Row([Plate(picture(), evil, evil)])]
    blocks = [
        evil, Plate(picture(), evil, evil), Table([evil], [[evil]], evil), Details(evil, inside)
    ]  # fmt: skip
    section = Section(evil, blocks)
    path = write_page(
        tmp_path / "page.html", evil, [section, section], subtitle=evil, stats=[(evil, evil)]
    )
    text = path.read_text("utf-8")
    page = Page(text)
    assert "<script" not in text
    assert not page.all("script")
    assert not any("onload" in attributes for _, attributes in page.elements)
    assert [image["alt"] for image in page.all("img")] == [evil] * 4
    # title, h1, subtitle, stat × 2, contents × 2, and each section's heading, text, caption, table
    # with its caption, summary, heading, code, caption
    assert page.text.count(evil) == 7 + 2 * 10


def test_same_page_is_the_same_bytes_and_follows_the_reader(tmp_path):
    first, second = (
        write_page(tmp_path / name, "t", [Section("s", [Plate(curve(), "c")])])
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
    table = Section("s", [Table(["a", "b"], [])])
    assert Page(write_page(tmp_path / "t.html", "t", [table]).read_text("utf-8")).all("th")


def test_a_failure_leaves_the_old_page(tmp_path, monkeypatch):
    path = write_page(tmp_path / "page.html", "old", [])
    before = path.read_bytes()
    monkeypatch.setattr(rooms.base64, "b64encode", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_page(path, "new", [Section("s", [Plate(picture(), "c")])])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_ragged_tables_are_refused():
    with pytest.raises(ShapeError, match="table of 2 columns got a row of 1 cells"):
        Table(["a", "b"], [["1", "2"], ["3"]])
