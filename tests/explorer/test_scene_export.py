from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from zscape.errors import ConfigError, DataError
from zscape.explorer import Scene, blocks, build_scene, export, page, pictures, write_export
from zscape.explorer.export import on_grid, squeezed
from zscape.explorer.page import file_page


class Reader(HTMLParser):
    """The page as a browser cuts it up: script elements with their attributes and content."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict, str]] = []
        self.tags: list[tuple[str, dict]] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
            self._inside = True

    def handle_endtag(self, tag):
        self._inside = self._inside and tag != "script"

    def handle_data(self, data):
        if self._inside:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)


def assert_same(one: Scene, other: Scene) -> None:
    """Every block as it was; coordinates to 1/65536 of their extent."""
    assert one.blocks.keys() == other.blocks.keys()
    for name in other.blocks:
        a, b = one.array(name), other.array(name)
        if name.endswith(".coordinates"):
            assert np.abs(a - b).max() <= np.ptp(b, axis=0).max() / 2**16
        else:
            assert np.array_equal(a, b), name


@pytest.fixture
def written(scene, bundle, tmp_path):
    return write_export(scene, tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_scene_can_be_read_back(written, scene):
    scripts = Reader(written).scripts
    (manifest,) = (text for about, text in scripts if about.get("id") == "zscape-manifest")
    own = {
        about["data-zscape-block"]: base64.b64decode(text, validate=True)
        for about, text in scripts
        if "data-zscape-block" in about
    }
    back = Scene(json.loads(manifest), own)
    assert back.manifest["classNames"] == scene.manifest["classNames"]
    assert_same(back, scene)


def test_the_program_is_the_bundle(written, bundle):
    about, script = Reader(written).scripts[-1]
    assert about == {"type": "module"}
    assert script.replace("\\x3c", "<") == bundle
    assert written.count('<div data-zscape="embedded"></div>') == 1


def test_only_the_program_may_run_and_nothing_may_be_fetched(written):
    (policy,) = (
        about["content"] for tag, about in Reader(written).tags
        if about.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = hashlib.sha256(Reader(written).scripts[-1][1].encode()).digest()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{base64.b64encode(digest).decode()}' 'wasm-unsafe-eval'"
    assert "connect-src" not in rules
    assert "*" not in policy
    assert "http" not in policy


def test_nothing_outside_is_named(written):
    """Neither addresses nor anything a browser would load by itself, but the empty icon."""
    assert not re.search(r"https?:|url\(|@import", written)
    for _, about in Reader(written).tags:
        assert about.get("src") is None
        assert about.get("href", "data:,") == "data:,"


def test_names_from_the_data_never_become_html(written):
    """A class is called </script><b>blue, the title small & <b>."""
    assert "<title>small &amp; &lt;b&gt; · zscape</title>" in written
    assert "b" not in {tag for tag, _ in Reader(written).tags}
    assert written.count("</script>") == len(Reader(written).scripts)


@pytest.mark.parametrize("text", ["</script>", "<!--", "<SCRIPT src=x>", "</ScRiPt >", "a\r\nb"])
def test_a_program_that_holds_such_texts(scene, text):
    bundle = f'const s = "{text}"; {text!r}; export default 1;'
    _, script = Reader(file_page(scene, bundle)).scripts[-1]
    assert script.replace("\\x3c", "<") == bundle.replace("\r\n", "\n")


def test_squeezed_is_smaller_and_the_same(scene):
    small = squeezed(scene)
    assert sum(map(len, small.blocks.values())) < sum(map(len, scene.blocks.values()))
    assert_same(small, scene)
    assert scene.manifest["blocks"]["mu"]["codec"] == "raw"


def test_coordinates_lie_on_a_grid():
    points = np.random.default_rng(0).normal(5, 30, (1000, 2)).astype(np.float32)
    rounded = on_grid(points)
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - points).max() <= np.ptp(points, axis=0).max() / 2**16
    assert np.array_equal(on_grid(rounded), rounded)
    assert (on_grid(np.full((3, 2), 7, np.float32)) == 7).all()


def test_same_scene_same_page(scene, bundle, tmp_path):
    one, other = (write_export(scene, tmp_path / f"{i}.html").read_bytes() for i in range(2))
    assert one == other


@pytest.fixture
def paged(vae, images, table, maps, monkeypatch):
    """The scene with its pictures in pages of a few."""
    monkeypatch.setattr(pictures, "ORIGINALS_BYTES", 1000)
    monkeypatch.setattr(blocks, "PAGE_BYTES", 3000)
    return build_scene(vae, images, table=table, maps=maps[:1], title="paged", weights="f32")


def test_pictures_in_pages_are_the_same_in_another_order(paged, scene, maps):
    entry = paged.manifest["blocks"]["thumbnails"]
    assert len(entry["pages"]["ends"]) > 5
    slots = paged.array("slots")
    assert np.array_equal(paged.array("thumbnails")[slots], scene.array("thumbnails"))
    # Neighbours on the map lie in one page more often than chance has it.
    places = maps[0].coordinates[np.argsort(slots)]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    others = np.linalg.norm(np.diff(maps[0].coordinates, axis=0), axis=1)
    assert steps.mean() < others.mean() / 2


def test_a_kept_scene_leaves_its_pages_in_the_file(paged, tmp_path):
    paged.save(tmp_path / "a.zscene")
    back = Scene.load(tmp_path / "a.zscene")
    assert back.manifest == paged.manifest
    assert back.blocks == paged.blocks
    assert isinstance(back.blocks["thumbnails"], memoryview)
    assert np.array_equal(back.array("thumbnails"), paged.array("thumbnails"))
    content = bytearray((tmp_path / "a.zscene").read_bytes())
    at = content.find(bytes(paged.blocks["thumbnails"][:200])) + 100
    content[at] ^= 1
    (tmp_path / "b.zscene").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        Scene.load(tmp_path / "b.zscene")


def test_a_folder_holds_every_block_as_a_file(paged, scene, bundle, tmp_path):
    folder = write_export(paged, f"{tmp_path}/large/")
    assert folder == tmp_path / "large"
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {file.name: file.read_bytes() for file in (folder / "blocks").iterdir()}
    assert_same(Scene(manifest, files), paged)
    page_text = (folder / "index.html").read_text()
    assert '<div data-zscape="folder"></div>' in page_text
    assert "connect-src 'self'" in page_text
    assert sorted(file.name for file in folder.iterdir()) == [
        "blocks", "index.html", "manifest.json"
    ]  # fmt: skip
    # Another scene takes its place, and leaves nothing of it.
    assert write_export(scene, folder) == folder
    assert {file.name for file in (folder / "blocks").iterdir()} == set(scene.blocks)


def test_a_folder_with_other_things_is_left_alone(scene, bundle, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="other things"):
        write_export(scene, f"{tmp_path}/home/")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write"):
        write_export(scene, f"{tmp_path}/file/")


def test_what_is_too_large_for_one_page_is_said(scene, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MOST_BYTES", 1000)
    with pytest.raises(ConfigError, match=r"120 images are too much for one page.*-o name/"):
        write_export(scene, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    write_export(scene, f"{tmp_path}/folder/")


@pytest.mark.parametrize("name", ["page.pdf", "page", "none/page.html", "folder.html"])
def test_where_a_page_cannot_be_written(scene, bundle, tmp_path, name):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError, match="page"):
        write_export(scene, tmp_path / name)


def test_a_checkout_without_the_bundle(scene, monkeypatch, tmp_path):
    monkeypatch.setattr(page, "STATIC", tmp_path / "none")
    with pytest.raises(DataError, match="npm run build"):
        write_export(scene, tmp_path / "page.html")
