"""``zscape data``: what is in a source, in numbers and in pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zscape.cli.inputs import Split
from zscape.cli.options import with_options
from zscape.cli.output import FIGURES, check_outs, save_figure
from zscape.config import SOURCES, DataConfig

if TYPE_CHECKING:
    from zscape.data import Splits

app = typer.Typer(help="Look at a source of images.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help=f"{SOURCES}.")]
Seed = Annotated[int, typer.Option(help="Decides which images a subset takes.", min=0)]
PREPARATION = {field.name for field in dataclasses.fields(DataConfig)} - {"data"}
SUBSET = {"n_train", "n_test", "stratified", "binarize"}


@app.command()
@with_options(DataConfig, names=PREPARATION)
def info(*, source: Source, seed: Seed = 0, options: dict[str, Any]) -> None:
    """Print sizes, shape, value range and class counts of both splits."""
    from zscape.data import load_data

    subset = {name: options.pop(name) for name in SUBSET & set(options)}
    whole = load_data(source, DataConfig(**options), seed=seed)
    print(splits_text(whole, load_data(whole, DataConfig(**subset), seed=seed)))


@app.command()
@with_options(DataConfig, names=PREPARATION)
def show(
    *,
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", help="PNG or SVG file to write.")],
    n: Annotated[int, typer.Option("-n", help="How many pictures.", min=1)] = 40,
    split: Split = "train",
    seed: Seed = 0,
    options: dict[str, Any],
) -> None:
    """Plot sample pictures with their labels."""
    from zscape import figures
    from zscape.data import load_data, showing

    check_outs([out], FIGURES)
    config = DataConfig(**options)
    images = load_data(source, config, seed=seed).of(split)
    with showing(config.show_channels):
        save_figure(figures.plot_samples(images, n, seed=seed), out)


def splits_text(whole: Splits, used: Splits) -> str:
    """The text of ``zscape data info``: ``used`` is the subset of ``whole`` asked for."""
    channels, height, width = used.train.image_shape
    lines = [f"{used.train.name}: images {channels} x {height} x {width} (channels, height, width)"]
    if used.train.kind:
        lines.append(f"read as {used.train.kind}")
    for total, images in zip(whole, used, strict=True):
        low, high = images.value_range()
        size = f"{len(images)} of {len(total)}" if len(images) < len(total) else str(len(total))
        lines.append(f"{images.split:<5}  {size} images, values from {low:.3f} to {high:.3f}")
    if (known := used.train.columns) is not None:
        lines.append(f"columns: {', '.join(f'{name} ({known.kind(name)})' for name in known)}")
    if not used.train.has_labels:
        return "\n".join([*lines, "no labels"])
    counts = [images.class_counts() for images in used]
    width = max(5, *(len(name) for name in counts[0]))
    lines += ["", f"{'class':<{width}}  {'train':>7}  {'test':>7}"]
    lines += [f"{k:<{width}}  {counts[0][k]:>7}  {counts[1].get(k, 0):>7}" for k in counts[0]]
    return "\n".join(lines)
