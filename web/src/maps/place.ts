/** Where neighbours put a new vector on a map: `place` of `zscape.embedding.neighbours`, same numbers. */
import { nearestInLatent } from "./nearest";

const N_PLACING = 15;
const N_MEDIAN_STEPS = 20;
/** numpy's `finfo(float32).tiny`. */
const TINY = 2 ** -126;

/**
 * The weighted geometric median of the places of the nearest fitted points.
 *
 * @param x (n, d), the fitted points in space; `coordinates` (n, 2), on the map.
 * @param blur Distance on the map below which two places are one.
 */
export function place(
  x: Float32Array,
  d: number,
  coordinates: Float32Array,
  blur: number,
  query: ArrayLike<number>,
): [number, number] {
  const { rows, distances } = nearestInLatent(x, d, query, N_PLACING + 1);
  const weights = shepardWeights(distances);
  let [px, py] = [0, 0];
  rows.forEach((row, i) => {
    px += weights[i] * coordinates[2 * row];
    py += weights[i] * coordinates[2 * row + 1];
  });
  for (let step = 0; step < N_MEDIAN_STEPS; step++) {
    let [sum, sumX, sumY] = [0, 0, 0];
    for (let i = 0; i < rows.length; i++) {
      const x = coordinates[2 * rows[i]];
      const y = coordinates[2 * rows[i] + 1];
      const pull = weights[i] / Math.sqrt((x - px) ** 2 + (y - py) ** 2 + blur * blur);
      sum += pull;
      sumX += pull * x;
      sumY += pull * y;
    }
    // All at one place, without even a blur between them.
    if (!Number.isFinite(sum) || sum === 0) break;
    px = sumX / sum;
    py = sumY / sum;
  }
  return [px, py];
}

/** Weights that sum to 1, of neighbours at these distances, the nearest first. */
export function shepardWeights(distances: ArrayLike<number>): Float64Array {
  const far = distances[distances.length - 1];
  const weights = Float64Array.from(distances, (distance) =>
    Math.sqrt((far - distance) / Math.max(distance, 1e-12 * far + TINY)),
  );
  return normalized(weights);
}

/** To the sum 1; where all are 0, all weigh the same. */
export function normalized(weights: Float64Array): Float64Array {
  let sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 0) sum = weights.fill(1).length;
  return weights.map((weight) => weight / sum);
}
