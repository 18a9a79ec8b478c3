/** Reading scenes: what is whole loads, what is damaged is refused in a sentence. */
import { describe, expect, test } from "vitest";
import { crc32, unpack } from "../src/scene/block_bytes";
import { loadScene } from "../src/scene/load_scene";
import type { Block } from "../src/scene/manifest";
import { toFloats, toInts } from "../src/scene/numbers";
import { SceneError } from "../src/scene/source";
import { addBlock, memorySource, type Parts, smallScene } from "./helpers/scenes";

function open({ manifest, bytes }: Parts) {
  return loadScene(memorySource(manifest, bytes));
}

function block(dtype: Block["dtype"], shape: number[], more: Partial<Block> = {}): Block {
  return { dtype, shape, codec: "raw", length: 0, crc32: 0, ...more };
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

test("a whole scene loads", async () => {
  const parts = smallScene();
  const scene = await open(parts);
  expect(scene.floats("mu").length).toBe(90);
  expect([...scene.ints("labels").slice(0, 3)]).toEqual([0, 1, 0]);
  expect(scene.raw("thumbnails").length).toBe(240);
  expect(scene.floats("mu")).toBe(scene.floats("mu"));
});

test("a gzipped block comes out as it went in", async () => {
  const parts = smallScene();
  const thumbnails = parts.bytes.thumbnails;
  const stored = await gzip(thumbnails);
  addBlock(parts, "thumbnails", "u4", [30, 1, 4, 4], stored);
  parts.manifest.blocks.thumbnails.codec = "gzip";
  expect([...(await open(parts)).raw("thumbnails")]).toEqual([...thumbnails]);
});

test("one point, one neuron and no labels are a scene", async () => {
  const parts = smallScene(1, 1);
  parts.manifest.points.labels = null;
  parts.manifest.classNames = [];
  expect((await open(parts)).manifest.points.n).toBe(1);
});

describe("numbers", () => {
  test("halves, by hand", () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x3555, 0x7c00);
    const floats = toFloats(block("f16", [7]), new Uint8Array(bits.buffer));
    expect([...floats]).toEqual([1, -2, 65504, 2 ** -24, -0, 0.333251953125, Infinity]);
  });

  test("i8 is times the factor of its row", () => {
    const bytes = new Uint8Array(Int8Array.of(1, -2, 127, -128).buffer);
    expect([...toFloats(block("i8", [2, 2], { scale: [0.5, 2] }), bytes)]).toEqual([
      0.5, -1, 254, -256,
    ]);
  });

  test("u4 starts with the low half, an odd count ends in one", () => {
    const floats = toFloats(block("u4", [3]), Uint8Array.of(0xf0, 0x03));
    expect([...floats]).toEqual([0, 1, Math.fround(3 / 15)]);
  });

  test("u8 is in [0, 1], i32 is as it is, at any offset", () => {
    expect([...toFloats(block("u8", [2]), Uint8Array.of(0, 255))]).toEqual([0, 1]);
    const buffer = new Uint8Array(9);
    new DataView(buffer.buffer).setInt32(1, -7, true);
    new DataView(buffer.buffer).setInt32(5, 70000, true);
    expect([...toInts(block("i32", [2]), buffer.subarray(1))]).toEqual([-7, 70000]);
  });
});

test("CRC-32 as zlib has it, at every length around four", () => {
  const text = new TextEncoder().encode("123456789");
  expect(crc32(text)).toBe(0xcbf43926);
  expect(crc32(text.subarray(0, 8))).toBe(0x9ae0daaf);
  expect(crc32(new Uint8Array())).toBe(0);
});

describe("damage is told in a sentence", () => {
  const damages: [string, (parts: Parts) => unknown, RegExp][] = [
    [
      "no scene",
      ({ manifest }) => delete (manifest as Partial<typeof manifest>).format,
      /not a scene/,
    ],
    ["another version", ({ manifest }) => (manifest.version = 7), /version 7 .* reads version 1/],
    ["zero points", ({ manifest }) => (manifest.points.n = 0), /no points/],
    ["no map", ({ manifest }) => (manifest.maps = []), /no map/],
    [
      "unknown dtype",
      ({ manifest }) => ((manifest.blocks.mu.dtype as string) = "f8"),
      /blocks\.mu\.dtype must be one of f64, f32, .*; it is "f8"/,
    ],
    [
      "missing block",
      ({ manifest }) => delete manifest.blocks.mu,
      /points\.mu must be the name of a block/,
    ],
    [
      "a block's name from the prototype",
      ({ manifest }) => (manifest.points.mu = "constructor"),
      /must be the name of a block/,
    ],
    [
      "truncated",
      ({ bytes }) => (bytes.mu = bytes.mu.subarray(0, 100)),
      /“mu” is damaged: it must have 360 bytes; it has 100/,
    ],
    ["a flipped bit", ({ bytes }) => (bytes.map[5] ^= 1), /“map” is damaged: its checksum/],
    [
      "another shape than bytes",
      ({ manifest }) => (manifest.blocks.kl.dtype = "f16"),
      /“kl” is damaged: its shape needs 60 bytes; it holds 120/,
    ],
    [
      "other neurons",
      ({ manifest }) => (manifest.latentDim = 4),
      /do not belong together: points\.mu, block “mu”, must have shape \(30, 4\); it has \(30, 3\)/,
    ],
    [
      "another map",
      (parts) => addBlock(parts, "map", "f32", [29, 2], new Float32Array(58)),
      /maps\[0\]\.coordinates, block “map”, must have shape \(30, 2\)/,
    ],
    ["other channels", ({ manifest }) => (manifest.imageShape = [3, 4, 4]), /points\.thumbnails/],
    [
      "a channel to show that is not there",
      ({ manifest }) => (manifest.showChannels = [0, 1, 0]),
      /showChannels\[1\] must be an integer in \[0, 0\]; it is 1/,
    ],
    [
      "no unit",
      ({ manifest }) => (manifest.maps[0].unit = 0),
      /maps\[0\]\.unit must be above 0; it is 0/,
    ],
    [
      "a way back without its network",
      ({ manifest }) => manifest.maps[0].inverses.push("learned"),
      /learned must be there/,
    ],
    [
      "too few neurons listed",
      ({ manifest }) => manifest.neurons.pop(),
      /neurons must have 3 entries; it has 2/,
    ],
    [
      "a name that is none",
      ({ manifest }) => ((manifest.classNames[1] as unknown) = 7),
      /classNames\[1\] must be text; it is 7/,
    ],
    [
      "a monstrous block",
      ({ manifest }) => (manifest.blocks.mu.shape = [2 ** 28, 2 ** 28]),
      /at most/,
    ],
    [
      "an unknown layer",
      ({ manifest }) =>
        (manifest.model = {
          encoder: { trunk: [], mu: [], logvar: [] },
          decoder: [{ kind: "attention" } as never],
          mean: "sigmoid",
        }),
      /model\.decoder\[0\]\.kind must be one of linear, .*; it is "attention"/,
    ],
  ];

  test.each(damages)("%s", async (_, damage, sentence) => {
    const parts = smallScene();
    damage(parts);
    const error = await open(parts).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SceneError);
    expect((error as Error).message).toMatch(sentence);
  });

  test("what is no gzip, and what swells beyond its shape", async () => {
    const noise = Uint8Array.of(1, 2, 3, 4);
    const bad = block("u8", [4], { codec: "gzip", length: 4, crc32: crc32(noise) });
    await expect(unpack("x", bad, noise)).rejects.toThrow(/“x” cannot be unpacked/);
    const bomb = await gzip(new Uint8Array(1_000_000));
    const small = block("u8", [10], { codec: "gzip", length: bomb.length, crc32: crc32(bomb) });
    await expect(unpack("x", small, bomb)).rejects.toThrow(/more than 10 bytes/);
    const cut = bomb.subarray(0, bomb.length - 9);
    const short = block("u8", [1_000_000], {
      codec: "gzip",
      length: cut.length,
      crc32: crc32(cut),
    });
    await expect(unpack("x", short, cut)).rejects.toThrow(SceneError);
  });
});
