/** Nearest neighbours in the latent space: by comparing with all points, or by a tree where there is one. */
import { searchTree, type Tree } from "./latent_tree";

export interface Neighbours {
  rows: Int32Array;
  /** Euclidean; ascending. */
  distances: Float64Array;
}

const trees = new WeakMap<Float32Array, Tree>();

/** From now on the neighbours among `mu` are found by it. */
export const plant = (mu: Float32Array, tree: Tree): void => void trees.set(mu, tree);

export const hasTree = (mu: Float32Array): boolean => trees.has(mu);

/** Dimensions after which a point that is already too far is given up. */
const STRIDE = 8;

/** The `k` rows of `mu` (n, d) nearest to `z` (d), the nearest first; all of them if n < k. */
export function nearestInLatent(
  mu: Float32Array,
  d: number,
  z: ArrayLike<number>,
  k: number,
): Neighbours {
  const n = mu.length / d;
  const count = Math.min(k, n);
  const tree = trees.get(mu);
  // What is not finite is near nothing, and compares with nothing.
  if (tree && count > 0 && Array.from(z).every(Number.isFinite)) {
    const found = searchTree(tree, mu, d, z, count);
    return { rows: found.rows, distances: found.squares.map(Math.sqrt) };
  }
  const rows = new Int32Array(count);
  const squares = new Float64Array(count).fill(Infinity);
  const query = Float64Array.from(z);
  const last = count - 1;
  let limit = Infinity;
  for (let row = 0, at = 0; row < n && count > 0; row++, at += d) {
    let square = 0;
    for (let i = 0; i < d && square < limit; ) {
      for (const end = Math.min(i + STRIDE, d); i < end; i++) {
        const gap = mu[at + i] - query[i];
        square += gap * gap;
      }
    }
    // Not `>=`, so that a NaN is never taken for near.
    if (!(square < limit)) continue;
    let place = last;
    for (; place > 0 && squares[place - 1] > square; place--) {
      squares[place] = squares[place - 1];
      rows[place] = rows[place - 1];
    }
    squares[place] = square;
    rows[place] = row;
    limit = squares[last];
  }
  return { rows, distances: squares.map(Math.sqrt) };
}
