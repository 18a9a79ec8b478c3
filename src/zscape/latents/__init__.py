"""Where a model puts images, and walks between the places."""

from zscape.latents.table import LatentTable

__all__ = ["LatentTable"]
