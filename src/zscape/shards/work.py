"""What is done for one shard, in whatever process: it is read, encoded, placed, and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from zscape.api import open_model
from zscape.api.opening import OF_ONE_SOURCE
from zscape.config import DataConfig
from zscape.data import ImageSet
from zscape.data.parts import part_of_a_set
from zscape.data.resize import with_channels
from zscape.data.sources import load_whole
from zscape.embedding import Embedding
from zscape.errors import DataError, DiskFull, ZscapeError, is_full
from zscape.files import make_folder
from zscape.latents import LatentTable, check_belongs, encode_parts, save_parts
from zscape.model import VAE, allowed
from zscape.shards.folder import Tables


@dataclass(frozen=True)
class Done:
    """What became of a shard."""

    shard: str
    n: int
    why: str = ""
    """It could not be encoded."""


@dataclass(frozen=True)
class Worker:
    """Encodes shard after shard; what it needs is opened once.

    Parameters
    ----------
    model
        As ``zscape.load`` takes it; every machine has to find it.
    source, out
        The folder of the shards, and that of the tables.
    maps
        Saved maps on which images are placed.
    network, likelihood
        A user's own of the model, ``module:Class``.
    device
        Where it computes.
    """

    model: str
    source: Path
    out: Path
    maps: tuple[Path, ...] = ()
    network: str | None = None
    likelihood: str | None = None
    device: str = "cpu"

    @cached_property
    def opened(self) -> Any:
        """The model, and how its images are prepared."""
        return open_model(self.model, **allowed(self.network, self.likelihood))

    @cached_property
    def vae(self) -> VAE:
        """The network, where it computes."""
        model: VAE = self.opened.model
        return model.to(self.device)

    @cached_property
    def drawn(self) -> list[Embedding]:
        """The maps, which are of this model."""
        found = [Embedding.load(path) for path in self.maps]
        for one in found:
            check_belongs(one.table, self.opened.model)
        return found

    @property
    def config(self) -> DataConfig:
        """How the images of a shard are prepared: as the run's, all of them."""
        run = self.opened.run
        config = DataConfig() if run is None else run.config.data
        return config.replace(**OF_ONE_SOURCE, data=None, no_cache=True, split_seed=None)

    def encode(self, shard: str) -> Done:
        """Write the table of a shard; the same bytes whoever does it, and however often.

        Raises
        ------
        DiskFull
            Nothing more can be written; tables that were are whole.
        """
        file = Tables(self.out, self.source).table_of(shard)
        try:
            make_folder(file.parent)
            return Done(shard, save_parts(file, self._parts(shard)))
        except ZscapeError as error:
            if is_full(error):
                raise DiskFull(str(error)) from error
            return Done(shard, 0, str(error))

    def _parts(self, shard: str) -> Iterator[LatentTable]:
        for table in encode_parts(self.vae, self._images(shard)):
            table = replace(table, name=shard)
            for one in self.drawn:
                table = one.place(table)
            yield table

    def _images(self, shard: str) -> ImageSet:
        with part_of_a_set():
            images = load_whole(str(self.source / shard), self.config)
        # Grey pictures among coloured ones become RGB, also where a shard has no others.
        if images.image_shape[0] == 1 and self.vae.image_shape[0] == 3:
            images = with_channels(images, 3)
        if images.image_shape != self.vae.image_shape:
            raise DataError(
                f"{shard}: its images are {images.image_shape} (channels, height, width), and "
                f"{self.model} takes {self.vae.image_shape}."
            )
        return images
