"""Networks, likelihoods and the evidence lower bound."""

from zscape.model.condition import CLASS, Condition, ConditionBias, find_condition, is_told
from zscape.model.elbo import (
    ACTIVE_KL,
    ElboObjective,
    ElboParts,
    MeanElbo,
    ReconstructionCosts,
    evaluating,
    kl_to_standard_normal,
    mean_elbo,
    reconstruction_costs,
)
from zscape.model.enhanced import EnhancedVAE
from zscape.model.finite import blame, is_finite
from zscape.model.likelihoods import Likelihood, likelihoods, register_likelihood
from zscape.model.mlp import MLPVAE
from zscape.model.objectives import (
    Terms,
    TrainingObjective,
    check_objective,
    decompose_kl,
    objectives,
    register_objective,
)
from zscape.model.vae import (
    VAE,
    ModelLike,
    allowed,
    as_vae,
    build_model,
    check_pixels,
    describe_model,
    initialize_as_tutorial,
    networks,
    register_network,
)
from zscape.model.wrapped import WrappedVAE, wrap

__all__ = [
    "ACTIVE_KL",
    "CLASS",
    "MLPVAE",
    "VAE",
    "Condition",
    "ConditionBias",
    "ElboObjective",
    "ElboParts",
    "EnhancedVAE",
    "Likelihood",
    "MeanElbo",
    "ModelLike",
    "ReconstructionCosts",
    "Terms",
    "TrainingObjective",
    "WrappedVAE",
    "allowed",
    "as_vae",
    "blame",
    "build_model",
    "check_objective",
    "check_pixels",
    "decompose_kl",
    "describe_model",
    "evaluating",
    "find_condition",
    "initialize_as_tutorial",
    "is_finite",
    "is_told",
    "kl_to_standard_normal",
    "likelihoods",
    "mean_elbo",
    "networks",
    "objectives",
    "reconstruction_costs",
    "register_likelihood",
    "register_network",
    "register_objective",
    "wrap",
]
