"""One HTML page that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zscape.errors import ShapeError
from zscape.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS_DPI = 96
"""An inch of a figure on the screen, CSS pixels; pictures are stored at twice that."""


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
class Table:
    """A small table; columns that hold only numbers (or numbers as text) are set flush right.

    Parameters
    ----------
    header
        One name per column.
    rows
        As many cells each. A float is shown to four significant digits; hand over text, such as
        ``f"{x:.2f}"``, for decimals that line up.

    Raises
    ------
    ShapeError
        A row has more or fewer cells than the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ShapeError(
                    f"A table of {len(self.header)} columns got a row of {len(row)} cells: {row!r}."
                )


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title
        Its heading, and its line in the table of contents.
    text
        Plain text; a blank line starts a new paragraph.
    figures
        Shown one below the other, after the text.
    table
        Shown last.
    """

    title: str
    text: str = ""
    figures: Sequence[Plate] = ()
    table: Table | None = None


def write_page(
    path: str | Path,
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    stats: Sequence[tuple[str, Any]] = (),
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
        In the order of the page.
    stats
        ``(label, value)``: the key numbers, shown as tiles at the top.

    Returns
    -------
    ``path``.
    """
    path = Path(path)
    numbered = list(enumerate(sections, start=1))
    contents = "".join(
        f'<li><a href="#section-{i}">{escape(section.title)}</a></li>' for i, section in numbered
    )
    tiles = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(_cell(value))}</dd></div>"
        for label, value in stats
    )
    body = [
        f"<header><h1>{escape(title)}</h1>",
        f'<p class="subtitle">{escape(subtitle)}</p>' if subtitle else "",
        f'<dl class="stats">{tiles}</dl>' if tiles else "",
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav>' if len(sections) > 1 else "",
        "</header>\n<main>",
        *(_section(f"section-{i}", section) for i, section in numbered),
        "</main>",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _PAGE.format(title=escape(title), style=_STYLE, body="\n".join(body)))
    return path


def _section(name: str, section: Section) -> str:
    paragraphs = (part.strip() for part in section.text.split("\n\n"))
    return "\n".join(
        [
            f'<section id="{name}">',
            f"<h2>{escape(section.title)}</h2>",
            *(f"<p>{escape(part)}</p>" for part in paragraphs if part),
            *(_plate(plate) for plate in section.figures),
            _table(section.table, section.title) if section.table else "",
            "</section>",
        ]
    )


def _plate(plate: Plate) -> str:
    from matplotlib import rc_context

    # Lines are sharper and smaller as SVG; pictures and clouds of points are not.
    drawn = any(ax.images or ax.collections for ax in plate.figure.axes)
    kind, mime = ("png", "image/png") if drawn else ("svg", "image/svg+xml")
    buffer = io.BytesIO()
    # Whatever the user's settings, the same figure is the same bytes: no date, no random ids.
    settings: Any = {"svg.hashsalt": "zscape", "savefig.facecolor": "auto", "savefig.bbox": None}
    with rc_context(settings):
        metadata = None if drawn else {"Date": None}
        plate.figure.savefig(buffer, format=kind, dpi=2 * CSS_DPI, metadata=metadata)
    data = base64.b64encode(buffer.getvalue()).decode()
    width, height = (round(side * CSS_DPI) for side in plate.figure.get_size_inches())
    alt = escape(plate.alt or plate.caption)
    return (
        f'<figure><div class="card" tabindex="0" role="group" aria-label="{alt}">'
        f'<img alt="{alt}" width="{width}" height="{height}" src="data:{mime};base64,{data}">'
        f"</div><figcaption>{escape(plate.caption)}</figcaption></figure>"
    )


def _table(table: Table, label: str) -> str:
    numeric = [
        all(_is_number(cell) for cell in column) for column in zip(*table.rows, strict=True)
    ] or [False] * len(table.header)

    def line(tag: str, cells: Sequence[Any]) -> str:
        return "".join(
            f"<{tag}{' class=number' if right else ''}>{escape(_cell(cell))}</{tag}>"
            for cell, right in zip(cells, numeric, strict=True)
        )

    rows = "\n".join(f"<tr>{line('td', row)}</tr>" for row in table.rows)
    return (
        f'<div class="table" tabindex="0" role="group" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{line('th', table.header)}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    try:
        float(_cell(value).replace(",", ""))
    except ValueError:
        return False
    return True


# The policy is the promise of no network, kept by the browser.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

# Figures keep a white card on a dark page: their colours were chosen on white.
_STYLE = """
:root {
  --page: #fff; --ink: #1f2328; --muted: #59636e; --line: #d8dee4; --tile: #f6f8fa;
  --link: #366382;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --ink: #e2e6ea; --muted: #98a2ad; --line: #30363d; --tile: #1d2126;
    --link: #8fbfe0;
  }
  .card { filter: brightness(0.92); }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 3.5rem 1.25rem 6rem; max-width: 57.5rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
h1 { margin: 0; font-size: clamp(1.6rem, 5vw, 2.2rem); font-weight: 650; line-height: 1.2;
  letter-spacing: -0.015em; text-wrap: balance; }
h2 { margin: 0 0 0.75rem; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
p { max-width: 42rem; margin: 0 0 1rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
.subtitle { margin: 0.5rem 0 0; color: var(--muted); font-size: 1.05rem; }
.stats { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: 0.75rem; margin: 2rem 0 0; }
.stats div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  padding: 0.8rem 1rem; border-radius: 8px; background: var(--tile); }
.stats dt { color: var(--muted); font-size: 0.8rem; line-height: 1.35; }
.stats dd { margin: 0; font-size: 1.45rem; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
nav { margin-top: 2rem; padding: 0.9rem 0; border: solid var(--line); border-width: 1px 0; }
nav ol { margin: 0; padding-left: 1.4rem; columns: 18rem auto; font-size: 0.95rem; }
nav li::marker { color: var(--muted); font-variant-numeric: tabular-nums; }
section { margin-top: 3.25rem; scroll-margin-top: 1rem; }
figure { margin: 1.5rem 0 0; }
.card { width: fit-content; max-width: 100%; overflow-x: auto; padding: 8px;
  border: 1px solid var(--line); border-radius: 8px; background: #fff; }
.card img { display: block; max-width: 100%; height: auto; }
figcaption { max-width: 42rem; margin-top: 0.6rem; color: var(--muted); font-size: 0.875rem;
  line-height: 1.5; }
.table { margin-top: 1.5rem; max-width: 100%; overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.7rem; text-align: left; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th { border-bottom: 1px solid var(--muted); font-weight: 600; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
th.number, td.number { text-align: right; white-space: nowrap; }
@media (max-width: 40rem) {
  body { padding: 2rem 1rem 4rem; }
  .stats { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 0.5rem; }
  .stats div { padding: 0.6rem 0.75rem; }
  .stats dd { font-size: 1.25rem; }
  .card img { max-width: 40rem; } /* a small picture of small print helps nobody: scroll it */
}
@media print {
  body { padding: 0; }
  figure, .stats div, tr { break-inside: avoid; }
}
"""
