"""Maps of the latent space in two dimensions, and the way back from every point of them."""

from zscape.embedding.embedding import Embedding, fit_map
from zscape.embedding.frames import (
    Film,
    align_maps,
    make_film,
    neighbours_kept,
    steadiness,
)
from zscape.embedding.inverse import (
    Inverse,
    InverseMethod,
    inverse_transform,
    inverses,
    prepare_inverse,
    register_inverse,
)
from zscape.embedding.inverse_quality import HeldOut, inverse_quality
from zscape.embedding.learned import Learned, LearnedWay
from zscape.embedding.methods import (
    PCA,
    Fitted,
    LinearMap,
    MapMethod,
    Pair,
    methods,
    register_method,
)
from zscape.embedding.quality import (
    Judged,
    MapMetric,
    label_accuracy,
    map_metrics,
    map_quality,
    register_metric,
    trustworthiness,
)
from zscape.embedding.tsne import TSNE
from zscape.embedding.umap import UMAP

__all__ = [
    "PCA",
    "TSNE",
    "UMAP",
    "Embedding",
    "Film",
    "Fitted",
    "HeldOut",
    "Inverse",
    "InverseMethod",
    "Judged",
    "Learned",
    "LearnedWay",
    "LinearMap",
    "MapMethod",
    "MapMetric",
    "Pair",
    "align_maps",
    "fit_map",
    "inverse_quality",
    "inverse_transform",
    "inverses",
    "label_accuracy",
    "make_film",
    "map_metrics",
    "map_quality",
    "methods",
    "neighbours_kept",
    "prepare_inverse",
    "register_inverse",
    "register_method",
    "register_metric",
    "steadiness",
    "trustworthiness",
]
