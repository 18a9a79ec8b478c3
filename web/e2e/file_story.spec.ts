import { readFileSync } from "node:fs";
import { Explorer, expect, test } from "./explorer";

const card = (explorer: Explorer) => explorer.root.getByTestId("story");

test("the demo's story is stepped through, walked away from, and asks before it answers", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("story");
  await expect(card(explorer)).toContainText("1 of 10");
  await expect(explorer.origin).toContainText(/Picture [\d ]+ of the data/);
  await explorer.button("Next").click();
  await page.keyboard.press("n");
  await expect(card(explorer)).toContainText("3 of 10");
  const answer = "What only this one writer does";
  await expect(card(explorer)).not.toContainText("worth a number");
  await card(explorer).getByRole("button", { name: "Which digit it is" }).click();
  await expect(card(explorer)).toContainText(`No: ${answer}.`);
  await expect(card(explorer)).toContainText("worth a number");
  await explorer.clickBetween();
  await explorer.choice("Map").selectOption("umap");
  await explorer.button("6: Which number answers to which digit?").click();
  await expect(explorer.choice("Map")).toHaveValue("tsne");
  await expect(explorer.choice("Colour")).toHaveValue("z7");
  await expect(explorer.origin).toHaveText("Mean of all “7”");
  await page.keyboard.press("PageUp");
  await card(explorer).getByRole("button", { name: "the prototype of the 4s" }).click();
  await expect(explorer.origin).toHaveText("Mean of all “4”");
  await explorer.addressHas("step", "5");
  await explorer.button("10: Your own hand").click();
  await expect(explorer.root.getByTestId("pad")).toBeVisible();
  await explorer.button("Walk on alone").click();
  await expect(card(explorer)).toBeHidden();
  await explorer.button("Read the story").click();
  await expect(card(explorer)).toContainText("1 of 10");
});

test("views are kept, captioned, saved, loaded and read in the page", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#tab=shelf&map=umap");
  await explorer.button("Keep this view").click();
  await explorer.choice("Map").selectOption("pca");
  await explorer.button("Keep this view").click();
  await explorer.root.getByLabel("Title of step 1").fill("First");
  await explorer.root
    .getByLabel("Caption of step 1")
    .fill("A **bold** word, <img src=x onerror=document.title='hacked'> and text.");
  await page.keyboard.press("Tab");
  const saved = page.waitForEvent("download");
  await explorer.button("Save story").click();
  const file = await (await saved).path();
  expect(JSON.parse(readFileSync(file, "utf8")).steps[0].title).toBe("First");
  await explorer.button("Delete step 1").click();
  await explorer.root.getByLabel("Load a story").setInputFiles(file);
  await expect(explorer.root.getByTestId("steps").locator("li")).toHaveCount(2);
  await explorer.button("Read it").click();
  await expect(explorer.choice("Map")).toHaveValue("umap");
  await expect(card(explorer).locator("strong")).toHaveText("bold");
  await expect(card(explorer)).toContainText("<img src=x");
  await expect(card(explorer).locator("img")).toHaveCount(0);
  expect(await page.title()).not.toBe("hacked");
  await explorer.root.getByLabel("Load a story").setInputFiles({
    name: "no.json",
    mimeType: "application/json",
    buffer: Buffer.from("[]"),
  });
  await expect(explorer.root.locator(".zs-notice")).toContainText("no.json is no story");
});

test("to present, picture, map and story stand alone, and keys lead on", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("story");
  const before = (await explorer.picture.boundingBox())!;
  await page.keyboard.press("f");
  await expect(explorer.root.getByRole("tablist")).toBeHidden();
  await expect(explorer.root.getByRole("heading", { level: 1 })).toBeHidden();
  expect((await explorer.picture.boundingBox())!.width).toBeGreaterThan(1.5 * before.width);
  await page.keyboard.press("PageDown");
  await expect(card(explorer)).toContainText("2 of 10");
  await page.keyboard.press("Escape");
  await expect(explorer.root.getByRole("tablist")).toBeVisible();
});

test("?embed leaves map, legend and picture, and the rest one click away", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "?embed#map=pca&row=3");
  await expect(explorer.root.getByRole("tablist")).toBeHidden();
  await expect(explorer.legend).toBeVisible();
  await expect(explorer.picture).toBeVisible();
  await explorer.clickBetween();
  await explorer.addressHas("z", /~/);
  expect(new URL(page.url()).search).toBe("?embed");
  await explorer.button("Show all tools").click();
  await expect(explorer.choice("Map")).toHaveValue("pca");
});

test("two explorers on one page keep apart", async ({ openFile, page }) => {
  await openFile("two");
  const both = page.locator("[data-zscape]");
  const [first, second] = [0, 1].map((i) => new Explorer(page, both.nth(i)));
  await first.isReady();
  await second.isReady();
  await expect(first.origin).toContainText("Picture ");
  await expect(second.choice("Map")).toHaveValue("umap");
  const [one, two] = [await first.origin.textContent(), await second.origin.textContent()];
  expect(one).not.toBe(two);
  await second.button("Random").click();
  await expect(second.origin).toHaveText("Random, from the prior");
  await expect(first.origin).toHaveText(one!);
  expect(await page.evaluate(() => location.hash)).toBe(""); // it can be of one alone
});
