// The explorer at 10 000, 200 000 and a million points, and other viewers on the same ones.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "vite";
import { withPage } from "./chromium.mjs";
import { clicks, summary, watch } from "./explorer.mjs";
import { withFiles } from "./serve.mjs";

export const SIZES = [10_000, 200_000, 1_000_000];
const RIVALS = ["embedding-atlas", "regl-scatterplot"];
const STEPS = 60;
const PATIENCE_MS = 240_000;

/** In the page: the time between frames, from now on. */
function record() {
  const seen = (window.frames_ = { times: [], isOn: true });
  const tick = (now) => {
    seen.times.push(now);
    if (seen.isOn) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

async function intervals(page, act) {
  await page.evaluate(record);
  await act();
  const times = await page.evaluate(() => {
    window.frames_.isOn = false;
    return window.frames_.times;
  });
  return summary(times.slice(1).map((time, i) => time - times[i]));
}

/** Zooms in and out, and drags, as a hand does, over the middle of a map. */
async function move(page, { x, y, width, height }) {
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  await page.mouse.move(middleX, middleY);
  const zoom = await intervals(page, async () => {
    for (let i = 0; i < 2 * STEPS; i++) {
      await page.mouse.wheel(0, i < STEPS ? -40 : 40);
      await page.waitForTimeout(8);
    }
  });
  await page.waitForTimeout(500);
  await page.mouse.down();
  const pan = await intervals(page, async () => {
    for (let i = 0; i < 2 * STEPS; i++) {
      await page.mouse.move(middleX + 120 * Math.sin(i / 10), middleY + 80 * Math.sin(i / 7));
      await page.waitForTimeout(8);
    }
  });
  await page.mouse.up();
  return { zoom, pan };
}

const heap = (page) =>
  page.evaluate(() => (performance.memory ? performance.memory.usedJSHeapSize / 1e6 : null));

export function ours(address) {
  return withPage({}, async (page) => {
    await page.addInitScript(watch);
    await page.goto(`${address}explorer/`);
    await page.waitForSelector('[data-ready="true"]', { timeout: PATIENCE_MS });
    const ready = await page.evaluate(() => performance.getEntriesByName("zs-ready")[0].startTime);
    await page.waitForTimeout(4000); // indexes
    const box = await page.getByRole("application").boundingBox();
    await page.getByRole("button", { name: "Move" }).first().click();
    const moved = await move(page, box);
    await page.keyboard.press("0");
    await page.getByRole("button", { name: "Walk" }).first().click();
    await page.waitForTimeout(1000);
    return { ready, ...moved, click: summary(await clicks(page)), heap: await heap(page) };
  });
}

export function rival(address, name, points) {
  return withPage({ width: 800, height: 632 }, async (page) => {
    const complaints = [];
    page.on("pageerror", ({ message }) => complaints.push(message));
    await page.goto(`${address}rivals.html?name=${name}&points=${points}`);
    try {
      await page.waitForSelector('[data-ready="true"]', { timeout: PATIENCE_MS });
    } catch {
      return { why: complaints[0] ?? "it shows nothing within four minutes" };
    }
    const ready = await page.evaluate(() => performance.getEntriesByName("shown")[0].startTime);
    await page.waitForTimeout(3000);
    const refusal = await page.evaluate(() =>
      /[^.\n]*unavailable[^.]*\./.exec(document.body.textContent),
    );
    if (complaints.length || refusal) return { why: complaints[0] ?? refusal[0].trim() };
    const moved = await move(page, { x: 0, y: 0, width: 800, height: 600 });
    return { ready, ...moved, heap: await heap(page) };
  });
}

/** Of Embedding Atlas the map alone is shown; what its charts and tables need is left out. */
const withoutCharts = {
  name: "without-charts",
  resolveId: (name) => (name.startsWith("@uwdata/") ? `\0${name}` : null),
  load: (name) =>
    name.startsWith("\0@uwdata/") ? "export default {}; export class MosaicClient {}" : null,
};

/** The page of the others, beside the points. */
export async function writeRivals(folder) {
  await build({
    configFile: false,
    logLevel: "error",
    plugins: [withoutCharts],
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      rolldownOptions: { shimMissingExports: true },
      lib: {
        entry: new URL("rivals/page.js", import.meta.url).pathname,
        formats: ["es"],
        fileName: () => "rivals.js",
      },
    },
  });
  const html =
    '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><div id="map"></div><script type="module" src="rivals.js"></script>';
  writeFileSync(join(folder, "rivals.html"), html);
}

/** @param python what runs `tools.web_points` @param folder where its points are kept */
export async function measureLarge({ python, root, env, folder, say, sizes = SIZES }) {
  const args = ["-m", "tools.web_points", folder, ...sizes.map(String)];
  const told = execFileSync(python, args, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: new URL("rivals", import.meta.url),
    stdio: "inherit",
  });
  const places = JSON.parse(told.trim().split("\n").at(-1));
  await writeRivals(folder);
  const results = {};
  for (const n of sizes) {
    results[n] = { zscape: await withFiles(places[n], ours) };
    say(`  ${n} points: ${JSON.stringify(results[n].zscape)}`);
    for (const name of RIVALS) {
      results[n][name] = await withFiles(dirname(places[n]), (address) =>
        rival(address, name, basename(places[n])),
      );
      say(`  ${n} points, ${name}: ${JSON.stringify(results[n][name])}`);
    }
  }
  return results;
}
