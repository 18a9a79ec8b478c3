import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "@playwright/test";
import { type Explorer, expect, test } from "./explorer";
import { PYTHON } from "./places";

const slider = (explorer: Explorer, name: string): Locator =>
  explorer.root.getByRole("slider", { name: `Neuron ${name}` });
const field = (explorer: Explorer, name: string): Locator =>
  explorer.root.getByLabel(`Value of ${name}`);

async function clickIn(canvas: Locator, x: number, y: number): Promise<void> {
  const { width, height } = (await canvas.boundingBox())!;
  await canvas.click({ position: { x: x * width, y: y * height } });
}

test("sliders move the picture and the mark; typed values too", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const map = await explorer.look();
  let picture = await explorer.pixels();
  const { x, y, width, height } = (await slider(explorer, "z4").boundingBox())!;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  for (const share of [0.6, 0.7, 0.8, 0.9]) {
    await page.mouse.move(x + share * width, y + height / 2);
    picture = await explorer.shows(picture);
  }
  await page.mouse.up();
  await explorer.looksOtherThan(map);
  await expect(explorer.origin).toHaveText("Neuron z4 moved");
  await slider(explorer, "z5").focus();
  await page.keyboard.press("Home");
  picture = await explorer.shows(picture);
  await field(explorer, "z7").fill("-2.5");
  await page.keyboard.press("Enter");
  await explorer.shows(picture);
  await explorer.addressHas("z", /~-2\.5~/);
  await field(explorer, "z7").fill("40");
  await expect(explorer.trust).toHaveAttribute("data-level", "far");
});

test("neurons come in the order of KL, and say how much", async ({ openFile }) => {
  const explorer = await openFile("digits");
  const said = (await explorer.root.locator(".zs-kl").allTextContents()).map(Number);
  expect(said).toHaveLength(10);
  expect(said).toEqual([...said].sort((a, b) => b - a));
});

test("an unused neuron is dimmed and said so", async ({ openFile }) => {
  const explorer = await openFile("many_neurons");
  const unused = explorer.root.locator(".zs-slider.zs-unused");
  await expect(unused.first().locator(".zs-kl")).toHaveText("unused");
  await expect(unused.first().getByRole("slider")).toHaveAccessibleName(/unused/);
  await expect(explorer.root.getByText(/say next to nothing and are dimmed/)).toBeVisible();
});

test("reset, random, the mean of a class, arithmetic, undo", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const start = await explorer.z();
  await explorer.button("Reset").click();
  await expect.poll(() => explorer.z()).toEqual(Array(10).fill(0));
  await explorer.button("Random").click();
  await expect(explorer.origin).toHaveText("Random, from the prior");
  await explorer.choice("Set to the mean").selectOption("7");
  await expect(explorer.origin).toHaveText("Mean of all “7”");
  const seven = await explorer.z();
  await explorer.button("Keep").first().click();
  await explorer.openTab("Shelf");
  await explorer.choice("Start with").selectOption({ label: "kept 1" });
  await explorer.choice("Take away").selectOption({ label: "“7”" });
  await explorer.choice("Add").selectOption({ label: "“1”" });
  await explorer.button("Calculate").click();
  await expect(explorer.origin).toHaveText("kept 1 − “7” + “1”");
  await explorer.openTab("Neurons");
  const sum = await explorer.z();
  await explorer.choice("Set to the mean").selectOption("1");
  // 7 - 7 + 1 is 1; both are shown with two decimals.
  await expect
    .poll(async () => Math.max(...(await explorer.z()).map((v, i) => Math.abs(v - sum[i]))))
    .toBeLessThan(0.011);
  await explorer.button("Undo").click();
  await explorer.button("Undo").click();
  await expect.poll(() => explorer.z()).toEqual(seven);
  for (let i = 0; i < 4; i++) await page.keyboard.press("Control+z"); // to keep is a step too
  await expect.poll(() => explorer.z()).toEqual(start);
  await page.keyboard.press("Control+Shift+z");
  await expect.poll(() => explorer.z()).toEqual(Array(10).fill(0));
});

test("a vector can be typed as Python writes it", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.button("Enter a vector").click();
  const paste = explorer.root.getByLabel("A vector, as dict or list");
  await paste.fill("{nonsense");
  await page.keyboard.press("Enter");
  await expect(explorer.root.locator(".zs-notice")).toContainText("10 numbers");
  await paste.fill("{4: 1.5, 'z7': -2}");
  await page.keyboard.press("Enter");
  await expect(field(explorer, "z4")).toHaveValue("1.50");
  await expect(field(explorer, "z7")).toHaveValue("-2.00");
  await expect(explorer.root.locator(".zs-notice")).toBeHidden();
});

test("around here: the grids show pictures, follow the vector, and lead there", async ({
  openFile,
}) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Around");
  const grids = [/^Pictures for values/, /^Pictures for z\d across/].map((name) =>
    explorer.root.getByRole("grid", { name }).locator("canvas"),
  );
  for (const grid of grids) {
    await grid.scrollIntoViewIfNeeded();
    await expect.poll(() => explorer.colours(grid)).toBeGreaterThan(50);
  }
  const before = await Promise.all(grids.map((grid) => explorer.pixels(grid)));
  await explorer.button("Undo").isDisabled();
  await grids[0].scrollIntoViewIfNeeded();
  const picture = await explorer.pixels();
  await clickIn(grids[0], 0.05, 0.05);
  await explorer.shows(picture);
  await expect(explorer.origin).toHaveText(/^Neuron z\d moved$/);
  await explorer.shows(before[0], grids[0]);
  await grids[1].scrollIntoViewIfNeeded();
  await clickIn(grids[1], 0.95, 0.95);
  await explorer.choice("Tiles").selectOption("20");
  await expect.poll(() => explorer.colours(grids[1])).toBeGreaterThan(50);
});

test("a path: two clicks, its pictures, other ways, and play", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Path");
  await expect(explorer.root.getByText("Two clicks on the map make a straight path")).toBeVisible();
  const map = await explorer.look();
  await explorer.drags("Path");
  await explorer.clickMap(0.25, 0.4);
  await page.waitForTimeout(450);
  await explorer.clickMap(0.7, 0.6);
  const stops = explorer.strip.getByRole("listitem");
  await expect(stops).toHaveCount(10);
  await explorer.looksOtherThan(map);
  const pictures = async () =>
    Promise.all((await stops.locator("canvas").all()).map((canvas) => explorer.pixels(canvas)));
  await expect.poll(async () => new Set((await pictures()).filter(Boolean)).size).toBe(10);
  const drawn = await pictures();
  await explorer.choice("Way").selectOption("slerp");
  // All at once: while the strip is drawn anew, some of it is missing.
  const isRound = async () => {
    const round = await pictures();
    return (
      round.length === 10 && round[0] === drawn[0] && round[4] !== drawn[4] && round[9] === drawn[9]
    );
  };
  await expect.poll(isRound).toBe(true);
  await explorer.choice("Way").selectOption("line");
  await explorer.addressHas("path", /^line!/);
  await explorer.root.getByRole("spinbutton", { name: "Pictures" }).fill("5");
  await page.keyboard.press("Enter");
  await expect(stops).toHaveCount(5);
  await explorer.root.getByRole("button", { name: "Stop 5" }).click();
  await expect(explorer.origin).toHaveText("On the path, stop 5");
  const end = await explorer.pixels();
  await explorer.button("Play").click();
  await explorer.shows(await explorer.shows(end));
  await explorer.button("Stop").click();
});

test("a path drawn free hand, and one between two vectors", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.3],
    [0.4, 0.6],
    [0.6, 0.3],
    [0.7, 0.6],
  ]);
  await expect(explorer.strip.getByRole("listitem")).toHaveCount(10);
  await explorer.addressHas("path", /^given!/);
  await explorer.button("Clear").click();
  await expect(explorer.strip).toBeHidden();
  await explorer.button("Start here").click();
  await explorer.drags("Walk");
  await explorer.clickMap(0.05, 0.6);
  await explorer.button("End here").click();
  await expect(explorer.strip.getByRole("listitem")).toHaveCount(10);
  await explorer.addressHas("path", /^line!/);
});

test("a path is taken away as PNG, GIF and JSON, and to Python", async ({
  openFile,
  page,
  context,
  folder,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const explorer = await openFile("digits");
  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  const save = async (name: string): Promise<string> => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      explorer.button(name).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`zoo-10-path.${name.toLowerCase()}`);
    const file = join(folder, download.suggestedFilename());
    await download.saveAs(file);
    return file;
  };
  expect(
    readFileSync(await save("PNG"))
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
  const gif = await save("GIF");
  const json = await save("JSON");
  await explorer.button("Copy for Python").click();
  await expect(explorer.root.getByText("Copied: paste it into Python")).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const program = [
    "import ast, sys; from pathlib import Path; from PIL import Image; from zscape.latents import as_vectors",
    "gif = Image.open(sys.argv[1]); print(gif.format, gif.size[0] >= 28)",
    "saved = as_vectors(Path(sys.argv[2]), 10); pasted = as_vectors(ast.literal_eval(sys.argv[3]), 10)",
    "print(*saved.shape, abs(saved - pasted).max() < 0.0051)",
  ].join("\n");
  const answer = execFileSync(PYTHON, ["-c", program, gif, json, text], { encoding: "utf8" });
  expect(answer.trim().split(/\s+/)).toEqual(["GIF", "True", "10", "10", "True"]);
});

test("classes: the table leads to neurons and means", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Classes");
  const table = explorer.root.getByTestId("heatmap");
  await expect(table.locator("tbody tr")).toHaveCount(10);
  await expect(table.locator("tbody td")).toHaveCount(100);
  const before = await explorer.look();
  await table.getByRole("button", { name: "Neuron z9" }).click();
  await explorer.looksOtherThan(before);
  await explorer.addressHas("color", "z9");
  const neuron = explorer.root.getByTestId("neuron");
  await expect(neuron.getByRole("heading")).toHaveText("Neuron z9");
  await expect(neuron.locator(".zs-ridge")).toHaveCount(10);
  const traversal = neuron.getByRole("grid", { name: /^Pictures for z9/ }).locator("canvas");
  await traversal.scrollIntoViewIfNeeded();
  await expect.poll(() => explorer.colours(traversal)).toBeGreaterThan(30);
  await clickIn(traversal, 0.95, 0.5);
  await expect(explorer.origin).toHaveText("Neuron z9 moved");
  await table.getByRole("button", { name: "4", exact: true }).click();
  await expect(explorer.origin).toHaveText("Mean of all “4”");
});

test("a drawing is read at every stroke, placed, and finds its like", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Draw");
  await expect(explorer.root.getByText("scaled to fit the inner 20 of 28 pixels")).toBeVisible();
  const pad = explorer.root.getByTestId("pad");
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await pad.boundingBox())!;
  const at = (a: number, b: number): [number, number] => [x + a * width, y + b * height];
  const map = await explorer.look();
  const picture = await explorer.pixels();
  await page.mouse.move(...at(0.5, 0.15));
  await page.mouse.down();
  await page.mouse.move(...at(0.5, 0.85), { steps: 8 });
  await explorer.shows(picture); // read while it is drawn
  await page.mouse.up();
  await expect(explorer.origin).toHaveText("Your drawing");
  await explorer.looksOtherThan(map);
  const nearest = explorer.root.getByTestId("nearest");
  await expect(nearest.locator(".zs-thumb")).toHaveCount(10);
  await expect(nearest).toContainText("“1” × 10"); // an upright stroke is a one
  await page.mouse.move(...at(0.2, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.8, 0.2), { steps: 8 });
  await page.mouse.up();
  await expect(nearest).not.toContainText("“1” × 10");
  await explorer.button("Undo stroke").click();
  await expect(nearest).toContainText("“1” × 10");
  await nearest.locator(".zs-thumb").first().click();
  await expect(explorer.origin).toContainText("Picture ");
  await explorer.button("Clear").click();
  expect(await explorer.colours(pad)).toBe(1);
  await expect(nearest).toBeHidden();
});
