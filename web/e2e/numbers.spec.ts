import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Rollup } from "vite";
import { expect, test } from "./explorer";
import { PAGES } from "./places";
import type { Numbers } from "./probe";

async function bundled(): Promise<string> {
  const [{ output }] = (await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      lib: {
        entry: new URL("probe.ts", import.meta.url).pathname,
        formats: ["es"],
        fileName: "probe",
      },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  })) as Rollup.RollupOutput[];
  return `data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`;
}

const numbers = JSON.parse(readFileSync(join(PAGES, "numbers.json"), "utf8")) as Record<
  "f32" | "f16",
  Numbers
>;

for (const [weights, limit] of [
  ["f32", 1e-5],
  ["f16", 1e-3],
] as const) {
  for (const engine of [undefined, ["wasm-simd"], ["typescript"]]) {
    test(`zoo:10 from ${weights}, ${engine ?? "the best engine"}: the pixels of torch`, async ({
      page,
    }) => {
      const given = [await bundled(), numbers[weights], engine] as const;
      const off = await page.evaluate(
        async ([url, data, engines]) => (await import(url)).compare(data, engines),
        given,
      );
      console.log(
        `  ${weights} ${off.engine}: pixels ${off.pixels.toExponential(1)}, means ${off.mu.toExponential(1)}`,
      );
      expect(off.pixels).toBeLessThanOrEqual(limit);
      expect(off.mu).toBeLessThanOrEqual(weights === "f32" ? 1e-4 : 2e-2);
    });
  }
}
