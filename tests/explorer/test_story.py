from __future__ import annotations

import json

import numpy as np
import pytest
from ts_contract import Contract

import zscape
from zscape.errors import ConfigError, DataError
from zscape.explorer import Question, Step, Story, as_story
from zscape.explorer.story import WALK

MANIFEST = {
    "latentDim": 10, "classNames": [str(i) for i in range(10)], "columns": [],
    "prototypes": {"vectors": "p"},
    "points": {"n": 10_000, "kl": "kl", "error": "error"},
    "blocks": {name: {"shape": [10_000], "dtype": "f32"} for name in ("kl", "error")},
    "maps": [{"name": name} for name in ("pca", "tsne", "umap")],
}  # fmt: skip
ASK = Question("Which?", ["this", "that"], 1, "Because.")


def story(view=None, **step) -> Story:
    return Story("told", [{"title": "one", "text": "*it*", "view": view or {}} | step])


def test_a_story_is_saved_and_read_back(tmp_path):
    told = Story("told", [Step("one", "ünï", {"map": "pca"}, ASK), Step("two", view="#row=3")])
    told.save(tmp_path / "story.json")
    again = Story.load(tmp_path / "story.json")
    assert again.to_dict() == told.to_dict() == as_story(told.to_dict()).to_dict()
    assert again.steps[0].ask == Question("Which?", ["this", "that"], 1, "Because.")
    assert repr(again) == "Story(told, 2 steps)"


def test_vectors_are_taken_in_every_form():
    view = {"z": {"z3": 1.5}, "path": {"along": "line", "vectors": np.zeros((2, 10))}}
    (step,) = story(view).of(MANIFEST)["steps"]
    assert step["view"]["z"] == [0, 0, 0, 1.5, 0, 0, 0, 0, 0, 0]
    assert step["view"]["path"]["vectors"] == [[0.0] * 10] * 2
    json.dumps(step)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"map": "isomap"}, "map must be one of pca, tsne, umap; got 'isomap'"),
        ({"map": "z1,z1"}, "map must be one of"),
        ({"color": "z10"}, "color must be one of"),
        ({"mean": "eleven"}, "mean must be one of"),
        ({"as": "7"}, "as must be one of (there are none)"),
        ({"row": 10_000}, "rows are 0 to 9999; got 10000"),
        ({"selected": [-1]}, "rows are 0 to 9999; got -1"),
        ({"selections": {"A": [1.5]}}, "selections.A[0] must be a whole number"),
        ({"z": [1, 2]}, "10"),
        ({"path": {"along": "around", "vectors": [[0] * 10] * 2}}, "path.along must be one of"),
        ({"filter": {"area": [0, 1]}}, "filter has no column 'area'"),
        ({"colour": "class"}, "a view has no colour (did you mean color?)"),
        ("map=pca", "from # on"),
    ],
)
def test_a_view_that_the_scene_has_not_is_refused(view, said):
    with pytest.raises(ConfigError, match=r"^step 1 of the story, 'one': ") as error:
        Story("told", [Step("one", view=view)]).of(MANIFEST)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is no story"),
        ("[]", "it must be a mapping"),
        ('{"title": "x", "steps": []}', "1 to 200 steps; got 0"),
        ('{"title": "x", "steps": [{"title": 1}]}', "steps[0].title must be text"),
        ('{"title": "x", "steps": [{"title": "", "text": ""}]}', "steps[0].view is missing"),
    ],
)
def test_a_file_that_is_no_story_is_refused(tmp_path, text, said):
    file = tmp_path / "story.json"
    file.write_text(text)
    with pytest.raises(DataError) as error:
        Story.load(file)
    assert str(error.value).startswith(f"{file} is no story")
    assert said in str(error.value)


def test_a_step_needs_a_view_and_a_question_an_answer():
    with pytest.raises(ConfigError, match="a view is a mapping"):
        Step("one", view=[])
    for choices, answer in [(["one"], 0), (["one", "two"], 2), (["one", "two"], -1)]:
        with pytest.raises(ConfigError, match="the number of the right one"):
            Question("Which?", choices, answer)


def test_the_story_that_ships_has_ten_steps_of_which_every_one_can_be_shown():
    told = zscape.Story.load(WALK).of(MANIFEST)
    assert len(told["steps"]) == 10
    contract = Contract(WALK.parents[4] / "web" / "src" / "scene" / "manifest.ts")
    for step in told["steps"]:
        assert contract.check(step, ("name", "Step")) == []
        assert "**Try:**" in step["text"]
