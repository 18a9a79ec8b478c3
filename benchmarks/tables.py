"""``results.json`` as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def as_markdown(results: dict[str, Any]) -> str:
    """One section per part that has been measured."""
    lines = [
        "# Benchmarks",
        "",
        f"Made by `make bench` on {results['machine_class']}. One process per measurement, one "
        "at a time, compared pairs alternating, medians of five.",
    ]
    for name, section in SECTIONS.items():
        if name in results:
            lines += ["", *section(results[name])]
    return "\n".join(lines) + "\n"


def table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """A Markdown table; floats get one decimal."""

    def line(cells: Iterable[Any]) -> str:
        texts = (f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in cells)
        return f"| {' | '.join(texts)} |"

    header = list(header)
    return [line(header), line("---" for _ in header), *map(line, rows)]


RATE = ("images_per_second", "seconds_per_epoch", "peak_rss_mb")
RATE_HEADER = ("images/s", "s/epoch", "peak memory, MB")


def throughput(found: dict[str, Any]) -> list[str]:
    """(a)"""
    rows = [
        (name, *(found[key][figure] for figure in RATE))
        for name, key in (
            ("plain loop", "plain"),
            ("zscape", "zscape"),
            ("zscape, float32", "zscape, 32"),
        )
    ]
    ratio = found["ratio"]
    return [
        "## One epoch of 60 000 images, latent_dim 10",
        "",
        *table(("", *RATE_HEADER), rows),
        "",
        f"zscape / plain loop: **{ratio['median']:.2f}** times the images per second "
        f"(pairs from {ratio['min']:.2f} to {ratio['max']:.2f}).",
    ]


def quality(found: dict[str, Any]) -> list[str]:
    """(b)"""

    def when(reached: dict[str, Any] | None) -> str:
        return (
            f"{reached['seconds']:.0f} s, epoch {reached['epochs']}" if reached else "not reached"
        )

    rows = [
        (f"{float(threshold):g}", when(reached), when(found["plain"]["reached"][threshold]))
        for threshold, reached in found["zscape"]["reached"].items()
    ]
    last = found["plain"]["curve"][-1]
    return [
        "## Seconds of training until a test loss, latent_dim 10, kld_weight 1",
        "",
        *table(("test loss, nats", "zscape, default recipe", "plain loop"), rows),
        "",
        f"The plain loop was stopped after {last['seconds']:.0f} s and "
        f"{len(found['plain']['curve'])} epochs, at a test loss of {last['test_loss']:,.1f}. "
        f"zscape ended at {found['zscape']['curve'][-1]['test_loss']:.2f} after "
        f"{found['zscape']['curve'][-1]['seconds']:.0f} s. Evaluation is not counted for either.",
    ]


def machine(found: dict[str, Any]) -> list[str]:
    """(c)"""
    rows = []
    for name, dtype, key in (
        ("bf16", "bfloat16", "training"),
        ("float32", "float32", "training, 32"),
    ):
        peak = found["matrix_gflops"][dtype]
        used = found[key]["images_per_second"] * found["mflops_per_image"] / 1e3
        rows.append((name, peak, used, f"{used / peak:.0%}"))
    return [
        "## The machine, and what training reaches of it",
        "",
        *table(("", "matrix product, GFLOP/s", "training, GFLOP/s", "share"), rows),
        "",
        f"One image costs {found['mflops_per_image']:.1f} MFLOP, forward and backward.",
    ]


def growth(found: dict[str, Any]) -> list[str]:
    """(d)"""
    lines = ["## Growth"]
    for quantity, label in (
        ("images", "training images"),
        ("latent_dim", "latent_dim (6 000 images)"),
        ("side", "image side, pixels (6 000 images)"),
    ):
        rows = [
            (value, *(figures[name] for name in RATE)) for value, figures in found[quantity].items()
        ]
        lines += ["", *table((label, *RATE_HEADER), rows)]
    return lines


SECTIONS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "throughput": throughput,
    "quality": quality,
    "machine": machine,
    "growth": growth,
}
