// `npm run screenshots`: the pictures of the explorer in docs/explorer.md.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { executablePath } from "../bench/chromium.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IMAGES = join(ROOT, "docs", "images");
const SIZE = { width: 1280, height: 800 };

/** Strokes of a three, in shares of the pad. */
const THREE = [
  [0.3, 0.24],
  [0.42, 0.15],
  [0.6, 0.16],
  [0.69, 0.28],
  [0.62, 0.41],
  [0.45, 0.47],
  [0.62, 0.52],
  [0.71, 0.66],
  [0.63, 0.81],
  [0.45, 0.86],
  [0.29, 0.77],
];

async function onCanvas(canvas, [x, y]) {
  const box = await canvas.boundingBox();
  return [box.x + x * box.width, box.y + y * box.height];
}

/** A smooth line through the places (Catmull and Rom's spline). */
function smooth(places, steps = 10) {
  const at = (i) => places[Math.min(Math.max(i, 0), places.length - 1)];
  const points = places.slice(1).flatMap((_, i) =>
    Array.from({ length: steps }, (_, k) => {
      const t = (k + 1) / steps;
      return [0, 1].map((c) => {
        const [a, b, d, e] = [at(i - 1)[c], at(i)[c], at(i + 1)[c], at(i + 2)[c]];
        return b + (t / 2) * (d - a + t * (2 * a - 5 * b + 4 * d - e + t * (3 * (b - d) + e - a)));
      });
    }),
  );
  return [places[0], ...points];
}

async function stroke(page, canvas, places) {
  await page.mouse.move(...(await onCanvas(canvas, places[0])));
  await page.mouse.down();
  for (const place of smooth(places)) await page.mouse.move(...(await onCanvas(canvas, place)));
  await page.mouse.up();
}

/** Clicks on the map until it comes to a place between the data, whose halo shows. */
async function clickBetween(page, map) {
  for (let i = 0; i < 300; i++) {
    const radius = 0.02 * Math.sqrt(i);
    await page.mouse.click(
      ...(await onCanvas(map, [
        0.6 + radius * Math.cos(2.4 * i),
        0.67 + radius * Math.sin(2.4 * i),
      ])),
    );
    const level = await page.getByTestId("trust").getAttribute("data-level");
    if (level === "between") return;
    await page.waitForTimeout(350);
  }
  throw new Error("no place between the data");
}

const SHOTS = {
  map: { colorScheme: "light", act: (page, map) => clickBetween(page, map) },
  path: {
    colorScheme: "light",
    async act(page, map) {
      await page.getByRole("tab", { name: "Path" }).click();
      await page.keyboard.press("p");
      await stroke(page, map, [
        [0.29, 0.36],
        [0.4, 0.3],
        [0.52, 0.42],
        [0.58, 0.6],
        [0.7, 0.68],
        [0.8, 0.5],
        [0.82, 0.38],
      ]);
      await page.getByRole("spinbutton", { name: "Pictures" }).fill("15");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Stop 11" }).click();
    },
  },
  draw: {
    colorScheme: "dark",
    async act(page) {
      await page.getByRole("tab", { name: "Draw" }).click();
      await stroke(page, page.getByTestId("pad"), THREE);
    },
  },
};

const folder = mkdtempSync(join(tmpdir(), "zscape-shots-"));
const file = join(folder, "digits.html");
execFileSync(join(ROOT, ".venv", "bin", "zscape"), ["export", "zoo:10", "-o", file], {
  stdio: "inherit",
});
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
for (const [name, { colorScheme, act }] of Object.entries(SHOTS)) {
  const page = await browser.newPage({ viewport: SIZE, colorScheme, deviceScaleFactor: 1.5 });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('[data-ready="true"]');
  await page.waitForTimeout(500);
  await act(page, page.getByRole("application"));
  await page.mouse.move(SIZE.width - 2, 2);
  await page.evaluate(() => document.activeElement?.blur());
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(IMAGES, `explorer-${name}.png`) });
  await page.close();
}
await browser.close();
rmSync(folder, { recursive: true });
