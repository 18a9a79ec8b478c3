/** The smooth way back: `Local` of `zscape.embedding.inverse`, same numbers. */
import { normalized } from "./place";

const N_NEIGHBORS = 50;
const FOCUS = 0.1;
const RIDGE = 0.05;
const TINY = 2 ** -126;

/** How many neighbours it asks for: the last one only says where weights reach 0. */
export function localCount(n: number): number {
  return Math.min(N_NEIGHBORS, n - 1) + 1;
}

/**
 * A plane fitted to the neighbours' vectors, read off at (x, y).
 *
 * @param rows The `localCount(n)` points nearest on the map, the nearest first.
 * @param mu (n, d), their latent vectors.
 */
export function local(
  coordinates: Float32Array,
  mu: Float32Array,
  d: number,
  rows: readonly number[],
  x: number,
  y: number,
): Float32Array {
  const share = shares(coordinates, rows, x, y);
  const sums = new Float64Array(d);
  rows.forEach((row, j) => {
    for (let i = 0; i < d; i++) sums[i] += share[j] * mu[row * d + i];
  });
  return Float32Array.from(sums);
}

/** The plane's height at (x, y) is linear in the neighbours' vectors: how much of each. */
function shares(
  coordinates: Float32Array,
  rows: readonly number[],
  x: number,
  y: number,
): Float64Array {
  const dx = Float64Array.from(rows, (row) => coordinates[2 * row] - x);
  const dy = Float64Array.from(rows, (row) => coordinates[2 * row + 1] - y);
  const distances = dx.map((gap, j) => Math.hypot(gap, dy[j]));
  const reach = Math.max(distances[rows.length - 1], TINY);
  const weights = normalized(
    distances.map((distance) => {
      const u = distance / reach;
      return (1 - u ** 3) ** 3 / (u ** 2 + FOCUS ** 2);
    }),
  );
  let [w, wx, wy, wxx, wxy, wyy] = [0, 0, 0, RIDGE, 0, RIDGE];
  weights.forEach((weight, j) => {
    const [sx, sy] = [dx[j] / reach, dy[j] / reach];
    w += weight;
    wx += weight * sx;
    wy += weight * sy;
    wxx += weight * sx * sx;
    wxy += weight * sx * sy;
    wyy += weight * sy * sy;
  });
  // First row of the inverse of the normal equations' matrix, by cofactors.
  const c0 = wxx * wyy - wxy * wxy;
  const c1 = wxy * wy - wx * wyy;
  const c2 = wx * wxy - wxx * wy;
  const determinant = w * c0 + wx * c1 + wy * c2;
  return weights.map(
    (weight, j) => (weight * (c0 + (c1 * dx[j] + c2 * dy[j]) / reach)) / determinant,
  );
}
