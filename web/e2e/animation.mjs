// `node e2e/animation.mjs PAGE FOLDER`: frames of the pointer going round on the map of an explorer; see
// tools/readme_animation.py, which makes the README's animation of them.
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { withPage } from "../bench/chromium.mjs";

const [file, folder] = process.argv.slice(2);
const SIZE = { width: 840, height: 540 };
const N_FRAMES = 112;
/** Places of the map that the pointer comes by, in shares of its width and height; then from the start again. */
const ROUND = [
  [0.14, 0.52],
  [0.3, 0.32],
  [0.42, 0.16],
  [0.64, 0.28],
  [0.86, 0.42],
  [0.62, 0.46],
  [0.52, 0.6],
  [0.7, 0.66],
  [0.5, 0.82],
  [0.36, 0.58],
];
/** The pointer, which no screenshot has. */
const POINTER = `<svg id="pointer" width="22" height="22" viewBox="0 0 22 22" style="position:fixed;z-index:99;
  pointer-events:none"><path d="M2 2 L2 17 L6 13.4 L8.8 19.4 L11.6 18.2 L8.9 12.3 L14.2 12 Z" fill="#111" stroke="#fff"
  stroke-width="1.4"/></svg>`;

/** A place of the closed line through `places` (Catmull and Rom's spline), at a share of the way round. */
function along(places, share) {
  const [k, t] = [Math.floor(share * places.length), (share * places.length) % 1];
  const at = (i) => places[(k + i - 1 + places.length) % places.length];
  return [0, 1].map((c) => {
    const [a, b, d, e] = [0, 1, 2, 3].map((i) => at(i)[c]);
    return b + (t / 2) * (d - a + t * (2 * a - 5 * b + 4 * d - e + t * (3 * (b - d) + e - a)));
  });
}

await withPage(SIZE, async (page) => {
  await page.goto(`${pathToFileURL(file).href}?present#map=tsne`);
  await page.waitForSelector('[data-ready="true"]');
  await page.evaluate((svg) => document.body.insertAdjacentHTML("beforeend", svg), POINTER);
  const box = await page.getByRole("application").boundingBox();
  const at = (share) => {
    const [x, y] = along(ROUND, share);
    return [box.x + x * box.width, box.y + y * box.height];
  };
  await page.mouse.move(...at(0.99));
  await page.mouse.down();
  for (let i = 0; i < N_FRAMES; i++) {
    const place = at(i / N_FRAMES);
    await page.mouse.move(...place);
    await page.evaluate(([left, top]) => {
      Object.assign(document.getElementById("pointer").style, {
        left: `${left - 2}px`,
        top: `${top - 2}px`,
      });
      return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    }, place);
    await page.screenshot({ path: join(folder, `${String(i).padStart(4, "0")}.png`) });
  }
});
