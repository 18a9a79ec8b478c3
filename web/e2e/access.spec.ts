import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { expect, test } from "./explorer";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const tab of [
      "Neurons",
      "Around",
      "Path",
      "Classes",
      "Draw",
      "Columns",
      "Table",
      "Select",
      "Shelf",
    ]) {
      test(`axe finds nothing serious in ${tab}`, async ({ openFile, page }) => {
        const explorer = await openFile(
          ["Columns", "Table", "Select"].includes(tab) ? "columns" : "digits",
          tab === "Columns" ? "#color=ink&filter=%7B%22wide%22%3A%5B8%2C12%5D%7D" : "",
        );
        await explorer.openTab(tab);
        if (tab === "Path") {
          await explorer.drags("Path");
          await explorer.drag([
            [0.3, 0.4],
            [0.7, 0.6],
          ]);
        }
        if (["Neurons", "Select"].includes(tab)) {
          await explorer.drags("Lasso");
          await explorer.drag([
            [0.3, 0.3],
            [0.7, 0.3],
            [0.7, 0.7],
            [0.3, 0.7],
            [0.3, 0.3],
          ]);
        }
        if (tab === "Shelf") {
          await explorer.button("Keep").click();
          await explorer.button("Keep this view").click();
        }
        await page.evaluate(AXE);
        const { violations } = await page.evaluate<AxeResults>("axe.run()");
        const serious = violations.filter(
          ({ impact }) => impact === "serious" || impact === "critical",
        );
        expect(
          serious.map(({ id, nodes }) => ({
            id,
            where: nodes.map(({ html }) => html.slice(0, 160)),
          })),
        ).toEqual([]);
      });
    }
  });
}

for (const [width, layout] of [
  [360, ""],
  [1280, ""],
  [1280, "?embed"],
  [1280, "?present"],
] as const) {
  test(`axe finds nothing serious in a story, ${width} pixels ${layout}`, async ({
    openFile,
    page,
  }) => {
    await page.setViewportSize({ width, height: 800 });
    const explorer = await openFile("story", layout);
    for (let i = 0; i < 2; i++) await page.keyboard.press("n");
    await explorer.root.getByRole("button", { name: "Which digit it is" }).click();
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<AxeResults>("axe.run()");
    expect(
      violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id }) => id),
    ).toEqual([]);
  });
}

test("axe finds nothing serious in the help", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await page.keyboard.press("?");
  await expect(explorer.root.getByRole("dialog")).toBeVisible();
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  expect(
    violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id }) => id),
  ).toEqual([]);
});
