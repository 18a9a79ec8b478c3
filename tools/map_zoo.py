"""Draw the maps that ship with the zoo: ``python tools/map_zoo.py [NAME …]``.

t-SNE and UMAP of the 10 000 test images of every model, and the learned way back from each. One
thread draws, so that the number of cores does not change them.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

FOLDER = Path(__file__).parent.parent / "src" / "zscape" / "zoo" / "maps"
METHODS = ("tsne", "umap")


def main() -> None:
    """Draw what is asked for, or all; then delete what is of no model any more."""
    from zscape.data import load_data
    from zscape.embedding import fit_map
    from zscape.embedding.shipped import save_shipped
    from zscape.latents import encode, fingerprint
    from zscape.zoo import open_card, read_cards

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(read_cards())
    images = load_data("mnist").test
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        table = encode(open_card(name).model, images)
        file = FOLDER / f"{table.fingerprint}.safetensors"
        save_shipped((fit_map(table, method, anew=True) for method in METHODS), file)
        print(f"zoo:{name}  {file.name}  {file.stat().st_size / 1e3:.0f} KB", flush=True)
    known = {fingerprint(open_card(name).model) for name in read_cards()}
    for file in FOLDER.glob("*.safetensors"):
        if file.stem not in known:
            file.unlink()


if __name__ == "__main__":
    main()
