"""Where a model puts images, and walks between the places."""

from zscape.latents.coloring import coloring_of, groups_of
from zscape.latents.directions import (
    Along,
    Direction,
    category_direction,
    column_direction,
    number_direction,
)
from zscape.latents.encode import (
    check_belongs,
    decode,
    encode,
    encode_parts,
    fingerprint,
    locate,
)
from zscape.latents.prototypes import Prototypes, prototypes
from zscape.latents.table import STREAMED, LatentTable, save_parts
from zscape.latents.vectors import (
    VectorLike,
    as_neuron,
    as_neurons,
    as_vector,
    as_vectors,
    format_vector,
)
from zscape.latents.walks import (
    Neighbours,
    Walk,
    between,
    manifold,
    nearest,
    neighbourhood,
    prior_quantiles,
    sample_prior,
    slerp,
    traversal,
    walk,
)

__all__ = [
    "STREAMED",
    "Along",
    "Direction",
    "LatentTable",
    "Neighbours",
    "Prototypes",
    "VectorLike",
    "Walk",
    "as_neuron",
    "as_neurons",
    "as_vector",
    "as_vectors",
    "between",
    "category_direction",
    "check_belongs",
    "coloring_of",
    "column_direction",
    "decode",
    "encode",
    "encode_parts",
    "fingerprint",
    "format_vector",
    "groups_of",
    "locate",
    "manifold",
    "nearest",
    "neighbourhood",
    "number_direction",
    "prior_quantiles",
    "prototypes",
    "sample_prior",
    "save_parts",
    "slerp",
    "traversal",
    "walk",
]
