"""The HTML around the explorer, for the server and for the single file; and its bundle."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

from zscape.errors import DataError
from zscape.explorer.scene import Scene

STATIC = Path(__file__).parent / "static"
BUNDLE = "explorer.js"

SERVER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Of the local page: itself, and nothing else."""

# Scripts by their hash: no other one runs, whatever the names of classes try.
_FILE_POLICY = (
    "default-src 'none'; script-src 'sha256-{digest}' 'wasm-unsafe-eval'; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{policy}
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; }}
[data-zscape] {{ min-height: 100%; }}
noscript p {{ margin: 3rem auto; padding: 0 1.25rem; max-width: 34rem; }}
</style>
</head>
<body>
<div data-zscape="{home}"></div>
<noscript><p>This page is a program: it needs JavaScript, which is switched off here.</p></noscript>
{content}
</body>
</html>
"""


def read_bundle() -> str:
    """The explorer's JavaScript, the same in all its homes.

    Raises
    ------
    DataError
        It is not there: a checkout in which the page was never built.
    """
    file = STATIC / BUNDLE
    if not file.is_file():
        raise DataError(
            f"the explorer's page is missing ({file}); install zscape again, or in a checkout "
            "build it with npm run build in web/."
        )
    return file.read_text(encoding="utf-8")


def server_page(title: str) -> str:
    """The page that ``zscape explore`` serves; it asks for the rest itself."""
    return _PAGE.format(
        policy="",
        title=_title(title),
        home="server",
        content=f'<script type="module" src="{BUNDLE}"></script>',
    )


def file_page(scene: Scene, bundle: str) -> str:
    """One page with all of ``scene`` in it; the browser itself forbids it the network."""
    # In JSON and in attributes "<" can be written otherwise.
    manifest = scene.manifest_json.replace("<", "\\u003c")
    parts = [f'<script type="application/json" id="zscape-manifest">{manifest}</script>']
    for name, data in scene.blocks.items():
        text = base64.b64encode(data).decode()
        parts.append(
            f'<script type="text/plain" data-zscape-block="{escape(name)}">{text}</script>'
        )
    return _with_script(bundle, scene.manifest["title"], "embedded", parts)


def folder_page(title: str, bundle: str) -> str:
    """The page of a folder; it asks for what lies beside it, and for nothing else."""
    return _with_script(bundle, title, "folder", [], "; connect-src 'self'")


def _with_script(
    bundle: str, title: str, home: str, parts: list[str], more_policy: str = ""
) -> str:
    script = _inert(bundle)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = _FILE_POLICY.format(digest=digest) + more_policy
    # Last, as it starts when the scene has been read.
    parts.append(f'<script type="module">{script}</script>')
    return _PAGE.format(
        policy=f'\n<meta http-equiv="Content-Security-Policy"\n content="{policy}">',
        title=_title(title),
        home=home,
        content="\n".join(parts),
    )


def _inert(script: str) -> str:
    r"""``script`` without what would end, or hide the end of, the element around it.

    In JavaScript "<" is followed by "/" or "!--" only inside texts, where ``\x3c`` is the same.
    """
    for opening in ("</script", "<script", "<!--"):
        at = script.lower().find(opening)
        while at >= 0:
            script = f"{script[:at]}\\x3c{script[at + 1 :]}"
            at = script.lower().find(opening)
    # HTML reads every line end as "\n", and the hash is of what it reads.
    return script.replace("\r\n", "\n").replace("\r", "\n")


def _title(title: str) -> str:
    return f"{escape(title)} · zscape"
