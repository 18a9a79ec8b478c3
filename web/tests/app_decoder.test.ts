// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { setNeuron } from "../src/state/actions";
import { change } from "../src/state/change";
import { createDecoder, createLatest } from "../src/state/decoder";
import { createSlices } from "../src/state/slices";
import { createThumbnails, lookOf, toImage } from "../src/state/thumbnails";
import { smallExplorer } from "./app_explorer";

describe("questions to a kernel", () => {
  it("are asked one at a time, and only the last of those that waited", async () => {
    const asked: number[] = [];
    const used: number[] = [];
    const answers: ((value: number) => void)[] = [];
    const ask = createLatest<number, number>(
      (question) => {
        asked.push(question);
        return new Promise((resolve) => answers.push(resolve));
      },
      (answer) => used.push(answer),
      () => undefined,
    );
    for (const question of [1, 2, 3, 4]) ask(question);
    expect(asked).toEqual([1]);
    answers[0](10);
    await new Promise((resolve) => setTimeout(resolve));
    expect([asked, used]).toEqual([[1, 4], [10]]);
    answers[1](40);
    await new Promise((resolve) => setTimeout(resolve));
    ask(5);
    expect(asked).toEqual([1, 4, 5]);
    expect(used).toEqual([10, 40]);
  });

  it("go on after one has failed", async () => {
    const failures: unknown[] = [];
    const used: number[] = [];
    const ask = createLatest<number, number>(
      (question) => (question === 1 ? Promise.reject(new Error("no")) : Promise.resolve(question)),
      (answer) => used.push(answer),
      (error) => failures.push(error),
    );
    ask(1);
    ask(2);
    await new Promise((resolve) => setTimeout(resolve));
    expect([failures.length, used]).toEqual([1, [2]]);
  });

  it("leave no picture of another vector when they fail, and no word about one that is gone", async () => {
    const rest = () => new Promise((resolve) => setTimeout(resolve, 5));
    const explorer = await smallExplorer(30, 3, {
      decode: async (z) => {
        if (z[0] < 0) throw new Error("the kernel is gone");
        return new Float32Array(16).fill(z[0]);
      },
    });
    change(explorer, "decoder", createDecoder(null, explorer.scene.source));
    setNeuron(explorer, 0, 0.75);
    await rest();
    expect(explorer.picture.value![0]).toBe(0.75);
    setNeuron(explorer, 0, -1);
    await rest();
    expect(explorer.picture.value).toBe(null);
    expect(explorer.notice.value).toContain("the kernel is gone");
    setNeuron(explorer, 0, -2);
    setNeuron(explorer, 0, 0.5);
    await rest();
    expect(explorer.picture.value![0]).toBe(0.5);
    expect(explorer.notice.value).toBe("");
  });

  it("bring the picture where the page has no network", async () => {
    const explorer = await smallExplorer(30, 3, {
      decode: async (z) => new Float32Array(16).fill(z[0]),
    });
    change(explorer, "decoder", createDecoder(null, explorer.scene.source));
    expect(explorer.decoder.value).toMatchObject({
      canDecode: true,
      canEncode: false,
      isHere: false,
    });
    setNeuron(explorer, 0, 0.75);
    expect(explorer.picture.value).toBe(null);
    await new Promise((resolve) => setTimeout(resolve));
    expect(explorer.picture.value![3]).toBe(0.75);
  });

  it("that fail are a sentence in the page", async () => {
    const explorer = await smallExplorer(30, 3, {
      decode: async () => Promise.reject(new Error("gone")),
    });
    change(explorer, "decoder", createDecoder(null, explorer.scene.source));
    setNeuron(explorer, 0, 1);
    await new Promise((resolve) => setTimeout(resolve));
    expect(explorer.notice.value).toContain("gone");
  });

  it("are not asked where nobody would answer", async () => {
    const explorer = await smallExplorer();
    change(explorer, "decoder", createDecoder(null, explorer.scene.source));
    setNeuron(explorer, 0, 1);
    expect(explorer.decoder.value!.canDecode).toBe(false);
    expect([explorer.picture.value, explorer.notice.value]).toEqual([null, ""]);
  });
});

describe("slices", () => {
  it("do every part, and all anew when restarted in the middle", async () => {
    const done = new Array<number>(20).fill(0);
    let isRestarted = false;
    await new Promise<void>((resolve) => {
      const slices = createSlices(
        () => 20,
        (first, n) => {
          for (let i = first; i < first + n; i++) done[i]++;
          if (!isRestarted && first >= 8) {
            isRestarted = true;
            slices.restart();
          }
          if (done.every(Boolean) && done.reduce((sum, count) => sum + count) >= 32) resolve();
        },
        4,
      );
      slices.restart();
    });
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => (i < 12 ? 2 : 1)));
  });
});

describe("thumbnails", () => {
  it("of four bits unpack the first half first, also for an odd number of pixels a row", async () => {
    const explorer = await smallExplorer(2);
    const { blocks, points } = explorer.manifest;
    blocks[points.thumbnails] = { ...blocks[points.thumbnails], shape: [2, 1, 1, 3] };
    const scene = { ...explorer.scene, raw: () => Uint8Array.of(0x21, 0x43, 0x65) };
    const thumbnails = createThumbnails(scene);
    const levels = (row: number) =>
      [...(thumbnails.pixels(row) as Float32Array)].map((value) => Math.round(15 * value));
    expect([levels(0), levels(1)]).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });
});

describe("how pictures are drawn", () => {
  const shown = (channels: number, showChannels?: [number, number, number]) =>
    lookOf({ imageShape: [channels, 3, 5], ...(showChannels && { showChannels }) });

  it("is grey, RGB or the channels that the scene says", () => {
    expect(shown(1)).toEqual([[0, 0, 0], 3, 5]);
    expect(shown(3)).toEqual([[0, 1, 2], 3, 5]);
    expect(shown(4, [3, 0, 1])).toEqual([[3, 0, 1], 3, 5]);
    expect(lookOf({ imageShape: [2, 3, 5], showChannels: [1, 0, 1] }, [2, 6, 10])).toEqual([
      [1, 0, 1],
      6,
      10,
    ]);
  });

  it("takes each colour from its own channel", () => {
    vi.stubGlobal(
      "ImageData",
      class {
        data: Uint8ClampedArray;
        constructor(width: number, height: number) {
          this.data = new Uint8ClampedArray(4 * width * height);
        }
      },
    );
    const pixels = Float32Array.from([9, 9, 0, 0.2, 0.4, 0.6, 0.8, 1, 0.1, 0.3]); // 2 to skip; (4, 1, 2)
    const { data } = toImage(pixels, 2, [[3, 0, 1], 1, 2]);
    expect([...data]).toEqual([0.1, 0, 0.4, 1, 0.3, 0.2, 0.6, 1].map((x) => Math.round(255 * x)));
    vi.unstubAllGlobals();
  });
});
