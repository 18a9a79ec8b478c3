"""How the model and its report were made, and how to make them again."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

from zscape._version import __version__
from zscape.config import CONFIGS, RunConfig
from zscape.report.material import Material
from zscape.report.page import Block, Code, Details, Section, Table


def how(m: Material) -> Section:
    """Settings, the command, the version."""
    subject, config = m.subject, m.subject.model_config
    rows = [["model", subject.name], ["network", config.network],
            ["latent_dim", str(config.latent_dim)], ["likelihood", config.likelihood]]  # fmt: skip
    rows += [[what, value] for what, value in subject.facts]
    rows += [["images", subject.data.test.name], ["report", f"zscape {__version__}, seed {m.seed}"]]
    blocks: list[Block] = [Table(["", ""], rows)]
    if subject.settings is None:
        return Section("How it was made", [
            "These weights say what the network is, but not how they were trained.", *blocks,
        ])  # fmt: skip
    blocks.append("To train such a model:")
    blocks.append(Code(command(subject.settings)))
    everything = [
        [name, "–" if value is None else str(value)]
        for part in subject.settings.to_dict().values()
        for name, value in part.items()
    ]
    blocks.append(Details("All settings", [Table(["option", "value"], everything)]))
    return Section("How it was made", blocks)


def command(settings: RunConfig) -> str:
    """The ``zscape train`` that was told ``settings``: what is not the default.

    Examples
    --------
    >>> command(RunConfig.from_options(latent_dim=3, epochs=2, stratified=True))
    'zscape train --data mnist --stratified --latent-dim 3 --epochs 2 --out runs/mine'
    """
    words = ["zscape", "train"]
    for name, config in zip(CONFIGS, settings, strict=True):
        for field in dataclasses.fields(CONFIGS[name]):  # type: ignore[arg-type]
            value: Any = getattr(config, field.name)
            is_told = field.name in ("data", "latent_dim", "epochs") or value != field.default
            if is_told and field.metadata["is_flag"]:
                flag = f"--{field.name.replace('_', '-')}"
                words += (
                    [flag] if value is True else [flag, "FILE" if value is None else str(value)]
                )
    text = shlex.join([*words, "--out", "runs/mine"])
    if settings.data.data is None:
        return f"# trained on an array from Python; put in a file of yours\n{text}"
    return text
