import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "@playwright/test";
import { Explorer } from "./explorer";
import { PAGES } from "./places";

/** Opens the digits on a small phone. */
export async function openFilePage(
  browser: Browser,
  use: (explorer: Explorer, page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
    offline: true,
  });
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(PAGES, "digits.html")).href);
  const explorer = new Explorer(page);
  await explorer.isReady();
  await use(explorer, page);
  await context.close();
}
