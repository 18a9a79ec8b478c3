import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "@playwright/test";
import { type Explorer, expect, test } from "./explorer";
import { PAGES } from "./places";

/** Opens the digits after `change`, and returns what the page says instead. */
async function messageOf(
  page: Page,
  folder: string,
  change: (html: string) => string,
): Promise<string> {
  const whole = readFileSync(join(PAGES, "digits.html"), "utf8");
  const changed = change(whole);
  expect(changed).not.toBe(whole);
  const file = join(folder, "changed.html");
  writeFileSync(file, changed);
  await page.goto(pathToFileURL(file).href);
  await expect(page.locator("[data-ready]")).toHaveAttribute("data-ready", "failed");
  const alert = page.getByRole("alert");
  await expect(alert).toBeVisible();
  return (await alert.textContent())!;
}

const withManifest = (html: string, change: (manifest: any) => void): string =>
  html.replace(/(id="zscape-manifest">)(.*?)(<\/script>)/s, (_, open, json, close) => {
    const manifest = JSON.parse(json);
    change(manifest);
    return open + JSON.stringify(manifest).replaceAll("<", "\\u003c") + close;
  });

const withBlock = (html: string, name: string, change: (base64: string) => string): string =>
  html.replace(
    new RegExp(`(data-zscape-block="${name}">)([^<]*)`),
    (_, open, text) => open + change(text),
  );

const CASES: [what: string, change: (html: string) => string, says: RegExp][] = [
  ["a truncated block", (html) => withBlock(html, "mu", (text) => text.slice(0, 4000)), /mu/],
  [
    "a damaged block",
    (html) => withBlock(html, "mu", (text) => `${text.slice(0, 800)}AAAAAAAA${text.slice(808)}`),
    /mu.*damaged/,
  ],
  [
    "a missing block",
    (html) => html.replace('data-zscape-block="mu"', 'data-zscape-block="other"'),
    /mu/,
  ],
  ["a block that is no base64", (html) => withBlock(html, "mu", (text) => `%%${text}`), /mu/],
  [
    "another version",
    (html) => withManifest(html, (manifest) => (manifest.version = 99)),
    /version.*99/,
  ],
  [
    "another format",
    (html) => withManifest(html, (manifest) => (manifest.format = "other")),
    /scene/,
  ],
  ["zero points", (html) => withManifest(html, (manifest) => (manifest.points.n = 0)), /point/],
  [
    "a table of another model",
    (html) => withManifest(html, (manifest) => (manifest.latentDim = 7)),
    /7/,
  ],
  ["no manifest", (html) => html.replace('id="zscape-manifest"', 'id="other"'), /manifest/],
  [
    "a manifest cut short",
    (html) => html.replace(/(id="zscape-manifest">.{500}).*?(<\/script>)/s, "$1$2"),
    /manifest/,
  ],
];

for (const [what, change, says] of CASES) {
  test(`${what} becomes a sentence`, async ({ page, folder, complaints }) => {
    const message = await messageOf(page, folder, change);
    expect(message).toMatch(says);
    expect(message).toMatch(/^[A-Z].*\.$/s);
    expect(complaints).toEqual([]);
  });
}

test("names from the data never become HTML", async ({ openFile, page }) => {
  const explorer = await openFile("hostile");
  const title = await page.title();
  for (const tab of ["Neurons", "Around", "Path", "Classes", "Draw"]) await explorer.openTab(tab);
  await explorer.openTab("Classes");
  await explorer.findPoint();
  await explorer.drags("Lasso");
  await explorer.drag(
    [
      [0.01, 0.01],
      [0.99, 0.01],
      [0.99, 0.99],
      [0.01, 0.99],
      [0.01, 0.02],
    ],
    2,
  );
  await expect(explorer.selection).toContainText("<img src=x");
  await expect(explorer.legend).toContainText("</script><script>");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("hostile <b>&amp;</b>");
  expect(await page.locator("img").count()).toBe(0);
  expect(title).toContain("<b>&amp;</b>");
  expect(await page.title()).toBe(title);
});

for (const name of ["one_point", "two_points"]) {
  test(`${name}: works as far as it can`, async ({ openFile }) => {
    const explorer = await openFile(name);
    expect(await explorer.colours(explorer.picture)).toBeGreaterThan(1);
    const before = await explorer.pixels();
    await explorer.clickMap(0.8, 0.2);
    await explorer.openTab("Neurons");
    await explorer.button("Random").click();
    await explorer.shows(before);
    for (const tab of ["Around", "Path", "Classes", "Draw"]) await explorer.openTab(tab);
    await explorer.choice("Colour").selectOption("error");
    await explorer.button("Density contours").click();
  });
}

test("one neuron: a map, a slider, a path, no great circle through the origin", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("one_neuron");
  await expect(explorer.root.getByRole("slider")).toHaveCount(1);
  const field = explorer.root.getByLabel("Value of z0");
  await field.fill("-1");
  await explorer.openTab("Path");
  await explorer.button("Start here").click();
  await explorer.openTab("Neurons");
  await field.fill("1");
  await page.keyboard.press("Enter");
  await explorer.openTab("Path");
  await explorer.button("End here").click();
  await explorer.choice("Way").selectOption("slerp");
  await expect(explorer.root.locator(".zs-notice")).toContainText("great circle");
  await expect(explorer.choice("Way")).toHaveValue("line");
  await explorer.openTab("Around");
  await expect(explorer.root.getByRole("heading", { name: "Two neurons together" })).toHaveCount(0);
});

test("64 neurons: sliders for all, grids by pages", async ({ openFile }) => {
  const explorer = await openFile("many_neurons");
  await expect(explorer.root.getByRole("slider")).toHaveCount(64);
  await explorer.openTab("Around");
  await expect(explorer.root.getByText("1 of 7")).toBeVisible();
  await explorer.button("Neurons after").click();
  await expect(explorer.root.getByText("2 of 7")).toBeVisible();
  await explorer.openTab("Classes");
  await expect(explorer.root.getByTestId("heatmap").locator("tbody td")).toHaveCount(128);
});

test("2 000 classes can be searched", async ({ openFile }) => {
  const explorer = await openFile("many_classes");
  const search = explorer.legend.getByRole("searchbox");
  await search.fill("class 1234");
  const chips = explorer.legend.locator(".zs-chip");
  await expect(chips).toHaveText([/^class 1234\d$/]);
  await chips.click();
  await explorer.addressHas("hide", "1234");
  await explorer.openTab("Classes");
  await explorer.root.getByRole("tabpanel").getByRole("searchbox").fill("class 77");
  await expect(explorer.root.getByTestId("heatmap").locator("tbody tr")).toHaveCount(11);
});

test("colour pictures without labels", async ({ openFile }) => {
  const explorer = await openFile("colours");
  await expect(explorer.choice("Colour").getByRole("option", { name: "class" })).toHaveCount(0);
  await expect(explorer.legend).toContainText("Neuron");
  expect(await explorer.colours(explorer.picture)).toBeGreaterThan(20);
  await explorer.openTab("Classes");
  await expect(explorer.root.getByText("These pictures have no classes")).toBeVisible();
  for (const tab of ["Around", "Path", "Draw"]) await explorer.openTab(tab);
});

test("a network the page cannot run: the maps, and why no more", async ({ openFile }) => {
  const explorer = await openFile("unknown_layer");
  const why = /gelu/i;
  await expect(explorer.root.locator(".zs-placeholder")).toContainText(why);
  await explorer.findPoint();
  for (const tab of ["Around", "Path", "Draw"]) {
    await explorer.openTab(tab);
    await expect(explorer.root.getByRole("tabpanel")).toContainText(why);
  }
  await explorer.openTab("Classes");
  await expect(explorer.root.getByTestId("heatmap")).toBeVisible();
});

test("without WebGL 2 the map is drawn all the same, and all works", async ({ openFile, page }) => {
  await page.addInitScript(() => {
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (
      this: HTMLCanvasElement,
      kind: string,
      ...rest: unknown[]
    ) {
      return kind.startsWith("webgl") ? null : (original as any).call(this, kind, ...rest);
    } as typeof original;
  });
  const explorer: Explorer = await openFile("digits");
  expect(
    await explorer.colours(explorer.map.locator("xpath=preceding-sibling::canvas")),
  ).toBeGreaterThan(50);
  const before = await explorer.pixels();
  await explorer.clickBetween();
  await explorer.shows(before);
  const { index } = await explorer.findPoint();
  expect(Number(index.replace(/\D/g, ""))).toBeGreaterThanOrEqual(0);
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.3, 0.3],
    [0.7, 0.3],
    [0.7, 0.7],
    [0.3, 0.7],
    [0.3, 0.32],
  ]);
  await expect(explorer.selection).toContainText("selected");
  const map = await explorer.look();
  await page.keyboard.press("Escape");
  await explorer.looksOtherThan(map);
  await explorer.openTab("Around");
  const grid = explorer.root.getByRole("grid", { name: /^Pictures for values/ }).locator("canvas");
  await expect.poll(() => explorer.colours(grid)).toBeGreaterThan(50);
  await explorer.openTab("Draw");
  await expect(explorer.root.getByTestId("pad")).toBeVisible();
});
