// Bundles a TypeScript file of this folder as the explorer is bundled, and runs it on a scene:
//   node --experimental-wasm-relaxed-simd bench/run.mjs decode SCENE.json [ENGINE …]
//   CHROMIUM=/usr/bin/chromium node bench/run.mjs decode SCENE.json [ENGINE …]    in a browser
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";
import { build } from "vite";

const [name, scene, ...rest] = process.argv.slice(2);
const [{ output }] = await build({
  configFile: false,
  logLevel: "error",
  build: {
    write: false,
    target: "es2022",
    lib: { entry: new URL(`${name}.ts`, import.meta.url).pathname, formats: ["es"], fileName: "bench" },
    rolldownOptions: { output: { minify: true, codeSplitting: false } },
  },
});
const url = `data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`;
const text = readFileSync(scene, "utf8");

async function inBrowser(executablePath) {
  const { chromium } = await import("playwright");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => console.log(message.text()));
    await page.evaluate(async ([from, ...given]) => (await import(from)).default(...given), [url, text, ...rest]);
  } finally {
    await browser.close();
  }
}

if (process.env.CHROMIUM) await inBrowser(process.env.CHROMIUM);
else await (await import(url)).default(text, ...rest);
