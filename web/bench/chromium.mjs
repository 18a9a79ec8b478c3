import { execFileSync } from "node:child_process";
import process from "node:process";
import { chromium } from "playwright-core";

/** Software rendering on every machine, so that numbers can be compared. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const UNCAPPED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"];

export const executablePath =
  process.env.CHROMIUM ||
  execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();

/** Opens a page in a browser of its own, and closes both. */
export async function withPage({ width = 1280, height = 860, isUncapped = false }, use) {
  const browser = await chromium.launch({
    executablePath,
    args: isUncapped ? [...FLAGS, ...UNCAPPED] : FLAGS,
  });
  try {
    return await use(await browser.newPage({ viewport: { width, height } }), browser);
  } finally {
    await browser.close();
  }
}
