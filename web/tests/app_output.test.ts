import { describe, expect, it } from "vitest";
import { compress, encodeGif } from "../src/output/gif";
import type { Frame } from "../src/output/quantize";
import { readVector, vectorsText, vectorText } from "../src/output/text";
import { classColors, css, redBlue, viridis } from "../src/state/colors";
import { alongRoute, type Path, vectorAt } from "../src/state/path";

/** LZW as a reader of GIF has it: the other direction, written by itself. */
function decompress(bytes: Uint8Array): number[] {
  const pixels: number[] = [];
  let table: number[][] = [];
  let size = 9;
  let last: number[] | null = null;
  let [bits, nBits, at] = [0, 0, 0];
  const clear = () => {
    table = Array.from({ length: 258 }, (_, i) => [i]);
    size = 9;
    last = null;
  };
  clear();
  for (;;) {
    while (nBits < size) {
      bits |= bytes[at++] << nBits;
      nBits += 8;
    }
    const code = bits & ((1 << size) - 1);
    bits >>>= size;
    nBits -= size;
    if (code === 256) clear();
    else if (code === 257) return pixels;
    else {
      const entry: number[] = table[code] ?? [...last!, last![0]];
      if (code > table.length) throw new Error(`code ${code} of ${table.length}`);
      pixels.push(...entry);
      if (last && table.length < 4096) table.push([...last, entry[0]]);
      if (table.length === 1 << size && size < 12) size++;
      last = entry;
    }
  }
}

function random(n: number, kinds: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % kinds;
  });
}

describe("GIF", () => {
  it.each([
    [1, 1],
    [2, 1],
    [50_000, 1],
    [300, 2],
    [100_000, 3],
    [100_000, 256],
    [5000, 7],
  ])("compresses %i pixels of %i kinds so that they come back", (n, kinds) => {
    const pixels = random(n, kinds);
    expect(decompress(compress(pixels))).toEqual([...pixels]);
  });

  it("has a header, its frames and an end", () => {
    const frame = (value: number): Frame => ({
      width: 3,
      height: 2,
      data: new Uint8ClampedArray(24).map((_, i) => (i % 4 === 3 ? 255 : value)),
    });
    const bytes = encodeGif([frame(0), frame(128), frame(255)], 160);
    expect(String.fromCharCode(...bytes.subarray(0, 6))).toBe("GIF89a");
    expect([...bytes.subarray(6, 10)]).toEqual([3, 0, 2, 0]);
    expect(bytes.at(-1)).toBe(0x3b);
    const controls = [...bytes].flatMap((byte, i) =>
      byte === 0x21 && bytes[i + 1] === 0xf9 ? [bytes[i + 4]] : [],
    );
    expect(controls).toEqual([16, 16, 16]); // hundredths of a second
  });

  it("finds 256 colours that are near", () => {
    const data = new Uint8ClampedArray(4 * 4096);
    for (let i = 0; i < 4096; i++) data.set([i % 256, (i * 7) % 256, (i * 31) % 256, 255], 4 * i);
    const bytes = encodeGif([{ width: 64, height: 64, data }], 100);
    const palette = bytes.subarray(13, 13 + 768);
    const nearest = (at: number) => {
      let best = Infinity;
      for (let k = 0; k < 256; k++) {
        best = Math.min(
          best,
          Math.hypot(...[0, 1, 2].map((c) => palette[3 * k + c] - data[4 * at + c])),
        );
      }
      return best;
    };
    const errors = Array.from({ length: 64 }, (_, i) => nearest(61 * i));
    expect(errors.reduce((sum, error) => sum + error, 0) / 64).toBeLessThan(25);
  });
});

describe("vectors as text", () => {
  it("are what Python writes", () => {
    // zscape.latents.vectors.format_vector, its own example
    expect(vectorText([-0.5312, 1.2, -0.001])).toBe("{0: -0.53, 1: 1.20, 2: 0.00}");
    expect(vectorsText([[1], [2]])).toBe("[\n    {0: 1.00},\n    {0: 2.00},\n]");
  });

  it("are read back in any of the forms", () => {
    expect([...readVector("{0: -0.5, 2: 1}", 3)!]).toEqual([-0.5, 0, 1]);
    expect([...readVector('{"z1": 2e-1,}', 2)!.map((value) => Math.fround(value))]).toEqual([
      0,
      Math.fround(0.2),
    ]);
    expect([...readVector("[1, 2\n 3]", 3)!]).toEqual([1, 2, 3]);
    for (const text of ["", "1 2", "{3: 1}", "{0: x}", "[1, 2, NaN]", "{0 1}"])
      expect(readVector(text, 3)).toBe(null);
  });
});

describe("a route", () => {
  it("is divided evenly by length", () => {
    // 3 along, then 4 up: 7 in all
    const places = alongRoute(Float32Array.of(0, 0, 3, 0, 3, 4), 8);
    expect([...places]).toEqual([0, 0, 1, 0, 2, 0, 3, 0, 3, 1, 3, 2, 3, 3, 3, 4]);
  });

  it("may be a point, or stand still for a while", () => {
    expect([...alongRoute(Float32Array.of(2, 3), 3)]).toEqual([2, 3, 2, 3, 2, 3]);
    expect([...alongRoute(Float32Array.of(0, 0, 0, 0, 2, 0), 3)]).toEqual([0, 0, 1, 0, 2, 0]);
    expect([...alongRoute(Float32Array.of(1, 1, 1, 1), 2)]).toEqual([1, 1, 1, 1]);
  });

  it("goes straight from stop to stop", () => {
    const path = { n: 3, vectors: Float32Array.of(0, 0, 2, 4, 2, 0) } as unknown as Path;
    expect([...vectorAt(path, 0.25)]).toEqual([1, 2]);
    expect([...vectorAt(path, 1)]).toEqual([2, 0]);
    expect([...vectorAt(path, -1)]).toEqual([0, 0]);
  });
});

describe("colours", () => {
  it("are the house palette, and repeat in tiers", () => {
    expect(css(classColors(10, false)[1])).toBe("rgb(240 114 19)");
    for (const isDark of [false, true]) {
      const many = classColors(2000, isDark);
      expect(many.length).toBe(2000);
      expect(new Set(many.map(css)).size).toBeGreaterThan(700);
      expect(
        many.flat().every((value) => Number.isInteger(value) && value >= 0 && value <= 255),
      ).toBe(true);
    }
  });

  it("run from end to end and stay there", () => {
    expect(viridis(-1)).toEqual(viridis(0));
    expect(viridis(2)).toEqual(viridis(1));
    expect(viridis(Number.NaN)).toEqual(viridis(0));
    expect(redBlue(0.5)).toEqual([247, 246, 246]);
  });
});
