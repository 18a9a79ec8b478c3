"""Images in many files, each encoded by itself into a table of its own."""

from zscape.shards.run import encode_shards

__all__ = ["encode_shards"]
