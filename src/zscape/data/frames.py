"""Tables in memory: a pandas DataFrame, or a data set of Hugging Face's ``datasets``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from torch import Tensor

from zscape.config import DataConfig
from zscape.data.imageset import ImageSet, Splits
from zscape.data.roles import role_of, split_of, splits_among
from zscape.data.tables import Rows, as_rows, from_rows
from zscape.data.tree import Readable, say_left_out
from zscape.errors import DataError


def read_frame(source: Any, config: DataConfig) -> Splits | ImageSet:
    """A DataFrame, a ``datasets.Dataset``, or a mapping of splits to such.

    Its images are a column of pictures (Pillow's, arrays, encoded bytes, names of files) or a
    column for every pixel; labels and all else as in ``tables.read_tables``.

    Raises
    ------
    DataError
        It holds no images, or pictures of several sizes without ``config.resize``.
    """
    where = type(source).__name__
    halves = source if isinstance(source, Mapping) else {"train": source}
    named = {split_of(str(word)) or str(word): half for word, half in halves.items()}
    splits = splits_among([s for s in named if s in ("train", "val", "test")], where)
    left_out = Counter(f"split {s}" for s in named if s not in splits.values())
    rows = {split: _rows(named[name], where, config, left_out) for split, name in splits.items()}
    data = from_rows(rows, where, config, left_out)
    say_left_out(where, left_out)
    return data


def _rows(source: Any, where: str, config: DataConfig, left_out: Counter[str]) -> Rows:
    is_frame = hasattr(source, "iloc")
    if hasattr(source, "with_format"):  # or it may give torch's tensors, pictures and numbers
        source = source.with_format(None)
    names = [str(name) for name in (source.columns if is_frame else source.column_names)]
    if len(source) == 0:
        raise DataError(f"{where} has no rows.")
    first = dict(zip(names, source.iloc[0], strict=True)) if is_frame else source[0]
    pictured = [name for name in names if _is_picture(first[name])]
    pictured.sort(key=lambda name: role_of(name).kind != "images")
    images = pictured[0] if pictured else None
    left_out.update(f"column {name}" for name in pictured[1:])
    if is_frame:
        rest = source.drop(columns=pictured)
        table = pa.Table.from_pandas(rest.rename(columns=str), preserve_index=False)
    else:
        table = pa.table({name: source[name] for name in names if name not in pictured})
    rows = as_rows(table, where, config, _find, images=images)
    if images is None:
        return rows
    feature = getattr(source, "features", {}).get(rows.labels)
    class_names = getattr(feature, "names", None)
    return Rows(
        table, images, rows.labels, [], _find, list(source[images]),
        None if class_names is None else tuple(class_names),
    )  # fmt: skip


def _is_picture(value: Any) -> bool:
    if isinstance(value, (np.ndarray, Tensor)):
        return value.ndim > 1
    is_encoded = isinstance(value, Mapping) and "bytes" in value
    return is_encoded or isinstance(value, (Image.Image, bytes))


def _find(name: str) -> Readable:
    if (file := Path(name).expanduser()).is_file():
        return file
    raise DataError(f"The table names {name}, but there is no such file.")
