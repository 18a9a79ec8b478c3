/** A model that is told what pictures are: all that is decoded follows the choice. */
import { expect, expectSame, test } from "./explorer";

const CHOICE = "Decode as";

test("everything decoded follows the class that is chosen, and comes back", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("told");
  await expect(explorer.choice(CHOICE)).toHaveValue("0");
  await explorer.openTab("Path");
  await explorer.button("Start here").click();
  await page.keyboard.press("r");
  await explorer.button("End here").click();
  await expect(explorer.strip.locator("canvas").nth(5)).toBeVisible();
  const [picture, stop] = [await explorer.levels(), await strip()];

  await explorer.choice(CHOICE).selectOption("2");
  await expect(explorer.root.getByText("Decoded as class </script><b>blue")).toBeVisible();
  await explorer.addressHas("as", /blue/);
  expect(await explorer.levels()).not.toEqual(picture);
  await expect.poll(strip).not.toEqual(stop);
  const other = await explorer.levels();
  await explorer.button("Undo").click();
  await expect(explorer.choice(CHOICE)).toHaveValue("0");
  expectSame(await explorer.levels(), picture);
  await expect.poll(strip).toEqual(stop);
  await explorer.button("Redo").click();
  expectSame(await explorer.levels(), other);

  await explorer.openTab("Neurons");
  await explorer.addressHas("tab", "neurons");
  await explorer.addressHas("as", /blue/);
  const hash = await page.evaluate(() => location.hash);
  await page.goto("about:blank");
  const again = await openFile("told", hash);
  await expect(again.choice(CHOICE)).toHaveValue("2");
  expectSame(await again.levels(), other);

  function strip(): Promise<string> {
    return explorer.strip
      .locator("canvas")
      .nth(5)
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  }
});

test("the choice is reached by keyboard, and a drawing says what it was taken for", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("told", "#tab=draw");
  await explorer.choice("Decode by").focus();
  await page.keyboard.press("Tab");
  await expect(explorer.choice(CHOICE)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(explorer.choice(CHOICE)).toHaveValue("1");
  await expect(explorer.root.getByText("then encoded as class green")).toBeVisible();
});

test("a model that is told nothing offers nothing", async ({ openFile }) => {
  const explorer = await openFile("hostile");
  await expect(explorer.choice("Decode by")).toBeVisible();
  await expect(explorer.choice(CHOICE)).toHaveCount(0);
});
