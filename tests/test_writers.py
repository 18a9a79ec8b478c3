"""Every file that is kept goes through ``files.write_atomic``: whole or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "zscape"

ALLOWED = {
    "files.py": "the one writer",
    "sweeping/worker.py": "the pipe to who started it",
    "sweeping/local.py": "a log that several processes add to",
    "lock.py": "a lock file is locked where it lies, and says nothing once it is let go",
    "cli/app.py": "the null device, in place of an output that was closed",
    "data/mapped.py": "a file without a name, gone when its process is",
    "latents/h5ad.py": "a folder that is gone at the end of the block; the bytes are written then",
}
"""Files that may open others for writing, and why."""

OURS = (
    "table.save(out)", "embedding.save(path)", "scene.save(file)",
    "write_table(Path(path), ", "writer.write_table(",
)  # fmt: skip
"""What these write with ``write_atomic``; the last, to what the writer was made with."""

WRITERS = {
    "write_text", "write_bytes", "tofile", "to_csv", "to_parquet", "to_json", "to_excel",
    "to_pickle", "to_hdf", "savefig", "imsave", "imwrite", "save_file", "write_h5ad", "write_table",
    "write_image", "write_html", "copyfile", "copytree", "copy2", "memmap", "open_memmap",
    "mkstemp", "NamedTemporaryFile", "ParquetWriter", "new_stream", "new_file", "dump",
    "savez", "savez_compressed", "savetxt",
}  # fmt: skip
"""Calls that write to what is given first, be it a path."""

IN_MEMORY = {"buffer", "stream", "sink"}
"""How that is called where it is none."""


def found_writes(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _writes(node):
            yield node.lineno, ast.unparse(node)


def _writes(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(isinstance(each, ast.Name) and each.id in IN_MEMORY for each in given):
        return False
    if name in ("open", "fdopen", "ZipFile", "TarFile"):
        texts = [each.value for each in given if isinstance(each, ast.Constant)]
        modes = [text for text in texts if isinstance(text, str) and len(text) <= 3]
        return any(set(mode) & set("wax+") for mode in modes)
    is_method = isinstance(call.func, ast.Attribute)
    return bool(call.args) and (name in WRITERS or (name == "save" and is_method))


def test_no_other_writes() -> None:
    others = [
        f"{file.relative_to(PACKAGE)}:{line}: {call}"
        for file in sorted(PACKAGE.rglob("*.py"))
        if file.relative_to(PACKAGE).as_posix() not in ALLOWED
        for line, call in found_writes(file.read_text(encoding="utf-8"))
        if not call.startswith(OURS)
    ]
    assert others == []


@pytest.mark.parametrize("code", [
    'open(path, "w")', 'path.open("wb")', 'path.open(mode="a")', 'path.write_text("x")',
    "np.save(path, a)", "torch.save(a, path)", "figure.savefig(path)", 'ZipFile(path, "w")',
    "frame.to_csv(path)", 'path.open("r+b")', "np.memmap(path)",
])  # fmt: skip
def test_a_write_is_found(code: str) -> None:
    assert len(list(found_writes(code))) == 1


@pytest.mark.parametrize("code", [
    "open(path)", 'path.open("rb")', "np.savez(buffer, a)", "figure.savefig(buffer)",
    'zipfile.ZipFile(stream)', 'ZipFile(buffer, "w")',
])  # fmt: skip
def test_no_write_is_not(code: str) -> None:
    assert list(found_writes(code)) == []
