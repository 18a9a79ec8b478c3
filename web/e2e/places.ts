import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Kept between runs; not committed. */
const KEPT = join(ROOT, "web", "test-results", "kept");
export const CACHE = join(KEPT, "cache");
export const PAGES = join(KEPT, "pages");
export const BIN = join(ROOT, ".venv", process.platform === "win32" ? "Scripts" : "bin");
export const PYTHON = join(BIN, "python");
