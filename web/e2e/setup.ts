import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { CACHE, PAGES, PYTHON, ROOT } from "./places";

/** Writes the pages that the tests open; the scenes in them are kept between runs. */
export default function setup(): void {
  if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing: run make test first, which makes it.`);
  execFileSync(PYTHON, ["-m", "tools.web_pages", PAGES], {
    cwd: ROOT,
    env: { ...process.env, ZSCAPE_CACHE: CACHE },
    stdio: ["ignore", "inherit", "inherit"],
  });
}
