"""Arrays in, matplotlib ``Figure`` out; nothing here saves a file.

A figure that is last in a notebook's cell shows itself, others when the cell ends; ``plt.show()``
shows them in a script that has imported pyplot. Functions that draw one plot take ``ax``, the axes
to draw into, in whatever style holds there.
"""

from zscape.figures.along import plot_along
from zscape.figures.animation import figures_to_gif, to_gif
from zscape.figures.architecture import plot_architecture
from zscape.figures.comparison import (
    plot_comparison,
    plot_posteriors,
    plot_side_by_side,
    turned_knobs,
)
from zscape.figures.components import plot_explained_variance, plot_loadings
from zscape.figures.film import film_frames, plot_film
from zscape.figures.images import (
    binarize_image,
    is_nearly_binary,
    plot_pictures,
    plot_random_samples,
    plot_reconstructions,
    plot_samples,
)
from zscape.figures.losses import plot_losses
from zscape.figures.maps import plot_map, plot_small_multiples
from zscape.figures.neuron_cards import plot_neuron_card, plot_neuron_cards
from zscape.figures.neuron_columns import plot_column_curves, plot_neuron_columns
from zscape.figures.neuron_pictures import (
    plot_activation_maps,
    plot_jacobians,
    plot_top_images,
)
from zscape.figures.neurons import (
    plot_class_neurons,
    plot_correlations,
    plot_neuron_histograms,
    plot_neuron_image,
    plot_neuron_kl,
    plot_neuron_variances,
)
from zscape.figures.pairs import plot_pairs
from zscape.figures.scatters import plot_marked_scatter, plot_scatter
from zscape.figures.style import (
    PALETTE,
    class_colors,
    house_style,
    new_figure,
    show_image,
    to_png,
    to_svg,
    unshown,
)
from zscape.figures.sweeps import plot_pareto, plot_swept
from zscape.figures.walks import plot_manifold, plot_progression, plot_prototypes, plot_strip

__all__ = [
    "PALETTE",
    "binarize_image",
    "class_colors",
    "figures_to_gif",
    "film_frames",
    "house_style",
    "is_nearly_binary",
    "new_figure",
    "plot_activation_maps",
    "plot_along",
    "plot_architecture",
    "plot_class_neurons",
    "plot_column_curves",
    "plot_comparison",
    "plot_correlations",
    "plot_explained_variance",
    "plot_film",
    "plot_jacobians",
    "plot_loadings",
    "plot_losses",
    "plot_manifold",
    "plot_map",
    "plot_marked_scatter",
    "plot_neuron_card",
    "plot_neuron_cards",
    "plot_neuron_columns",
    "plot_neuron_histograms",
    "plot_neuron_image",
    "plot_neuron_kl",
    "plot_neuron_variances",
    "plot_pairs",
    "plot_pareto",
    "plot_pictures",
    "plot_posteriors",
    "plot_progression",
    "plot_prototypes",
    "plot_random_samples",
    "plot_reconstructions",
    "plot_samples",
    "plot_scatter",
    "plot_side_by_side",
    "plot_small_multiples",
    "plot_strip",
    "plot_swept",
    "plot_top_images",
    "show_image",
    "to_gif",
    "to_png",
    "to_svg",
    "turned_knobs",
    "unshown",
]
