import { execFileSync } from "node:child_process";

/** Software rendering, and no errands of the browser's own. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The first of these programs that is installed, or null. */
export function findProgram(...names: string[]): string | null {
  for (const name of names) {
    try {
      return execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
    } catch {
      // Not this one.
    }
  }
  return null;
}

/** The system's Chromium, or that of the variable CHROMIUM. */
export function chromiumPath(): string {
  const path = process.env.CHROMIUM || findProgram("chromium", "chromium-browser", "google-chrome");
  if (!path)
    throw new Error("No Chromium on the PATH; install one, or name it in the variable CHROMIUM.");
  return path;
}
