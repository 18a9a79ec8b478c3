"""``results.json`` as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any


def as_markdown(results: dict[str, Any]) -> str:
    """One section per part that has been measured, with the machine if they are of several."""
    there = [name for name in SECTIONS if name in results]
    machines = {results["machines"][name] for name in there}
    where = f" on {machines.pop()}" if len(machines) == 1 else ""
    lines = [
        "# Benchmarks",
        "",
        f"Made by `make bench`{where}. One process per measurement, one at a time, pairs "
        "alternating; medians of five pairs where no other number is given.",
    ]
    for name in there:
        title, *rest = SECTIONS[name](results[name])
        told = [] if where else ["", f"On {results['machines'][name]}."]
        told += ["", old] if (old := results.get("old", {}).get(name)) else []
        lines += ["", title, *told, *rest]
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
    names = {
        "plain": "plain loop, Adam",
        "zscape, Adam": "zscape, `--optimizer adam --ema 0`",
        "zscape": "zscape, default recipe (Muon)",
    }
    rows = [(text, *(found[name][figure] for figure in RATE)) for name, text in names.items()]

    def times(name: str) -> str:
        ratio = found["ratio"][name]
        return f"**{ratio['median']:.2f} times** ({ratio['min']:.2f} to {ratio['max']:.2f})"

    return [
        "## Training, latent_dim 10",
        "",
        *table(("", *RATE_HEADER), rows),
        "",
        f"Images per second over the plain loop's, median of the pairs (least to greatest): "
        f"{times('zscape, Adam')} for the same network, loss and optimiser, {times('zscape')} "
        "with the default recipe, whose steps take longer and of which half as many are needed. "
        "The plain loop's epoch is one of 20 000 images, zscape's the second of two of 60 000.",
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


def tsne(found: dict[str, Any]) -> list[str]:
    """(e)"""
    rows = [
        (
            f"{int(n):,}", label, pair[method]["wall_s"], f"{pair[method]['trustworthiness']:.4f}",
            f"{pair[method]['label_accuracy']:.4f}",
        )
        for n, pair in found.items()
        for method, label in (("sklearn", "scikit-learn"), ("tsne", "zscape"))
    ]  # fmt: skip
    ratios = [
        f"{pair['sklearn']['wall_s'] / pair['tsne']['wall_s']:.1f} times at {int(n):,} points "
        f"({pair['pairs']} pair{'s' if pair['pairs'] > 1 else ''})"
        for n, pair in found.items()
    ]
    return [
        "## t-SNE of the latents of zoo:10",
        "",
        *table(("points", "", "seconds", "trustworthiness", "label accuracy"), rows),
        "",
        f"zscape is faster by **{', '.join(ratios)}**.",
    ]


def large(found: dict[str, Any]) -> list[str]:
    """(f)"""
    names = {
        "memory": "in memory",
        "mapped": "mapped from the decoded set",
        "DataLoader": "`DataLoader` over the folder, a worker per core",
    }
    rates = {way: [one["images_per_second"] for one in found["ways"][way]] for way in names}
    rows = [
        (text, median(rates[way]),
         *(max(one[name] for one in found["ways"][way]) for name in ("rss_mb", "peak_rss_mb")))
        for way, text in names.items()
    ]  # fmt: skip

    def times(way: str) -> str:
        ratios = [ours / theirs for ours, theirs in zip(rates["mapped"], rates[way], strict=True)]
        return f"**{median(ratios):.2f} times** ({min(ratios):.2f} to {max(ratios):.2f})"

    return [
        f"## {found['n']:,} pictures in files, {found['side']} x {found['side']} grey",
        "",
        *table(("training from", "images/s", "resident memory, MB", "at its peak, MB"), rows),
        "",
        f"Mapped over in memory: {times('memory')}; over the `DataLoader`: {times('DataLoader')}, "
        f"whose memory is without that of its workers. Network `{found['network']}`, steps of the "
        "three alternating. "
        f"Decoding once, into the cache: {found['build']['images_per_second']:,.0f} images/s.",
    ]


def flat(found: dict[str, Any]) -> list[str]:
    """(g)"""
    rows = [
        (f"{int(n):,}", *(one[name] for name in ("images_per_second", "growth_mb", "peak_rss_mb")))
        for n, one in found.items()
    ]
    header = ("images", "images/s", "growth of memory, MB", "peak resident memory, MB")
    return [
        "## Encoding into a file of Parquet",
        "",
        *table(header, rows),
        "",
        "Growth is that of memory that no file backs, from before the first image is encoded.",
    ]


def sweeps(found: dict[str, Any]) -> list[str]:
    """(h)"""
    names = {
        "one": "one after the other, all threads each (`--workers 1`)",
        "local": "side by side, a core each (the default)",
        "ray": "Ray on this machine (`--engine ray`)",
    }
    rates = found["trials_per_hour"]
    rows = [(text, median(rates[way]), min(rates[way]), max(rates[way]))
            for way, text in names.items()]  # fmt: skip
    return [
        "## Sweeps",
        "",
        *table(("", "trials per hour", "least", "most"), rows),
        "",
        f"{found['n']} trials of {found['n_train']:,} images and {found['epochs']} epochs, the "
        f"whole command; {len(rates['one'])} rounds, alternating.",
    ]


SECTIONS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "throughput": throughput,
    "quality": quality,
    "machine": machine,
    "growth": growth,
    "tsne": tsne,
    "large": large,
    "flat": flat,
    "sweeps": sweeps,
}
