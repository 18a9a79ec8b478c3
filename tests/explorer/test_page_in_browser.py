"""The exported page in a real browser: opened from another folder, without a network."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from zscape.explorer import Scene, page, write_export

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1280,860",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
    pytest.mark.skipif(
        not (page.STATIC / page.BUNDLE).is_file(), reason="the explorer's page was not built"
    ),
]


def opened(file, tmp_path) -> str:
    """The document once its scripts have run."""
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--timeout=30000",
         "--virtual-time-budget=10000", "--dump-dom", file.as_uri()],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout.decode()


def body(document: str) -> str:
    """What a person meets, without the scene and the program."""
    return re.sub(r"<(script|style).*?</\1>", "", document, flags=re.DOTALL)


def test_the_exported_page_opens_and_decodes(scene, tmp_path):
    document = body(opened(write_export(scene, tmp_path / "with spaces & ünï.html"), tmp_path))
    assert 'data-ready="true"' in document
    assert 'data-level="among"' in document
    assert document.count('type="range"') == 4
    # Names of the data are text; one of them is "</script><b>blue".
    assert "&lt;/script&gt;&lt;b&gt;blue" in document
    assert "<b>blue" not in document


def test_a_damaged_page_says_so(scene, tmp_path):
    name = next(iter(scene.blocks))
    damaged = scene.blocks | {name: scene.blocks[name][:-7]}
    file = tmp_path / "damaged.html"
    text = page.file_page(Scene(scene.manifest, damaged), page.read_bundle())
    file.write_text(text, encoding="utf-8")
    document = body(opened(file, tmp_path))
    assert 'data-ready="failed"' in document
    assert re.search(r'role="alert"[^>]*>[^<]*' + re.escape(name), document)
