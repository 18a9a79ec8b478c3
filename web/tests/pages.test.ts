// @vitest-environment happy-dom
import { gzipSync } from "node:zlib";
import { expect, test, vi } from "vitest";
import { crc32 } from "../src/scene/block_bytes";
import { embeddedSource } from "../src/scene/embedded";
import { folderSource, httpSource } from "../src/scene/http";
import { loadScene } from "../src/scene/load_scene";
import type { DataSource } from "../src/scene/source";
import { createPages } from "../src/state/pages";
import { createThumbnails } from "../src/state/thumbnails";
import { addBlock, memorySource, type Parts, smallScene } from "./helpers/scenes";

const N = 30;
const ROWS = 4;

/** Every picture is one grey, that of its row; four to a page, the last row first. */
function pagedScene(): Parts {
  const parts = smallScene(N);
  const slots = Int32Array.from({ length: N }, (_, row) => N - 1 - row);
  addBlock(parts, "slots", "i32", [N], slots);
  const pages: Uint8Array[] = [];
  for (let first = 0; first < N; first += ROWS) {
    const rows = Array.from({ length: Math.min(ROWS, N - first) }, (_, i) => N - 1 - first - i);
    pages.push(gzipSync(Uint8Array.from(rows.flatMap((row) => Array(16).fill(row)))));
  }
  let end = 0;
  const ends = pages.map((page) => (end += page.length));
  const bytes = new Uint8Array(end);
  pages.forEach((page, i) => bytes.set(page, i ? ends[i - 1] : 0));
  parts.bytes.thumbnails = bytes;
  parts.manifest.points.slots = "slots";
  parts.manifest.blocks.thumbnails = {
    ...{ dtype: "u8", shape: [N, 1, 4, 4], codec: "gzip", length: end, crc32: crc32(bytes) },
    pages: { rows: ROWS, ends, crc32: pages.map(crc32) },
  };
  return parts;
}

/** Which blocks and parts of them were asked for. */
function heard(parts: Parts): { source: DataSource; asked: string[] } {
  const asked: string[] = [];
  const inner = memorySource(parts.manifest, parts.bytes);
  const bytes: DataSource["bytes"] = (name, part) => {
    asked.push(part ? `${name} ${part.from}-${part.to}` : name);
    return inner.bytes(name, part);
  };
  return { source: { ...inner, bytes }, asked };
}

const grey = (pixels: Float32Array) => Math.round(pixels[7] * 255);

test("pages are read when a picture of theirs is looked at, each once", async () => {
  const parts = pagedScene();
  const { source, asked } = heard(parts);
  const scene = await loadScene(source);
  expect(asked).not.toContain("thumbnails");
  asked.length = 0;
  const thumbnails = createThumbnails(scene);
  expect(thumbnails.isPaged).toBe(true);
  const [first, second] = [thumbnails.pixels(29), thumbnails.pixels(28)];
  expect(grey(await first)).toBe(29);
  expect(grey(await second)).toBe(28);
  const [end] = parts.manifest.blocks.thumbnails.pages!.ends;
  expect(asked).toEqual([`thumbnails 0-${end}`]);
  expect(grey(thumbnails.pixels(27) as Float32Array)).toBe(27); // it is here now
  for (let row = 0; row < N; row++) expect(grey(await thumbnails.pixels(row))).toBe(row);
  expect(asked).toHaveLength(Math.ceil(N / ROWS));
});

test("the map is told once a page has come", async () => {
  const scene = await loadScene(heard(pagedScene()).source);
  const thumbnails = createThumbnails(scene);
  const told = vi.fn();
  const stop = thumbnails.onArrival(told);
  expect(thumbnails.image(3)).toBeNull();
  expect(thumbnails.image(2)).toBeNull();
  await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
  expect(thumbnails.image(3)?.data[4]).toBe(3);
  stop();
});

test("a damaged page is said once, and the others are shown", async () => {
  const parts = pagedScene();
  parts.bytes.thumbnails[12] ^= 1; // of the first page
  const said = vi.fn();
  const thumbnails = createThumbnails(await loadScene(heard(parts).source), said);
  expect(thumbnails.image(29)).toBeNull();
  await expect(thumbnails.pixels(28)).rejects.toThrow("page 0” is damaged");
  await vi.waitFor(() => expect(said).toHaveBeenCalledTimes(1));
  expect(thumbnails.image(27)).toBeNull();
  expect(grey(await thumbnails.pixels(3))).toBe(3);
  expect(said).toHaveBeenCalledTimes(1);
});

test("six at a time, and what was wanted last comes first", async () => {
  const asked: number[] = [];
  const answers = new Map<number, () => void>();
  const scene = {
    manifest: { blocks: { thumbnails: { pages: { rows: 1 } } } },
    page: (_: string, at: number) => {
      asked.push(at);
      return new Promise<Uint8Array>((resolve) =>
        answers.set(at, () => resolve(Uint8Array.of(at))),
      );
    },
  };
  const pages = createPages(scene as never, "thumbnails");
  const got = Array.from({ length: 10 }, (_, at) => pages.get(at));
  expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
  expect(pages.get(9)).toBe(got[9]); // asked for already
  answers.get(0)!();
  expect(await got[0]).toEqual(Uint8Array.of(0));
  await vi.waitFor(() => expect(asked.at(-1)).toBe(9));
  expect(pages.get(0)).toEqual(Uint8Array.of(0));
  const crowd = Array.from({ length: 700 }, (_, i) => pages.get(100 + i));
  await expect(got[6]).rejects.toThrow("at once");
  for (const each of crowd) if (each instanceof Promise) each.catch(() => undefined);
  for (const each of got) if (each instanceof Promise) each.catch(() => undefined);
});

test("pages that do not fit their block are refused", async () => {
  for (const [what, change] of [
    ["ends\\[1\\]", (pages) => pages.ends.reverse()],
    ["ends must have", (pages) => pages.ends.pop()],
    ["length", (pages) => (pages.ends[pages.ends.length - 1] += 1)],
    ["rows", (pages) => (pages.rows = 0)],
  ] as [string, (pages: { rows: number; ends: number[] }) => void][]) {
    const parts = pagedScene();
    change(parts.manifest.blocks.thumbnails.pages!);
    await expect(loadScene(heard(parts).source)).rejects.toThrow(new RegExp(what));
  }
});

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

test("a server is asked for parts; one that knows none sends the whole once", async () => {
  const ranges: (string | null)[] = [];
  const serve = (knows: boolean) =>
    vi.fn(async (_: URL, init: RequestInit) => {
      const range = new Headers(init.headers).get("Range");
      ranges.push(range);
      const [from, last] = range!.slice(6).split("-").map(Number);
      return knows
        ? new Response(bytes.slice(from, last + 1), { status: 206 })
        : new Response(bytes.slice(), { status: 200 });
    });
  vi.stubGlobal("fetch", serve(true));
  const good = httpSource("http://127.0.0.1/");
  expect([...(await good.bytes("thumbnails", { from: 10, to: 13 }))]).toEqual([10, 11, 12]);
  expect(ranges).toEqual(["bytes=10-12"]);
  const plain = serve(false);
  vi.stubGlobal("fetch", plain);
  const old = folderSource("http://127.0.0.1/");
  expect([...(await old.bytes("thumbnails", { from: 3, to: 5 }))]).toEqual([3, 4]);
  expect([...(await old.bytes("thumbnails", { from: 98, to: 100 }))]).toEqual([98, 99]);
  expect(plain).toHaveBeenCalledTimes(1);
  vi.unstubAllGlobals();
});

test("a folder that is opened without a server says how it is opened", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(folderSource("file:///tmp/folder/").manifest()).rejects.toThrow("http.server");
  vi.unstubAllGlobals();
});

test("a part of what a page holds as text", async () => {
  const element = document.createElement("script");
  element.type = "text/plain";
  element.dataset.zscapeBlock = "thumbnails";
  element.textContent = btoa(String.fromCharCode(...bytes));
  document.body.append(element);
  const source = embeddedSource();
  for (const [from, to] of [
    [0, 1],
    [4, 11],
    [98, 100],
    [0, 100],
  ])
    expect([...(await source.bytes("thumbnails", { from, to }))]).toEqual([
      ...bytes.subarray(from, to),
    ]);
  element.remove();
});
