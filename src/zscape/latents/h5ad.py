"""A table of latents as AnnData, which the programs for single cells read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zscape.errors import DataError, needing
from zscape.latents.store import TEXTS

if TYPE_CHECKING:
    from zscape.latents.table import LatentTable

SUFFIX = ".h5ad"


def load_anndata() -> Any:
    """The package.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    with needing("anndata", f"writing {SUFFIX}"):
        import anndata
    return anndata


def to_anndata(table: LatentTable) -> Any:
    """An ``AnnData``; see ``LatentTable.to_anndata``."""
    import pandas as pd

    anndata = load_anndata()
    known = table.to_frame().iloc[:, : -table.latent_dim].reset_index()
    for name in known:
        if "/" in name or name == "_index":
            raise DataError(
                f"column {name!r} has a name that {SUFFIX} cannot hold; rename it, or write "
                f".parquet."
            )
        if known[name].dtype.kind not in "iuf":
            # Of pandas' kinds of text, AnnData writes objects only, and a gap in categories only.
            texts = known[name].astype(object)
            texts = texts.map(str).where(texts.notna(), None)
            is_class = isinstance(known[name].dtype, pd.CategoricalDtype)
            names = list(map(str, known[name].cat.categories)) if is_class else None
            known[name] = pd.Categorical(texts.astype(object), _objects(names))
    known.index = _objects(map(str, table.indices))
    known.columns = _objects(known.columns)
    neurons = pd.DataFrame(index=_objects(f"z{i}" for i in range(table.latent_dim)))
    about = {name: getattr(table, name) for name in TEXTS}
    return anndata.AnnData(table.mu, known, neurons, layers={"logvar": table.logvar}, uns=about)


def to_h5ad(table: LatentTable) -> bytes:
    """The content of a file of ``to_anndata``."""
    made = to_anndata(table)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{SUFFIX}"
        made.write_h5ad(path)
        return path.read_bytes()


def _objects(texts: Any) -> Any:
    import pandas as pd

    return None if texts is None else pd.Index(list(texts), dtype=object)
