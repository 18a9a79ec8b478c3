import { defineConfig } from "@playwright/test";
import { chromiumPath, FLAGS } from "./e2e/chromium";

/** `make e2e`: the explorer in real browsers, in each of its homes. */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/playwright",
  globalSetup: "./e2e/setup.ts",
  // Two cores, and a software renderer that takes one of them.
  workers: 2,
  fullyParallel: true,
  // What passes the second time only is a race, which a person meets too.
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 860 },
    colorScheme: "light",
    actionTimeout: 20_000,
    launchOptions: { executablePath: chromiumPath(), args: FLAGS },
    screenshot: "only-on-failure",
    trace: process.env.CI ? "retain-on-failure" : "off",
  },
});
