/** Runs in the browser: the explorer's network on a scene, and how far it is from torch. */
import { createModel } from "../src/model/create_model";
import type { Engine } from "../src/model/kernels";
import { fromBase64 } from "../src/scene/base64";
import { loadScene } from "../src/scene/load_scene";

/** As `tools/web_pages.py` writes it. */
export interface Numbers {
  scene: { manifest: { latentDim: number }; blocks: Record<string, string> };
  z: number[];
  pixels: number[];
  x: number[];
  mu: number[];
}

const worst = (a: Float32Array, b: number[]): number =>
  b.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - a[i])),
    a.length === b.length ? 0 : Number.NaN,
  );

export async function compare(
  { scene: { manifest, blocks }, z, pixels, x, mu }: Numbers,
  engines?: Engine[],
) {
  const scene = await loadScene({
    manifest: async () => manifest,
    bytes: async (name) => fromBase64(blocks[name]),
  });
  const model = (await createModel(scene, engines))!;
  const n = z.length / manifest.latentDim;
  const decoded = model.decode(Float32Array.from(z), n);
  const encoded = model.encode!(Float32Array.from(x), n);
  return { engine: model.engine, pixels: worst(decoded, pixels), mu: worst(encoded.mu, mu) };
}
