import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "@playwright/test";
import { type Explorer, expect, test } from "./explorer";

const facet = (explorer: Explorer, name: string): Locator =>
  explorer.root.getByTestId(`facet-${name}`);
const shown = (explorer: Explorer): Locator => explorer.legend.getByTestId("shown");
const link = (filter: object): string =>
  `#tab=columns&color=ink&filter=${encodeURIComponent(JSON.stringify(filter))}`;

/** Drags over a histogram, from one share of its width to another. */
async function brush(explorer: Explorer, name: string, from: number, to: number): Promise<void> {
  const chart = facet(explorer, name).locator(".zs-brushed");
  await chart.scrollIntoViewIfNeeded();
  const box = (await chart.boundingBox())!;
  const y = box.y + box.height / 2;
  await explorer.page.mouse.move(box.x + from * box.width, y);
  await explorer.page.mouse.down();
  await explorer.page.mouse.move(box.x + to * box.width, y, { steps: 8 });
  await explorer.page.mouse.up();
}

test("columns colour the map, and the legend says what the colours mean", async ({ openFile }) => {
  const explorer = await openFile("columns");
  const before = await explorer.look();
  await explorer.choice("Colour").selectOption("ink");
  await explorer.looksOtherThan(before);
  await expect(explorer.legend.getByRole("img")).toHaveAttribute(
    "aria-label",
    /^Colour scale: 0\.1, /,
  );
  await expect(explorer.legend).toContainText(/\d+ missing/);
  await explorer.choice("Colour").selectOption("day");
  await expect(explorer.legend).toContainText(/20\d\d-\d\d/);
  await explorer.choice("Colour").selectOption("plate");
  const chips = explorer.legend.locator(".zs-chip");
  await expect(chips).toHaveCount(20);
  await expect(chips.last()).toHaveText(/^others \(\d+\)\d+$/);
  await explorer.addressHas("color", "plate");
  await chips.first().dblclick();
  await expect(chips.first()).toHaveAttribute("aria-pressed", "true");
  await expect(chips.nth(1)).toHaveAttribute("aria-pressed", "false");
  await expect(shown(explorer)).toHaveText(/^[\d ]+ of 2 000 shown/);
});

test("a brush filters the map and the other columns, is undone and comes from a link", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("columns", "#tab=columns");
  const counts = () => facet(explorer, "treatment").locator(".zs-bar-count").allTextContents();
  const all = await counts();
  const map = await explorer.look();
  await brush(explorer, "ink", 0.3, 0.5);
  await expect(shown(explorer)).toContainText("show all");
  await explorer.looksOtherThan(map);
  const brushed = await counts();
  brushed.forEach((text, i) => expect(Number(text)).toBeLessThan(Number(all[i])));
  const nShown = await shown(explorer).textContent();
  await explorer.addressHas("filter", /^\{"ink":\[0\.\d+,0\.\d+\]\}$/);
  const hash = await page.evaluate(() => location.hash);
  await explorer.button("Undo").click();
  await expect(shown(explorer)).not.toContainText("show all");
  expect(await counts()).toEqual(all);

  await page.goto("about:blank");
  const again = await openFile("columns", hash);
  await expect(shown(again)).toHaveText(nShown!);
  await again.legend.getByRole("button", { name: "show all" }).click();
  await expect(shown(again)).not.toContainText("show all");
});

test("the ends of a range move by keyboard", async ({ openFile, page }) => {
  const explorer = await openFile("columns", "#tab=columns");
  await explorer.root.getByRole("slider", { name: "wide from" }).focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
  await expect(shown(explorer)).toContainText("show all");
  await expect(explorer.root.getByRole("slider", { name: "wide from" })).toHaveValue("8");
  await explorer.button("Show all of wide").click();
  await expect(shown(explorer)).not.toContainText("show all");
});

test("the pointer shows file and values; a search goes there", async ({ openFile, page }) => {
  const explorer = await openFile("columns");
  await explorer.findPoint();
  await expect(explorer.card.locator("dd").first()).toHaveText(/^plates\/p\d\d\/digit_\d{5}\.png$/);
  await page.keyboard.press("/");
  const field = explorer.root.getByRole("searchbox", { name: "Find pictures" });
  await expect(field).toBeFocused();
  await page.keyboard.type("plates/p00/digit_0");
  await expect(explorer.root.getByRole("region", { name: "Search" })).toContainText(/\d+ found/);
  await page.keyboard.press("Enter");
  await expect(explorer.origin).toHaveText(
    /^Picture [\d ]+ of the data, “\d” · plates\/p00\/digit_0/,
  );
  // Names are text: one of them is an element with a handler.
  await field.fill("onerror");
  await expect(explorer.root.locator(".zs-found li").first()).toContainText("<img src=x");
  expect(await page.title()).not.toContain("hacked");
});

test("a selection is saved with file names, columns and vectors", async ({
  openFile,
  page,
  folder,
}) => {
  const explorer = await openFile("columns", link({ ink: [0.2, null], treatment: ["A"] }));
  await explorer.legend.getByRole("button", { name: "select", exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    explorer.button("Save CSV").click(),
  ]);
  expect(download.suggestedFilename()).toBe("zoo-10-selection.csv");
  await download.saveAs(join(folder, "selection.csv"));
  const [head, ...lines] = readFileSync(join(folder, "selection.csv"), "utf8").trim().split("\r\n");
  expect(head).toMatch(/^index,class,file_name,ink,wide,treatment,plate,day,note,z0,.*,z9$/);
  expect(lines).toHaveLength(
    Number((await shown(explorer).textContent())!.split(" of ")[0].replace(" ", "")),
  );
  for (const line of lines) {
    expect(line).toMatch(/^\d+,\d,plates\/p\d\d\/digit_\d{5}\.png,0\.[2-9]\d*,\d+,A,plate \d\d,20/);
  }
});

for (const width of [390, 1280]) {
  test(`nothing of the columns is cut off at ${width} pixels`, async ({ openFile, page }) => {
    await page.setViewportSize({ width, height: 844 });
    await openFile("columns", link({ ink: [0.1, null] }));
    const { inner, needed } = await page.evaluate(() => ({
      inner: document.documentElement.clientWidth,
      needed: document.documentElement.scrollWidth,
    }));
    expect(needed).toBeLessThanOrEqual(inner);
  });
}
