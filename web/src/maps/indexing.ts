/** Indexes of many points, made in a worker. Without one, or until it is done, answers are the same and take longer. */
import type { Job } from "./index_worker";
import IndexWorker from "./index_worker?worker&inline";
import type { Tree } from "./latent_tree";
import { hasTree, plant } from "./nearest";
import { MANY, type Places } from "./places";

/** Null: there was none to be made, or a policy of the page around forbids workers. */
function run<T>(job: Job): Promise<T | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new IndexWorker();
    } catch {
      return resolve(null);
    }
    const end = (answer: T | null): void => {
      worker.terminate();
      resolve(answer);
    };
    worker.onmessage = ({ data }) => end(data);
    worker.onerror = (event) => {
      event.preventDefault();
      end(null);
    };
    worker.postMessage(job);
  });
}

/** Neighbours among `mu` (n, d), from when it is done. */
export async function indexLatent(mu: Float32Array, d: number): Promise<void> {
  if (mu.length / d < MANY || hasTree(mu)) return;
  const tree = await run<Tree>({ kind: "latent", mu, d });
  if (tree) plant(mu, tree);
}

/** Before anyone asks. */
export async function indexPlaces(places: Places): Promise<void> {
  if (places.isQuick) return places.prepare();
  const { coordinates } = places;
  const made = await run<{ data: ArrayBuffer; rows: Uint32Array | null }>({
    kind: "places",
    coordinates,
  });
  if (made) places.adopt(made.data, made.rows);
  else places.prepare();
}
