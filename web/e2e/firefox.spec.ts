import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "@playwright/test";
import { findProgram } from "./chromium";
import { Firefox } from "./marionette";
import { PAGES } from "./places";

const program = process.env.FIREFOX || findProgram("firefox-esr", "firefox");

test("the file in Firefox: opens, decodes where one clicks and what the sliders say", async () => {
  test.skip(
    !program,
    "No Firefox on the PATH; install firefox-esr, or name it in the variable FIREFOX.",
  );
  test.setTimeout(180_000);
  const firefox = await Firefox.start(program!);
  try {
    await firefox.call("WebDriver:Navigate", {
      url: pathToFileURL(join(PAGES, "digits.html")).href,
    });
    await firefox.until(`document.querySelector('[data-ready="true"]')`);
    const pixels = `document.querySelector('[data-testid="picture"]').toDataURL()`;
    const first = await firefox.evaluate<string>(`return ${pixels}`);
    const box = await firefox.evaluate<{ x: number; y: number; width: number; height: number }>(
      `return document.querySelector('[role="application"]').getBoundingClientRect().toJSON()`,
    );
    // Also on machines that give it no WebGL 2.
    await firefox.click(box.x + 0.35 * box.width, box.y + 0.5 * box.height);
    await firefox.until(`${pixels} !== ${JSON.stringify(first)}`);
    const second = await firefox.evaluate<string>(`return ${pixels}`);
    await firefox.evaluate(`
      const slider = document.querySelector('input[type="range"]');
      slider.value = slider.max;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    `);
    await firefox.until(`${pixels} !== ${JSON.stringify(second)}`);
    await firefox.evaluate(`document.querySelector('[role="tab"]:nth-child(2)').click()`);
    await firefox.until(
      `document.querySelector(".zs-grid").getContext("2d").getImageData(0, 0, 280, 280).data.some((v, i) => i % 4 < 3 && v > 200)`,
    );
  } finally {
    firefox.close();
  }
});
