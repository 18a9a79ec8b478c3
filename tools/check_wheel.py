"""Is the wheel whole, and small enough? ``python tools/check_wheel.py dist``."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

LIMIT_MB = 60
SOURCE = Path(__file__).parent.parent / "src"


def main(folder: Path) -> None:
    """Compare the newest wheel in ``folder`` with ``src/``, file by file, and weigh it."""
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    inside = set(ZipFile(wheel).namelist())
    ours = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "zscape").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    megabytes = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {len(inside)} files, {megabytes:.1f} MB")
    if missing := sorted(ours - inside):
        sys.exit(f"the wheel lacks {', '.join(missing)}")
    if megabytes > LIMIT_MB:
        sys.exit(f"the wheel must stay under {LIMIT_MB} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
