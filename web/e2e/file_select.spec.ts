import { readFileSync } from "node:fs";
import type { Locator } from "@playwright/test";
import { type Explorer, expect, test } from "./explorer";

const SQUARE: [number, number][] = [
  [0.35, 0.35],
  [0.65, 0.35],
  [0.65, 0.65],
  [0.35, 0.65],
  [0.35, 0.35],
];

const condition = (explorer: Explorer): Locator =>
  explorer.root.getByRole("searchbox", { name: "A condition" });
const table = (explorer: Explorer): Locator => explorer.root.getByTestId("table");
const kept = (explorer: Explorer): Locator => explorer.root.getByTestId("kept").locator("li");

async function ask(explorer: Explorer, text: string): Promise<void> {
  await condition(explorer).fill(text);
  await explorer.page.keyboard.press("Enter");
}

/** How many are selected, as the bar says. */
const nSelected = async (explorer: Explorer): Promise<number> =>
  Number((await explorer.selection.locator("strong").textContent())!.replace(/\D/g, ""));

test("a typed condition selects, says how many, and what is wrong with it", async ({
  openFile,
}) => {
  const explorer = await openFile("columns", "#tab=select");
  await ask(explorer, "ink > 0.14 and treatment = B");
  await expect(explorer.root.getByTestId("gate")).toHaveText(/^True of \d+\.$/);
  const n = await nSelected(explorer);
  expect(n).toBeGreaterThan(20);
  await ask(explorer, "weight > 3");
  await expect(explorer.root.getByTestId("gate")).toContainText("There is no column “weight”");
  await expect(condition(explorer)).toHaveAttribute("aria-invalid", "true");
  expect(await nSelected(explorer)).toBe(n);
});

test("selections are added to, taken from and cut with one another, and undone", async ({
  openFile,
}) => {
  const explorer = await openFile("columns", "#tab=select");
  const panel = explorer.root.getByRole("region", { name: "Selected now" });
  await ask(explorer, "class in (1, 2)");
  const both = await nSelected(explorer);
  await panel.getByRole("button", { name: "What is selected next is taken away" }).click();
  await ask(explorer, "class = 1");
  const two = await nSelected(explorer);
  expect(two).toBeLessThan(both);
  await panel.getByRole("button", { name: /what is in both stays/ }).click();
  await ask(explorer, "class = 1");
  await expect(explorer.selection).toBeHidden();
  await explorer.button("Undo").click();
  expect(await nSelected(explorer)).toBe(two);
  await panel.getByRole("button", { name: "What is selected next is added" }).click();
  await ask(explorer, "class = 1");
  expect(await nSelected(explorer)).toBe(both);
  await panel.getByRole("button", { name: "The rest instead" }).click();
  expect(await nSelected(explorer)).toBe(2000 - both);
});

test("selections are kept, named, coloured, saved, read back and let go of", async ({
  openFile,
  page,
  folder,
}) => {
  const explorer = await openFile("columns", "#tab=select");
  await explorer.drags("Lasso");
  await explorer.drag(SQUARE);
  const n = await nSelected(explorer);
  await explorer.button("Keep as “A”").click();
  await ask(explorer, "class = 0");
  await explorer.button("Keep it").click();
  await expect(kept(explorer)).toHaveCount(2);

  const name = explorer.root.getByRole("textbox", { name: "Name of selection A" });
  await name.fill("middle, mostly");
  await name.press("Enter");
  const map = await explorer.look();
  await explorer.button("colour the map by them").click();
  await explorer.looksOtherThan(map);
  await expect(explorer.choice("Colour")).toHaveValue("selections");
  await expect(explorer.legend).toContainText("middle, mostly");

  const [file] = await Promise.all([
    page.waitForEvent("download"),
    explorer.button("Save middle, mostly as CSV").click(),
  ]);
  expect(file.suggestedFilename()).toBe("zoo-10-middle-mostly.csv");
  const saved = `${folder}/back.csv`;
  await file.saveAs(saved);
  const lines = readFileSync(saved, "utf8").trim().split("\r\n");
  expect(lines).toHaveLength(n + 1);
  expect(lines[0]).toMatch(/^index,class,file_name,.*,z0,z1,/);
  await explorer.root.getByLabel("Load one from a CSV").setInputFiles(saved);
  await expect(kept(explorer)).toHaveCount(3);
  await expect(kept(explorer).nth(2)).toContainText(String(n));

  await explorer.button("Select middle, mostly").click();
  expect(await nSelected(explorer)).toBe(n);
  await explorer.button("Delete back").click();
  await explorer.button("Delete B").click();
  await explorer.button("Delete middle, mostly").click();
  await expect(explorer.root.getByTestId("kept")).toBeHidden();
  await expect(explorer.choice("Colour")).toHaveValue("class");
  await explorer.button("Undo").click();
  await expect(kept(explorer)).toHaveCount(1);
});

test("what is kept outlives a reload of the page", async ({ openFile, page }) => {
  const explorer = await openFile("columns", "#tab=select");
  await ask(explorer, "class = 0");
  await explorer.button("Keep it").click();
  await explorer.choice("Colour").selectOption("selections");
  await explorer.addressHas("color", "selections");
  await page.reload();
  await explorer.isReady();
  await expect(kept(explorer)).toHaveCount(1);
  await expect(explorer.choice("Colour")).toHaveValue("selections");
});

test("a file that lists no pictures says so", async ({ openFile }) => {
  const explorer = await openFile("columns", "#tab=select");
  await explorer.root.getByLabel("Load one from a CSV").setInputFiles({
    name: "other.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("name\nx\n"),
  });
  await expect(explorer.root.getByRole("alert")).toContainText("no column “index”");
});

test("A against B: one click from the selection, neurons and columns ranked, walked", async ({
  openFile,
}) => {
  const explorer = await openFile("columns");
  await explorer.drags("Lasso");
  await explorer.drag(SQUARE);
  await explorer.button("Against the rest").click();
  const compare = explorer.root.getByTestId("compare");
  await expect(compare.getByTestId("differ-neurons").locator("tbody tr")).toHaveCount(8);
  await compare
    .getByRole("combobox", { name: "A", exact: true })
    .selectOption({ label: "class “1”" });
  await compare
    .getByRole("combobox", { name: "B", exact: true })
    .selectOption({ label: "class “0”" });
  await expect(compare.getByTestId("differ-columns").locator("tbody tr").first()).toContainText(
    "KL divergence",
  );
  for (const canvas of await compare.locator(".zs-means canvas").all())
    expect(await explorer.colours(canvas)).toBeGreaterThan(4);
  await compare.getByTestId("differ-neurons").locator("tbody button").first().click();
  await expect(explorer.choice("Colour")).toHaveValue(/^z\d$/);
  const before = await explorer.z();
  await compare.getByRole("button", { name: "Add A − B to this one" }).click();
  await expect(explorer.origin).toHaveText("This one + A − B");
  await explorer.openTab("Neurons");
  expect(await explorer.z()).not.toEqual(before);
  await explorer.openTab("Select");
  await compare.getByRole("button", { name: "Walk from B to A" }).click();
  await expect(explorer.strip.getByRole("listitem")).toHaveCount(10);
});

test("the table is sorted, walked by keyboard, ticked, and follows filters", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("columns", "#tab=table");
  const rows = table(explorer).locator(".zs-row");
  const column = (n: number) => rows.locator(`> :nth-child(${n})`).allTextContents();
  await table(explorer).getByRole("button", { name: "error" }).click();
  await expect(table(explorer).locator("[aria-sort=descending]")).toHaveText(/error/);
  const errors = (await column(6)).map(Number);
  expect(errors).toEqual([...errors].sort((a, b) => b - a));
  expect(await rows.count()).toBeLessThan(60);

  await table(explorer).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const third = (await column(3))[2].trim();
  await expect(explorer.origin).toContainText(`Picture ${third} of the data`);
  await page.keyboard.press(" ");
  await expect.poll(() => nSelected(explorer)).toBe(1);
  await page.keyboard.press("End");
  await page.keyboard.press(" ");
  await expect.poll(() => nSelected(explorer)).toBe(2);
  await explorer.root.getByLabel("selected only").check();
  await expect(table(explorer)).toHaveAttribute("aria-rowcount", "3");
  await rows.first().click();
  await expect(explorer.origin).toContainText(`Picture ${third}`);
  await explorer.root.getByLabel("selected only").uncheck();

  await explorer.button("Distance from here").click();
  await table(explorer).getByRole("button", { name: "distance" }).click();
  await expect(rows.first()).toContainText("0.00");
  await explorer.legend.locator(".zs-chip").first().dblclick();
  await expect(table(explorer)).toHaveAttribute("aria-rowcount", /^\d{3}$/);
});

test("keys of the table that come before the page is drawn are all heard", async ({ openFile }) => {
  const explorer = await openFile("columns", "#tab=table");
  await table(explorer).evaluate((target) => {
    for (const key of ["Home", "ArrowDown", "ArrowDown", "Enter", "End", " "])
      target.dispatchEvent(new KeyboardEvent("keydown", { key }));
  });
  await expect.poll(() => nSelected(explorer)).toBe(1);
  await expect(explorer.origin).toContainText("Picture 21 of the data"); // the third row
});

test("nearest pictures of any point, as many as one likes, and selected", async ({ openFile }) => {
  const explorer = await openFile("columns", "#tab=around");
  await explorer.clickBetween();
  const nearest = explorer.root.getByTestId("nearest");
  await nearest.scrollIntoViewIfNeeded();
  await nearest.getByLabel("How many").selectOption("50");
  await expect(nearest.locator(".zs-thumb")).toHaveCount(50);
  await nearest.getByRole("button", { name: "select them" }).click();
  expect(await nSelected(explorer)).toBe(50);
  await nearest.locator(".zs-thumb").first().click();
  await expect(explorer.origin).toContainText("of the data");
});

test("the posterior of any point: an ellipse on the map, and pictures", async ({ openFile }) => {
  const explorer = await openFile("columns", "#tab=around");
  const map = await explorer.look();
  const section = explorer.root.getByTestId("posterior");
  await section.getByRole("button", { name: "Show it" }).click();
  await explorer.looksOtherThan(map);
  await expect(section).toContainText(/Least sure: z\d ± \d/);
  const grid = section.getByRole("grid");
  await grid.scrollIntoViewIfNeeded();
  await expect.poll(() => explorer.colours(grid.locator("canvas"))).toBeGreaterThan(20);
  await explorer.clickBetween();
  await expect(section).toContainText("of the decoded picture");
  await grid.focus();
  await explorer.page.keyboard.press("ArrowRight");
  await explorer.page.keyboard.press("Enter");
  await expect(explorer.origin).toHaveText("Draw 2 of the posterior");
});
