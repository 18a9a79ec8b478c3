import { readFileSync } from "node:fs";
import { type Explorer, expect, test } from "./explorer";

const shelf = (explorer: Explorer) => explorer.root.getByTestId("shelf").locator("li");
const anchors = (explorer: Explorer) =>
  explorer.root.getByTestId("anchors").locator("button.zs-stop");

/** What the canvases of the anchors show, in their order. */
async function pictures(explorer: Explorer): Promise<string[]> {
  const canvases = explorer.root.getByTestId("anchors").locator("canvas");
  const n = await canvases.count();
  return Promise.all(Array.from({ length: n }, (_, i) => explorer.pixels(canvases.nth(i))));
}

test("the shelf: vectors are kept, named, returned to, reckoned with, saved, read back and undone", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#tab=shelf");
  await page.keyboard.press("r");
  await page.keyboard.press("k");
  const first = await explorer.pixels();
  await page.keyboard.press("r");
  await explorer.button("Keep").click();
  await expect(shelf(explorer)).toHaveCount(2);
  await explorer.root.getByLabel("Name of kept 1").fill("mine");
  await page.keyboard.press("Enter");
  await explorer.shows(first);
  await explorer.button("Go to mine").click();
  await expect.poll(() => explorer.pixels()).toBe(first);
  await expect(explorer.origin).toHaveText("From the shelf: mine");
  await explorer.choice("Start with").selectOption({ label: "mine" });
  await explorer.choice("Take away").selectOption({ label: "kept 2" });
  await explorer.choice("Add").selectOption({ label: "kept 2" });
  await explorer.button("Calculate").click();
  await expect(explorer.origin).toHaveText("mine − kept 2 + kept 2");

  const saved = page.waitForEvent("download");
  await explorer.button("Save").click();
  const file = await (await saved).path();
  expect(Object.keys(JSON.parse(readFileSync(file, "utf8")))).toEqual(["mine", "kept 2"]);
  await explorer.button("Delete mine").click();
  await explorer.button("Delete kept 2").click();
  await expect(shelf(explorer)).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(shelf(explorer)).toHaveCount(1);
  await explorer.root.getByLabel("Load a shelf").setInputFiles(file);
  await expect(shelf(explorer)).toHaveCount(3);
  await explorer.root.getByLabel("Load a shelf").setInputFiles({
    name: "no.json",
    mimeType: "application/json",
    buffer: Buffer.from('{"a": [1]}'),
  });
  await expect(explorer.root.locator(".zs-notice")).toContainText("no.json holds no vectors of 10");
});

test("a path by way of anchors: reordered by dragging and by keys, with ways side by side", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#tab=path&mean=4");
  await explorer.button("Start here").click();
  await page.keyboard.press("r");
  await explorer.button("End here").click();
  await page.keyboard.press("r");
  await explorer.button("Through here").click();
  await expect(anchors(explorer)).toHaveCount(3);
  await expect.poll(async () => new Set(await pictures(explorer)).size).toBe(3);
  const [a, b, c] = await pictures(explorer);

  const [from, to] = await Promise.all(
    [0, 2].map(async (i) => (await anchors(explorer).nth(i).boundingBox())!),
  );
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
  await expect.poll(() => pictures(explorer)).toEqual([b, c, a]);
  await expect(explorer.origin).toHaveText("Random, from the prior"); // a drag is no click
  await anchors(explorer).nth(1).focus();
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(() => pictures(explorer)).toEqual([c, b, a]);
  await expect(anchors(explorer).nth(0)).toBeFocused();
  await page.keyboard.press("Delete");
  await expect.poll(() => pictures(explorer)).toEqual([b, a]);
  await page.keyboard.press("Control+z");
  await expect(anchors(explorer)).toHaveCount(3);
  await anchors(explorer).nth(2).click();
  await expect(explorer.origin).toHaveText("A vector");

  const ways = explorer.root.getByTestId("ways").getByRole("button");
  await expect(ways).toHaveCount(3); // once neighbours are known
  for (const way of await ways.all()) {
    await expect(way).toContainText(/farthest \d.* largest step \d+ %, \d to \d/);
    expect(await explorer.colours(way.locator("canvas"))).toBeGreaterThan(20);
  }
  const straight = await explorer.pixels(explorer.strip.locator("canvas").nth(3));
  await ways.filter({ hasText: "through the data" }).click();
  await expect(explorer.choice("Way")).toHaveValue("data");
  await explorer.shows(straight, explorer.strip.locator("canvas").nth(3));
  await explorer.addressHas("anchors", /!/);
});

test("play loops, rests while a hand is on anything, goes on after it, and ends where one goes elsewhere", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#tab=path&mean=4");
  await explorer.button("Start here").click();
  await page.keyboard.press("r");
  await explorer.button("End here").click();
  const along = explorer.root.getByRole("slider", { name: "Along the path" });
  const position = async () => Number(await along.inputValue());
  await explorer.button("Play").click();
  await expect.poll(position).toBeGreaterThan(0.5);
  const box = (await explorer.root.getByTestId("origin").boundingBox())!;
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.waitForTimeout(200);
  const held = await position();
  await page.waitForTimeout(600);
  expect(await position()).toBe(held);
  await page.mouse.up();
  await expect.poll(position).not.toBe(held);
  await explorer.strip.getByRole("button").nth(8).click();
  await expect.poll(position).toBeGreaterThan(6);
  await expect(explorer.button("Stop")).toBeVisible();
  await explorer.clickBetween();
  await expect(explorer.button("Play")).toBeVisible();
});

test("a path is saved as a film", async ({ openFile, page }) => {
  const explorer = await openFile("digits", "#tab=path&mean=4");
  await explorer.button("Start here").click();
  await page.keyboard.press("r");
  await explorer.button("End here").click();
  const saved = page.waitForEvent("download");
  await explorer.button("WebM").click();
  await expect(explorer.button("Recording …")).toBeDisabled();
  const bytes = readFileSync(await (await saved).path());
  expect(bytes.subarray(0, 4)).toEqual(Buffer.from([0x1a, 0x45, 0xdf, 0xa3])); // EBML
  expect(bytes.length).toBeGreaterThan(2000);
  await expect(explorer.button("WebM")).toBeEnabled();
});
