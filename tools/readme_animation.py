"""The README's animation, docs/images/explorer.gif: ``python tools/readme_animation.py``.

The real explorer of zoo:10 in a headless Chromium, the pointer going round on its t-SNE map; needs
``npm --prefix web ci``.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import zscape
from zscape.files import write_atomic

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs" / "images" / "explorer.gif"
MILLISECONDS = 60
N_COLORS, N_GREYS = 120, 40
"""Of the map, and of the pictures."""
MOST_BYTES = 3_000_000


def main() -> None:
    """Take the frames, and make one file of them."""
    with tempfile.TemporaryDirectory() as folder:
        page = zscape.export("zoo:10", Path(folder) / "digits.html")
        subprocess.run(["node", "e2e/animation.mjs", page, folder], cwd=ROOT / "web", check=True)
        frames = [Image.open(path).convert("RGB") for path in sorted(Path(folder).glob("*.png"))]
    content = as_gif(frames)
    assert len(content) < MOST_BYTES, f"{len(content):,} bytes"
    write_atomic(OUT, content)


def as_gif(frames: list[Image.Image]) -> bytes:
    """One palette for all, so that a pixel which stays the same costs nothing."""
    few = frames[:: max(1, len(frames) // 8)]
    sheet = Image.new("RGB", (few[0].width, few[0].height * len(few)))
    for k, frame in enumerate(few):
        sheet.paste(frame, (0, k * frame.height))
    colors = sheet.quantize(N_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    greys = [level for k in range(N_GREYS) for level in 3 * [round(255 * k / (N_GREYS - 1))]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(greys + (colors.getpalette() or [])[: 3 * N_COLORS])
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    first.save(
        buffer, "gif", save_all=True, append_images=others, duration=MILLISECONDS, loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    return buffer.getvalue()


if __name__ == "__main__":
    main()
