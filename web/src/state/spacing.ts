import { nearestInLatent } from "../maps/nearest";
import { AMONG } from "./trust";

/** Distances from pictures of the data to their nearest others, in the latent space. */
export interface Spacing {
  median: number;
  /** 95 in 100 are nearer than that. */
  wide: number;
}

/** Numbers that may be looked at; more pictures would not change much. */
const EFFORT = 1e7;

export function measureSpacing(mu: Float32Array, n: number, dim: number): Spacing {
  if (n < 2) return { median: 1, wide: AMONG };
  const asked = Math.min(n, Math.max(16, Math.min(200, Math.floor(EFFORT / (n * dim)))));
  const distances = Array.from({ length: asked }, (_, i) => {
    const row = Math.floor((i * n) / asked);
    return nearestInLatent(mu, dim, mu.subarray(row * dim, (row + 1) * dim), 2).distances[1];
  }).sort((a, b) => a - b);
  const median = distances[asked >> 1] || 1;
  return { median, wide: Math.max(distances[Math.floor(0.95 * asked)], 1.05 * median) };
}

/**
 * A distance in the latent space on the scale that `judge` has for maps: 1 is the median, `AMONG` the wide
 * one. The more neurons, the less distances differ, so that twice the median is little among two and much
 * among ten; hence a power.
 */
export const onMapScale = (distance: number, { median, wide }: Spacing): number =>
  (distance / median) ** (Math.log(AMONG) / Math.log(wide / median));
