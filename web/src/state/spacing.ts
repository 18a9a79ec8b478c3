import { hasTree, nearestInLatent } from "../maps/nearest";
import type { Spacing } from "./trust";

/** Numbers that may be looked at; more pictures would not change much. */
const EFFORT = 1e7;
const MOST_ASKED = 200;

/** How far apart pictures of the data lie. */
export function measureSpacing(mu: Float32Array, n: number, dim: number): Spacing {
  if (n < 2) return { median: 0, wide: 0 };
  const affordable = hasTree(mu) ? MOST_ASKED : Math.floor(EFFORT / (n * dim));
  const asked = Math.min(n, Math.max(16, Math.min(MOST_ASKED, affordable)));
  const distances = Array.from({ length: asked }, (_, i) => {
    const row = Math.floor((i * n) / asked);
    return nearestInLatent(mu, dim, mu.subarray(row * dim, (row + 1) * dim), 2).distances[1];
  }).sort((a, b) => a - b);
  const median = distances[asked >> 1];
  return { median, wide: Math.max(distances[Math.floor(0.95 * asked)], 1.05 * median) };
}
