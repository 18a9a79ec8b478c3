import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    outDir: "../src/zscape/explorer/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    // One file in every home: nothing is fetched, so styles and wasm lie inside it.
    lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "explorer.js" },
    rolldownOptions: { output: { minify: true, codeSplitting: false } },
  },
  test: {
    include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"],
    testTimeout: 60_000,
    // Browsers have relaxed SIMD by default; this node needs to be told.
    execArgv: ["--experimental-wasm-relaxed-simd"],
  },
});
