"""Figures are shown as matplotlib's users expect: by pyplot, once, and into their own axes."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import numpy as np
import pytest
from matplotlib import style as mpl_style
from matplotlib.figure import Figure
from nbclient import NotebookClient

from zscape import figures
from zscape.figures import style

SCREEN = """
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

class Manager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *, block=None):
        from matplotlib import pyplot
        print("shown", *pyplot.get_fignums())

class FigureCanvas(FigureCanvasAgg):
    manager_class = Manager
"""

SCRIPT = """
import warnings
warnings.simplefilter("error")
import matplotlib
matplotlib.use({backend!r})
import numpy as np
{use}
from zscape import figures
for i in range({n}):
    figures.plot_neuron_kl(np.ones(3))
with figures.unshown():
    figures.plot_neuron_kl(np.ones(3))
import matplotlib.pyplot as plt
plt.show()
print("held", *plt.get_fignums())
plt.close("all")
print("held", *plt.get_fignums())
"""


@pytest.mark.parametrize(
    ("backend", "use", "n", "said"),
    [
        ("module://screen", "import matplotlib.pyplot", 3, ["shown 1 2 3", "held 1 2 3", "held"]),
        ("module://screen", "", 3, ["shown", "held", "held"]),
        ("agg", "import matplotlib.pyplot", 30, ["held", "held"]),
    ],
    ids=["a window", "pyplot is not in use", "only files"],
)
def test_in_a_script(tmp_path, backend, use, n, said):
    (tmp_path / "screen.py").write_text(SCREEN)
    code = SCRIPT.format(backend=backend, use=use, n=n)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == said


def test_in_a_notebook():
    """In a loop, in the middle, and last in a cell: each once, and none is kept."""
    cells = [
        "import numpy as np\nfrom zscape import figures\n"
        "for i in range(2):\n    figures.plot_neuron_kl(np.ones(3))\nfigures.plot_neuron_kl([1.0])",
        "figure = figures.plot_neuron_kl(np.ones(3))\nwith figures.unshown():\n"
        "    figures.plot_neuron_kl(np.ones(3))\nx = 1",
        "figure",
        "from zscape.notebook import EnhancedVAE, explore_sliders\nexplore_sliders(EnhancedVAE(2))",
        "import matplotlib.pyplot as plt\nprint(plt.get_fignums())",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    pictures = [
        [output for output in cell.outputs if "image/png" in output.get("data", {})]
        for cell in book.cells
    ]
    assert [len(found) for found in pictures] == [3, 1, 1, 1, 0]
    assert book.cells[4].outputs[0].text == "[]\n"


def history():
    terms = {"loss": 3.0, "reconstruction": 2.0, "kl": 1.0}
    return [{"epoch": 1, "test": terms}, {"epoch": 2, "test": terms}]


ONE_PLOT = {
    "losses": lambda ax: figures.plot_losses(history(), ax=ax),
    "kl": lambda ax: figures.plot_neuron_kl(np.ones(3), ax=ax),
    "variances": lambda ax: figures.plot_neuron_variances(np.ones(3), np.ones(3), ax=ax),
    "image": lambda ax: figures.plot_neuron_image(np.eye(4), ax=ax),
    "classes": lambda ax: figures.plot_class_neurons(np.eye(2), ["a", "b"], ax=ax),
    "correlations": lambda ax: figures.plot_correlations(np.eye(3), ax=ax),
    "loadings": lambda ax: figures.plot_loadings(np.eye(3), ax=ax),
    "variance": lambda ax: figures.plot_explained_variance([0.6, 0.4], ax=ax),
    "scatter": lambda ax: figures.plot_scatter(np.eye(2), [0, 1], ["a", "b"], ax=ax),
    "manifold": lambda ax: figures.plot_manifold(
        np.zeros((2, 2, 1, 4, 4)), [0, 1], [0, 1], ax=ax
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_PLOT)
def test_into_axes_of_the_users_own_in_the_users_style(name):
    with mpl_style.context("dark_background"):
        mine = Figure(layout="constrained")
        left, right = mine.subplots(1, 2)
        before = [child for child in left.get_children() if child.get_visible()]
        assert ONE_PLOT[name](right) is mine
        mine.canvas.draw()
        assert right.xaxis.label.get_color() == "white"
        assert right.title.get_color() == "white"
        assert [child for child in left.get_children() if child.get_visible()] == before
        assert right.has_data()


def test_axes_of_a_figure_of_the_house_keep_its_style():
    with mpl_style.context("dark_background"):
        figure = figures.new_figure(4, 3)
        figures.plot_neuron_kl(np.ones(3), ax=figures.house_style(figure.add_subplot)())
        assert figure.axes[0].title.get_color() == style.INK
