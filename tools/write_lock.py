"""Writes ``requirements.lock``: ``constraints.txt`` with the hashes of every file of every package.

``python tools/write_lock.py [WHEEL ...]``, after a change of ``constraints.txt`` or
``pyproject.toml``. A WHEEL is one that the package index does not have, such as torch's for the CPU
alone: its hash is let in beside those of the index, and stays as long as its version does.

What torch brings for NVIDIA's GPUs, on Linux only, is several GB, and stands in
``requirements-cuda.lock``.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = "3.11.0"
"""The oldest that pyproject.toml promises."""
FILES = ("requirements.lock", "requirements-cuda.lock")
HEAD = """\
# Written by tools/write_lock.py from constraints.txt; do not edit.
#   pip install --require-hashes -r {name} && pip install --no-deps zscape
"""


def normal(name: str) -> str:
    """A package's name as an index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Name → version, of every line ``name==version …``."""
    found = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    return {normal(name): version for name, version in found}


def blocks(text: str) -> list[str]:
    """One package each, with its hashes."""
    return re.findall(r"^[\w.-]+==.*(?:\n +--hash=.*)+\n", text, re.MULTILINE)


def resolved() -> str:
    """What pip would install, on any system, with the hashes of all its files."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras",
        "--constraint", "constraints.txt", "--universal", "--python-version", PYTHON,
        "--generate-hashes", "--no-annotate", "--no-header", "--quiet",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def hashes(block: str) -> set[str]:
    """Of all the files of a package."""
    return set(re.findall(r"--hash=(\S+)", block))


def known_elsewhere(wheels: list[Path]) -> dict[tuple[str, str], set[str]]:
    """Hashes of files by (name, version): those of ``wheels``, and all that were let in before."""
    found: dict[tuple[str, str], set[str]] = {}
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        found.setdefault((normal(name), version.partition("+")[0]), set()).add(f"sha256:{digest}")
    for file in filter(Path.is_file, (ROOT / name for name in FILES)):
        for block in blocks(file.read_text(encoding="utf-8")):
            found.setdefault(*pins(block).items(), set()).update(hashes(block))
    return found


def main(wheels: list[Path]) -> None:
    """Write both files."""
    pinned = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    elsewhere = known_elsewhere(wheels)
    texts = {name: HEAD.format(name=name) for name in FILES}
    for block in blocks(resolved()):
        (key,) = pins(block).items()
        every = sorted(hashes(block) | elsewhere.get(key, set()))
        lines = [block.partition(" \\\n")[0], *(f"    --hash={each}" for each in every)]
        block = " \\\n".join(lines) + "\n"
        is_for_gpu = "sys_platform == 'linux'" in block and not pins(block).keys() & pinned.keys()
        texts["requirements-cuda.lock" if is_for_gpu else "requirements.lock"] += block
    for name, text in texts.items():
        (ROOT / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {len(blocks(text))} packages")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
