"""Arrays in, matplotlib ``Figure`` out; nothing here saves a file or opens a window."""

from zscape.figures.images import (
    binarize_image,
    plot_random_samples,
    plot_reconstructions,
    plot_samples,
)
from zscape.figures.losses import plot_losses
from zscape.figures.style import PALETTE, class_colors, house_style, new_figure, show_image, to_png

__all__ = [
    "PALETTE",
    "binarize_image",
    "class_colors",
    "house_style",
    "new_figure",
    "plot_losses",
    "plot_random_samples",
    "plot_reconstructions",
    "plot_samples",
    "show_image",
    "to_png",
]
