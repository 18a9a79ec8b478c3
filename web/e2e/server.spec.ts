import { join } from "node:path";
import { test as base, Explorer, expect, expectSame, listen } from "./explorer";
import { BIN, CACHE, PYTHON, ROOT } from "./places";
import { type Served, serve } from "./processes";

const EXPLORE = ["explore", "--no-open", "--port", "0"];
const ADDRESS = /is at (http:\S+)/;

const test = base.extend<{ explorer: Explorer }, { server: Served }>({
  server: [
    async ({}, use) => {
      const args = [...EXPLORE, "zoo:10", "-n", "2000"];
      const server = await serve(join(BIN, "zscape"), args, ADDRESS, { ZSCAPE_CACHE: CACHE }, ROOT);
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 180_000 },
  ],
  explorer: async ({ page, server }, use) => {
    const complaints: string[] = [];
    listen(page, complaints, (url) => url.startsWith(server.url) || /^(data|blob):/.test(url));
    await page.goto(server.url);
    const explorer = new Explorer(page);
    await explorer.isReady();
    await use(explorer);
    expect(complaints).toEqual([]);
  },
});

test.describe.configure({ mode: "default" });

test("the served page does what the file does", async ({ explorer, page }) => {
  let picture = await explorer.pixels();
  await explorer.clickBetween();
  picture = await explorer.shows(picture);
  await explorer.root.getByRole("slider").first().focus();
  await page.keyboard.press("Home");
  picture = await explorer.shows(picture);
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.3, 0.3],
    [0.7, 0.3],
    [0.7, 0.7],
    [0.3, 0.7],
    [0.3, 0.32],
  ]);
  await expect(explorer.selection).toContainText("selected");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await expect(explorer.strip.getByRole("listitem")).toHaveCount(10);
  await explorer.openTab("Around");
  const grid = explorer.root.getByRole("grid", { name: /^Pictures for values/ }).locator("canvas");
  await expect.poll(() => explorer.colours(grid)).toBeGreaterThan(50);
  await explorer.openTab("Classes");
  await explorer.root.getByTestId("heatmap").getByRole("button", { name: "Neuron z1" }).click();
  await explorer.addressHas("color", "z1");
  await explorer.openTab("Draw");
  const { x, y, width, height } = (await explorer.root.getByTestId("pad").boundingBox())!;
  await page.mouse.move(x + width / 2, y + 20);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + height - 20, { steps: 5 });
  await page.mouse.up();
  await expect(explorer.origin).toHaveText("Your drawing");
  for (const map of ["pca", "umap"]) {
    const before = await explorer.look();
    await explorer.choice("Map").selectOption(map);
    await explorer.looksOtherThan(before);
  }
});

test("a link to the served page restores it", async ({ explorer, page }) => {
  await explorer.button("Random").click();
  await explorer.addressHas("z", /~/);
  const picture = await explorer.levels();
  await page.reload();
  await explorer.isReady();
  expectSame(await explorer.levels(), picture);
});

base(
  "when the server has ended, the page goes on, and says so when it is opened anew",
  async ({ page }) => {
    // One map, drawn at once: two workers that each draw t-SNE and UMAP at a time may take too long.
    const args = [...EXPLORE, "zoo:10", "-n", "2000", "--maps", "pca"];
    const server = await serve(join(BIN, "zscape"), args, ADDRESS, { ZSCAPE_CACHE: CACHE }, ROOT);
    await page.goto(server.url);
    const explorer = new Explorer(page);
    await explorer.isReady();
    await server.stop();
    const before = await explorer.pixels();
    await explorer.button("Random").click();
    await explorer.shows(before);
  },
);

base("a network the page cannot run is decoded by the server", async ({ page }) => {
  const program = [
    "from tools.web_pages import UnknownVAE, random_model, relabelled",
    "from tools.web_fixtures import small_images",
    "from zscape.explorer import ExplorerServer, build_scene",
    "vae, images = random_model(4, (1, 12, 12), UnknownVAE), small_images(200, (1, 12, 12))",
    "server = ExplorerServer(build_scene(vae, images, maps=['pca'], title='far'), vae)",
    "print('it is at', server.url, flush=True); server.serve_forever()",
  ].join("\n");
  const server = await serve(PYTHON, ["-c", program], ADDRESS, {}, ROOT);
  try {
    await page.goto(server.url);
    const explorer = new Explorer(page);
    await explorer.isReady();
    expect(await explorer.colours(explorer.picture)).toBeGreaterThan(1);
    let picture = await explorer.pixels();
    await explorer.clickMap(0.2, 0.3);
    picture = await explorer.shows(picture);
    await explorer.button("Random").click();
    await explorer.shows(picture);
    await explorer.openTab("Around");
    const grid = explorer.root
      .getByRole("grid", { name: /^Pictures for values/ })
      .locator("canvas");
    await expect.poll(() => explorer.colours(grid)).toBeGreaterThan(5);
    await server.stop();
    await explorer.openTab("Neurons");
    await explorer.button("Random").click();
    await expect(explorer.root.locator(".zs-notice")).toContainText("could not be decoded");
  } finally {
    await server.stop();
  }
});
