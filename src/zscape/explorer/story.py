"""Stories: views of a scene with a title and a caption, which a reader steps through."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from zscape import schema
from zscape.config import name_unknown
from zscape.data.bounded import reading
from zscape.errors import ConfigError, DataError
from zscape.explorer.columns import check_filter, colors
from zscape.files import write_atomic
from zscape.latents import as_vectors
from zscape.words import counted, line

MOST_STEPS = 200
WALK = Path(__file__).parent / "stories" / "walk.json"
"""Ten steps through ``zoo:10`` for somebody who has never heard of a VAE."""

_QUESTION = {"question": str, "choices": [str], "answer": int, "because": str}
_FILE = {
    "title": str,
    "steps": [{"title": str, "text": str, "view": object, "ask?": (_QUESTION, None)}],
}
_VIEW = {
    "map?": str, "view?": [float], "color?": str, "as?": str, "mean?": str, "row?": int,
    "path?": {"along": str, "vectors": object, "anchors?": object}, "mode?": str, "way?": str,
    "tab?": str, "show?": [str], "hidden?": [int], "filter?": dict, "selected?": [int],
    "selections?": {str: [int]}, "versus?": [str], "drawing?": [[float]],
}  # fmt: skip
_KEYS = [key.removesuffix("?") for key in _VIEW] + ["z"]
_ALONG = ("given", "line", "slerp", "data")


@dataclass(frozen=True)
class Question:
    """A question of a step; the page shows the answer when the reader has guessed.

    Parameters
    ----------
    question
        What is asked.
    choices
        Two or more answers.
    answer
        Which of them is right, from 0.
    because
        Why, in Markdown; shown with the answer.
    """

    question: str
    choices: Sequence[str]
    answer: int
    because: str = ""

    def __post_init__(self) -> None:
        if len(self.choices) < 2 or not 0 <= self.answer < len(self.choices):
            raise ConfigError(
                f"the question {self.question!r} needs two or more choices, and the number of the "
                f"right one, from 0; got {len(self.choices)} and {self.answer}."
            )


@dataclass(frozen=True)
class Step:
    """One view, and what is said of it.

    Parameters
    ----------
    title
        A few words.
    text
        Markdown; HTML in it is shown as text. A link to ``#map=pca``, the end of a link that the
        page has given, changes what is shown.
    view
        What is shown: ``map``, ``color``, ``filter``, ``z``, ``row``, ``mean`` (a class whose mean
        vector), ``selected`` (rows), ``path``, ``tab``, …, as docs/explorer.md lists them; or the
        end of a link, from ``#`` on. What it does not say is as when the page opens; where one is,
        stays.
    ask
        A question.
    """

    title: str
    text: str = ""
    view: Mapping[str, Any] | str = field(default_factory=dict)
    ask: Question | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.view, (Mapping, str)):
            raise ConfigError(f"a view is a mapping, or the end of a link; got {self.view!r}.")


@dataclass(frozen=True)
class Story:
    """Steps through a scene: ``zscape.export(model, "page.html", story=story)``.

    Parameters
    ----------
    title
        Of the whole.
    steps
        In their order, at most 200; a mapping stands for a ``Step``.

    Examples
    --------
    >>> story = Story("Sevens", [Step("All of them", "Each *dot* is a picture.", {"map": "tsne"})])
    >>> story.steps[0].title
    'All of them'
    """

    title: str
    steps: Sequence[Step | Mapping[str, Any]]

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise ConfigError(f"a story has 1 to {MOST_STEPS} steps; got {len(self.steps)}.")
        object.__setattr__(self, "steps", tuple(_step(step) for step in self.steps))

    def __repr__(self) -> str:
        return line(self, self.title, counted(len(self.steps), "step"))

    @classmethod
    def load(cls, path: Path | str) -> Story:
        """The story in a JSON file, as ``save`` and the page write it.

        Raises
        ------
        DataError
            Missing, damaged, or no story.
        """
        path = Path(path)
        with reading(path):
            text = path.read_bytes()
        try:
            found = schema.parse(text, _FILE)
            return cls(found["title"], found["steps"])
        except (ValueError, ConfigError) as error:
            raise DataError(f"{path} is no story: {str(error).rstrip('.')}.") from error

    def save(self, path: Path | str) -> None:
        """Write to a JSON file."""
        write_atomic(Path(path), json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n")

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        steps = []
        for step in self.steps:
            assert isinstance(step, Step)
            view = step.view if isinstance(step.view, str) else dict(step.view)
            entry: dict[str, Any] = {"title": step.title, "text": step.text, "view": view}
            if step.ask is not None:
                entry["ask"] = vars(step.ask) | {"choices": list(step.ask.choices)}
            steps.append(entry)
        return {"title": self.title, "steps": steps}

    def of(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """As the page takes it, once every view is checked against the ``manifest`` of its scene.

        Raises
        ------
        ConfigError
            A view names what the scene has not; says which step.
        """
        told = self.to_dict()
        for number, step in enumerate(told["steps"], 1):
            try:
                step["view"] = _check_view(step["view"], manifest)
            except (ConfigError, ValueError) as error:
                what = f"step {number} of the story, {step['title']!r}"
                raise ConfigError(f"{what}: {str(error).rstrip('.')}.") from error
        return told


StoryLike: TypeAlias = Story | Mapping[str, Any] | Path | str
"""A story, what ``Story.to_dict`` gives, or the path of a JSON file."""


def as_story(value: StoryLike) -> Story:
    """``value`` as a story; see ``StoryLike``.

    Raises
    ------
    ConfigError
        It is no story.
    DataError
        The file is missing, damaged, or no story.
    """
    if isinstance(value, Story):
        return value
    if isinstance(value, (str, Path)):
        return Story.load(value)
    try:
        schema.check(value, _FILE)
    except ValueError as error:
        raise ConfigError(f"this is no story: {error}.") from error
    return Story(value["title"], value["steps"])


def _step(value: Step | Mapping[str, Any]) -> Step:
    if isinstance(value, Step):
        return value
    try:
        schema.check(value, _FILE["steps"][0])  # type: ignore[index]
    except ValueError as error:
        raise ConfigError(f"this is no step of a story: {error}.") from error
    ask = value.get("ask")
    question = None if ask is None else Question(**{key: ask[key] for key in _QUESTION})
    return Step(value["title"], value["text"], value["view"], question)


def _check_view(view: Any, manifest: Mapping[str, Any]) -> Any:
    if isinstance(view, str):
        if not view.startswith("#"):
            raise ConfigError(f"a view is a mapping, or the end of a link from # on; got {view!r}")
        return view
    if unknown := set(view) - set(_KEYS):
        raise ConfigError(f"a view has no {name_unknown(unknown, _KEYS)}")
    checked: dict[str, Any] = dict(view)
    dim, n = manifest["latentDim"], manifest["points"]["n"]
    if "z" in view:
        checked["z"] = _vectors(view["z"], dim)[0]
    schema.check(checked, _VIEW)
    neurons = [f"z{i}" for i in range(dim)]
    names = {
        "map": [spec["name"] for spec in manifest["maps"]],
        "color": [*colors(manifest), *neurons, "selections"],
        "mean": manifest["classNames"] if manifest["prototypes"] else [],
        "as": (manifest.get("condition") or {"names": []})["names"],
    }
    for key, known in names.items():
        if (
            key in view
            and view[key] not in known
            and not (key == "map" and _is_pair(view[key], neurons))
        ):
            shown = ", ".join(known[:8]) + ", …" * (len(known) > 8)
            raise ConfigError(
                f"{key} must be one of {shown or '(there are none)'}; got {view[key]!r}"
            )
    rows = [*view.get("selected", []), *([view["row"]] if "row" in view else [])]
    rows += [row for kept in view.get("selections", {}).values() for row in kept]
    if wrong := [row for row in rows if not 0 <= row < n]:
        raise ConfigError(f"rows are 0 to {n - 1}; got {wrong[0]}")
    if "filter" in view:
        checked["filter"] = check_filter(manifest, view["filter"])
    if "path" in view:
        path = view["path"]
        if path["along"] not in _ALONG:
            raise ConfigError(
                f"path.along must be one of {', '.join(_ALONG)}; got {path['along']!r}"
            )
        checked["path"] = {
            key: _vectors(value, dim) if key in ("vectors", "anchors") else value
            for key, value in path.items()
        }
    return checked


def _vectors(value: Any, dim: int) -> list[list[float]]:
    rows: list[list[float]] = as_vectors(value, dim).tolist()
    return rows


def _is_pair(value: str, neurons: Sequence[str]) -> bool:
    first, _, second = value.partition(",")
    return first in neurons and second in neurons and first != second
