// `make bench-web`: everything the explorer promises about speed and size, in one run.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { bundled } from "./bundle.mjs";
import { executablePath, withPage } from "./chromium.mjs";
import { interaction, ready } from "./explorer.mjs";
import { measureLarge } from "./large.mjs";
import { asMarkdown } from "./report.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, ".venv", "bin");
const PAGES = join(ROOT, "web", "test-results", "bench", "pages");
const OUT = join(ROOT, "benchmarks", "web");
// Scenes are kept between runs.
const env = { ...process.env, ZSCAPE_CACHE: join(ROOT, "web", "test-results", "bench", "cache") };

const say = (text) => process.stdout.write(`${text}\n`);
const megabytes = (path) => statSync(path).size / 1e6;
const pageOf = (name) => join(PAGES, `${name}.html`);

async function withServer(use) {
  const server = spawn(join(BIN, "zscape"), ["explore", "zoo:10", "--no-open"], { cwd: ROOT, env });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = "";
      server.stdout.on("data", (chunk) => {
        said += chunk;
        const found = /is at (http:\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
      server.once("exit", (code) =>
        reject(new Error(`zscape explore ended with ${code}: ${said}`)),
      );
    });
    return await use(url);
  } finally {
    server.kill();
  }
}

async function frames() {
  const url = await bundled("frames");
  const results = {};
  for (const n of [10_000, 70_000, 200_000, 1_000_000]) {
    results[n] = {};
    for (const [name, isUncapped] of [
      ["capped", false],
      ["uncapped", true],
    ]) {
      results[n][name] = await withPage({ width: 800, height: 632, isUncapped }, (page) =>
        page.evaluate(async ([from, count]) => (await import(from)).measure(count), [url, n]),
      );
    }
    say(`  ${n} points: ${results[n].capped.median.toFixed(1)} ms a frame`);
  }
  return results;
}

const load = loadavg()[0];
say("Pages (ten minutes the first time, for the maps of 70 000 digits) …");
execFileSync(join(BIN, "python"), ["-m", "tools.web_pages", "--bench", PAGES], {
  cwd: ROOT,
  env,
  stdio: "inherit",
});
const file = pathToFileURL(pageOf("digits")).href;
say("Ready …");
const readyFile = await ready(file);
const [readyServer, server] = await withServer(async (url) => [
  await ready(url),
  await interaction(url),
]);
say("Clicks, sliders, grids …");
const inFile = await interaction(file);
say("Frames …");
const zoom = await frames();
say("Network …");
const network = await withPage({}, async (page) =>
  page.evaluate(
    async ([from, text]) => (await import(from)).measure(text),
    [await bundled("decode"), readFileSync(join(PAGES, "digits.json"), "utf8")],
  ),
);
say("Large (long the first time, to encode a million) …");
const large = await measureLarge({
  ...{ python: join(BIN, "python"), root: ROOT, env, say },
  folder: join(ROOT, "web", "test-results", "bench", "points"),
});
const bundle = readFileSync(join(ROOT, "src", "zscape", "explorer", "static", "explorer.js"));
const results = {
  machine: `${cpus().length} CPU cores, ${arch()}`,
  load,
  browser: execFileSync(executablePath, ["--version"], { encoding: "utf8" })
    .trim()
    .split(" built")[0],
  ready: { file: readyFile, server: readyServer },
  file: inFile,
  server,
  zoom,
  network,
  large,
  sizes: {
    f16: megabytes(pageOf("digits")),
    i8: megabytes(pageOf("digits_i8")),
    all: megabytes(pageOf("digits_70000")),
  },
  bundle: { raw: bundle.length / 1e3, gzip: gzipSync(bundle, { level: 9 }).length / 1e3 },
};
writeFileSync(
  `${OUT}.json`,
  `${JSON.stringify(results, (_, value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value), 2)}\n`,
);
writeFileSync(`${OUT}.md`, asMarkdown(results));
say(readFileSync(`${OUT}.md`, "utf8"));
