"""Pictures in: one in-memory set, and the sources it can be read from."""

from zscape.data.imageset import ImageSet, Splits, batch_indices
from zscape.data.sources import load_data, place_of, register_source

__all__ = ["ImageSet", "Splits", "batch_indices", "load_data", "place_of", "register_source"]
