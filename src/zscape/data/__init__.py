"""Pictures in: one in-memory set, and the sources it can be read from."""

from zscape.data.imageset import ImageSet, Splits, batch_indices
from zscape.data.shown import as_shown, show_channels, showing, shown_channels
from zscape.data.sources import (
    ImagesLike,
    as_image_set,
    load_data,
    place_of,
    register_source,
)
from zscape.data.sprites import read_sprites

__all__ = [
    "ImageSet",
    "ImagesLike",
    "Splits",
    "as_image_set",
    "as_shown",
    "batch_indices",
    "load_data",
    "place_of",
    "read_sprites",
    "register_source",
    "show_channels",
    "showing",
    "shown_channels",
]
