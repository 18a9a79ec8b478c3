import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { CACHE, PAGES, PYTHON, ROOT } from "./places";

/** Writes the pages that the tests open; the scenes in them are kept between runs. */
export default function setup(): void {
  if (process.env.ZSCAPE_KEEP_PAGES) return; // while working on the tests alone
  if (!existsSync(PYTHON))
    throw new Error(`${PYTHON} is missing: run make test first, which makes it.`);
  execFileSync(PYTHON, ["-m", "tools.web_pages", PAGES], {
    cwd: ROOT,
    env: { ...process.env, ZSCAPE_CACHE: CACHE, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "inherit", "inherit"],
  });
}
