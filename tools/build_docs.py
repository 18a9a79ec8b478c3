"""The site, from docs, notebooks, docstrings and help texts: ``python -m tools.build_docs``.

``build/docs`` gets every page as Zensical takes it, ``build/site`` the site, which opens from the
disk and asks nothing of any network. A link that leads nowhere ends it.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import shutil
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import typer
from nbconvert import MarkdownExporter
from tools import gallery

import zscape
from zscape.cli.app import app
from zscape.config import CONFIGS, Config, field_type
from zscape.embedding import inverses, methods

ROOT = Path(__file__).parent.parent
STAGED, SITE = ROOT / "build" / "docs", ROOT / "build" / "site"
GITHUB, COLAB = "https://github.com/", "https://colab.research.google.com/github/"
KAGGLE = "https://kaggle.com/kernels/welcome?src="
SOURCES = f"{GITHUB}zscape/zscape/blob/main/"
MODULES = (
    "zscape", "zscape.data", "zscape.model", "zscape.training", "zscape.latents",
    "zscape.embedding", "zscape.neurons", "zscape.finding", "zscape.evaluation", "zscape.figures",
    "zscape.report", "zscape.explorer", "zscape.zoo", "zscape.sweeping", "zscape.notebook",
)  # fmt: skip
"""Whose public names are described, in the order of the way of the data."""
OPTIONS = '<div class="options" markdown>\n\n'
"""Before a table of options, whose last cell has a line of its own on a phone."""


def main() -> None:
    """Gather the pages, draw the explorers that are not there yet, and build the site."""
    shutil.rmtree(STAGED, ignore_errors=True)
    shutil.copytree(ROOT / "docs", STAGED)
    for page in (ROOT / "benchmarks").glob("*.md"):
        write(f"benchmarks/{page.name}", page.read_text())
    write("contributing.md", (ROOT / "CONTRIBUTING.md").read_text())
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        write_notebook(notebook)
    write("reference/commands.md", "\n".join(commands_page()))
    write("reference/options.md", "\n".join(options_page()))
    for name in MODULES:
        write(f"reference/{name}.md", module_page(name))
    write("reference/index.md", "\n".join(index_page()))
    write("gallery.md", "\n".join(gallery_page()))
    for page in STAGED.rglob("*.md"):
        page.write_text(at_home(page))
    gallery.main([])
    shutil.copytree(gallery.PAGES, STAGED / "gallery")
    run(sys.executable, "-m", "zensical", "build", "--clean", "--strict")
    for page in SITE.rglob("*.html"):
        if page.parent.name != "gallery":
            page.write_text(offline(page.read_text()))


def offline(text: str) -> str:
    """A page without the one script that the theme fetches, for browsers that are no more."""
    text = re.sub(r'<script src="https://unpkg.com/iframe-worker/shim"[^>]*></script>', "", text)
    if found := re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?:[^>]+>', text):
        sys.exit(f"a page asks the network: {found[0]}")
    return text


def run(*words: object) -> None:
    """Run a program, and end as it does if it fails."""
    code = subprocess.run([str(word) for word in words], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def write(name: str, text: str) -> None:
    """Stage a page."""
    page = STAGED / name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)


def write_notebook(path: Path) -> None:
    """Stage a notebook with what its cells showed, and its pictures beside it."""
    exporter = MarkdownExporter()
    text, made = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    folder = STAGED / "notebooks" / path.stem
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made["outputs"].items():
        (folder / name).write_bytes(content)
        text = text.replace(f"({name})", f"({path.stem}/{name})")
    shutil.copy(path, folder)
    there = f"{SOURCES}notebooks/{path.name}"
    links = (
        f"[Download]({path.stem}/{path.name}) · "
        f"[open in Colab]({there.replace(GITHUB, COLAB)}) · [open on Kaggle]({KAGGLE}{there})"
    )
    title, rest = text.split("\n", 1)
    write(f"notebooks/{path.stem}.md", f"{title}\n\n{links}\n{rest}")


def at_home(page: Path) -> str:
    """The text of a staged page, with links to what is no page leading to the repository."""
    home = page.relative_to(STAGED)
    is_of_docs = (ROOT / "docs" / home).exists()
    folder = (ROOT / "docs" if is_of_docs else ROOT) / home.parent

    def lead(found: re.Match[str]) -> str:
        link, _, part = found[1].partition("#")
        target = (folder / link).resolve()
        if (page.parent / link).exists() or not target.is_relative_to(ROOT):
            return found[0]
        inside = target.relative_to(ROOT)
        staged = inside.relative_to("docs") if inside.is_relative_to("docs") else inside
        staged = {"CONTRIBUTING.md": Path("contributing.md")}.get(str(inside), staged)
        staged = staged.with_suffix(".md") if staged.suffix == ".ipynb" else staged
        if (STAGED / staged).is_file():
            up = "/".join([".."] * (len(home.parts) - 1))
            link = f"{up}/{staged}" if up else str(staged)
        elif target.exists():
            link = f"{SOURCES}{inside}"
        return f"]({link}{'#' * bool(part)}{part})"

    return re.sub(r"\]\((?!\w+:|#)([^)\s]+)\)", lead, page.read_text())


def commands_page() -> Iterator[str]:
    """Every command with its arguments and options, from its own help."""
    yield "# Commands: every option\n"
    yield "`zscape COMMAND --help` says the same; [Commands](../commands.md) has examples.\n"
    yield from command_parts(typer.main.get_command(app), "zscape", level=2)


def command_parts(command: Any, name: str, level: int) -> Iterator[str]:
    """A command, and those below it."""
    if hasattr(command, "commands"):
        for below, other in command.commands.items():
            yield from command_parts(other, f"{name} {below}", level)
        return
    context = typer.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"{'#' * level} {name}\n\n```\n{name} {usage}\n```\n"
    yield re.sub(r"\n(?=\S)", " ", (command.help or "").strip()).replace("  ", "\n\n") + "\n"
    yield f"{OPTIONS}| option | what it does |\n|---|---|"
    for parameter in command.params:
        yield parameter_row(parameter, context)
    yield "\n</div>\n"


def parameter_row(parameter: Any, context: Any) -> str:
    """What it is called and takes, and what it is for."""
    called, told = parameter.get_help_record(context) or (parameter.name.upper(), parameter.help)
    told = (told or "").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return f"| `{called.replace('|', chr(0x2502))}` | {told} |"


def options_page() -> Iterator[str]:
    """The fields of the three configs, of which every option of a training is one."""
    yield "# Options\n"
    yield (
        "`zscape.train` takes them by these names, `zscape train` as flags (`latent_dim` is "
        "`--latent-dim`), and a run keeps them in its `config.json`. "
        "[Training](../training.md) says when to turn which.\n"
    )
    for config in CONFIGS.values():
        yield from option_table(f"## {config.__name__}", config)
    yield "## Maps and ways back\n"
    yield "By name in Python, `fit_map(table, 'tsne', perplexity=50)`; by `--set` in a command.\n"
    for registry in (methods, inverses):
        for name in registry:
            if dataclasses.fields(registry[name]):
                yield from option_table(f"### {registry.kind.capitalize()} {name}", registry[name])


def option_table(title: str, config: type[Config]) -> Iterator[str]:
    """What a config is for, and all its fields."""
    about = (inspect.getdoc(config) or "").split("\n\n")[0]
    yield f"{title}\n\n{about}\n"
    yield f"{OPTIONS}| option | may be | default | what it does |\n|---|---|---|---|"
    yield from (option_row(config, field) for field in dataclasses.fields(config))
    yield "\n</div>\n"


def option_row(config: type[Config], field: dataclasses.Field[Any]) -> str:
    """A field: its type, default, range, and what it is for."""
    kind = field_type(config, field.name)
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    low, high, choices = (field.metadata[key] for key in ("low", "high", "choices"))
    if field.default is None:  # which the next column says
        kinds = tuple(one for one in kinds if one is not types.NoneType)
    names = choices or [{"NoneType": "None"}.get(one.__name__, one.__name__) for one in kinds]
    ends = [f"{word} {end:g}" for word, end in (("from", low), ("to", high)) if end is not None]
    told = field.metadata["help"].replace("|", "\\|").replace("<", "&lt;")
    *first, last = [f"`{name}`" for name in names]
    shown = f"{', '.join(first)} or {last}" if first else last
    return f"| `{field.name}` | {' '.join([shown, *ends])} | `{field.default!r}` | {told} |"


def gallery_page() -> Iterator[str]:
    """A card for every piece of the gallery."""
    yield "# Gallery\n\nEach is one file that opens anywhere. Click a picture, then the map.\n"
    drawn = [name for name, piece in gallery.PIECES.items() if piece.prepare is not None]
    yield (
        f"Below it stands what makes it; the images of {' and '.join(drawn)} are drawn by "
        f"`python -m tools.gallery {' '.join(drawn)}`, in a clone.\n"
    )
    yield '<div class="cards" markdown>'
    for name, piece in gallery.PIECES.items():
        commands = "\n".join(piece.commands)
        is_drawn = (gallery.PICTURES / f"{name}.webp").exists()
        shown = f"![{piece.title}](images/gallery/{name}.webp)" if is_drawn else "Open it"
        yield (
            f'<div class="card" markdown>\n[{shown}](gallery/{name}.html)\n\n'
            f"**{piece.title}.** {piece.sentence}\n\n"
            f"```\n{commands}\n```\n</div>"
        )
    yield "</div>"


def module_page(name: str) -> str:
    """Every public name of a module, from its docstring."""
    module = import_module(name)
    public = [each for each in module.__all__ if not each.startswith("__")]
    parts = [f"# {name}\n", f"{module.__doc__.strip()}\n"]
    parts += [f"::: {name}.{each}\n" for each in sorted(public, key=kind_of(module))]
    return "\n".join(parts)


def kind_of(module: Any) -> Any:
    """Functions first, then classes, then what is no code; each by name."""

    def key(name: str) -> tuple[int, str]:
        value = getattr(module, name)
        return (1 if isinstance(value, type) else 0 if callable(value) else 2), name.lower()

    return key


def index_page() -> Iterator[str]:
    """What there is to look up."""
    yield f"# Reference\n\nOf version {zscape.__version__}, from docstrings and help texts.\n"
    yield "- [Commands](commands.md): every option of every command"
    yield "- [Options](options.md) of a training, of maps, of ways back: range and default of each"
    yield "- [File formats](../formats.md): run, table, map, scene\n"
    yield "| module | |\n|---|---|"
    for name in MODULES:
        first = (import_module(name).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        yield f"| [`{name}`]({name}.md) | {first} |"


if __name__ == "__main__":
    main()
