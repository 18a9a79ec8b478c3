"""What the neurons know and what they do: the latent ones, and those of every hidden layer."""

from zscape.neurons.activations import TopImages, activation_maps, layer_moments, top_images
from zscape.neurons.architecture import Architecture, Node, trace_architecture
from zscape.neurons.bottleneck import (
    class_moments,
    correlation,
    mean_kl,
    mutual_information,
    neuron_table,
    number_information,
)
from zscape.neurons.card import NeuronCard, neuron_cards
from zscape.neurons.columns import NeuronColumns, neuron_columns
from zscape.neurons.effects import decoder_jacobian, silence
from zscape.neurons.layers import LATENT, Layer, find_layer, list_layers
from zscape.neurons.moments import ClassMoments

__all__ = [
    "LATENT",
    "Architecture",
    "ClassMoments",
    "Layer",
    "NeuronCard",
    "NeuronColumns",
    "Node",
    "TopImages",
    "activation_maps",
    "class_moments",
    "correlation",
    "decoder_jacobian",
    "find_layer",
    "layer_moments",
    "list_layers",
    "mean_kl",
    "mutual_information",
    "neuron_cards",
    "neuron_columns",
    "neuron_table",
    "number_information",
    "silence",
    "top_images",
    "trace_architecture",
]
