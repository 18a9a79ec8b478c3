import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "@playwright/test";
import type { AxeResults } from "axe-core";

const SITE = fileURLToPath(new URL("../../build/site", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = existsSync(SITE)
  ? readdirSync(SITE, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".html") && !name.startsWith("gallery/"))
      .sort()
  : [];

test.skip(!PAGES.length, "The site is not built: make docs.");

/** Lessons and what a passer-by sees, at both widths; of the rest, one of each kind. */
const isFront = (name: string): boolean => /^(index|gallery|learn\/.*|data)\.html$/.test(name);
const isShown = (name: string): boolean =>
  isFront(name) ||
  /^(commands|maps|results|stability|reference\/(commands|zscape)|notebooks\/04.*)\.html$/.test(
    name,
  );

for (const [number, name] of PAGES.filter(isShown).entries()) {
  for (const width of isFront(name) ? [360, 1390] : [number % 2 ? 360 : 1390]) {
    test(`${name} at ${width} px asks for nothing, fits, and has nothing serious`, async ({
      page,
    }) => {
      const asked: string[] = [];
      page.on("request", (request) => {
        if (!/^(file|data|blob|about):/.test(request.url())) asked.push(request.url());
      });
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme: number % 3 ? "light" : "dark" });
      await page.goto(pathToFileURL(join(SITE, name)).href);
      await expect(page.locator("h1").first()).toBeVisible();
      const beyond = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(beyond).toBeLessThanOrEqual(0);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate<AxeResults>("axe.run({ iframes: false })");
      const serious = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ""));
      expect(
        serious.map(({ id, nodes }) => [
          id,
          nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)),
        ]),
      ).toEqual([]);
      expect(asked).toEqual([]);
    });
  }
}

test("no page is wider than a phone", async ({ page }) => {
  test.setTimeout(180_000);
  await page.setViewportSize({ width: 360, height: 860 });
  await page.route("**/gallery/*.html*", (route) => route.abort());
  const wide: string[] = [];
  for (const name of PAGES) {
    await page.goto(pathToFileURL(join(SITE, name)).href);
    const beyond = () => document.documentElement.scrollWidth - window.innerWidth;
    if ((await page.evaluate(beyond)) > 0) wide.push(name);
  }
  expect(wide).toEqual([]);
});

test("the search finds an option, offline", async ({ page }) => {
  await page.goto(pathToFileURL(join(SITE, "index.html")).href);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("perplexity");
  await expect(page.getByRole("link", { name: /maps/i }).first()).toBeVisible();
});
