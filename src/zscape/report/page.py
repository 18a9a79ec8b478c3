"""One HTML page that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zscape.errors import ShapeError
from zscape.files import make_folder, write_atomic
from zscape.report.style import PAGE, STYLE
from zscape.words import is_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS_DPI = 96
"""An inch of a figure on the screen, CSS pixels; pictures are stored at twice that."""


SHORT = 20
"""Letters of a cell that is not broken into lines."""

MANY = 8
"""Columns; a table of more is set smaller, and its header may break, so that it fits the page."""

N_COLORS = 160
"""Of the 256 in a picture's palette; the others are greys."""


@dataclass(frozen=True)
class Heading:
    """A heading inside a section, for a part that is not worth a line in the contents."""

    text: str


@dataclass(frozen=True)
class Plate:
    """A figure with what is said about it.

    Parameters
    ----------
    figure
        As any function of ``zscape.figures`` returns it.
    caption
        Stands below the figure.
    alt
        What the figure shows, for those who cannot see it; the caption if empty.
    """

    figure: Figure
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Row:
    """Plates side by side, where the screen is wide enough; below each other where not."""

    plates: Sequence[Plate]


@dataclass(frozen=True)
class Table:
    """A small table; columns that hold only numbers (or numbers as text) are set flush right.

    Parameters
    ----------
    header
        One name per column.
    rows
        As many cells each. A float is shown to four significant digits; hand over text, such as
        ``f"{x:.2f}"``, for decimals that line up.
    caption
        Stands below the table.
    bold
        Cells that stand out, as (row, column).

    Raises
    ------
    ShapeError
        A row has more or fewer cells than the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    bold: Collection[tuple[int, int]] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ShapeError(
                    f"A table of {len(self.header)} columns got a row of {len(row)} cells: {row!r}."
                )


@dataclass(frozen=True)
class Code:
    """Lines to copy: shown as they are, in a typeface of even width."""

    text: str


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away under a line that says what they are."""

    summary: str
    blocks: Sequence[Block]


Block: TypeAlias = str | Heading | Plate | Row | Table | Code | Details
"""What a section is made of. A ``str`` is plain text; a blank line starts a new paragraph."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title
        Its heading, and its line in the table of contents.
    blocks
        Shown in this order.
    """

    title: str
    blocks: Sequence[Block] = ()


def write_page(
    path: str | Path,
    title: str,
    sections: Iterable[Section],
    *,
    subtitle: str = "",
    stats: Sequence[tuple[str, Any]] = (),
    links: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write a self-contained page: inline style, pictures inside, no script, no network.

    It follows the reader's light or dark setting and fits screens down to 360 pixels. It is
    written whole or not at all; missing parent folders are made.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    title, subtitle
        Plain text.
    sections
        In the order of the page. Each is drawn as it comes, so that a generator need not hold
        all figures of a long page at once.
    stats
        ``(label, value)``: the key numbers, shown as tiles at the top.
    links
        ``(text, address)``: pages beside this one, linked under the title.

    Returns
    -------
    ``path``.
    """
    path = Path(path)
    page = draw_page(title, sections, subtitle=subtitle, stats=stats, links=links)
    make_folder(path.parent)
    write_atomic(path, page)
    return path


def draw_page(
    title: str,
    sections: Iterable[Section],
    *,
    subtitle: str = "",
    stats: Sequence[tuple[str, Any]] = (),
    links: Sequence[tuple[str, str]] = (),
) -> str:
    """The page that ``write_page`` writes."""
    titles, drawn = [], []
    for i, section in enumerate(sections, start=1):
        titles.append(f'<li><a href="#section-{i}">{escape(section.title)}</a></li>')
        drawn.append(_section(f"section-{i}", section))
    tiles = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(_cell(value))}</dd></div>"
        for label, value in stats
    )
    body = [
        f"<header><h1>{escape(title)}</h1>",
        f'<p class="subtitle">{escape(subtitle)}</p>' if subtitle else "",
        *(f'<p><a href="{escape(to)}">{escape(label)}</a></p>' for label, to in links),
        f'<dl class="stats">{tiles}</dl>' if tiles else "",
        f'<nav aria-label="Contents"><ol>{"".join(titles)}</ol></nav>' if len(titles) > 1 else "",
        "</header>\n<main>",
        *drawn,
        "</main>",
    ]
    return PAGE.format(title=escape(title), style=STYLE, body="\n".join(body))


def _section(name: str, section: Section) -> str:
    blocks = "\n".join(_block(block, section.title) for block in section.blocks)
    return f'<section id="{name}">\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block, label: str) -> str:
    """``label`` names what has no name of its own, for those who cannot see it."""
    match block:
        case Heading():
            return f"<h3>{escape(block.text)}</h3>"
        case Plate():
            return _plate(block)
        case Row():
            beside = "".join(_plate(plate, is_beside=True) for plate in block.plates)
            return f'<div class="row">{beside}</div>'
        case Table():
            return _table(block, label)
        case Code():
            return f'<pre tabindex="0"><code>{escape(block.text)}</code></pre>'
        case Details():
            inside = "\n".join(_block(one, block.summary) for one in block.blocks)
            summary = f"<summary>{escape(block.summary)}</summary>"
            return f"<details>{summary}\n{inside}\n</details>"
    paragraphs = (part.strip() for part in block.split("\n\n"))
    return "\n".join(f"<p>{escape(part)}</p>" for part in paragraphs if part)


def _plate(plate: Plate, *, is_beside: bool = False) -> str:
    from matplotlib import rc_context

    # Lines are sharper and smaller as SVG; pictures and clouds of points are not.
    is_picture = any(ax.images or ax.collections for ax in plate.figure.axes)
    kind, mime = ("png", "image/png") if is_picture else ("svg", "image/svg+xml")
    buffer = io.BytesIO()
    # Whatever the user's settings, the same figure is the same bytes: no date, no random ids.
    settings: Any = {"svg.hashsalt": "zscape", "savefig.facecolor": "auto", "savefig.bbox": None}
    with rc_context(settings):
        metadata = None if is_picture else {"Date": None}
        plate.figure.savefig(buffer, format=kind, dpi=2 * CSS_DPI, metadata=metadata)
    content = _with_palette(buffer.getvalue()) if is_picture else buffer.getvalue()
    data = base64.b64encode(content).decode()
    width, height = (round(side * CSS_DPI) for side in plate.figure.get_size_inches())
    alt = escape(plate.alt or plate.caption)
    # Beside another, a plate is as wide as its card: the padding and the border are 18 pixels.
    basis = f' style="flex-basis: {width + 18}px"' if is_beside else ""
    return (
        f'<figure{basis}><div class="card" tabindex="0" role="group" aria-label="{alt}">'
        f'<img alt="{alt}" width="{width}" height="{height}" src="data:{mime};base64,{data}">'
        f"</div><figcaption>{escape(plate.caption.strip())}</figcaption></figure>"
    )


def _with_palette(png: bytes) -> bytes:
    """The picture in 256 colours, if that makes the file smaller.

    Greys have a part of the palette to themselves: in a common one, beside the colours of many
    points, a grey picture would get specks of colour.
    """
    import numpy as np
    from PIL import Image, ImageChops

    with Image.open(io.BytesIO(png)) as picture:
        rgb = np.stack([np.asarray(channel) for channel in picture.convert("RGB").split()])
    is_grey = rgb.max(0) - rgb.min(0) <= 2
    white = Image.fromarray(is_grey).convert("L")
    rest = Image.merge("RGB", [ImageChops.lighter(Image.fromarray(one), white) for one in rgb])
    # Of Pillow's ways to choose colours, the one with the smallest worst error.
    reduced = rest.quantize(N_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    colors = (reduced.getpalette() or [])[: 3 * N_COLORS]
    n_greys = 256 - N_COLORS
    greys = [round(255 * i / (n_greys - 1)) for i in range(n_greys) for _ in range(3)]
    shade = np.rint(rgb.sum(0, dtype=np.float32) * ((n_greys - 1) / (3 * 255)))
    index = np.where(is_grey, N_COLORS + shade, np.asarray(reduced)).astype(np.uint8)
    indexed = Image.fromarray(index)
    indexed.putpalette(colors + [0] * (3 * N_COLORS - len(colors)) + greys)
    buffer = io.BytesIO()
    indexed.save(buffer, "png")
    return min(buffer.getvalue(), png, key=len)


def _table(table: Table, label: str) -> str:
    columns = [[_cell(cell) for cell in column] for column in zip(*table.rows, strict=True)]
    kinds = [
        " class=number" if all(map(is_number, cells))
        else " class=short" if max(map(len, cells)) <= SHORT else ""
        for cells in columns
    ] or [""] * len(table.header)  # fmt: skip

    def line(tag: str, cells: Sequence[Any], row: int = -1) -> str:
        shown = [escape(_cell(cell)) for cell in cells]
        shown = [f"<b>{cell}</b>" if (row, i) in table.bold else cell
                 for i, cell in enumerate(shown)]  # fmt: skip
        return "".join(
            f"<{tag}{kind}>{cell}</{tag}>" for cell, kind in zip(shown, kinds, strict=True)
        )

    rows = "\n".join(f"<tr>{line('td', row, i)}</tr>" for i, row in enumerate(table.rows))
    name = escape(table.caption or label)
    head, wide = line("th", table.header), ""
    if len(table.header) > MANY:
        head, wide = head.replace("_", "_<wbr>"), " class=wide"
    grid = (
        f'<div class="table" tabindex="0" role="group" aria-label="{name}"><table{wide}>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )
    if not table.caption:
        return grid
    return f"<figure>{grid}<figcaption>{escape(table.caption)}</figcaption></figure>"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
