from __future__ import annotations

import gc
import json
import sys
import weakref

import ipywidgets
import numpy as np
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances

from zscape import api
from zscape.errors import MissingExtraError
from zscape.latents import decode


@pytest.fixture
def widget(scene, vae, images, bundle):
    from zscape.explorer.widget import ExplorerWidget

    widget = ExplorerWidget(scene, vae, images)
    yield widget
    widget.close()


def test_what_the_page_is_given(widget, scene, bundle):
    state = widget.get_state()
    assert state["_esm"] == bundle
    assert json.loads(state["manifest"]) == scene.manifest
    assert state["blocks"] == scene.blocks
    start = {
        "z": [], "selection": [], "selections": {}, "path": [], "map": "", "color": "",
        "filter": {},
    }  # fmt: skip
    assert {key: state[key] for key in start} == start


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("z", [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0]),
        ("z", {"z2": 0.5}, [0.0, 0.0, 0.5, 0.0]),
        ("z", np.ones((1, 4)), [1.0] * 4),
        ("z", [], []),
        ("selection", np.array([3, 119]), [3, 119]),
        ("selection", (), []),
        ("selections", {"A": np.array([7, 3]), "b c": (1, 1)}, {"A": [3, 7], "b c": [1]}),
        ("selections", {}, {}),
        ("path", np.zeros((2, 4), np.float32), [[0.0] * 4] * 2),
        ("path", [], []),
        ("map", "tsne", "tsne"),
        ("map", "z3,z0", "z3,z0"),
        ("color", "class", "class"),
        ("color", "z3", "z3"),
        ("color", "error", "error"),
        ("color", "selections", "selections"),
        ("filter", {"class": ["red"], "kl": (1, None)}, {"class": ["red"], "kl": [1.0, None]}),
    ],
    ids=str,
)
def test_what_can_be_set(widget, name, given, kept):
    setattr(widget, name, given)
    value = getattr(widget, name)
    assert value == kept
    assert json.loads(json.dumps(value)) == kept, "the page gets plain numbers"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("z", [1, 2, 3], "z: .*4"),
        ("z", [1, 2, 3, np.nan], "finite"),
        ("z", "seven", "z: "),
        ("z", None, "z: "),
        ("selection", [120], r"row numbers in \[0, 119\]; got 120 to 120"),
        ("selection", [-1], r"row numbers in \[0, 119\]"),
        ("selection", [0.5], "list of row numbers"),
        ("selections", {"A": [120]}, r"row numbers in \[0, 119\]; got 120 to 120"),
        ("selections", {" ": [1]}, "selections have names"),
        ("selections", [1, 2], "dict of row numbers"),
        ("selection", 3, "list of row numbers"),
        ("selection", ["a"], "list of row numbers"),
        ("path", [[1, 2]], "path: "),
        ("map", "umap", "map must be one of pca, tsne, pair, or two neurons"),
        ("map", "z0,z0", "map must be"),
        ("map", "z0,z4", "map must be"),
        ("filter", {"area": (1, 2)}, "filter has no column 'area'; there are: kl, error, class"),
        ("color", "z4", "color must be one of class, kl, error, z0, z1, …; got 'z4'"),
    ],
    ids=str,
)
def test_what_cannot_be_set(widget, name, given, message):
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(widget, name, given)
    assert getattr(widget, name) == before


def test_what_the_page_sets_reaches_python(widget):
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "z")
    widget.set_state({"z": [0.0, 1.0, 0.0, 2.0], "map": "z0,z2", "selection": [5]})
    assert seen == [[0.0, 1.0, 0.0, 2.0]]
    assert (widget.map, widget.selection) == ("z0,z2", [5])


def test_two_widgets_can_be_linked(widget, scene, vae, images):
    other = type(widget).__mro__[1](scene, vae, images)
    link = traitlets.link((widget, "z"), (other, "z"))
    widget.z = [1, 0, 0, 0]
    assert other.z == [1.0, 0.0, 0.0, 0.0]
    link.unlink()
    other.close()


def test_picture(widget, vae):
    assert widget.picture.shape == (3, 9, 12)
    assert widget.picture == pytest.approx(decode(vae, np.zeros(4))[0].numpy())
    widget.z = {"z1": 2}
    assert widget.picture == pytest.approx(decode(vae, [0, 2, 0, 0])[0].numpy())


def test_selected(widget, table, images):
    assert list(widget.selected.columns) == ["class", "z0", "z1", "z2", "z3"]
    assert len(widget.selected) == 0
    widget.selection = [7, 2]
    assert widget.selected.index.tolist() == [7, 2]
    assert widget.selected["class"].tolist() == ["green", "</script><b>blue"]
    means = widget.selected.drop(columns="class").to_numpy()
    assert means == pytest.approx(table.mu[[7, 2]], abs=1e-5)
    assert (widget.selected_images.images == images[[7, 2]].images).all()


@pytest.fixture
def sent(widget, monkeypatch):
    """What the widget sends to the page."""
    messages = []
    monkeypatch.setattr(
        widget, "send", lambda content, buffers=(): messages.append((content, buffers))
    )
    return messages


def test_decoding_for_the_page(widget, sent, vae):
    z = np.random.default_rng(0).standard_normal((2, 4)).astype("<f4")
    widget._handle_custom_msg({"type": "decode", "id": 7, "n": 2}, [memoryview(z.tobytes())])
    ((content, (pixels,)),) = sent
    assert content == {"type": "decoded", "id": 7}
    assert np.frombuffer(pixels, "<f4") == pytest.approx(decode(vae, z).flatten().numpy())


def test_encoding_for_the_page(widget, sent, images, table):
    x = images[:3].pixels().numpy().astype("<f4")
    widget._handle_custom_msg({"type": "encode", "id": 8, "n": 3}, [memoryview(x.tobytes())])
    ((content, (mu, logvar)),) = sent
    assert content == {"type": "encoded", "id": 8}
    assert np.frombuffer(mu, "<f4") == pytest.approx(table.mu[:3].ravel(), abs=1e-4)
    assert np.frombuffer(logvar, "<f4") == pytest.approx(table.logvar[:3].ravel(), abs=1e-4)


@pytest.mark.parametrize("buffers", [[], [memoryview(b"123")]], ids=["none", "part"])
def test_a_bad_question_is_answered_with_a_sentence(widget, sent, buffers):
    widget._handle_custom_msg({"type": "decode", "id": 9}, buffers)
    ((content, _),) = sent
    assert (content["type"], content["id"]) == ("error", 9)
    assert content["message"].endswith(".")


def test_other_messages_are_not_answered(widget, sent):
    widget._handle_custom_msg({"type": "hello"}, [])
    assert sent == []


def test_closing_leaves_nothing(scene, vae, images, bundle):
    from zscape.explorer.widget import ExplorerWidget

    widget = ExplorerWidget(scene, vae, images)
    trace = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert trace() is None


def test_without_anywidget_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "zscape.explorer.widget", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'zscape\[notebook\]'"):
        api.explore("zoo:10")


def test_explore_makes_the_scene(vae, images, bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("ZSCAPE_CACHE", str(tmp_path))
    widget = api.explore(vae, images, maps=["pca"], n=30)
    assert len(widget) == 30
    assert widget.maps == ["pca"]
    assert widget.manifest_dict["title"] == "SmallVAE"
    widget.close()


def test_a_closed_widget_leaves_nothing_in_the_kernel(scene, vae, images, bundle):
    """The registry of ipywidgets holds on to every widget, layouts too, that is not closed."""
    from zscape.explorer.widget import ExplorerWidget

    before = set(_instances)
    ExplorerWidget(scene, vae, images).close()
    assert set(_instances) == before
    shared = ipywidgets.Layout()
    ExplorerWidget(scene, vae, images, layout=shared).close()
    assert set(_instances) - before == {shared.model_id}
    shared.close()
