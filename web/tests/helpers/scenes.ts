/** Scenes made by hand, for tests. */

import { fromBase64 } from "../../src/scene/base64";
import { crc32 } from "../../src/scene/block_bytes";
import {
  type Block,
  FORMAT,
  type Manifest,
  type ModelSpec,
  VERSION,
} from "../../src/scene/manifest";
import type { DataSource, Scene } from "../../src/scene/source";

export interface Encoded {
  shape: number[];
  base64: string;
}

export function floatsOf({ base64 }: Encoded): Float32Array {
  return new Float32Array(fromBase64(base64).slice().buffer);
}

/** A scene that only has a network and its weights. */
export function networkScene(
  model: ModelSpec,
  weights: Record<string, Encoded>,
  imageShape: [number, number, number],
  latentDim: number,
): Scene {
  const blocks: Record<string, Block> = {};
  for (const [name, { shape }] of Object.entries(weights)) {
    blocks[name] = { dtype: "f32", shape, codec: "raw", length: 0, crc32: 0 };
  }
  const manifest = { model, imageShape, latentDim, blocks } as unknown as Manifest;
  const scene: Scene = {
    ...{ manifest, members: [], member: 0, about: null },
    floats: (name) => floatsOf(weights[name]),
    doubles: () => new Float64Array(),
    ints: () => new Int32Array(),
    raw: () => new Uint8Array(),
    page: async () => new Uint8Array(),
    source: memorySource(manifest, {}),
  };
  return scene;
}

export function memorySource(manifest: unknown, bytes: Record<string, Uint8Array>): DataSource {
  return {
    manifest: async () => manifest,
    bytes: async (name, part) => (part ? bytes[name].subarray(part.from, part.to) : bytes[name]),
  };
}

export interface Parts {
  manifest: Manifest;
  bytes: Record<string, Uint8Array>;
}

/** Adds an array to the parts of a scene, with the length and checksum it has. */
export function addBlock(
  { manifest, bytes }: Parts,
  name: string,
  dtype: Block["dtype"],
  shape: number[],
  data: ArrayBufferView,
): void {
  const stored = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  bytes[name] = stored;
  manifest.blocks[name] = {
    dtype,
    shape,
    codec: "raw",
    length: stored.length,
    crc32: crc32(stored),
  };
}

/** Points in a plane, d neurons, two classes, a PCA map: the smallest scene that is whole. */
export function smallScene(n = 30, d = 3): Parts {
  const manifest: Manifest = {
    format: FORMAT,
    version: VERSION,
    generator: "tests",
    title: "small",
    data: "made up",
    fingerprints: { model: "", data: "" },
    imageShape: [1, 4, 4],
    latentDim: d,
    points: {
      n,
      mu: "mu",
      labels: "labels",
      indices: "indices",
      kl: "kl",
      error: "error",
      thumbnails: "thumbnails",
    },
    classNames: ["even", "odd"],
    prototypes: null,
    neurons: Array.from({ length: d }, (_, i) => ({
      name: `z${i}`,
      mean: 0,
      std: 1,
      low: -2,
      high: 2,
      kl: 1,
      isUsed: true,
      mutualInformation: null,
    })),
    maps: [
      {
        name: "tsne",
        label: "t-SNE",
        method: "tsne",
        coordinates: "map",
        inverses: ["local", "nearest"],
        unit: 0.1,
      },
    ],
    model: null,
    why: "a test",
    blocks: {},
  };
  const parts: Parts = { manifest, bytes: {} };
  const random = randomNumbers(n + d);
  const mu = Float32Array.from({ length: n * d }, random);
  addBlock(parts, "mu", "f32", [n, d], mu);
  addBlock(parts, "map", "f32", [n, 2], Float32Array.from({ length: n * 2 }, random));
  addBlock(
    parts,
    "labels",
    "i32",
    [n],
    Int32Array.from({ length: n }, (_, i) => i % 2),
  );
  addBlock(
    parts,
    "indices",
    "i32",
    [n],
    Int32Array.from({ length: n }, (_, i) => i),
  );
  addBlock(parts, "kl", "f32", [n], new Float32Array(n).fill(1));
  addBlock(parts, "error", "f32", [n], new Float32Array(n).fill(2));
  addBlock(parts, "thumbnails", "u4", [n, 1, 4, 4], new Uint8Array(n * 8).fill(0x1f));
  return parts;
}

/** Numbers about normal, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => uniform() + uniform() + uniform() + uniform() + uniform() + uniform() - 3;
}
