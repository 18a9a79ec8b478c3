import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./explorer";

test("a click anywhere decodes what lies there, and says how far to trust it", async ({
  openFile,
}) => {
  const explorer = await openFile("digits");
  const first = await explorer.pixels();
  const map = await explorer.look();
  await explorer.clickBetween();
  await explorer.shows(first);
  await expect(explorer.origin).toContainText("On the map at");
  await explorer.addressHas("z", /~/);
  await explorer.looksOtherThan(map);

  await explorer.clickMap(0.01, 0.02);
  await expect(explorer.trust).toHaveAttribute("data-level", "far");
  const sentence = /^Far from the data on the map: \d+ × the usual distance\./;
  await expect(explorer.trust.locator("summary")).toHaveText(sentence);
  await expect(explorer.root.getByTestId("live")).toHaveText(
    /^On the map at .*\. Far from the data on the map: \d+ × the usual distance\./,
  );
});

test("dragging decodes on the way and is undone as one step", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const first = await explorer.pixels();
  const seen = new Set<string>();
  await page.mouse.move(...(await explorer.onMap(0.3, 0.5)));
  await page.mouse.down();
  for (const x of [0.4, 0.5, 0.6, 0.7]) {
    await page.mouse.move(...(await explorer.onMap(x, 0.5)), { steps: 3 });
    seen.add(await explorer.pixels());
  }
  await page.mouse.up();
  expect(seen.size).toBeGreaterThan(2);
  await explorer.button("Undo").click();
  expect(await explorer.pixels()).toBe(first);
  await explorer.button("Redo").click();
  expect(seen).toContain(await explorer.pixels());
});

test("hovering shows a picture of the data, a click takes it", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const { at, index } = await explorer.findPoint();
  const canvases = explorer.card.locator("canvas");
  await expect(canvases).toHaveCount(3); // original, reconstruction, vector
  for (let i = 0; i < 3; i++) expect(await explorer.colours(canvases.nth(i))).toBeGreaterThan(1);
  await expect(explorer.card.locator("strong")).toHaveText(/^\d$/);
  await page.mouse.click(...at);
  await expect(explorer.origin).toContainText(`Picture ${index} of the data, “`);
  await expect(explorer.root.getByText("Original", { exact: true })).toBeVisible();
  await expect(explorer.trust).toHaveAttribute("data-level", "among");
  await explorer.addressHas("row", /^\d+$/);
});

test("the map is taken away as a picture", async ({ openFile, page, folder }) => {
  const explorer = await openFile("digits");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    explorer.button("Save the map as PNG").click(),
  ]);
  expect(download.suggestedFilename()).toBe("zoo-10-tsne.png");
  await download.saveAs(join(folder, "map.png"));
  const png = readFileSync(join(folder, "map.png"));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const { width } = (await explorer.map.boundingBox())!;
  expect(png.readUInt32BE(16)).toBe(Math.round(width));
  expect(png.length).toBeGreaterThan(20_000); // more than a ground of one colour
});

test("the map zooms, moves and is shown whole again", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const scale = () => explorer.scale();
  await explorer.button("Farther").click();
  await expect.poll(scale).toBeGreaterThan(0);
  await page.waitForTimeout(700); // it glides
  const far = await scale();
  await explorer.map.hover();
  await page.mouse.wheel(0, -600);
  await expect.poll(scale).toBeLessThan(far / 2);
  await explorer.button("Show all").click();
  await expect.poll(scale).toBeCloseTo(far / 1.6, 2);

  await explorer.drags("Move");
  const before = await explorer.address("view");
  const picture = await explorer.pixels();
  await explorer.drag([
    [0.5, 0.5],
    [0.7, 0.6],
  ]);
  await expect.poll(() => explorer.address("view")).not.toBe(before);
  expect(await explorer.pixels()).toBe(picture);
});

test("fingers: a tap decodes, two of them zoom", async ({ browser }) => {
  const { openFilePage } = await import("./phone");
  await openFilePage(browser, async (explorer, page) => {
    const first = await explorer.pixels();
    await page.touchscreen.tap(...(await explorer.onMap(0.5, 0.4)));
    await explorer.shows(first);
    const session = await page.context().newCDPSession(page);
    const [x, y] = await explorer.onMap(0.5, 0.5);
    const touch = (type: string, spread: number) =>
      session.send("Input.dispatchTouchEvent", {
        type: type as "touchStart",
        touchPoints:
          type === "touchEnd"
            ? []
            : [
                { x: x - spread, y, id: 0 },
                { x: x + spread, y, id: 1 },
              ],
      });
    const pinch = async (...spreads: number[]) => {
      await touch("touchStart", spreads[0]);
      for (const spread of spreads.slice(1)) await touch("touchMove", spread);
      await touch("touchEnd", 0);
    };
    await pinch(60, 50, 40, 30);
    await expect.poll(() => explorer.scale()).toBeGreaterThan(0);
    await page.waitForTimeout(500);
    const far = await explorer.scale();
    await pinch(20, 30, 45, 60, 80);
    await expect.poll(() => explorer.scale()).toBeLessThan(far / 2);
  });
});

test("colours: class, neuron, error, KL, each with its legend", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await expect(explorer.legend.getByRole("button", { name: /^\d$/ })).toHaveCount(10);
  for (const [value, says] of [
    ["error", "Reconstruction error"],
    ["kl", "KL divergence"],
    ["z3", "Neuron z3"],
  ]) {
    const before = await explorer.look();
    await explorer.choice("Colour").selectOption(value);
    await expect(explorer.legend).toContainText(says);
    await explorer.looksOtherThan(before);
    await explorer.addressHas("color", value);
  }
});

test("classes are switched on and off from the legend", async ({ openFile }) => {
  const explorer = await openFile("digits");
  const chip = (name: string) => explorer.legend.getByRole("button", { name, exact: true });
  const before = await explorer.look();
  await chip("7").click();
  await expect(chip("7")).toHaveAttribute("aria-pressed", "false");
  await explorer.addressHas("hide", "7");
  await explorer.looksOtherThan(before);
  await chip("show all").click();
  await explorer.addressHas("hide", null);
  await chip("3").dblclick();
  await expect(explorer.legend.locator('[aria-pressed="true"]')).toHaveText([/^3\d+$/]);
  await explorer.drag(
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0.02],
    ],
    2,
  ); // walks, selects nothing
  await explorer.drags("Lasso");
  await explorer.drag(
    [
      [0.005, 0.005],
      [0.995, 0.005],
      [0.995, 0.995],
      [0.005, 0.995],
      [0.005, 0.02],
    ],
    3,
  );
  await expect(explorer.selection).toContainText(/^\d+ selected“3” × \d+=/);
});

test("the selection of the lasso survives every change of map", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.35, 0.3],
    [0.65, 0.3],
    [0.65, 0.6],
    [0.35, 0.6],
    [0.35, 0.32],
  ]);
  const text = explorer.selection.locator("strong");
  await expect(text).toHaveText(/^[\d ]+ selected$/);
  const selected = await text.textContent();
  for (const name of ["pca", "umap", "…pair", "tsne"]) {
    const before = await explorer.look();
    await explorer.choice("Map").selectOption(name);
    await explorer.looksOtherThan(before);
    await expect(text).toHaveText(selected!);
  }
  const picture = await explorer.pixels();
  await explorer.button("Mean picture").click();
  await explorer.shows(picture);
  await expect(explorer.origin).toHaveText("The mean of the selection");
  await explorer.button("Zoom to it").click();
  await explorer.selection.locator(".zs-thumb").first().click();
  await expect(explorer.origin).toContainText("Picture ");
  await page.keyboard.press("Escape");
  await expect(explorer.selection).toBeHidden();
});

test("any two neurons make a map; the axes can be swapped", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await explorer.choice("Map").selectOption("…pair");
  await explorer.choice("Across").selectOption("2");
  await explorer.choice("Up").selectOption("5");
  await explorer.addressHas("map", "z2,z5");
  await explorer.choice("Up").selectOption("2");
  await explorer.addressHas("map", "z5,z2");
});

test("the manifold lies under the map of two neurons and refines", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Around");
  const before = await explorer.look();
  await explorer.button("Lay it under the map").click();
  await expect(explorer.button("Lay it under the map")).toHaveAttribute("aria-pressed", "true");
  await explorer.addressHas("map", /^z\d+,z\d+$/);
  await explorer.looksOtherThan(before);
  await explorer.map.hover();
  await page.mouse.wheel(0, -500);
  await page.waitForTimeout(800);
  const near = await explorer.look();
  await explorer.button("Lay it under the map").click();
  await explorer.looksOtherThan(near);
});

test("every way back leads somewhere of its own", async ({ openFile }) => {
  const explorer = await openFile("digits");
  for (const [map, ways] of Object.entries({
    tsne: ["nearest", "local", "learned"],
    pca: ["nearest", "local", "exact"],
  })) {
    await explorer.choice("Map").selectOption(map);
    await explorer.page.waitForTimeout(900);
    const vectors = new Set<string>();
    for (const way of ways) {
      await explorer.choice("Decode by").selectOption(way);
      await explorer.clickMap(0.5, 0.02);
      await explorer.page.waitForTimeout(400); // not a double click
      vectors.add((await explorer.z()).join());
    }
    expect(vectors.size).toBe(ways.length);
  }
});

test("contours and pictures instead of dots", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const before = await explorer.look();
  await explorer.button("Density contours").click();
  await explorer.looksOtherThan(before);
  await explorer.button("Density contours").click();
  await explorer.map.hover();
  for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -500);
  await page.waitForTimeout(600);
  const withPictures = await explorer.look();
  await page.keyboard.press("t");
  await explorer.looksOtherThan(withPictures);
});
