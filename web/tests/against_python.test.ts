/** Whole scenes against what torch and zscape answer; `tools/web_fixtures.py` writes both sides. */
import { describe, expect, test } from "vitest";
import { createMap } from "../src/maps/create_map";
import type { LatentMap } from "../src/maps/inverse";
import { createModel } from "../src/model/create_model";
import { ENGINES } from "../src/model/kernels";
import type { Model } from "../src/model/model";
import { fromBase64 } from "../src/scene/base64";
import { loadScene } from "../src/scene/load_scene";
import type { Scene } from "../src/scene/source";

interface Expected {
  decode: { z: number[]; pixels: number[] }[];
  encode: { x: number[]; mu: number[]; logvar: number[] }[];
  inverse: {
    map: string;
    method: string;
    x: number;
    y: number;
    z: number[];
    distance: number;
    roundTrip: number;
  }[];
  transform: { map: string; z: number[]; xy: number[] }[];
}

/** The real model is not committed: its scene is there once the script has run. */
const files = import.meta.glob("./fixtures/*/*.json", {
  query: "?raw",
  import: "default",
}) as Record<string, () => Promise<string>>;

/** Of fp32 weights and latents, and of fp16 ones; places are measured in the map's typical gap,
 * as differences of nearly equal distances decide on them, which magnifies their rounding. */
const TOLERANCES = {
  small: { pixel: 1e-5, latent: 3e-5, place: 1e-2 },
  zoo10: { pixel: 1e-3, latent: 5e-3, place: 5e-2 },
};

async function read(name: string): Promise<{ scene: Scene; expected: Expected }> {
  const [scene, expected] = await Promise.all(
    ["scene", "expected"].map(async (part) =>
      JSON.parse(await files[`./fixtures/${name}/${part}.json`]()),
    ),
  );
  const source = {
    manifest: async () => scene.manifest,
    bytes: async (block: string) => fromBase64(scene.blocks[block]),
  };
  return { scene: await loadScene(source), expected };
}

function mapsOf(scene: Scene): Record<string, LatentMap> {
  return Object.fromEntries(
    scene.manifest.maps.map((spec) => [spec.method, createMap(scene, spec)]),
  );
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

describe.each(Object.keys(TOLERANCES) as (keyof typeof TOLERANCES)[])("%s", (name) => {
  const tolerance = TOLERANCES[name];
  const isThere = `./fixtures/${name}/scene.json` in files;
  test("the committed scene is there", () => expect(isThere || name !== "small").toBe(true));

  describe.skipIf(!isThere).each(ENGINES)("on %s", (engine) => {
    test("decodes as torch does, alone and in a batch", async () => {
      const { scene, expected } = await read(name);
      const model = (await createModel(scene, [engine])) as Model;
      const n = expected.decode.length;
      const batch = model.decode(Float32Array.from(expected.decode.flatMap(({ z }) => z)), n);
      const size = batch.length / n;
      expected.decode.forEach(({ z, pixels }, i) => {
        expect(largestDifference(batch.subarray(i * size, (i + 1) * size), pixels)).toBeLessThan(
          tolerance.pixel,
        );
        expect(largestDifference(model.decode(Float32Array.from(z), 1), pixels)).toBeLessThan(
          tolerance.pixel,
        );
      });
    });

    test("encodes as torch does", async () => {
      const { scene, expected } = await read(name);
      const model = (await createModel(scene, [engine])) as Model;
      for (const { x, mu, logvar } of expected.encode) {
        const posterior = model.encode!(Float32Array.from(x), 1);
        expect(largestDifference(posterior.mu, mu)).toBeLessThan(tolerance.latent);
        expect(largestDifference(posterior.logvar, logvar)).toBeLessThan(10 * tolerance.latent);
      }
    });

    test("larger batches than memory was planned for give the same", async () => {
      const { scene } = await read(name);
      const model = (await createModel(scene, [engine])) as Model;
      const z = scene.floats(scene.manifest.points.mu).slice(0, 37 * model.latentDim);
      const batch = model.decode(z, 37);
      const alone = model.decode(z.slice(-model.latentDim), 1);
      expect(largestDifference(batch.slice(-alone.length), alone)).toBeLessThan(1e-6);
    });
  });

  test.skipIf(!isThere)("finds the way back as Python does", async () => {
    const { scene, expected } = await read(name);
    const maps = mapsOf(scene);
    expect(expected.inverse.length).toBeGreaterThan(20);
    for (const { map, method, x, y, z, distance, roundTrip } of expected.inverse) {
      const back = maps[map].inverse(x, y, method);
      const where = `${map}, ${method}, at ${x}, ${y}`;
      const gap = largestDifference(back.z, z);
      expect(gap, where).toBeLessThan(tolerance.latent);
      expect(Math.abs(back.distance - distance), where).toBeLessThan(1e-4);
      // It follows from what is compared here and below; where fp16 has moved the vector a little, a place between
      // clusters may have moved far, so only an equal vector has to have an equal round trip.
      const [u, v] = maps[map].transform(back.z, 1);
      expect(Math.abs(back.roundTrip - Math.hypot(u - x, v - y)), where).toBeLessThan(1e-3);
      if (gap < 1e-6)
        expect(Math.abs(back.roundTrip - roundTrip) / maps[map].unit, where).toBeLessThan(
          tolerance.place,
        );
    }
  });

  test.skipIf(!isThere)("places vectors as Python does", async () => {
    const { scene, expected } = await read(name);
    const maps = mapsOf(scene);
    for (const { map, z, xy } of expected.transform) {
      const place = maps[map].transform(Float32Array.from(z), 1);
      expect(largestDifference(place, xy) / maps[map].unit, map).toBeLessThan(tolerance.place);
    }
  });
});
