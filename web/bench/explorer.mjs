// What a person waits for in the explorer, measured in the page as it ships.
import { withPage } from "./chromium.mjs";

const LOADS = 7;
const CLICKS = 60;
const GRIDS = 15;

/** In the page: when which canvas was painted, and which input came last. */
export function watch() {
  const seen = (window.seen = { input: 0, painted: [], grid: [], longest: 0 });
  for (const name of ["pointerup", "input", "keydown"]) {
    addEventListener(name, (event) => (seen.input = event.timeStamp), { capture: true });
  }
  const original = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...args) {
    original.apply(this, args);
    const passed = performance.now() - seen.input;
    if (this.canvas.dataset.testid === "picture") seen.painted.push(passed);
    if (this.canvas.classList.contains("zs-grid")) seen.grid.push(passed);
  };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration);
  }).observe({ type: "longtask" });
}

export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1],
    p95: sorted[Math.floor(0.95 * (sorted.length - 1))],
    n: sorted.length,
  };
}

/** Milliseconds from navigation to the first picture decoded; a browser of its own each time. */
export async function ready(url) {
  const times = [];
  for (let i = 0; i < LOADS; i++) {
    times.push(
      await withPage({}, async (page) => {
        await page.goto(url);
        await page.waitForSelector('[data-ready="true"]');
        return page.evaluate(() => performance.getEntriesByName("zs-ready")[0].startTime);
      }),
    );
  }
  return summary(times);
}

/** Milliseconds from an event of the browser to the picture being painted, and to the whole grid of 100. */
export async function interaction(url) {
  return withPage({}, async (page) => {
    await page.addInitScript(watch);
    await page.goto(url);
    await page.waitForSelector('[data-ready="true"]');
    await page.waitForTimeout(2000);
    const click = await clicks(page);
    const slider = await slides(page);
    return { click: summary(click), slider: summary(slider), grid: await grids(page) };
  });
}

const take = (page) => page.evaluate(() => window.seen.painted.splice(0));

/** Milliseconds from a click on the map to the picture, for clicks all over it. */
export async function clicks(page) {
  const box = await page.getByRole("application").boundingBox();
  await take(page);
  const times = [];
  for (let i = 0; i < CLICKS + 5; i++) {
    // All over the map, and the same every time.
    const [x, y] = [0.1 + 0.8 * ((i * 0.618) % 1), 0.1 + 0.8 * ((i * 0.381) % 1)];
    await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
    await page.waitForTimeout(350); // two clicks in a hurry would zoom
    const painted = await take(page);
    if (i >= 5) times.push(painted[0]);
  }
  return times;
}

async function slides(page) {
  const box = await page.getByRole("slider").first().boundingBox();
  await page.mouse.move(box.x + 0.2 * box.width, box.y + box.height / 2);
  await page.mouse.down();
  await take(page);
  for (let i = 0; i < 2 * CLICKS; i++) {
    const share = 0.5 - 0.3 * Math.cos(i / 12);
    await page.mouse.move(box.x + share * box.width, box.y + box.height / 2);
  }
  await page.mouse.up();
  return take(page);
}

async function grids(page) {
  await page.getByRole("tab", { name: "Around" }).click();
  await page.waitForTimeout(1500);
  const times = [];
  for (let i = 0; i < GRIDS; i++) {
    await page.evaluate(() => (window.seen.grid.length = window.seen.longest = 0));
    await page.keyboard.press("r");
    await page.waitForFunction(() => window.seen.grid.length >= 100);
    times.push(
      await page.evaluate(() => ({ whole: window.seen.grid[99], longest: window.seen.longest })),
    );
    await page.waitForTimeout(100);
  }
  return {
    ...summary(times.map(({ whole }) => whole)),
    longestTask: Math.max(...times.map(({ longest }) => longest)),
  };
}
