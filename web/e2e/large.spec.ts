import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test as plain } from "@playwright/test";
import { withFiles } from "../bench/serve.mjs";
import { Explorer, expect, test } from "./explorer";
import { PAGES } from "./places";

/** Zooms in where many points lie, until pictures take the place of dots. */
async function comeNear(explorer: Explorer): Promise<void> {
  await explorer.page.mouse.move(...(await explorer.onMap(0.725, 0.335)));
  for (let i = 0; i < 5; i++) {
    await explorer.page.mouse.wheel(0, -400);
    await explorer.page.waitForTimeout(60);
  }
}

/** What the card shows of the point under it: its picture, once it has come. */
async function originalUnderPointer(explorer: Explorer): Promise<string> {
  const canvas = explorer.card.locator("canvas").first();
  await expect.poll(() => explorer.colours(canvas)).toBeGreaterThan(3);
  return explorer.pixels(canvas);
}

test("a file of many pictures reads those that are looked at", async ({ openFile }) => {
  const explorer = await openFile("large");
  await expect(explorer.legend).toContainText(/60.000 of 60.000 shown/);
  const whole = await explorer.look();
  const before = await explorer.pixels();
  await explorer.clickMap(0.45, 0.55);
  await explorer.shows(before);
  await comeNear(explorer);
  await explorer.looksOtherThan(whole);
  await explorer.findPoint();
  await originalUnderPointer(explorer);
});

test("a filter, a lasso and a colour are seen on a crowded map", async ({ openFile, page }) => {
  const explorer = await openFile("large");
  let seen = await explorer.look();
  const change = async (act: () => Promise<unknown>): Promise<void> => {
    await act();
    await explorer.looksOtherThan(seen);
    seen = await explorer.look();
  };
  await change(() => explorer.legend.locator(".zs-chip").first().click());
  await change(() => explorer.choice("Colour").selectOption("z1"));
  await explorer.drags("Lasso");
  await change(() =>
    explorer.drag([
      [0.4, 0.3],
      [0.6, 0.3],
      [0.6, 0.6],
      [0.4, 0.6],
      [0.4, 0.32],
    ]),
  );
  await expect(explorer.selection).toContainText("selected");
  await page.keyboard.press("Escape");
});

plain("a folder that is served asks for parts of it, and for few of them", async ({ page }) => {
  const ranges: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/blocks/thumbnails"))
      ranges.push(request.headers().range ?? "all of it");
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await withFiles(join(PAGES, "large"), async (address: string) => {
    await page.goto(address);
    const explorer = new Explorer(page);
    await explorer.isReady();
    expect(new Set(ranges).size).toBeLessThan(3); // that of the picture shown first
    await comeNear(explorer);
    await explorer.findPoint();
    await originalUnderPointer(explorer);
    expect(ranges.length).toBeGreaterThan(1);
    expect(new Set(ranges).size).toBe(ranges.length);
    expect(ranges.every((range) => /^bytes=\d+-\d+$/.test(range))).toBe(true);
  });
  expect(complaints).toEqual([]);
});

plain("a folder that is opened without a server says what it needs", async ({ page }) => {
  await page.goto(pathToFileURL(join(PAGES, "large", "index.html")).href);
  await expect(page.getByRole("alert")).toContainText("python -m http.server");
});
