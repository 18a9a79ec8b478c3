// Times the network of a scene, in node or in a browser:
//   node --experimental-wasm-relaxed-simd bench/run.mjs SCENE.json [ENGINE …]
//   CHROMIUM=/usr/bin/chromium node bench/run.mjs SCENE.json [ENGINE …]
import { readFileSync } from "node:fs";
import process from "node:process";
import { bundled } from "./bundle.mjs";
import { withPage } from "./chromium.mjs";

const [scene, ...engines] = process.argv.slice(2);
const text = readFileSync(scene, "utf8");
const url = await bundled("decode");
const results = process.env.CHROMIUM
  ? await withPage({}, (page) =>
      page.evaluate(
        async ([from, ...given]) => (await import(from)).measure(...given),
        [url, text, ...engines],
      ),
    )
  : await (await import(url)).measure(text, ...engines);

const cells = (times) => times.map(({ median }) => median.toFixed(2).padStart(7)).join(" / ");
console.log("engine       init ms   decode ms at 1 / 16 / 100      encode ms at 1 / 16 / 100");
for (const { engine, init, decode, encode } of results) {
  console.log(
    `${engine.padEnd(10)}   ${init.toFixed(0).padStart(7)}   ${cells(decode)}   ${cells(encode)}`,
  );
}
