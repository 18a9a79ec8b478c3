"""The network as a picture: encoder down the left, z at the bottom, decoder up the right."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from zscape.errors import needing
from zscape.figures.style import (
    INK,
    MUTED,
    PALETTE,
    house_style,
    new_figure,
    text_width,
)
from zscape.model import ModelLike
from zscape.neurons import Architecture, Node, trace_architecture
from zscape.neurons.architecture import IMAGE, PICTURE, Z

TITLE, TEXT, SMALL = 9.0, 8.0, 7.0  # points
PAD = 0.1  # inches inside a box
HEIGHT = 0.56  # of a box
RANK_GAP, BOX_GAP, COLUMN_GAP = 0.24, 0.2, 0.75
MARGIN, FRAME, HEAD = 0.12, 0.16, 0.34
COLORS = {"encoder": PALETTE[0], "latent": PALETTE[1], "decoder": PALETTE[2]}


Line = tuple[str, float, str, str]
"""(text, points, colour, weight)."""
PITCH = 1.32
"""From one line to the next, of the size of its letters."""


class _Placed(NamedTuple):
    """Where everything is, inches from the bottom left."""

    size: tuple[float, float]
    boxes: dict[str, tuple[float, float, float, float]]
    """(centre x, centre y, width, height) by name."""
    arrows: dict[tuple[str, str], list[tuple[float, float]]]
    """Control points of cubic Bézier curves, from where it flows to where."""


@house_style
def plot_architecture(network: ModelLike | Architecture) -> Figure:
    """The layers of a network, what flows between them, their shapes and numbers of parameters.

    Everything is found by sending a picture through the network; see
    ``zscape.neurons.trace_architecture``. Each box names a layer, what follows it unit by unit,
    and its module; on the right, the shape of what leaves it (channels × height × width, or
    units) and how many parameters it has. Graphviz, which is inside the wheel of pygraphviz, says
    where the boxes are and how the arrows run.

    Parameters
    ----------
    network
        A model, trained or not, or what was traced of one.

    Returns
    -------
    As wide and high as the network needs; about 8 by 7 inches for ``EnhancedVAE``.

    Raises
    ------
    MissingExtraError
        pygraphviz, of the extra ``architecture``, is not installed.
    """
    plan = network if isinstance(network, Architecture) else trace_architecture(network)
    placed = _place(plan)
    figure = new_figure(*placed.size)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, placed.size[0]), ylim=(0, placed.size[1]))
    ax.axis("off")
    for part in COLORS:
        _draw_frame(ax, part, [placed.boxes[node.name] for node in _inside(plan, part)])
    for points in placed.arrows.values():
        curve = Path(points, [Path.MOVETO, *[Path.CURVE4] * (len(points) - 1)])
        ax.add_patch(
            FancyArrowPatch(path=curve, arrowstyle="-|>,head_length=4,head_width=2.2",
                            color=MUTED, linewidth=1, shrinkA=0, shrinkB=0, zorder=3)
        )  # fmt: skip
    for node in plan.nodes:
        _draw_node(ax, node, placed.boxes[node.name])
    top = placed.size[1] - MARGIN
    ax.text(MARGIN, top, plan.name, fontsize=12, fontweight="bold", va="top", zorder=5)
    ax.text(placed.size[0] - MARGIN, top - 0.02, f"{plan.n_parameters:,} parameters",
            fontsize=TITLE, color=MUTED, ha="right", va="top", zorder=5)  # fmt: skip
    return figure


def _inside(plan: Architecture, part: str) -> list[Node]:
    """The nodes in a part's frame; the pictures that go in and come out are outside."""
    return [b for b in plan.nodes if b.part == part and b.name not in (IMAGE, PICTURE)]


def _color(node: Node) -> str:
    return INK if node.name in (IMAGE, PICTURE) else COLORS[node.part]


def _lines(node: Node) -> list[Line]:
    """(text, size, colour, weight) of each line on the left."""
    lines = [(node.title, TITLE, INK, "bold")]
    if node.extras:
        lines.append((", ".join(node.extras), TEXT, INK, "normal"))
    if node.n_parameters:
        lines.append((node.name, SMALL, MUTED, "normal"))
    return lines


def _facts(node: Node) -> list[Line]:
    """The same on the right."""
    shape = " × ".join(map(str, node.shape))
    lines = [(shape, TITLE, _color(node), "bold")]
    if node.n_parameters:
        lines.append((f"{node.n_parameters:,} parameters", SMALL, MUTED, "normal"))
    return lines


def _width(node: Node) -> float:
    """Inches a box needs. Bold letters are about an eighth wider than those that are measured."""
    needed = [
        max(text_width(text, size) * (1.13 if weight == "bold" else 1.02)
            for text, size, _, weight in side)
        for side in (_lines(node), _facts(node))
    ]  # fmt: skip
    return sum(needed) + 2 * PAD + 0.2


def _place(plan: Architecture) -> _Placed:
    """Ask Graphviz where everything goes, and turn its y axis and units into ours."""
    with needing("architecture", "the picture of a network"):
        import pygraphviz

    widths = _widths(plan)
    graph = pygraphviz.AGraph(directed=True, strict=False)
    graph.graph_attr.update(
        ranksep=str(RANK_GAP), nodesep=str(BOX_GAP), newrank="true", splines="spline"
    )
    # Boxes come without words: letters are measured and drawn by matplotlib, everywhere alike.
    graph.node_attr.update(shape="box", label="", fixedsize="true", height=str(HEIGHT))
    graph.edge_attr.update(arrowhead="none")
    parts = {node.name: node.part for node in plan.nodes}
    for part in COLORS:
        names = [name for name, own in parts.items() if own == part]
        for name in names:
            graph.add_node(name, width=str(widths[name]))
        if part != "latent":
            graph.add_subgraph(names, name=f"cluster_{part}", margin=str(36 * COLUMN_GAP))
    for start, end in plan.edges:
        # The decoder's arrows are laid out against their direction, so that it climbs.
        upper, lower = (end, start) if parts[end] == "decoder" else (start, end)
        # So that it is the encoder that stands on the left.
        graph.add_edge(upper, lower, weight="4" if parts[upper] == parts[lower] else "1")
    graph.add_subgraph([IMAGE, PICTURE], rank="same")
    graph.add_edge(IMAGE, PICTURE, style="invis", weight="0", constraint="false")
    text = graph.draw(format="plain", prog="dot").decode()
    return _trim(_centre_z(plan, _parse(text, plan)))


def _widths(plan: Architecture) -> dict[str, float]:
    """Inches of every box: those of a column fill it evenly, also where several share a line."""
    own = {node.name: _width(node) for node in plan.nodes}
    widths = dict(own)
    depth: dict[str, int] = {}
    for node in plan.nodes:
        before = [start for start, end in plan.edges if end == node.name and start in depth]
        depth[node.name] = 1 + max((depth[name] for name in before), default=0)
    lines: dict[tuple[str, int], list[str]] = {}
    for part in ("encoder", "decoder"):
        for node in _inside(plan, part):
            lines.setdefault((part, depth[node.name]), []).append(node.name)
    # Both columns are as wide, so that the picture is even.
    full = max((len(names) * (max(own[name] for name in names) + BOX_GAP) - BOX_GAP
                for names in lines.values()), default=0.0)  # fmt: skip
    for names in lines.values():
        widths |= dict.fromkeys(names, (full + BOX_GAP) / len(names) - BOX_GAP)
    widths |= dict.fromkeys((IMAGE, PICTURE), max(own[IMAGE], own[PICTURE]))
    return widths


def _parse(text: str, plan: Architecture) -> _Placed:
    """Graphviz' plain format: inches, y upwards."""
    edges = set(plan.edges)
    placed = _Placed((0, 0), {}, {})
    for line in text.splitlines():
        kind, *words = shlex.split(line)  # names with odd letters are in double quotes
        if kind == "node":
            x, y, width, height = map(float, words[1:5])
            placed.boxes[words[0]] = x, y, width, height
        elif kind == "edge" and edges & {(words[0], words[1]), (words[1], words[0])}:
            numbers = list(map(float, words[3 : 3 + 2 * int(words[2])]))
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            if (words[0], words[1]) in edges:
                placed.arrows[words[0], words[1]] = points
            else:
                placed.arrows[words[1], words[0]] = points[::-1]
    return placed


def _centre_z(plan: Architecture, placed: _Placed) -> _Placed:
    """Put z half way between encoder and decoder, with arcs to it from one and on to the other.

    It is alone on its line, the lowest, so nothing is in the way.
    """
    boxes = dict(placed.boxes)
    right = max(boxes[b.name][0] + boxes[b.name][2] / 2 for b in plan.nodes if b.part == "encoder")
    left = min(boxes[b.name][0] - boxes[b.name][2] / 2 for b in plan.nodes if b.part == "decoder")
    _, y, width, height = boxes[Z]
    x = (left + right) / 2
    boxes[Z] = x, y, width, height
    arrows = dict(placed.arrows)
    for start, end in arrows:
        if Z not in (start, end):
            continue
        other_x, other_y, _, other_height = boxes[start if end == Z else end]
        foot = other_x, other_y - other_height / 2
        side = math.copysign(width / 2, other_x - x)
        if abs(other_x - x) < width / 2:  # right above it
            curve = [foot, foot, (other_x, y + height / 2), (other_x, y + height / 2)]
        else:
            curve = [foot, (other_x, y), (other_x, y), (x + side, y)]
        arrows[start, end] = curve if end == Z else curve[::-1]
    return placed._replace(boxes=boxes, arrows=arrows)


def _trim(placed: _Placed) -> _Placed:
    """Cut what Graphviz leaves empty at the edges, and make room for the title."""
    boxes = placed.boxes.values()
    left = min(x - w / 2 for x, _, w, _ in boxes) - FRAME - MARGIN
    right = max(x + w / 2 for x, _, w, _ in boxes) + FRAME + MARGIN
    bottom = min(y - h / 2 for _, y, _, h in boxes) - FRAME / 2 - MARGIN
    top = max(y + h / 2 for _, y, _, h in boxes) + HEAD + MARGIN
    moved = {name: (x - left, y - bottom, w, h) for name, (x, y, w, h) in placed.boxes.items()}
    curves = {
        edge: [(x - left, y - bottom) for x, y in points] for edge, points in placed.arrows.items()
    }
    return _Placed((right - left, top - bottom), moved, curves)


def _draw_frame(ax: Any, part: str, boxes: Sequence[tuple[float, float, float, float]]) -> None:
    if not boxes:
        return
    left = min(x - w / 2 for x, _, w, _ in boxes) - FRAME
    right = max(x + w / 2 for x, _, w, _ in boxes) + FRAME
    bottom = min(y - h / 2 for _, y, _, h in boxes) - FRAME / 2
    top = max(y + h / 2 for _, y, _, h in boxes) + FRAME / 2
    ax.add_patch(
        FancyBboxPatch((left, bottom), right - left, top - bottom, zorder=1,
                       boxstyle="round,pad=0,rounding_size=0.1", linewidth=0,
                       facecolor=to_rgba(COLORS[part], 0.1))
    )  # fmt: skip
    if part != "latent":  # whose only box says so itself
        ax.text(left, top + 0.05, part.capitalize(), fontsize=TITLE, fontweight="bold",
                color=COLORS[part], zorder=5)  # fmt: skip


def _draw_node(ax: Any, node: Node, box: tuple[float, float, float, float]) -> None:
    x, y, width, height = box
    ax.add_patch(
        FancyBboxPatch((x - width / 2, y - height / 2), width, height, zorder=4,
                       boxstyle="round,pad=0,rounding_size=0.06", linewidth=1.1,
                       facecolor="white", edgecolor=_color(node))
    )  # fmt: skip
    left, right = _lines(node), _facts(node)
    top = y + max(map(_height, (left, right))) / 2
    _write(ax, left, x - width / 2 + PAD, top, "left")
    _write(ax, right, x + width / 2 - PAD, top, "right")


def _height(lines: Sequence[Line]) -> float:
    return sum(PITCH * size / 72 for _, size, _, _ in lines)


def _write(ax: Any, lines: Sequence[Line], x: float, top: float, side: str) -> None:
    for text, size, color, weight in lines:
        pitch = PITCH * size / 72
        ax.text(x, top - pitch / 2, text, fontsize=size, color=color, fontweight=weight, ha=side,
                va="center_baseline", zorder=5)  # fmt: skip
        top -= pitch
