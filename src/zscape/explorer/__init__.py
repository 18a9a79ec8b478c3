"""The explorer: the page in which a person walks through the latent space, in all its homes."""

from zscape.explorer.cache import cached_scene
from zscape.explorer.export import check_export, write_export
from zscape.explorer.layers import describe_network
from zscape.explorer.members import join_scenes
from zscape.explorer.scene import Scene, build_scene
from zscape.explorer.server import ExplorerServer, check_port
from zscape.explorer.story import Question, Step, Story, as_story

__all__ = [
    "ExplorerServer",
    "Question",
    "Scene",
    "Step",
    "Story",
    "as_story",
    "build_scene",
    "cached_scene",
    "check_export",
    "check_port",
    "describe_network",
    "join_scenes",
    "write_export",
]
