"""``zscape explore`` and ``zscape export``: the explorer as a local page, and as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from zscape.cli.browser import Open, show
from zscape.cli.inputs import Latents, with_model
from zscape.cli.progress import showing_progress
from zscape.errors import ConfigError

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


@with_model("data", "split", "seed", "condition")
def explore(
    where: Latents,
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
            where.opened, where.data, split=where.split, n=n, maps=_names(maps),
            weights=weights, seed=where.seed, story=story, fresh=fresh, progress=progress,
        )  # fmt: skip
    with ExplorerServer(prepared.scene, prepared.model, port) as server:
        print(f"{where.model} is at {server.url}  (Ctrl-C stops)", flush=True)
        if open_:
            show(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")


@with_model("data", "split", "seed", "condition")
def export(
    where: Latents,
    out: Annotated[Path, typer.Option("-o", "--out", help="Page to write, .html.")],
    n: Count = None,
    maps: Maps = None,
    weights: Weights = "f16",
    onnx: Annotated[
        Path | None, typer.Option(help="Also write encoder.onnx and decoder.onnx to this folder.")
    ] = None,
    story: Story = None,
    fresh: Fresh = False,
) -> None:
    """Write the explorer as one file that opens in any browser, offline, without Python."""
    from zscape import api

    with showing_progress() as progress:
        page = api.export(
            where.opened, out, where.data, onnx=onnx, split=where.split, n=n, maps=_names(maps),
            weights=weights, seed=where.seed, story=story, fresh=fresh, progress=progress,
        )  # fmt: skip
    print(f"Wrote {page}, {page.stat().st_size / 1e6:.1f} MB")
    if onnx is not None:
        print(f"Wrote {onnx / 'encoder.onnx'} and {onnx / 'decoder.onnx'}")


def _names(maps: str | None) -> list[str] | None:
    """The maps that were typed, or None for the usual ones."""
    from zscape.embedding import methods

    names = None if maps is None else [name.strip() for name in maps.split(",")]
    if names is not None and not all(names):
        raise ConfigError(f"--maps takes names with commas between, as pca,tsne; got {maps!r}.")
    return None if names is None else [methods.allow(name, here=True) for name in names]
