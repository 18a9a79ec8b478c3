"""What the commands that look into a model take: the model, images, and their latents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from zscape.cli.options import Command, flag, option_flag, replacing
from zscape.config import SOURCES, DataConfig, check_heeded
from zscape.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zscape.api import Opened
    from zscape.data import ImageSet
    from zscape.latents import LatentTable, Prototypes
    from zscape.model import VAE

Model = Annotated[
    str,
    typer.Argument(
        help="zoo:10, a run folder (RUN@3: as it was at snapshot 3), a .safetensors, or a .pth of "
        "this layout."
    ),
]
Split = Annotated[Literal["train", "test"], typer.Option(help="Which half of the images.")]
Seed = Annotated[int, typer.Option(help="Decides everything random.", min=0)]
NewSeed = Annotated[
    int | None, typer.Option(help="The same seed gives the same pictures; none, new ones.", min=0)
]

FLAGS: dict[str, tuple[Any, Any]] = {
    "data": (
        Annotated[str | None, typer.Option(help=f"Other images than the model's own: {SOURCES}.")],
        None,
    ),
    "split": (
        Annotated[
            Literal["train", "test"] | None,
            typer.Option(help="Which half of the images; test, or that of the table."),
        ],
        None,
    ),
    "n": (
        Annotated[
            int | None,
            typer.Option("-n", help="Only so many of the images, drawn at random.", min=1),
        ],
        None,
    ),
    "rows": (
        Annotated[
            Path | None,
            typer.Option(
                help="Only the images that this table lists in a column index: a selection of "
                "the explorer."
            ),
        ],
        None,
    ),
    "seed": (Seed, 0),
    "condition": (
        Annotated[
            str | None,
            typer.Option(
                metavar="NAME",
                help="What to draw, of a model trained with --condition: one of its classes.",
            ),
        ],
        None,
    ),
    "table": (
        Annotated[
            Path | None,
            typer.Option(help="Latents of this model that zscape encode wrote (.npz, .parquet)."),
        ],
        None,
    ),
}
"""Name → (what typer is told, default) of all that chooses images for a model."""

_OWN = "Code of your own"
OWN: dict[str, Any] = {
    name: Annotated[
        str | None,
        typer.Option(metavar="module:Class", help=help, rich_help_panel=_OWN, show_default=False),
    ]
    for name, help in {
        "network": "Your network that MODEL is of; what a file names is never imported.",
        "likelihood": "The same for your distribution of the pixels.",
    }.items()
}

PLACES = ("data", "split", "table", "condition")
"""What a command needs that decodes places, some of images."""
LATENTS = ("data", "split", "rows", "n", "seed", "table")
"""What a command needs that looks at all images."""


JOINED = tuple(option_flag(DataConfig, name) for name in ("columns", "on", "label", "bins"))
"""More columns of the images, and what is their class: with every command that takes ``data``."""


def with_model(*names: str, model: Any = Model) -> Callable[[Command], Command]:
    """Decorator: in place of its parameter ``where`` a command has MODEL and the flags ``names``.

    Every one also has the flags ``OWN``, which allow a model to be of a user's own classes, and
    one that looks at images has ``JOINED``.

    ``where`` then is a ``Latents``. ``model`` tells typer what MODEL may be.
    """
    flags = [flag("model", model), *(flag(name, *FLAGS[name]) for name in names)]
    flags += JOINED if "data" in names else ()
    flags += [flag(name, annotation, None) for name, annotation in OWN.items()]
    flags.append(flag("context", typer.Context))
    return replacing("where", flags, Latents)


class Latents:
    """A model, a set of images, and where the model puts them; each is made when first needed.

    Parameters
    ----------
    model
        As ``zscape.load`` takes it.
    data, split
        Which images; the model's own by default, its test images or those of ``table``.
    rows
        Only the images that this file lists.
    n, seed
        Only so many of them, and which.
    table
        Read the latents from this file of ``zscape encode``.
    condition
        What is decoded, by a model that is told; what images are by default.
    columns, on, label, bins
        More columns to join to the images, and which is shown as the class.
    network, likelihood
        A user's own that the model is of, ``module:Class``.
    context
        Of the command; knows which flags were typed.
    """

    def __init__(
        self, model: str, data: str | None = None, split: str | None = None, *,
        rows: Path | None = None, condition: str | None = None, n: int | None = None,
        seed: int = 0, table: Path | None = None,
        columns: str | None = None, on: str | None = None, label: str | None = None,
        bins: int | None = None, network: str | None = None, likelihood: str | None = None,
        context: typer.Context | None = None,
    ) -> None:  # fmt: skip
        self.model, self.data, self.asked_split = model, data, split
        self.rows, self.n, self.seed, self.file = rows, n, seed, table
        self.condition = condition
        told: dict[str, Any] = {"columns": columns, "on": on, "label": label, "bins": bins}
        self.more = {name: value for name, value in told.items() if value is not None}
        check_heeded(self.more, lambda name: f"--{name}")
        self.own = {"network": network, "likelihood": likelihood}
        self.context = context
        self.looked_up: dict[int, LatentTable] = {}
        self.named: set[str] = set()
        """What the images and prototypes are that vectors were made of, to a model that is told."""
        self.drawn_as = ""
        """What the pictures were drawn as, by a model that is told; empty: by another, or none."""

    @property
    def note(self) -> str:
        """What a figure says of ``drawn_as``."""
        return f"Drawn as {self.drawn_as}." if self.drawn_as else ""

    def refuse(self, *names: str, why: str) -> None:
        """Raise ``ConfigError`` if one of these flags was typed, as each would change nothing.

        Parameters
        ----------
        names
            Of parameters of the command.
        why
            The reason, as the first half of a sentence.
        """
        if self.context is None:
            return
        typed = [
            max(parameter.opts, key=len)
            for parameter in self.context.command.params
            if (name := parameter.name) in names
            and str(self.context.get_parameter_source(name)).endswith("COMMANDLINE")
        ]
        if typed:
            raise ConfigError(f"{why}; leave out {', '.join(typed)}.")

    def check_written(self, outs: Sequence[Path], suffixes: Sequence[str], *names: str) -> None:
        """Raise ``ConfigError`` if flags were typed that only files of other endings heed."""
        if not any(path.suffix.lower() in suffixes for path in outs):
            self.refuse(*names, why=f"no {' or '.join(suffixes)} is written")

    def check_heeded(self) -> None:
        """Raise ``ConfigError`` if images were asked for that nothing looked at."""
        made = self.__dict__
        if "all_images" not in made:
            own = ("n",) if self.n is not None else ()  # -n may be another thing of a command
            unseen = () if "stored" in made else ("split", "table", "rows", *own)
            self.refuse("data", *self.more, *unseen, why="no image is looked at")

    @cached_property
    def opened(self) -> Opened:
        """The model, with what is joined to its images."""
        from zscape import api
        from zscape.data import show_channels
        from zscape.model import allowed

        opened = api.load(self.model, **allowed(**self.own, here=True))
        show_channels(opened.show_channels)
        opened = opened.given(self.condition)
        return opened.with_columns(**self.more) if self.more else opened

    @property
    def split(self) -> str:
        """Which half of the images."""
        return self.asked_split or (self.stored.split if self.file else "test")

    @cached_property
    def whole(self) -> LatentTable:
        """All of the table in the file, with what was joined to its images since."""
        if not self.more:
            return self.stored
        images = self.all_images[self.stored.indices.tolist()]
        labels = None if images.labels is None else images.labels.numpy()
        return replace(self.stored, labels=labels, class_names=images.class_names,
                       columns=images.columns)  # fmt: skip

    @cached_property
    def stored(self) -> LatentTable:
        """All of the table in the file, as it is there."""
        from zscape import latents

        assert self.file is not None
        table = latents.LatentTable.load(self.file)
        latents.check_belongs(table, self.opened.model)
        if self.asked_split not in (None, table.split):
            raise DataError(
                f"{self.file} is of the {table.split} images of {table.name}, but --split "
                f"{self.asked_split} was asked for; leave it out, or encode those."
            )
        return table

    @cached_property
    def all_images(self) -> ImageSet:
        """The whole split, that the table points into.

        Raises
        ------
        DataError
            The table is of other images.
        """
        from zscape import latents

        images = self.opened.data(self.data).of(self.split)
        if self.file is not None:
            latents.check_belongs(self.stored, self.opened.model, images)
        return images

    @cached_property
    def images(self) -> ImageSet:
        """The images of the rows of ``table``; nothing is encoded for them."""
        import torch

        if self.file is None:
            return self.all_images[torch.from_numpy(self._rows)]
        images = self.all_images[torch.from_numpy(self.table.indices)]
        labels = None if self.table.labels is None else torch.from_numpy(self.table.labels)
        return replace(
            images, labels=labels, class_names=self.table.class_names, columns=self.table.columns
        )

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Which of all images, or of the rows of the file, were asked for."""
        import torch

        from zscape.seeding import torch_generator

        if self.file is not None and self.data is not None:
            _ = self.all_images  # to see that the table is of these
        among = self._listed
        total = len(among)
        if self.n is not None and self.n > total:
            which = f"the {self.split} images" if self.rows is None else f"those of {self.rows}"
            raise ConfigError(f"-n must be in [1, {total}], {which}; got {self.n}.")
        order = torch.randperm(total, generator=torch_generator(self.seed, "subset"))
        return among if self.n is None else among[order[: self.n].sort().values.numpy()]

    @property
    def _listed(self) -> NDArray[np.int64]:
        """Those of all images, or rows of the table, that ``rows`` lists; all without it."""
        import numpy as np

        from zscape.data.joining import read_rows

        total = len(self.all_images if self.file is None else self.stored)
        if self.rows is None:
            return np.arange(total)
        wanted = read_rows(self.rows, len(self.all_images))
        if self.file is None:
            return wanted
        places = np.flatnonzero(np.isin(self.stored.indices, wanted))
        if len(places) < len(wanted):
            raise DataError(
                f"{self.file} has {len(places)} of the {len(wanted)} images that {self.rows} lists."
            )
        return places

    @cached_property
    def table(self) -> LatentTable:
        """The latents, of ``n`` images if so many were asked for.

        Raises
        ------
        DataError, ConfigError
            The file is damaged, or there are fewer than ``n`` images.
        ShapeError, CheckpointError
            It is from another model.
        """
        from zscape import latents

        if self.file is not None:
            return self.whole[self._rows]
        return latents.encode(self.opened.model, self.all_images, rows=self._rows)

    def parts(self) -> Iterator[LatentTable]:
        """``table`` in parts, encoded as they are asked for."""
        from zscape import latents

        rows = None if self.n is None and self.rows is None else self._rows
        return latents.encode_parts(self.opened.model, self.all_images, rows=rows)

    def fingerprints(self) -> dict[str, str]:
        """Of the ``model``, and of the images that were needed so far (``data``; empty: none)."""
        from zscape.latents import fingerprint

        made = self.__dict__  # holds what was asked for
        data = self.all_images.fingerprint if "all_images" in made else ""
        if not data and "stored" in made:
            data = self.stored.data_fingerprint
        return {"model": fingerprint(self.opened.model), "data": data}

    def look_up(self, index: int) -> LatentTable:
        """Where the model puts one of ``all_images``; ``looked_up`` keeps it."""
        import numpy as np

        from zscape import latents

        found = latents.encode(self.opened.model, self.all_images, rows=np.array([index]))
        if condition := self.opened.model.condition:
            self.named.add(condition.names[int(condition.codes(found))])
        self.looked_up[index] = found
        return found

    def prototype(self, name: str) -> NDArray[np.float32]:
        """The mean of a class, (latent_dim,)."""
        vector = self.prototypes[name]
        if self.is_told_classes:
            self.named.add(name)
        return vector

    def check_condition(self) -> None:
        """Raise ``ConfigError`` if --condition was given of images that say what they are.

        For commands that only encode: nothing would be drawn by it.
        """
        told = self.opened.model.condition
        if self.condition is None or told is None:
            return
        try:
            told.codes(self.all_images)
        except DataError:
            return
        raise ConfigError(
            f"the images of {self.all_images.name} say what {told.title} they are, and are encoded "
            "as that; leave out --condition."
        )

    @property
    def is_told_classes(self) -> bool:
        """Whether the model is told the class and nobody says which: each prototype does."""
        from zscape.model import CLASS

        condition = self.opened.model.condition
        return self.condition is None and condition is not None and condition.column == CLASS

    @property
    def decoder(self) -> VAE:
        """The model to decode vectors with: told what was asked for, or what they were made of.

        Raises
        ------
        ConfigError
            It has to be told and is not, and they are made of nothing, or of several things.
        """
        from zscape.model import is_told

        vae = self.opened.model
        if vae.condition is None:
            return vae
        what = vae.condition.title
        if is_told(vae):
            self.drawn_as = f"{what} {self.condition}"
            return vae
        if len(self.named) == 1:
            (name,) = self.named
            self.drawn_as = f"{what} {name}"
            print(f"Drawn as {what} {name}, as what it starts from; --condition says otherwise.")
            return vae.given(name)
        why = f"; these vectors are of {', '.join(sorted(self.named))}" if self.named else ""
        raise ConfigError(
            f"{self.model} is told the {what} of every picture: say which with --condition, one of "
            f"{vae.condition.choices()}{why}."
        )

    def own_decoder(self) -> VAE:
        """The model to decode vectors with that are each drawn as what it is."""
        vae = self.opened.model
        if vae.condition is not None:
            self.drawn_as = f"the {vae.condition.title} that each is"
        return vae

    @cached_property
    def prototypes(self) -> Prototypes:
        """The mean of every class."""
        from zscape.latents import prototypes

        return prototypes(self.table)
