/**
 * How long the network of a scene takes, per engine and batch:
 * `node --experimental-wasm-relaxed-simd bench/run.mjs decode SCENE.json`
 */
import { createModel } from "../src/model/create_model";
import { ENGINES, type Engine } from "../src/model/kernels";
import { fromBase64 } from "../src/scene/base64";
import { loadScene } from "../src/scene/load_scene";

const BATCHES = [1, 16, 100];
const SECONDS = 1.5;

interface Timed {
  median: number;
  least: number;
}

export default async function main(text: string, ...engines: Engine[]): Promise<void> {
  const { manifest, blocks } = JSON.parse(text);
  const startLoad = performance.now();
  const scene = await loadScene({
    manifest: async () => manifest,
    bytes: async (name) => fromBase64(blocks[name]),
  });
  console.log(`load ${(performance.now() - startLoad).toFixed(0)} ms`);
  console.log("engine            init ms   decode ms at 1 / 16 / 100      encode ms at 1 / 16 / 100");
  for (const engine of engines.length ? engines : ENGINES) {
    const start = performance.now();
    const model = await createModel(scene, [engine]).catch(() => null);
    if (!model) {
      console.log(`${engine}: not here`);
      continue;
    }
    const init = performance.now() - start;
    const mu = scene.floats(manifest.points.mu);
    const decode = BATCHES.map((n) => {
      const z = mu.slice(0, n * model.latentDim);
      return timed(() => model.decode(z, n));
    });
    const encode = BATCHES.map((n) => {
      const x = model.decode(mu.slice(0, n * model.latentDim), n);
      return timed(() => model.encode(x, n));
    });
    for (const which of ["median", "least"] as const) {
      const row = (times: Timed[]): string => times.map((time) => time[which].toFixed(2).padStart(7)).join(" / ");
      const label = `${engine.padEnd(10)} ${which.padEnd(6)} ${init.toFixed(0).padStart(4)}`;
      console.log(`${label}   ${row(decode)}   ${row(encode)}`);
    }
  }
}

/** Milliseconds. The least is what the code can do, the median what it did beside all else. */
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
