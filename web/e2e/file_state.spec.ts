import { expect, expectSame, test } from "./explorer";

test("the address restores map, colour, vector, path, mode, tab and view", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await explorer.choice("Map").selectOption("umap");
  await explorer.choice("Colour").selectOption("kl");
  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await explorer.drags("Move");
  await page.waitForTimeout(700);
  await explorer.button("Nearer").click();
  await page.keyboard.press("r");
  await explorer.addressHas("z", /~/);
  await page.waitForTimeout(700);
  const picture = await explorer.levels();
  const hash = await page.evaluate(() => location.hash);

  await page.goto("about:blank");
  const again = await openFile("digits", hash);
  expectSame(await again.levels(), picture);
  await expect(again.choice("Map")).toHaveValue("umap");
  await expect(again.choice("Colour")).toHaveValue("kl");
  await expect(again.strip.getByRole("listitem")).toHaveCount(10);
  await expect(again.root.getByRole("button", { name: "Move" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await page.waitForTimeout(500);
  const scale = async (text: string) =>
    Number(new URLSearchParams(text.slice(1)).get("view")!.split("~")[2]);
  await page.keyboard.press("d"); // anything that does not change the view
  expect(await scale(await page.evaluate(() => location.hash))).toBeCloseTo(await scale(hash), 4);
});

test("a link has what is selected, kept and drawn, and what is switched on", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.4, 0.4],
    [0.6, 0.4],
    [0.6, 0.6],
    [0.4, 0.6],
  ]);
  const selected = (await explorer.selection.locator("strong").textContent())!;
  await explorer.button("Keep it").click();
  await page.keyboard.press("c");
  await explorer.openTab("Draw");
  const pad = explorer.root.getByTestId("pad");
  const box = (await pad.boundingBox())!;
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.height, { steps: 5 });
  await page.mouse.up();
  await expect(explorer.origin).toHaveText("Your drawing");
  await explorer.button("Keep").first().click();
  const drawing = await explorer.pixels(pad);
  await explorer.addressHas("kept", /kept/);
  const hash = await page.evaluate(() => location.hash);

  await page.goto("about:blank");
  const again = await openFile("digits", hash);
  await expect(again.selection.locator("strong")).toHaveText(selected);
  await expect(again.button("Density contours")).toHaveAttribute("aria-pressed", "true");
  expect(await again.pixels(again.root.getByTestId("pad"))).toBe(drawing);
  await expect(again.root.getByText("As the model sees it")).toBeVisible();
  await expect(again.origin).toHaveText("A vector");
  await again.openTab("Select");
  await expect(again.root.getByTestId("kept").locator("li")).toHaveCount(1);
  await again.openTab("Shelf");
  await expect(again.choice("Start with").getByRole("option", { name: "kept 1" })).toHaveCount(1);
});

test("undo brings back a path, the shelf and a drawing", async ({ openFile, page }) => {
  const explorer = await openFile("digits", "#tab=draw");
  const pad = explorer.root.getByTestId("pad");
  const blank = await explorer.pixels(pad);
  const box = (await pad.boundingBox())!;
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.height, { steps: 5 });
  await page.mouse.up();
  const drawing = await explorer.shows(blank, pad);
  await explorer.button("Clear").click();
  await explorer.shows(drawing, pad);
  await explorer.button("Undo").click();
  await expect.poll(() => explorer.pixels(pad)).toBe(drawing);
  await expect(explorer.origin).toHaveText("Your drawing");
  await explorer.openTab("Path");
  await explorer.button("Start here").click();
  await expect(explorer.strip).toBeVisible();
  await explorer.button("Clear").click();
  await expect(explorer.strip).toBeHidden();
  await page.keyboard.press("Control+z");
  await expect(explorer.strip).toBeVisible();
});

test("keys that come before tabs and grids are drawn are heard", async ({ openFile }) => {
  const explorer = await openFile("digits", "#tab=around");
  const tab = explorer.root.getByRole("tab", { name: "Around" });
  const sendTo = (element: Element, keys: string[]) => {
    for (const key of keys)
      element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  };
  const grid = explorer.root.getByRole("grid", { name: /^Pictures for values/ });
  const cell = grid.getByRole("gridcell");
  const first = (await cell.getAttribute("aria-label"))!;
  await grid.evaluate(sendTo, ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]);
  await expect(cell).not.toHaveAttribute("aria-label", first);
  await expect(cell).toHaveAttribute("aria-colindex", "2");
  await tab.evaluate(sendTo, ["ArrowRight", "ArrowRight"]);
  await expect(explorer.root.getByRole("tab", { name: "Classes" })).toHaveAttribute(
    "aria-selected",
    "true",
  );
});

test("an address someone made up does no harm", async ({ openFile }) => {
  const explorer = await openFile(
    "digits",
    "#map=<b>&z=1~2&color=z99&tab=x&path=map!1&view=a~b~c&row=1e9&mode=%E0%A4%A",
  );
  await expect(explorer.choice("Map")).toHaveValue("tsne");
  await expect(explorer.origin).toContainText("Picture ");
});

test("all of it by keyboard", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const press = (key: string) => page.keyboard.press(key);
  for (const [key, tab] of [
    ["2", "Around"],
    ["3", "Path"],
    ["4", "Classes"],
    ["5", "Draw"],
    ["1", "Neurons"],
  ]) {
    await press(key);
    await expect(explorer.root.getByRole("tab", { name: tab })).toHaveAttribute(
      "aria-selected",
      "true",
    );
  }
  for (const [key, mode] of [
    ["m", "Move"],
    ["o", "Lasso"],
    ["p", "Path"],
    ["w", "Walk"],
  ]) {
    await press(key);
    await expect(
      explorer.root.getByRole("button", { name: new RegExp(`^${mode}`) }).first(),
    ).toHaveAttribute("aria-pressed", "true");
  }
  await press("]");
  await expect(explorer.choice("Map")).toHaveValue("umap");
  await press("[");
  await expect(explorer.choice("Map")).toHaveValue("tsne");
  await press("c");
  await expect(explorer.button("Density contours")).toHaveAttribute("aria-pressed", "true");
  await press("r");
  await expect(explorer.origin).toHaveText("Random, from the prior");
  await press("z");
  await expect.poll(() => explorer.z()).toEqual(Array(10).fill(0));
  await press("Control+z");
  await expect(explorer.origin).toHaveText("Random, from the prior");

  await press("?");
  const help = explorer.root.getByRole("dialog");
  await expect(help).toBeVisible();
  await press("Escape");
  await expect(help).toBeHidden();

  // The map itself: Enter is a click in its centre.
  await explorer.map.focus();
  const before = await explorer.pixels();
  await press("Shift+ArrowUp");
  await press("ArrowLeft");
  await press("Enter");
  await explorer.shows(before);
  await expect(explorer.origin).toHaveText(/^(On the map|Picture)/);
  await press("+");
  await press("0");
  await press("Tab");
  await press("Shift+Tab");
  await expect(explorer.map).toBeFocused();
});

test("every control can be reached by Tab, and shows that it is", async ({ openFile, page }) => {
  await openFile("digits");
  const seen = new Set<string>();
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const { name, hasOutline } = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const outlined = getComputedStyle(element).outlineStyle !== "none";
      const label =
        element.getAttribute("aria-label") ||
        element.title ||
        element.textContent ||
        element.tagName;
      return { name: label, hasOutline: outlined || element === document.body };
    });
    expect(hasOutline, name).toBe(true);
    seen.add(name);
  }
  for (const name of [
    "Keys and help",
    "Density contours",
    "Neuron z4",
    "Value of z8",
    "Present: picture, map and story alone",
  ])
    expect(seen).toContain(name);
  expect([...seen].some((name) => name.includes("Arrow keys"))).toBe(true);
});

test("dark follows the system and can be switched", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const root = page.locator("[data-theme]");
  await expect(root).toHaveAttribute("data-theme", "light");
  const before = await explorer.look();
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(root).toHaveAttribute("data-theme", "dark");
  await explorer.looksOtherThan(before);
  await page.keyboard.press("d");
  await expect(root).toHaveAttribute("data-theme", "light");
});

for (const width of [360, 600, 900, 1600]) {
  test(`nothing is cut off at ${width} pixels`, async ({ openFile, page }) => {
    await page.setViewportSize({ width, height: 800 });
    const explorer = await openFile("digits");
    for (const tab of ["Neurons", "Around", "Path", "Classes", "Draw"]) {
      await explorer.openTab(tab);
      const { inner, needed } = await page.evaluate(() => ({
        inner: document.documentElement.clientWidth,
        needed: document.documentElement.scrollWidth,
      }));
      expect(needed, tab).toBeLessThanOrEqual(inner);
    }
    const box = (await explorer.map.boundingBox())!;
    expect(box.height).toBeGreaterThan(200);
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
  });
}

test("fingers find targets of 44 pixels on a phone", async ({ browser }) => {
  const { openFilePage } = await import("./phone");
  await openFilePage(browser, async (explorer, page) => {
    for (const tab of ["Neurons", "Path", "Classes", "Draw"]) {
      await explorer.openTab(tab);
      const small = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("button, select, input:not([type=range])")]
          .filter((each) => each.offsetParent && !each.closest("p, table, dialog"))
          .filter((each) => each.getBoundingClientRect().height < 43.5)
          .map(
            (each) => `${each.className} ${each.textContent || each.getAttribute("aria-label")}`,
          ),
      );
      expect(small, tab).toEqual([]);
    }
  });
});
