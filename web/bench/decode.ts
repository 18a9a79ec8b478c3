/** How long the network of a scene takes, per engine and batch. */
import { createModel } from "../src/model/create_model";
import { ENGINES, type Engine } from "../src/model/kernels";
import { fromBase64 } from "../src/scene/base64";
import { loadScene } from "../src/scene/load_scene";

export const BATCHES = [1, 16, 100];
const SECONDS = 1.5;

/** Milliseconds. The least is what the code can do, the median what it did beside all else. */
interface Timed {
  median: number;
  least: number;
}

export interface EngineTimes {
  engine: Engine;
  init: number;
  /** One for each of `BATCHES`. */
  decode: Timed[];
  encode: Timed[];
}

export async function measure(text: string, ...engines: Engine[]): Promise<EngineTimes[]> {
  const { manifest, blocks } = JSON.parse(text);
  const scene = await loadScene({
    manifest: async () => manifest,
    bytes: async (name) => fromBase64(blocks[name]),
  });
  const results: EngineTimes[] = [];
  for (const engine of engines.length ? engines : ENGINES) {
    const start = performance.now();
    const model = await createModel(scene, [engine]).catch(() => null);
    if (!model) continue; // not here
    const init = performance.now() - start;
    const mu = scene.floats(manifest.points.mu);
    const decode = BATCHES.map((n) => {
      const z = mu.slice(0, n * model.latentDim);
      return timed(() => model.decode(z, n));
    });
    const encode = BATCHES.map((n) => {
      const x = model.decode(mu.slice(0, n * model.latentDim), n);
      return timed(() => model.encode!(x, n));
    });
    results.push({ engine, init, decode, encode });
  }
  return results;
}

function timed(run: () => unknown): Timed {
  for (let i = 0; i < 20; i++) run();
  const times: number[] = [];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], least: times[0] };
}
