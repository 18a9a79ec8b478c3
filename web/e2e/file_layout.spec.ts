import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Explorer, expect, test } from "./explorer";
import { openFilePage } from "./phone";

/** Where something is, and how large. */
const boxOf = async (explorer: Explorer, selector: string) =>
  (await explorer.root.locator(selector).boundingBox())!;

test("names stand where the points are densest, follow the zoom, and can be put away", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  const named = await explorer.look();
  await page.keyboard.press("l");
  await explorer.looksOtherThan(named);
  await page.keyboard.press("l");
  await expect.poll(() => explorer.look()).toBe(named);
  await explorer.button("The most central picture of each").click();
  await explorer.looksOtherThan(named);
});

test("a laptop shows all ten classes of the legend, and the tabs in one row", async ({
  openFile,
  page,
}) => {
  await page.setViewportSize({ width: 1390, height: 860 });
  const explorer = await openFile("columns");
  const chips = explorer.legend.locator(".zs-chip");
  await expect(chips).toHaveCount(10);
  for (const width of [1390, 1100, 1000]) {
    await page.setViewportSize({ width, height: 860 });
    for (const chip of await chips.all()) await expect(chip).toBeInViewport({ ratio: 1 });
  }
  await page.setViewportSize({ width: 1390, height: 860 });
  const tops = await explorer.root
    .getByRole("tab")
    .evaluateAll((tabs) => tabs.map((tab) => tab.getBoundingClientRect().top));
  expect(tops).toHaveLength(9);
  expect(new Set(tops).size).toBe(1);
});

test("the map is saved as SVG, points, names and legend as shapes and text", async ({
  openFile,
  page,
  folder,
}) => {
  const explorer = await openFile("digits");
  await explorer.legend.getByRole("button", { name: "1", exact: true }).click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    explorer.button("Save the map as SVG").click(),
  ]);
  expect(file.suggestedFilename()).toBe("zoo-10-tsne.svg");
  await file.saveAs(join(folder, "map.svg"));
  const svg = readFileSync(join(folder, "map.svg"), "utf8");
  const circles = svg.match(/<circle /g)!.length;
  expect(circles).toBeGreaterThan(1500);
  for (const text of ["zoo:10 · t-SNE", "coloured by class", ">7<", "units of the map"])
    expect(svg).toContain(text);
  const isRead = await page.evaluate(async (text) => {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    return parsed.querySelector("parsererror") === null;
  }, svg);
  expect(isRead).toBe(true);
});

test("a lasso is drawn by keyboard", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.drags("Lasso");
  await explorer.map.focus();
  const step = async (keys: string[], last = "Enter") => {
    for (const key of keys) await page.keyboard.press(key);
    await page.keyboard.press(last);
  };
  const far = (key: string) => [`Shift+${key}`, `Shift+${key}`];
  await step([...far("ArrowUp"), ...far("ArrowLeft")]);
  await expect(explorer.root.getByRole("alert")).toContainText("Corner 1 of the lasso");
  await page.keyboard.press("Escape");
  await expect(explorer.root.getByRole("alert")).toBeHidden();
  await step([]);
  await step([...far("ArrowRight"), ...far("ArrowRight")]);
  await step([...far("ArrowDown"), ...far("ArrowDown")]);
  await step([...far("ArrowLeft"), ...far("ArrowLeft")], "Shift+Enter");
  await expect(explorer.selection.locator("strong")).toHaveText(/^[\d ]+ selected$/);
});

test("pictures of a grid are taken by keyboard, and a new picture is announced", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#tab=around");
  const grid = explorer.root.getByRole("grid", { name: /^Pictures for values/ });
  await grid.focus();
  await expect(grid.getByRole("gridcell")).toHaveAccessibleName(/^z\d \d\.\d$/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  const name = await grid.getByRole("gridcell").getAttribute("aria-label");
  await page.keyboard.press("Enter");
  const neuron = name!.split(" ")[0];
  await expect(explorer.origin).toHaveText(`Neuron ${neuron} moved`);
  await expect(explorer.root.getByTestId("live")).toContainText(`Neuron ${neuron} moved. `);
});

test("toolbar and map stay where they are on a map of two neurons", async ({ openFile }) => {
  const explorer = await openFile("digits");
  const before = await boxOf(explorer, ".zs-map");
  await explorer.choice("Map").selectOption("…pair");
  await expect(explorer.choice("Across")).toBeVisible();
  expect(await boxOf(explorer, ".zs-map")).toEqual(before);
});

test("picture and tabs stay while the panel scrolls", async ({ openFile }) => {
  const explorer = await openFile("columns", "#tab=columns");
  await explorer.root.locator(".zs-facet").last().scrollIntoViewIfNeeded();
  await expect(explorer.picture).toBeInViewport();
  await expect(explorer.root.getByRole("tab", { name: "Neurons" })).toBeInViewport();
});

test("the side bar is as wide as one likes", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const width = async () => (await boxOf(explorer, ".zs-side")).width;
  const first = await width();
  const bar = explorer.root.getByRole("separator", { name: "Width of the side bar" });
  const { x, y, height } = (await bar.boundingBox())!;
  await page.mouse.move(x + 4, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x - 120, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const dragged = await width();
  expect(dragged).toBeGreaterThan(first + 100);
  await bar.focus();
  await page.keyboard.press("ArrowRight");
  expect(await width()).toBe(dragged - 24);
  await page.keyboard.press("Enter");
  expect(await width()).toBe(first);
});

for (const width of [360, 720, 1024, 1440, 2560]) {
  test(`nothing is cut off at ${width} pixels`, async ({ openFile, page }) => {
    await page.setViewportSize({ width, height: 800 });
    for (const tab of ["table", "select", "around"]) {
      const explorer = await openFile("columns", `#tab=${tab}`);
      const needed = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(needed).toBeLessThanOrEqual(width);
      const tabs = explorer.root.getByRole("tab");
      if (width > 720) for (const each of await tabs.all()) await expect(each).toBeInViewport();
      await page.goto("about:blank");
    }
  });
}

test("on a phone nothing lies under the zoom bar, and picture and tabs stay", async ({
  browser,
}) => {
  await openFilePage(browser, async (explorer, page) => {
    await explorer.button("Farther").click();
    await explorer.button("Show all").click();
    await page.waitForTimeout(600);
    const bar = await boxOf(explorer, ".zs-zoom");
    const map = await boxOf(explorer, ".zs-map");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      explorer.button("Save the map as SVG").click(),
    ]);
    const svg = readFileSync((await file.path())!, "utf8");
    const dots = [
      ...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" [^>]*opacity/g),
    ];
    expect(dots.length).toBeGreaterThan(1500);
    const farthest = Math.max(...dots.map(([, x, , r]) => Number(x) + Number(r)));
    expect(farthest).toBeLessThanOrEqual(bar.x - map.x);
    await explorer.root.locator(".zs-slider").last().scrollIntoViewIfNeeded();
    await expect(explorer.picture).toBeInViewport({ ratio: 0.9 });
    await expect(explorer.root.getByRole("tab", { name: "Neurons" })).toBeInViewport();
  });
});

test("text follows the size that the browser is set to", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const sizes = () =>
    explorer.root
      .locator(".zs-hint, .zs-chip, .zs-trust summary")
      .evaluateAll((all) => all.map((each) => Number.parseFloat(getComputedStyle(each).fontSize)));
  const before = await sizes();
  await page.evaluate(() => document.documentElement.style.setProperty("font-size", "24px"));
  (await sizes()).forEach((size, i) => expect(size).toBeCloseTo(1.5 * before[i], 1));
});

test("words are explained under the pointer and to the keyboard", async ({ openFile }) => {
  const explorer = await openFile("digits");
  const word = explorer.root.getByRole("button", { name: /^nats: A measure of information/ });
  await word.hover();
  await expect(word.getByRole("tooltip")).toBeVisible();
  await expect(word.getByRole("tooltip")).toBeInViewport({ ratio: 1 });
});

test("on paper stand map, legend and picture, without what is to be pressed", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await page.emulateMedia({ media: "print" });
  await expect(explorer.map).toBeVisible();
  await expect(explorer.legend).toBeVisible();
  await expect(explorer.picture).toBeVisible();
  await expect(explorer.root.getByRole("toolbar", { name: "Map", exact: true })).toBeHidden();
  await expect(explorer.button("Nearer")).toBeHidden();
});

test("the legend counts, isolates and selects", async ({ openFile }) => {
  const explorer = await openFile("digits");
  const chip = explorer.legend.getByRole("button", { name: "4", exact: true });
  const n = (await chip.textContent())!.slice(1);
  await chip.dblclick();
  await expect(explorer.legend.getByTestId("shown")).toHaveText(
    `${n} of 2 000 shown · select · show all`,
  );
  await explorer.legend.getByRole("button", { name: "select", exact: true }).click();
  await expect(explorer.selection.locator("strong")).toHaveText(`${n} selected`);
});
