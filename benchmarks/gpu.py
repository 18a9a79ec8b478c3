"""``python -m benchmarks gpu [PART …] [FOLDER]``: what a CUDA device makes of it, in five minutes.

Writes ``gpu.json`` and ``gpu.md`` into ``FOLDER``, this one by default, part by part, beside what
is there of other parts. Every part runs in a process of its own; what is compared alternates.
Without a device all of it runs on the CPU on next to nothing, which shows that it works; its
numbers mean nothing and are not kept.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.tables import table
from zscape.config import RunConfig
from zscape.data import ImageSet, Splits, load_data
from zscape.files import make_folder, write_atomic
from zscape.latents import encode
from zscape.model import build_model
from zscape.training import Trainer
from zscape.training.processes import create_fabric
from zscape.zoo import load_pretrained

FOLDER = Path(__file__).parent
THRESHOLDS = (96.41, 95.0)
"""Nats: what the tutorial ends with, and less."""
EPOCHS = {512: (10, 6), 1024: (10,), 2048: (15,), 4096: (20,), 8192: (30,)}
"""Of the trainings by batch size; the first is the default recipe."""
SEEDS, ROUNDS = 3, 3
PATIENCE = 120
"""Seconds that a part may take."""
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"cuda_graphs": False}, "recorded": {}, "recorded, cuDNN measured": {},
    "recorded, compiled": {},
}  # fmt: skip
"""How a step is run: ``torch.backends.cudnn.benchmark`` tries kernels out, ``torch.compile`` fuses
what lies between the convolutions."""
COMPILED_SIZES = (512, 8192)
EQUALITY: dict[str, dict[str, Any]] = {
    "mlp, Adam, float32": {"network": "mlp", "optimizer": "adam", "precision": "32"},
    "default recipe, float32": {"precision": "32"},
    "default recipe, bf16": {},
}
"""Trainings that are held to themselves."""
EQUALITY_NAMES = {
    "recorded": "recorded", "unrecorded": "the same steps, not recorded", "again": "plain again",
    "nudged": "plain, first weights off by 1e-7",
}  # fmt: skip
EQUALITY_TEXT = """\
Nothing is recorded there. A recorded step reads its learning rate from a tensor, which rounds it
otherwise than a number; that alone, in the eighth digit of a step, becomes a quarter of the norm
within 60 steps of the default recipe, and so does a difference of a ten-millionth in the first
weights. So its weights cannot show whether a recording is right, unless it is held to the same
steps unrecorded, as the tests do on the CPU; on the GPU of this page that was not measured, and
there the recorded bf16 steps are as far from plain ones (which came out the same twice) as rounding
alone leads here. The MLP with Adam can show it: recorded on the GPU it is the
plain training to the bit, with the same images, noise and order."""


def is_small() -> bool:
    """Whether there is no device."""
    return not torch.cuda.is_available()


def images() -> Splits:
    """MNIST, or next to nothing of it where there is no device."""
    data = load_data("mnist")
    return Splits(data.train[:600], data.test[:100]) if is_small() else data


def sizes() -> dict[int, tuple[int, ...]]:
    """Batch sizes and epochs."""
    return {100: (2,)} if is_small() else EPOCHS


def trainer(data: Splits, way: str = "recorded", **options: Any) -> Trainer:
    """One of the default recipe, but for ``options`` and how a step is run."""
    config = RunConfig.from_options(**{"evaluate_train": 0} | options | WAYS[way])
    torch.backends.cudnn.benchmark = way == "recorded, cuDNN measured"
    model = build_model(config.model)
    found = Trainer(model, data, config.train, create_fabric(config.train))
    if way == "recorded, compiled" and not is_small():
        for name in ("encode", "decode_logits"):
            setattr(found.vae, name, torch.compile(getattr(found.vae, name), dynamic=False))
    return found


def equality(device: str = "auto") -> dict[str, Any]:
    """How far weights are from those of a plain training, as a share of their norm.

    ``again``: of the same once more, which differs where a device adds in no fixed order;
    ``nudged``: of one whose first weights are off by a ten-millionth; ``unrecorded``: of the steps
    that are recorded, run as they are; ``recorded``: of the recording.
    """
    data, found, on_cpu = load_data("mnist"), {}, is_small() or device == "cpu"
    data = Splits(data.train[: 600 if is_small() and device == "auto" else 6000], data.test[:100])
    for name, options in EQUALITY.items():
        weights: dict[str, torch.Tensor] = {}
        for run in ("plain", "again", "nudged", "unrecorded", "recorded")[: 4 if on_cpu else 5]:
            way = "recorded" if run == "recorded" else "plain"
            one = trainer(data, way, epochs=1, batch_size=100, accelerator=device, **options)
            one.dynamic_binarization = True
            if run == "unrecorded":
                one._recorded = one._step  # type: ignore[assignment]
            own = list(one.vae.parameters())
            if run == "nudged":
                with torch.no_grad():
                    torch._foreach_mul_(own, 1 + 1e-7)
            one.run()
            weights[run] = torch.cat([weight.detach().flatten().double() for weight in own]).cpu()
        plain = weights.pop("plain")
        found[name] = {
            run: float((other - plain).norm() / plain.norm()) for run, other in weights.items()
        }
        print(json.dumps(found), flush=True)
    return found


def rounding() -> dict[str, Any]:
    """``equality`` on the processor, where what is added is always added in one order."""
    machine = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return {"machine": machine, "equality": equality("cpu")}


def rates(*ways: str) -> dict[str, Any]:
    """Images per second in the last of two epochs, or last two of four, by batch size and way."""
    data = images()
    data = Splits(data.train, data.test[:100])
    ways = ways or ("plain", "recorded", "recorded, cuDNN measured")
    compiled = "recorded, compiled" in ways
    found: dict[str, dict[str, list[float]]] = {}
    for size in sizes():
        if compiled and not is_small() and size not in COMPILED_SIZES:
            continue
        for _ in range(1 if is_small() or compiled else ROUNDS):
            for way in ways:
                spent: list[float] = []
                n = 2 if size <= 2048 else 4  # the first epochs warm up
                one = trainer(data, way, batch_size=size, epochs=n)
                one.run(on_epoch=lambda _, epoch, to=spent: to.append(epoch.seconds))  # type: ignore[misc]
                rate = len(data.train) / min(spent[n // 2 :])
                found.setdefault(str(size), {}).setdefault(way, []).append(rate)
                print(size, way, f"{rate:,.0f} images/s", flush=True)
        print(json.dumps(found), flush=True)
    return found


def compiled() -> dict[str, Any]:
    """``rates`` of the compiled network, which takes its time to be compiled."""
    return rates("recorded, compiled")


def quality() -> list[dict[str, Any]]:
    """Seconds of training until the test loss is below the thresholds; evaluation not counted."""
    data, found = images(), []
    for size, all_epochs in sizes().items():
        for epochs in all_epochs:
            curves = []
            for seed in range(1 if is_small() else SEEDS):
                curve: list[tuple[float, float]] = []

                def note(_: Trainer, epoch: Any, curve: list[Any] = curve) -> None:
                    before = curve[-1][0] if curve else 0.0
                    curve.append((before + epoch.seconds, epoch.test.loss()))

                clock = time.perf_counter()
                trainer(data, batch_size=size, epochs=epochs, seed=seed).run(on_epoch=note)
                wall = time.perf_counter() - clock
                curves.append({"curve": curve, "wall": wall})
                print(size, epochs, curve[-1], f"{wall:.1f} s", flush=True)
            found.append({"batch_size": size, "epochs": epochs, "runs": curves})
            print(json.dumps(found), flush=True)
    return found


def encoding() -> dict[str, Any]:
    """Images per second into latents by ``zoo:10``, in batches of two sizes."""
    data, device = images(), "cpu" if is_small() else "cuda"
    vae = load_pretrained("10").to(device)
    near: ImageSet = data.train.to(device)
    found = {}
    for size in (250, 5000):
        encode(vae, near, batch_size=size)
        spent = []
        for _ in range(3):
            clock = time.perf_counter()
            encode(vae, near, batch_size=size)
            spent.append(time.perf_counter() - clock)
        found[str(size)] = len(near) / statistics.median(spent)
    return {"images": len(near), "images_per_second": found}


def tsne() -> dict[str, Any]:
    """Seconds of t-SNE of the latents, which the processor draws."""
    from zscape.embedding import fit_map

    data = images()
    vae, found = load_pretrained("10"), {}
    for split in (data.test, data.train):
        latents = encode(vae, split)
        clock = time.perf_counter()
        fit_map(latents, "tsne")
        found[str(len(split))] = time.perf_counter() - clock
        print(found, flush=True)
    return {"seconds": found, "threads": torch.get_num_threads()}


PARTS: dict[str, Callable[[], Any]] = {
    part.__name__: part for part in (equality, rounding, quality, rates, encoding, tsne, compiled)
}


def machine_class() -> str:
    """What these numbers are of, in words."""
    cores = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    if is_small():
        return f"{cores}, no CUDA device"
    gpu = torch.cuda.get_device_properties(0)
    return (
        f"{gpu.name}, {gpu.multi_processor_count} multiprocessors, "
        f"{gpu.total_memory / 2**30:.0f} GiB; {cores}; torch {torch.__version__}"
    )


def as_markdown(found: dict[str, Any]) -> str:
    """The page."""
    lines = ["# On a GPU", "", f"Made by `python -m benchmarks gpu`. Machine: {found['machine']}."]
    lines += [
        "Training computes products and convolutions in bf16, the rest in float32; losses of test",
        "images are evaluated in float32.",
    ]
    if part := found.get("equality"):
        lines += ["", "## Recorded steps beside plain ones", "", *equality_table(part), "",
                  "How far weights are from those of a plain training after 60 steps, as a share "
                  "of their norm."]  # fmt: skip
    if part := found.get("rounding"):
        lines += ["", f"The same on a processor ({part['machine']}):",
                  "", *equality_table(part["equality"]), "", EQUALITY_TEXT]  # fmt: skip
    rows = {
        size: {**part, **found.get("compiled", {}).get(size, {})}
        for size, part in found.get("rates", {}).items()
    }
    if rows:
        ways = [way for way in WAYS if any(way in part for part in rows.values())]
        lines += [
            "", "## Images per second of training, `latent_dim` 10", "",
            *table(("batch", *ways), [
                (size, *(median(part.get(way)) for way in ways)) for size, part in rows.items()
            ]), "",
            "The second of two epochs, of large batches the faster of the last two of four; the "
            "median of alternating rounds.",
        ]  # fmt: skip
    if part := found.get("quality"):
        header = ("batch", "epochs", *(f"{t:g} nats, s" for t in THRESHOLDS), "ends at, nats",
                  "after, s", "with evaluation, s")  # fmt: skip
        lines += [
            "", "## Seconds of training until a test loss", "",
            *table(header, [quality_row(one) for one in part]), "",
            "Medians of seeds (how many, if not all reached it; least to greatest loss). All steps "
            "are recorded. Evaluation after every epoch is "
            "not counted but in the last column; choosing kernels and recording the steps is.",
        ]  # fmt: skip
    if part := found.get("encoding"):
        each = " and ".join(
            f"{rate:,.0f} images/s in batches of {size}"
            for size, rate in part["images_per_second"].items()
        )
        lines += ["", "## Encoding", "", f"`zoo:10`, float32: {each}."]
    if part := found.get("tsne"):
        each = ", ".join(f"{int(n):,} points {s:.1f} s" for n, s in part["seconds"].items())
        lines += ["", "## t-SNE", "", f"On the processor, {part['threads']} threads: {each}."]
    if missing := [name for name in PARTS if name not in found or name in found.get("failed", [])]:
        lines += ["", f"Not measured, or not to its end: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def equality_table(part: dict[str, Any]) -> list[str]:
    """Of the trainings that are held to themselves, what was measured of all."""
    runs = [run for run in EQUALITY_NAMES if all(run in one for one in part.values())]
    rows = [(name, *(f"{one[run]:.1e}" for run in runs)) for name, one in part.items()]
    return table(("", *(EQUALITY_NAMES[run] for run in runs)), rows)


def median(values: list[float] | None) -> str:
    """Of the rounds, as a whole number."""
    return f"{statistics.median(values):,.0f}" if values else ""


def quality_row(found: dict[str, Any]) -> tuple[Any, ...]:
    """One line of the table of trainings."""
    runs = found["runs"]

    def reached(threshold: float) -> str:
        firsts = [next((s for s, loss in run["curve"] if loss <= threshold), None) for run in runs]
        known = [first for first in firsts if first is not None]
        if not known:
            return "not reached"
        few = f" ({len(known)} of {len(runs)})" if len(known) < len(runs) else ""
        return f"{statistics.median(known):.2f}{few}"

    ends = [run["curve"][-1] for run in runs]
    losses = [loss for _, loss in ends]
    return (
        found["batch_size"], found["epochs"], *map(reached, THRESHOLDS),
        f"{statistics.median(losses):.2f} ({min(losses):.2f} to {max(losses):.2f})",
        f"{statistics.median(seconds for seconds, _ in ends):.2f}",
        f"{statistics.median(run['wall'] for run in runs):.2f}",
    )  # fmt: skip


def last_line(text: str) -> Any:
    """What a part printed last as JSON; None if it printed none."""
    for line in reversed(text.splitlines()):
        try:
            return json.loads(line)
        except ValueError:
            continue
    return None


def main(arguments: list[str]) -> dict[str, Any]:
    """Run the parts, all by default, and write what they found as it comes."""
    names = [name for name in arguments if name in PARTS] or list(PARTS)
    folder = next((Path(name) for name in arguments if name not in PARTS), None)
    if is_small():
        print("There is no CUDA device here: all parts run on the CPU, on next to nothing.")
    else:
        folder = folder or FOLDER
    if folder is not None:
        make_folder(folder)
    kept = folder and folder / "gpu.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    if not is_small() or "machine" not in found:
        found["machine"] = machine_class()
    found["failed"] = [name for name in found.get("failed", []) if name not in names]
    for name in names:
        print(name, flush=True)
        clock = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.gpu", name]
        try:
            done = subprocess.run(
                command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True, timeout=PATIENCE
            )
            text, is_whole = done.stdout, done.returncode == 0
        except subprocess.TimeoutExpired as error:
            so_far: Any = error.stdout or ""
            text = so_far.decode() if isinstance(so_far, bytes) else so_far
            is_whole = False
        print(text, f"{time.perf_counter() - clock:.1f} s", flush=True)
        part = last_line(text)
        if part is not None:
            found[name] = part
        if not is_whole:
            found["failed"].append(name)
        if folder is not None:
            write_atomic(folder / "gpu.json", json.dumps(found, indent=1) + "\n")
            write_atomic(folder / "gpu.md", as_markdown(found))
    print(as_markdown(found))
    return found


if __name__ == "__main__":
    torch.backends.cudnn.allow_tf32 = False  # evaluation is exact; training computes in bf16
    print(json.dumps(PARTS[sys.argv[1]]()))
