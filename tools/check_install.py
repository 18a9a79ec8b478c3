"""Does the wheel run where there is nothing else? ``python tools/check_install.py dist``.

Installs what ``requirements.lock`` pins, by hash, and the wheel into a new environment, where
``zscape`` draws its demo and a map, and trains. On Linux, as root, the program has no network, not
even loopback; the rights of nobody; packages and a HOME that cannot be written; and no source,
which is hidden under an empty disk.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = (
    ["demo", "--no-open", "--out", "pages"],
    ["map", "zoo:2", "-n", "300", "--method", "umap", "-o", "map.png"],
    ["train", "--out", "run", "--latent-dim", "2", "--epochs", "1", "--n-train", "600"],
)
MADE = ("pages/report.html", "pages/explorer.html", "map.png", "run/model.safetensors")
ALONE = """
set -e
mount -t tmpfs none "$1"
mount --bind "$2" "$2" && mount -o remount,bind,ro "$2"
cd "$3" && shift 3
exec setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs "$@"
"""


def install(wheel: Path, folder: Path, python: str, locks: list[str], first: list[Path]) -> Path:
    """An environment with the wheel, and nothing that is not pinned; its ``bin``."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", python, folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder, "install", "--quiet", "--no-deps"]
    known = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for file in first:
        if hashlib.sha256(file.read_bytes()).hexdigest() not in known:
            sys.exit(f"{file} is not in requirements.lock")
        subprocess.run([*pip, file], check=True)
    pinned = [part for lock in locks for part in ("-r", ROOT / lock)]
    subprocess.run([*pip, "--require-hashes", *pinned], check=True)
    subprocess.run([*pip, wheel], check=True)
    subprocess.run([*pip[:-3], "check"], check=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def run(commands: Path, work: Path, home: Path) -> None:
    """Every one of ``COMMANDS``, alone if this system lets one."""
    is_alone = sys.platform == "linux" and os.geteuid() == 0
    print(f"alone: {is_alone}")
    inside = {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8"}
    for command in COMMANDS:
        program = [str(commands / "zscape"), *command]
        if is_alone:
            shell = ["bash", "-c", ALONE, "bash", str(ROOT), str(commands.parent), str(work)]
            program = ["unshare", "--net", "--mount", *shell, *program]
        subprocess.run(program, cwd=work, env=inside if is_alone else None, check=True)
    for name in MADE:
        if not (work / name).is_file():
            sys.exit(f"{name} was not made")


def main() -> None:
    """Install and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable, help="one that nobody may run")
    parser.add_argument(
        "--cuda", action="store_true", help="torch is not the build for the CPU alone"
    )
    parser.add_argument(
        "--first", type=Path, nargs="*", default=[], metavar="WHEEL",
        help="Files of the lock that the package index does not have.",
    )  # fmt: skip
    options = parser.parse_args()
    (wheel,) = options.folder.resolve().glob("*.whl")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        work, home = place / "work", place / "home"
        work.mkdir()
        home.mkdir(mode=0o555)
        if sys.platform == "linux" and os.geteuid() == 0:
            shutil.chown(work, "nobody")
        locks = ["requirements.lock", *["requirements-cuda.lock"] * options.cuda]
        run(install(wheel, place / "env", options.python, locks, options.first), work, home)
    print(f"{wheel.name} runs: {', '.join(MADE)}")


if __name__ == "__main__":
    main()
