/** Scenes with members: a slider over the moments of a training, and two models side by side. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Explorer, expect, test } from "./explorer";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function isAccessible({ page }: Explorer): Promise<void> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))])).toEqual(
    [],
  );
}

test("the slider goes through the training by keyboard, and the link keeps the moment", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("film");
  const slider = explorer.root.getByRole("slider", { name: "Moment of the training" });
  await expect(slider).toHaveAttribute("aria-valuetext", "epoch 2, 70.0 nats per image");
  const [picture, look] = [await explorer.pixels(), await explorer.look()];
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(slider).toHaveAttribute("aria-valuetext", "step 1, 80.3 nats per image");
  await expect(explorer.root.getByTestId("member")).toHaveText("step 180.3 nats");
  await explorer.shows(picture);
  await explorer.looksOtherThan(look);
  await expect(explorer.origin).toContainText("Picture 0 of the data");
  const middle = await explorer.pixels();
  await explorer.addressHas("member", "1");
  const hash = await page.evaluate(() => location.hash);
  await page.goto("about:blank");
  const again = await openFile("film", hash);
  expect(await again.pixels()).toBe(middle);

  await again.openTab("Draw");
  await expect(again.root.getByRole("tabpanel")).toContainText(
    "no drawing can be read here; epoch 2 has one",
  );
  await again.root.getByRole("slider", { name: "Moment of the training" }).press("End");
  await expect(again.root.getByTestId("pad")).toBeVisible();
  await isAccessible(again);
});

test("a film plays to its end, and from its start once it is there", async ({ openFile }) => {
  const explorer = await openFile("film");
  const member = explorer.root.getByTestId("member");
  await explorer.button("Play").click();
  await expect(member).toContainText("start");
  await expect(member).toContainText("step 1");
  await expect(member).toContainText("epoch 2");
  await expect(explorer.button("Play")).toBeVisible();
});

test("two models stand side by side: the same pictures in both, sliders apart", async ({
  openFile,
}) => {
  const explorer = await openFile("pair");
  const maps = explorer.root.getByRole("application");
  await expect(maps).toHaveCount(2);
  const pictures = explorer.root.getByTestId("picture");
  const origins = explorer.root.getByTestId("origin");
  await expect(pictures).toHaveCount(2);
  expect(await explorer.pixels(pictures.first())).not.toBe(await explorer.pixels(pictures.last()));
  await expect(explorer.root.getByTestId("kept")).toHaveText(
    /^A picture keeps \d+ % of its 15 nearest neighbours\.$/,
  );

  await explorer.openTab("Table");
  await explorer.root.getByRole("row").nth(4).getByRole("gridcell").nth(2).click();
  const text = await origins.first().textContent();
  expect(text).toMatch(/^Picture [1-9]/);
  await expect(origins.last()).toHaveText(text!);

  await explorer.openTab("Neurons");
  await expect(explorer.root.locator('[role="tabpanel"] input[type="number"]')).toHaveCount(3);
  const before = await explorer.pixels(pictures.last());
  const first = await explorer.pixels(pictures.first());
  await explorer.root.locator('[role="tabpanel"] input[type="range"]').first().press("End");
  await explorer.shows(first, pictures.first());
  expect(await explorer.pixels(pictures.last())).toBe(before);
  await explorer.button("four").click();
  await expect(explorer.root.locator('[role="tabpanel"] input[type="number"]')).toHaveCount(4);

  await isAccessible(explorer);
  await explorer.root.getByRole("button", { name: "One map" }).first().click();
  await expect(maps).toHaveCount(1);
  await expect(pictures).toHaveCount(1);
});

test("what is selected on one map is so on the other, with a trail from there", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("pair");
  const [one, other] = [
    explorer.root.getByRole("application").first(),
    explorer.root.getByRole("application").last(),
  ];
  const look = (await other.screenshot()).toString("base64");
  await explorer.drags("Lasso");
  const box = (await one.boundingBox())!;
  const at = (x: number, y: number): [number, number] => [
    box.x + x * box.width,
    box.y + y * box.height,
  ];
  await page.mouse.move(...at(0.2, 0.2));
  await page.mouse.down();
  for (const [x, y] of [
    [0.8, 0.2],
    [0.8, 0.8],
    [0.2, 0.8],
    [0.2, 0.21],
  ] as const)
    await page.mouse.move(...at(x, y), { steps: 6 });
  await page.mouse.up();
  await expect(explorer.selection.first()).toContainText("selected");
  await expect
    .poll(async () => (await other.screenshot()).toString("base64"), { intervals: [200] })
    .not.toBe(look);
});
