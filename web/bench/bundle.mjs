import { Buffer } from "node:buffer";
import { build } from "vite";

/** A TypeScript file of this folder, bundled as the explorer is, at an address that can be imported anywhere. */
export async function bundled(name) {
  const [{ output }] = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      lib: {
        entry: new URL(`${name}.ts`, import.meta.url).pathname,
        formats: ["es"],
        fileName: "bench",
      },
      rolldownOptions: { output: { minify: true, codeSplitting: false } },
    },
  });
  return `data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`;
}
