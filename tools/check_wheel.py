"""Is the wheel whole, and small enough? ``python tools/check_wheel.py dist``.

If the folder holds a second wheel in ``from_sdist``, it must be the same, byte for byte.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

LIMIT_MB = 60
SOURCE = Path(__file__).parent.parent / "src"


def contents(wheel: Path) -> dict[str, bytes]:
    """What is in a wheel, by name."""
    with ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def main(folder: Path) -> None:
    """Compare the newest wheel in ``folder`` with ``src/``, file by file, and weigh it."""
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    inside = contents(wheel)
    ours = {
        path.relative_to(SOURCE).as_posix(): path.read_bytes()
        for path in (SOURCE / "zscape").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    megabytes = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {len(inside)} files, {megabytes:.1f} MB")
    if other := [name for name, content in ours.items() if inside.get(name) != content]:
        sys.exit(f"the wheel lacks, or has otherwise, {', '.join(sorted(other))}")
    if megabytes > LIMIT_MB:
        sys.exit(f"the wheel must stay under {LIMIT_MB} MB")
    for again in (folder / "from_sdist").glob("*.whl"):
        theirs = contents(again)
        names = sorted(inside.keys() | theirs.keys())
        if other := [name for name in names if inside.get(name) != theirs.get(name)]:
            sys.exit(f"the sdist builds another wheel: {', '.join(other)}")
        print(f"from_sdist/{again.name}: the same {len(theirs)} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
