import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "@playwright/test";
import { chromiumPath, FLAGS } from "./chromium";
import { Explorer, expect, listen, test } from "./explorer";
import { PAGES } from "./places";

/** `SOAK=10000 npx playwright test soak`, of `make faults`: so many interactions with one page, a few in `make e2e`. */
const N = Number(process.env.SOAK ?? 300);

/** A proxy that lets nothing through and remembers who asked. */
async function watcher(): Promise<{ port: number; asked: string[]; close(): void }> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data) => {
      asked.push(data.toString("latin1").split("\r\n")[0]);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const close = () => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  return { port, asked, close };
}

/** One of the things a person does, the k-th. */
async function interact(explorer: Explorer, k: number): Promise<void> {
  const { page } = explorer;
  const around: [number, number] = [0.5 + 0.3 * Math.sin(k), 0.5 + 0.3 * Math.cos(1.7 * k)];
  switch (k % 10) {
    case 0:
      return explorer.clickMap(...around);
    case 1:
      return page.mouse.wheel(0, k % 20 === 1 ? -120 : 120);
    case 2:
      await explorer.map.focus();
      return page.keyboard.press(k % 20 === 2 ? "Shift+ArrowRight" : "Shift+ArrowLeft");
    case 3:
      await explorer.openTab("Neurons");
      return explorer.button("Random").click();
    case 4:
      return page.mouse.move(...(await explorer.onMap(...around)), { steps: 3 });
    case 5:
      return explorer.openTab(["Around", "Neurons", "Classes", "Draw"][Math.floor(k / 10) % 4]);
    case 6:
      return page.keyboard.press("]");
    case 7:
      return page.keyboard.press("[");
    case 8:
      await explorer.choice("Map").selectOption(k % 20 === 8 ? "pca" : "tsne");
      return;
    default:
      await explorer.map.focus();
      return page.keyboard.press("Escape");
  }
}

test("much used, a page stays as light as it was, and asks the network for nothing", async () => {
  test.setTimeout(60_000 + 400 * N);
  const proxy = await watcher();
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    // "<-loopback>": this machine's own addresses go by way of the proxy too.
    args: [...FLAGS, `--proxy-server=127.0.0.1:${proxy.port}`, "--proxy-bypass-list=<-loopback>"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    const complaints: string[] = [];
    listen(page, complaints, (url) => /^(file|data|blob|about):/.test(url));
    await page.addInitScript(() => {
      document.addEventListener(
        "webglcontextlost",
        () => console.error("a WebGL context was lost"),
        true,
      );
    });
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.enable");
    const heap = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
      return { megabytes: usedSize / 1e6, nodes, listeners: jsEventListeners };
    };
    await page.goto(pathToFileURL(join(PAGES, "digits.html")).href);
    const explorer = new Explorer(page);
    await explorer.isReady();
    for (let k = 0; k < 100; k++) await interact(explorer, k);
    const before = await heap();
    for (let k = 100; k < 100 + N; k++) await interact(explorer, k);
    const after = await heap();
    console.log(`soak: ${JSON.stringify({ interactions: N, before, after })}`);
    expect(after.megabytes - before.megabytes).toBeLessThan(8);
    expect(after.nodes).toBeLessThan(before.nodes + 500);
    expect(after.listeners).toBeLessThan(before.listeners + 100);
    await explorer.openTab("Neurons");
    const picture = await explorer.pixels();
    await explorer.button("Random").click();
    await explorer.shows(picture);
    expect(complaints).toEqual([]);
    // Chromium asks its maker for updates whatever page is open; the page's policy lets it ask nobody.
    expect(proxy.asked.filter((line) => !/\bgoogle(apis)?\.com\b/.test(line))).toEqual([]);
  } finally {
    await browser.close();
    proxy.close();
  }
});
