/** A k-d tree (Bentley 1975) over latent vectors: the same neighbours as by comparing with all, hundreds of times sooner. */

/** Made of plain arrays, so that a worker can hand it over. */
export interface Tree {
  /** Rows of the vectors; those of a node lie side by side, half of them in each half of it. */
  rows: Uint32Array;
  /** Of every inner node: which dimension it is cut along, and where. The children of i are 2 i + 1 and 2 i + 2. */
  axes: Uint16Array;
  cuts: Float32Array;
}

/** Points that are compared with one by one. */
const LEAF = 48;
/** Looked at to find the dimension in which the points of a node differ most. */
const SAMPLES = 64;

/** The tree of `mu` (n, d); null where a number is not finite, which has no place in it. */
export function growTree(mu: Float32Array, d: number): Tree | null {
  for (const value of mu) if (!Number.isFinite(value)) return null;
  const n = mu.length / d;
  let depth = 0;
  while (n / 2 ** depth > LEAF) depth++;
  const nInner = 2 ** depth - 1;
  const rows = Uint32Array.from({ length: n }, (_, row) => row);
  const tree: Tree = { rows, axes: new Uint16Array(nInner), cuts: new Float32Array(nInner) };
  cut(tree, mu, d, 0, 0, n);
  return tree;
}

function cut(
  tree: Tree,
  mu: Float32Array,
  d: number,
  node: number,
  from: number,
  to: number,
): void {
  if (node >= tree.axes.length) return;
  const axis = widestAxis(tree.rows, mu, d, from, to);
  const middle = (from + to) >> 1;
  select(tree.rows, mu, d, axis, from, to - 1, middle);
  tree.axes[node] = axis;
  tree.cuts[node] = mu[tree.rows[middle] * d + axis];
  cut(tree, mu, d, 2 * node + 1, from, middle);
  cut(tree, mu, d, 2 * node + 2, middle, to);
}

function widestAxis(
  rows: Uint32Array,
  mu: Float32Array,
  d: number,
  from: number,
  to: number,
): number {
  const step = Math.max(1, Math.floor((to - from) / SAMPLES));
  let [widest, most] = [0, -1];
  for (let axis = 0; axis < d; axis++) {
    let [n, sum, squares] = [0, 0, 0];
    for (let i = from; i < to; i += step) {
      const value = mu[rows[i] * d + axis];
      n++;
      sum += value;
      squares += value * value;
    }
    const spread = squares / n - (sum / n) ** 2;
    if (spread > most) [widest, most] = [axis, spread];
  }
  return widest;
}

/** Puts the k-th smallest at k, none larger before it, none smaller after (Hoare 1961). */
function select(
  rows: Uint32Array,
  mu: Float32Array,
  d: number,
  axis: number,
  from: number,
  to: number,
  k: number,
): void {
  let [low, high] = [from, to];
  while (low < high) {
    const pivot = mu[rows[(low + high) >> 1] * d + axis];
    let [i, j] = [low, high];
    while (i <= j) {
      while (mu[rows[i] * d + axis] < pivot) i++;
      while (mu[rows[j] * d + axis] > pivot) j--;
      if (i > j) break;
      const row = rows[i];
      rows[i++] = rows[j];
      rows[j--] = row;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
}

/** The `k` rows nearest to `z`, as `nearestInLatent` has them: squares ascending; of equal ones the lower row first. */
export function searchTree(
  { rows, axes, cuts }: Tree,
  mu: Float32Array,
  d: number,
  z: ArrayLike<number>,
  k: number,
): { rows: Int32Array; squares: Float64Array } {
  const found = new Int32Array(k);
  const squares = new Float64Array(k).fill(Infinity);
  const query = Float64Array.from(z);
  /** From the query to the part of space of the node at hand, in each dimension. */
  const offsets = new Float64Array(d);
  let limit = Infinity;

  function visit(node: number, from: number, to: number, away: number): void {
    if (node >= axes.length) return compare(from, to);
    const middle = (from + to) >> 1;
    const axis = axes[node];
    const gap = query[axis] - cuts[node];
    if (gap < 0) visit(2 * node + 1, from, middle, away);
    else visit(2 * node + 2, middle, to, away);
    const before = offsets[axis];
    const beyond = away - before * before + gap * gap;
    // Sums in another order differ in the last digit.
    if (beyond * (1 - 1e-12) > limit) return;
    offsets[axis] = gap;
    if (gap < 0) visit(2 * node + 2, middle, to, beyond);
    else visit(2 * node + 1, from, middle, beyond);
    offsets[axis] = before;
  }

  function compare(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const row = rows[at];
      let square = 0;
      for (let i = 0, m = row * d; i < d; i++, m++) {
        const gap = mu[m] - query[i];
        square += gap * gap;
      }
      if (square > limit || (square === limit && row > found[k - 1])) continue;
      let place = k - 1;
      for (; place > 0; place--) {
        const other = squares[place - 1];
        if (other < square || (other === square && found[place - 1] < row)) break;
        squares[place] = other;
        found[place] = found[place - 1];
      }
      squares[place] = square;
      found[place] = row;
      limit = squares[k - 1];
    }
  }

  visit(0, 0, rows.length, 0);
  return { rows: found, squares };
}
