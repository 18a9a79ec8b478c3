import { test as base, Explorer, expect } from "./explorer";
import { type Lab, Notebook, startLab } from "./lab";

const CELLS = [
  'import json, traitlets, zscape\nw = zscape.explore("zoo:10", n=2000)\nw',
  "print(json.dumps([w.z, len(w.selection), len(w.selected), len(w.path), w.map, w.color, w.picture.shape, w.selections]))",
  'w.z = {"z3": 1.5}; w.map = "pca"; w.color = "z3"; w.selection = [1, 2, 3]; w.path = [[0] * 10, [1] * 10]; w.selections = {"mine": [4, 5]}',
  'other = zscape.explore("zoo:10", n=2000)\nlink = [traitlets.link((w, name), (other, name)) for name in ("z", "selection")]\nother',
  "w",
  "w.close()",
  [
    "from tools.web_pages import UnknownVAE, random_model",
    "from tools.web_fixtures import small_images",
    "images = small_images(200, (1, 12, 12))",
    'far = zscape.explore(random_model(4, (1, 12, 12), UnknownVAE), images, maps=["pca"])',
    "far",
  ].join("\n"),
];

/** Contexts of WebGL in the page, and whether they still draw. */
const WATCH = `{
  const made = (window.contexts = []);
  const original = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    const context = original.call(this, kind, ...rest);
    if (kind === "webgl2" && context && !made.includes(context)) made.push(context);
    return context;
  };
}`;

const test = base.extend<{ notebook: Notebook }, { lab: Lab }>({
  lab: [
    async ({}, use) => {
      const lab = await startLab();
      await use(lab);
      await lab.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  notebook: async ({ page, lab }, use, info) => {
    await page.addInitScript(WATCH);
    await page.setViewportSize({ width: 1400, height: 1400 });
    const notebook = new Notebook(page);
    await notebook.open(lab.write(`${info.testId}.ipynb`, CELLS));
    await use(notebook);
  },
});

test.describe.configure({ mode: "default", timeout: 240_000 });

const shown = (notebook: Notebook, i: number): Explorer =>
  new Explorer(notebook.page, notebook.output(i));

async function alive({ page }: Notebook): Promise<number> {
  return page.evaluate(
    () =>
      ((window as any).contexts as WebGL2RenderingContext[]).filter((gl) => !gl.isContextLost())
        .length,
  );
}

test("what is done in the widget comes back to Python, and the other way", async ({
  notebook,
  page,
}) => {
  await notebook.run(0);
  const explorer = shown(notebook, 0);
  await explorer.isReady();
  await explorer.map.scrollIntoViewIfNeeded();
  const read = async () => JSON.parse(await notebook.prints(1));
  const [z, , , , map, color, shape] = await read();
  expect([z.length, map, color, shape]).toEqual([10, "tsne", "class", [1, 28, 28]]);

  const picture = await explorer.pixels();
  await explorer.clickBetween();
  await explorer.shows(picture);
  await expect.poll(async () => (await read())[0]).not.toEqual(z);
  await explorer.root.getByRole("slider").first().focus();
  await page.keyboard.press("Home");
  const low = Number(await explorer.root.getByRole("slider").first().inputValue());
  await expect
    .poll(async () => Math.min(...(await read())[0].map((value: number) => Math.abs(value - low))))
    .toBeLessThan(1e-4);

  await explorer.drags("Lasso");
  await explorer.drag([
    [0.3, 0.3],
    [0.7, 0.3],
    [0.7, 0.7],
    [0.3, 0.7],
    [0.3, 0.32],
  ]);
  const selected = Number(
    (await explorer.selection.locator("strong").textContent())!.replace(/\D/g, ""),
  );
  await expect.poll(async () => (await read()).slice(1, 3)).toEqual([selected, selected]);
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await explorer.choice("Map").selectOption("umap");
  await explorer.choice("Colour").selectOption("kl");
  await expect.poll(async () => (await read()).slice(3, 6)).toEqual([10, "umap", "kl"]);

  await notebook.run(2);
  await expect(explorer.choice("Map")).toHaveValue("pca");
  await expect(explorer.choice("Colour")).toHaveValue("z3");
  await expect(explorer.selection).toContainText("3 selected");
  await expect(explorer.strip.getByRole("listitem")).toHaveCount(2);
  await explorer.openTab("Select");
  await explorer.button("Keep as “A”").click();
  await expect.poll(async () => (await read())[7]).toEqual({ mine: [4, 5], A: [1, 2, 3] });
  await explorer.openTab("Neurons");
  await expect(explorer.root.getByLabel("Value of z3")).toHaveValue("1.50");
});

test("the widget follows the theme that JupyterLab is switched to", async ({ notebook }) => {
  await notebook.run(0);
  const explorer = shown(notebook, 0);
  await explorer.isReady();
  for (const theme of ["Dark", "Light"]) {
    const map = await explorer.look();
    await notebook.command("apputils:change-theme", { theme: `JupyterLab ${theme}` });
    await expect(explorer.root.locator(".zscape")).toHaveAttribute(
      "data-theme",
      theme.toLowerCase(),
    );
    await explorer.looksOtherThan(map);
  }
});

test("linked widgets and second views follow each other", async ({ notebook }) => {
  for (const i of [0, 3, 4]) await notebook.run(i);
  const [first, other, again] = [0, 3, 4].map((i) => shown(notebook, i));
  for (const explorer of [first, other, again]) await explorer.isReady();
  const before = await other.pixels();
  await first.button("Random").scrollIntoViewIfNeeded();
  await first.button("Random").click();
  const now = await first.shows(before);
  for (const explorer of [other, again]) await expect.poll(() => explorer.pixels()).toBe(now);
  await other.choice("Set to the mean").selectOption("7");
  for (const explorer of [first, again]) await expect.poll(() => explorer.pixels()).not.toBe(now);
});

test("shown again and again, closed, and after a restart: nothing is left over, nothing is dead", async ({
  notebook,
}) => {
  await notebook.run(0);
  const explorer = shown(notebook, 0);
  await explorer.isReady();
  // Browsers have sixteen contexts, and take the oldest away for a seventeenth.
  for (let i = 0; i < 20; i++) {
    await notebook.run(4);
    await shown(notebook, 4).isReady();
  }
  expect(await alive(notebook)).toBe(2);
  expect(await notebook.page.locator(".zscape").count()).toBe(2);
  const map = await explorer.look();
  await explorer.choice("Map").selectOption("pca");
  await explorer.looksOtherThan(map);

  await notebook.run(5);
  await expect(notebook.page.locator(".zscape")).toHaveCount(0);
  expect(await alive(notebook)).toBe(0);

  await notebook.run(0);
  await explorer.isReady();
  await notebook.restart();
  await notebook.run(0);
  await explorer.isReady();
  await expect(notebook.page.locator(".zscape")).toHaveCount(1);
  expect(await alive(notebook)).toBe(1);
  const picture = await explorer.pixels();
  await explorer.button("Random").click();
  await explorer.shows(picture);
});

test("letters typed in the widget are not JupyterLab's; a network of its own is decoded by the kernel", async ({
  notebook,
  page,
}) => {
  await notebook.run(0);
  const explorer = shown(notebook, 0);
  await explorer.isReady();
  const cells = await page.locator(".jp-Notebook .jp-Cell").count();
  await explorer.openTab("Path");
  for (const key of ["b", "a", "d", "d", "m"]) await page.keyboard.press(key);
  await expect(page.locator(".jp-Notebook .jp-Cell")).toHaveCount(cells);
  await expect(explorer.root.getByRole("button", { name: /^Move/ })).toHaveAttribute(
    "aria-pressed",
    "true",
  );

  await notebook.run(6);
  const far = shown(notebook, 6);
  await far.isReady();
  const picture = await far.pixels();
  await far.button("Random").click();
  await far.shows(picture);
});
