"""The frame of a page and its style: light and dark, wide and narrow, screen and paper."""

from __future__ import annotations

# The policy is the promise of no network, kept by the browser.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

# Figures keep a white card on a dark page: their colours were chosen on white.
STYLE = """
:root {
  --page: #fff; --ink: #1f2328; --muted: #59636e; --line: #d8dee4; --tile: #f6f8fa;
  --link: #366382;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --ink: #e2e6ea; --muted: #98a2ad; --line: #30363d; --tile: #1d2126;
    --link: #8fbfe0;
  }
  .card { filter: brightness(0.92); }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 3.5rem 1.25rem 6rem; max-width: 57.5rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
h1 { margin: 0; font-size: clamp(1.6rem, 5vw, 2.2rem); font-weight: 650; line-height: 1.2;
  letter-spacing: -0.015em; text-wrap: balance; }
h2 { margin: 0 0 0.75rem; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
h3 { margin: 2.5rem 0 0.6rem; font-size: 1.05rem; font-weight: 600; line-height: 1.35; }
p { max-width: 42rem; margin: 0 0 1rem; }
figure + p, .row + p, .table + p, pre + p, details + p { margin-top: 1.75rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
.subtitle { margin: 0.5rem 0 0; color: var(--muted); font-size: 1.05rem; }
.stats { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: 0.75rem; margin: 2rem 0 0; }
.stats div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  padding: 0.8rem 1rem; border-radius: 8px; background: var(--tile); }
.stats dt { color: var(--muted); font-size: 0.8rem; line-height: 1.35; }
.stats dd { margin: 0; font-size: 1.45rem; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
nav { margin-top: 2rem; padding: 0.9rem 0; border: solid var(--line); border-width: 1px 0; }
nav ol { margin: 0; padding-left: 1.4rem; columns: 18rem auto; font-size: 0.95rem; }
nav li::marker { color: var(--muted); font-variant-numeric: tabular-nums; }
section { margin-top: 3.25rem; scroll-margin-top: 1rem; }
figure { margin: 1.5rem 0 0; }
.card { width: fit-content; max-width: 100%; overflow-x: auto; padding: 8px;
  border: 1px solid var(--line); border-radius: 8px; background: #fff; }
.card img { display: block; max-width: 100%; height: auto; }
.row { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1.5rem 1rem;
  margin-top: 1.5rem; }
.row figure { flex: 0 1 auto; min-width: 0; max-width: 100%; margin: 0; }
figcaption { max-width: 42rem; margin-top: 0.6rem; color: var(--muted); font-size: 0.875rem;
  line-height: 1.5; }
/* Shades at the sides say that there is more to scroll to; at an end the page covers them. */
.table { margin-top: 1.5rem; max-width: 100%; overflow-x: auto; background:
  linear-gradient(90deg, var(--page) 40%, transparent) 0 0 / 2rem 100% no-repeat local,
  linear-gradient(270deg, var(--page) 40%, transparent) 100% 0 / 2rem 100% no-repeat local,
  linear-gradient(90deg, var(--line), transparent) 0 0 / 0.8rem 100% no-repeat,
  linear-gradient(270deg, var(--line), transparent) 100% 0 / 0.8rem 100% no-repeat; }
/* Of many columns: as wide as it needs and the window is. */
.table:has(> .wide) { position: relative; left: 50%; translate: -50%; width: max-content;
  min-width: 100%; max-width: calc(100vw - 3.5rem); }
table { border-collapse: collapse; overflow-wrap: normal; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.7rem; text-align: left; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th { border-bottom: 1px solid var(--muted); font-weight: 600; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
th.number, td.number { text-align: right; }
.number, .short { white-space: nowrap; }
table.wide { font-size: 0.8rem; }
.wide :is(th, td):not(:first-child) { padding-inline: 0.45rem; }
.wide th { white-space: normal; overflow-wrap: normal; vertical-align: bottom; }
figure .table { margin-top: 0; }
pre { max-width: 100%; margin: 0.75rem 0 0; padding: 0.8rem 1rem; overflow-x: auto;
  border-radius: 8px; background: var(--tile); overflow-wrap: normal;
  font: 0.85rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
details { margin-top: 1.25rem; }
summary { width: fit-content; color: var(--link); cursor: pointer; font-size: 0.95rem; }
summary:hover { text-decoration: underline; text-underline-offset: 0.2em; }
details[open] > summary { margin-bottom: 0.75rem; }
@media (max-width: 40rem) {
  body { padding: 2rem 1rem 4rem; }
  .stats { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 0.5rem; }
  .stats div { padding: 0.6rem 0.75rem; }
  .stats dd { font-size: 1.25rem; }
  .table:has(> .wide) { max-width: 100%; }
  .card img { max-width: 40rem; } /* a small picture of small print helps nobody: scroll it */
}
@media print {
  body { padding: 0; }
  figure, .stats div, tr { break-inside: avoid; }
}
"""
