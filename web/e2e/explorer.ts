import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test as base, expect, type FrameLocator, type Locator, type Page } from "@playwright/test";
import { PAGES } from "./places";

/** An explorer as a person meets it: by names, roles and what is on the screen. */
export class Explorer {
  readonly map: Locator;
  readonly picture: Locator;
  readonly origin: Locator;
  readonly trust: Locator;
  readonly card: Locator;
  readonly legend: Locator;
  readonly selection: Locator;
  readonly strip: Locator;

  /** @param root where it is: the page, or one output of a notebook */
  constructor(
    readonly page: Page,
    readonly root: Page | Locator | FrameLocator = page,
  ) {
    this.map = root.getByRole("application");
    this.picture = root.getByTestId("picture");
    this.origin = root.getByTestId("origin");
    this.trust = root.getByTestId("trust");
    this.card = root.locator(".zs-card");
    this.legend = root.getByTestId("legend");
    this.selection = root.getByTestId("selection");
    this.strip = root.getByTestId("strip");
  }

  button(name: string | RegExp): Locator {
    return this.root.getByRole("button", { name, exact: typeof name === "string" });
  }

  choice(label: string): Locator {
    return this.root.getByRole("combobox", { name: label, exact: true });
  }

  /** What dragging on the map does. */
  async drags(mode: "Walk" | "Move" | "Lasso" | "Path"): Promise<void> {
    await this.root
      .getByRole("group", { name: "Dragging" })
      .first()
      .getByRole("button", { name: mode })
      .click();
  }

  async openTab(name: string): Promise<void> {
    await this.root.getByRole("tab", { name, exact: true }).click();
  }

  async isReady(): Promise<void> {
    await expect(this.root.locator("[data-ready]").first()).toHaveAttribute("data-ready", "true", {
      timeout: 45_000,
    });
  }

  /** Clicks on the map, at shares of its width and height. */
  async clickMap(x: number, y: number): Promise<void> {
    await this.page.mouse.click(...(await this.onMap(x, y)));
  }

  async drag(places: [number, number][], steps = 6): Promise<void> {
    await this.page.mouse.move(...(await this.onMap(...places[0])));
    await this.page.mouse.down();
    for (const place of places.slice(1))
      await this.page.mouse.move(...(await this.onMap(...place)), { steps });
    await this.page.mouse.up();
  }

  async onMap(x: number, y: number): Promise<[number, number]> {
    const box = (await this.map.boundingBox())!;
    return [box.x + x * box.width, box.y + y * box.height];
  }

  /** Moves the pointer over the map until it finds a picture of the data, and says which. */
  async findPoint(): Promise<{ at: [number, number]; index: string }> {
    for (let i = 0; i < 200; i++) {
      // Along a spiral from the centre.
      const [angle, radius] = [i * 2.4, 0.025 * Math.sqrt(i)];
      const at = await this.onMap(0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle));
      await this.page.mouse.move(...at);
      if (await this.card.isVisible())
        return { at, index: (await this.card.textContent())!.split("no. ")[1] };
    }
    throw new Error("no point under the pointer anywhere");
  }

  /** What the current picture shows, as text that differs where pictures differ. */
  async pixels(canvas: Locator = this.picture): Promise<string> {
    return canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
  }

  /** The red of every pixel of the current picture: a link keeps vectors to four decimals, not to the last grey level. */
  async levels(): Promise<number[]> {
    return this.picture.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const { data } = (element as HTMLCanvasElement)
        .getContext("2d")!
        .getImageData(0, 0, width, height);
      return Array.from({ length: width * height }, (_, i) => data[4 * i]);
    });
  }

  /** Waits until a canvas shows other pixels than `before`. */
  async shows(before: string, canvas: Locator = this.picture): Promise<string> {
    await expect.poll(() => this.pixels(canvas)).not.toBe(before);
    return this.pixels(canvas);
  }

  /** How many different colours a canvas shows: 1 is an empty one. */
  async colours(canvas: Locator): Promise<number> {
    return canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const { data } = (element as HTMLCanvasElement)
        .getContext("2d")!
        .getImageData(0, 0, width, height);
      const seen = new Set<number>();
      for (let i = 0; i < data.length; i += 4)
        seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      return seen.size;
    });
  }

  /** A picture of the map with all that lies on it. */
  async look(): Promise<string> {
    return (await this.map.screenshot()).toString("base64");
  }

  /** Waits until the map looks otherwise than `before`. */
  async looksOtherThan(before: string): Promise<void> {
    await expect.poll(() => this.look(), { intervals: [200] }).not.toBe(before);
  }

  /** One entry of the address, once it is written. */
  async address(key: string): Promise<string | null> {
    return this.page.evaluate((name) => new URLSearchParams(location.hash.slice(1)).get(name), key);
  }

  async addressHas(key: string, value: string | RegExp | null): Promise<void> {
    const poll = expect.poll(() => this.address(key));
    if (value instanceof RegExp) await poll.toMatch(value);
    else await poll.toBe(value);
  }

  /** Width of the map's view, as far as it is in the address. */
  async scale(): Promise<number> {
    return Number((await this.address("view"))?.split("~")[2]);
  }

  /** Clicks where no picture of the data is near, so that the place itself is taken. */
  async clickBetween(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const at = await this.onMap(0.5 + 0.03 * Math.sin(i), 0.4 + 0.002 * i);
      await this.page.mouse.move(...at);
      if (await this.card.isHidden()) return this.page.mouse.click(...at);
    }
    throw new Error("points everywhere");
  }

  async z(): Promise<number[]> {
    const fields = this.root.locator(".zs-value");
    return (await fields.evaluateAll((all) =>
      all.map((field) => Number((field as HTMLInputElement).value)),
    )) as number[];
  }
}

interface Fixtures {
  folder: string;
  /** Opens an exported page from a folder of its own, without a network. */
  openFile(name: string, hash?: string): Promise<Explorer>;
  /** What went wrong in the page; a test ends well only if nothing did. */
  complaints: string[];
}

const INSIDE = /^(file|data|blob|about):/;

/** Everything a page complains of, and every request it makes beyond itself. */
export function listen(
  page: Page,
  complaints: string[],
  isAllowed: (url: string) => boolean,
): void {
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!isAllowed(request.url())) complaints.push(`request: ${request.url()}`);
  });
}

export const test = base.extend<Fixtures>({
  complaints: async ({ page }, use) => {
    const complaints: string[] = [];
    listen(page, complaints, (url) => INSIDE.test(url));
    await use(complaints);
    expect(complaints).toEqual([]);
  },
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "zscape ünï "));
    await use(folder);
    rmSync(folder, { recursive: true });
  },
  openFile: async ({ page, context, folder, complaints: _ }, use) => {
    await use(async (name, hash = "") => {
      const file = join(folder, `${name}.html`);
      copyFileSync(join(PAGES, `${name}.html`), file);
      await context.setOffline(true);
      await page.goto(`${pathToFileURL(file).href}${hash}`);
      const explorer = new Explorer(page);
      await explorer.isReady();
      return explorer;
    });
  },
});

/** Whether two pictures look the same. */
export function expectSame(one: number[], other: number[]): void {
  expect(Math.max(...one.map((level, i) => Math.abs(level - other[i])))).toBeLessThanOrEqual(2);
}

export { expect };
