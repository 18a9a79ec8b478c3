/** Builds an index beside the page, which goes on meanwhile. */
import { growTree } from "./latent_tree";
import { indexOf } from "./places";

export type Job =
  | { kind: "latent"; mu: Float32Array; d: number }
  | { kind: "places"; coordinates: Float32Array };

addEventListener("message", ({ data }: MessageEvent<Job>) => {
  if (data.kind === "latent") {
    const tree = growTree(data.mu, data.d);
    const arrays = tree ? [tree.rows, tree.axes, tree.cuts] : [];
    postMessage(tree, { transfer: arrays.map(({ buffer }) => buffer as ArrayBuffer) });
  } else {
    const found = indexOf(data.coordinates);
    const answer = found && { data: found.tree.data, rows: found.rows };
    postMessage(answer, { transfer: found ? [found.tree.data as ArrayBuffer] : [] });
  }
});
