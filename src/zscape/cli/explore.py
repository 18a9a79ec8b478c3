"""``zscape explore`` and ``zscape export``: the explorer as a local page, and as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from zscape.cli.browser import Open, show
from zscape.cli.inputs import Latents, with_model
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError

SEVERAL = ("zoo:all", "zoo:kld", "zoo:dims")
"""Names that stand for several models."""

SomeModel = Annotated[
    str,
    typer.Argument(
        help="zoo:10, a run folder (RUN@3: as it was at snapshot 3), a .safetensors or .pth; "
        "zoo:kld and zoo:dims stand for several models of the zoo."
    ),
]
Count = Annotated[
    int | None,
    typer.Option("-n", "--n", help="Images to show, drawn at random; 10000 by default.", min=1),
]
Maps = Annotated[
    str | None, typer.Option(help="Maps to draw, with commas between: pca,tsne,umap by default.")
]
Weights = Annotated[
    Literal["f32", "f16", "i8"],
    typer.Option(help="How the network is stored: f32 exact, i8 small."),
]
Story = Annotated[
    Path | None,
    typer.Option(help="JSON file of a story that the page tells; the page makes and saves them."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Draw the maps anew, not from the cache.")]


Others = Annotated[
    list[str] | None,
    typer.Argument(help="Further models, to be compared on the same images.", show_default=False),
]
Against = Annotated[
    str | None,
    typer.Option(help="Other images, as --data takes them, to see the one model on both."),
]
IsFilm = Annotated[bool, typer.Option("--film", help="How MODEL, a run with --snapshots, learned.")]


@with_model("data", "split", "rows", "seed", "condition", model=SomeModel)
def explore(
    where: Latents,
    others: Others = None,
    against: Against = None,
    film: IsFilm = False,
    n: Count = None,
    maps: Maps = None,
    weights: Weights = "f16",
    story: Story = None,
    fresh: Fresh = False,
    port: Annotated[
        int, typer.Option(help="Of 127.0.0.1; 0: any that is free.", min=0, max=65535)
    ] = 0,
    open_: Open = True,
) -> None:
    """Walk through the latent space in a local page, until Ctrl-C.

    The maps take a minute the first time; then they are kept in your cache folder (or that of
    ZSCAPE_CACHE). Those of the zoo's test images ship with zscape. The page can be reached from
    this machine only.
    """
    from zscape import api
    from zscape.explorer import ExplorerServer, check_port

    check_port(port)
    with showing_progress() as progress:
        prepared = api.prepare_scene(
            _models(where, others, film), where.data, against=against, film=film,
            split=where.split, n=n, rows=where.rows, maps=_names(maps), weights=weights,
            seed=where.seed, story=story, fresh=fresh, progress=progress,
        )  # fmt: skip
    with ExplorerServer(prepared.scene, prepared.model, port) as server:
        print(f"{where.model} is at {server.url}  (Ctrl-C stops)", flush=True)
        if open_:
            show(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")


@with_model("data", "split", "rows", "seed", "condition", model=SomeModel)
def export(
    where: Latents,
    others: Others = None,
    *,
    out: Annotated[
        str,
        typer.Option(
            "-o", "--out", help="Page to write, .html; or a folder to be served, name/, for a lot."
        ),
    ],
    against: Against = None,
    film: IsFilm = False,
    n: Count = None,
    maps: Maps = None,
    weights: Weights = "f16",
    onnx: Annotated[
        Path | None, typer.Option(help="Also write encoder.onnx and decoder.onnx to this folder.")
    ] = None,
    story: Story = None,
    fresh: Fresh = False,
) -> None:
    """Write the explorer as one file that opens in any browser, offline, without Python.

    A million images are too many for one file: they go into a folder, which any server of files
    serves, and whose page asks for the pictures that are seen.
    """
    from zscape import api

    with showing_progress() as progress:
        page = api.export(
            _models(where, others, film), out, where.data, against=against, film=film, onnx=onnx,
            split=where.split, n=n, rows=where.rows, maps=_names(maps), weights=weights,
            seed=where.seed, story=story, fresh=fresh, progress=progress,
        )  # fmt: skip
    files = [file for file in page.rglob("*") if file.is_file()] if page.is_dir() else [page]
    print(f"Wrote {page}, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
    if onnx is not None:
        print(f"Wrote {onnx / 'encoder.onnx'} and {onnx / 'decoder.onnx'}")


def _models(where: Latents, others: list[str] | None, film: bool) -> Any:
    """The model, or the models if there are several."""
    names = [where.model, *(others or ())]
    if len(names) == 1 and names[0] not in SEVERAL:
        return where.opened
    if film:
        raise ConfigError("--film shows one run; leave out the other models, or --film.")
    if where.condition is not None or where.more:
        raise ConfigError("several models are compared as they are; leave out --condition and what "
                          "--columns joins.")  # fmt: skip
    return names


def _names(maps: str | None) -> list[str] | None:
    """The maps that were typed, or None for the usual ones."""
    from zscape.embedding import methods

    names = None if maps is None else [name.strip() for name in maps.split(",")]
    if names is not None and not all(names):
        raise ConfigError(f"--maps takes names with commas between, as pca,tsne; got {maps!r}.")
    return None if names is None else [methods.allow(name, here=True) for name in names]
