import type { Explorer } from "../state/explorer";

const BINS = 48;
const MOST_COUNTED = 20_000;

/** How often a neuron has each value: (bins) shares of the largest. @param rows all if absent */
export function histogram(
  explorer: Explorer,
  neuron: number,
  low: number,
  high: number,
  rows?: ArrayLike<number>,
): Float32Array {
  const { mu, dim, n } = explorer;
  const counts = new Float32Array(BINS);
  const total = rows?.length ?? n;
  const step = Math.max(1, Math.floor(total / MOST_COUNTED));
  for (let i = 0; i < total; i += step) {
    const value = mu[(rows ? rows[i] : i) * dim + neuron];
    const bin = Math.floor(((value - low) / (high - low)) * BINS);
    if (bin >= 0 && bin < BINS) counts[bin]++;
  }
  return smooth(counts);
}

/** By the binomial weights 1 4 6 4 1, and scaled so that the highest is 1. */
function smooth(counts: Float32Array): Float32Array {
  const at = (i: number) => counts[Math.min(Math.max(i, 0), BINS - 1)];
  const smoothed = counts.map(
    (_, i) => at(i - 2) + 4 * at(i - 1) + 6 * at(i) + 4 * at(i + 1) + at(i + 2),
  );
  const top = Math.max(...smoothed) || 1;
  return smoothed.map((value) => value / top);
}

/** An area under the curve as an SVG path in a box of 100 by `height`. */
export function areaPath(shares: Float32Array, height = 20): string {
  const x = (i: number) => ((100 * (i + 0.5)) / shares.length).toFixed(1);
  const points = Array.from(shares, (share, i) => `L${x(i)} ${(height * (1 - share)).toFixed(2)}`);
  return `M0 ${height}${points.join("")}L100 ${height}Z`;
}

export const densityPath = (
  explorer: Explorer,
  neuron: number,
  low: number,
  high: number,
): string => areaPath(histogram(explorer, neuron, low, high));
