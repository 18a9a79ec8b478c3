/**
 * Milliseconds a frame of the map takes while zooming, 800 × 600, in headless Chromium with its software renderer.
 * With `npx vite` running: `node playground/view_bench.mjs http://127.0.0.1:5173 [chromium]`.
 */
import { chromium } from "playwright";

const [base = "http://127.0.0.1:5173", executablePath] = process.argv.slice(2);
const CALM = ["--no-sandbox", "--disable-gpu"];
const UNCAPPED = [...CALM, "--disable-frame-rate-limit", "--disable-gpu-vsync"];
const FRAMES = 60;

/** In the page: zooms in and out again; intervals between frames once it has found its pace. */
async function zoom([frames, isWhole]) {
  const { view } = window;
  if (isWhole) view.detail.count = view.detail.n;
  if (isWhole) view.detail.record = () => {};
  const start = view.getView();
  const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const intervals = [];
  const warmUp = 20;
  let last = await next();
  for (let i = 0; i < frames + warmUp; i++) {
    view.setView({ ...start, scale: start.scale * (0.75 + 0.25 * Math.cos(i / 8)) });
    const now = await next();
    if (i >= warmUp) intervals.push(now - last);
    last = now;
  }
  intervals.sort((a, b) => a - b);
  const share = view.detail.share;
  return { median: intervals[frames >> 1], p95: intervals[Math.floor(0.95 * frames)], share };
}

for (const n of [10_000, 70_000, 200_000]) {
  const cells = [];
  for (const [name, args] of [["capped", CALM], ["uncapped", UNCAPPED]]) {
    for (const isWhole of [false, true]) {
      const browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
      const page = await browser.newPage({ viewport: { width: 800, height: 632 } });
      await page.goto(`${base}/playground/view.html?n=${n}`);
      await page.waitForFunction("window.view && window.groups");
      await page.waitForTimeout(500);
      const { median, p95, share } = await page.evaluate(zoom, [FRAMES, isWhole]);
      const points = isWhole ? "all points" : `${Math.round(100 * share)} % of them`;
      cells.push(`${name}, ${points}: ${median.toFixed(1)} (p95 ${p95.toFixed(1)})`);
      await browser.close();
    }
  }
  console.log(`${n}: ${cells.join("; ")}`);
}
