from __future__ import annotations

import itertools

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from zscape.config import ModelConfig
from zscape.figures import plot_architecture, to_svg
from zscape.figures.architecture import _place
from zscape.model import build_model
from zscape.neurons import Architecture, trace_architecture


def plan(network: str = "enhanced", **options: object) -> Architecture:
    return trace_architecture(build_model(ModelConfig(network=network, **options)))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("network", ["enhanced", "mlp"])
@pytest.mark.parametrize("latent_dim", [1, 64])
def test_nothing_overlaps_and_nothing_is_cut_off(network: str, latent_dim: int) -> None:
    architecture = plan(network, latent_dim=latent_dim)
    placed = _place(architecture)
    assert set(placed.boxes) == {node.name for node in architecture.nodes}
    assert set(placed.arrows) == set(architecture.edges)
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in itertools.combinations(placed.boxes.values(), 2):
        assert abs(x1 - x2) >= (w1 + w2) / 2 - 1e-3 or abs(y1 - y2) >= (h1 + h2) / 2
    figure = plot_architecture(architecture)
    figure.canvas.draw()
    page = figure.bbox
    boxes = {
        name: [c * figure.dpi for c in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]
        for name, (x, y, w, h) in placed.boxes.items()
    }
    for text in figure.axes[0].texts:
        extent = text.get_window_extent()
        assert page.x0 <= extent.x0
        assert extent.x1 <= page.x1
        assert extent.y1 <= page.y1
        middle = (extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2
        for left, bottom, right, top in boxes.values():
            if left < middle[0] < right and bottom < middle[1] < top:
                assert left <= extent.x0
                assert extent.x1 <= right


def test_it_reads_down_and_up_again() -> None:
    architecture = plan()
    placed = _place(architecture)
    parts = {node.name: node.part for node in architecture.nodes}
    z_x, z_y = placed.boxes["z"][:2]
    for name, (x, y, _, _) in placed.boxes.items():
        assert name == "z" or y > z_y
        if parts[name] != "latent":
            assert (x < z_x) == (parts[name] == "encoder")
    for start, end in architecture.edges:
        falls = placed.boxes[end][1] < placed.boxes[start][1]
        assert falls == (parts[end] != "decoder")
        first, last = placed.arrows[start, end][0], placed.arrows[start, end][-1]
        for point, name in ((first, start), (last, end)):  # from edge to edge of the boxes
            x, y, w, h = placed.boxes[name]
            assert abs(point[0] - x) <= w / 2 + 0.03
            assert abs(point[1] - y) <= h / 2 + 0.03
    assert placed.boxes["image"][1] == pytest.approx(placed.boxes["picture"][1])


def test_it_says_what_was_traced() -> None:
    architecture = plan(latent_dim=10)
    figure = plot_architecture(architecture)
    written = texts(figure)
    assert "EnhancedVAE" in written
    assert "1,543,509 parameters" in written
    for node in architecture.nodes:
        assert node.title in written
        assert " × ".join(map(str, node.shape)) in written
        if node.n_parameters:
            assert f"{node.n_parameters:,} parameters" in written
            assert node.name in written
    patches = figure.axes[0].patches
    n_frames = 3
    n_boxes = sum(isinstance(patch, FancyBboxPatch) for patch in patches)
    assert n_boxes == len(architecture.nodes) + n_frames
    n_arrows = sum(isinstance(patch, FancyArrowPatch) for patch in patches)
    assert n_arrows == len(architecture.edges)


def test_a_model_is_traced_by_itself_and_drawn_the_same_again() -> None:
    vae = build_model(ModelConfig(network="mlp", latent_dim=2))
    assert to_svg(plot_architecture(vae)) == to_svg(plot_architecture(vae))
