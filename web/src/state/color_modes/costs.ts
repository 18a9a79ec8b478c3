import { viridis } from "../colors";
import type { ColorMode } from "./color_mode";

/** What a picture costs, nats. */
const cost = (name: "error" | "kl", choice: string, title: string, about: string): ColorMode => ({
  choices: () => [{ name, title: choice }],
  create({ scene, manifest }) {
    const values = scene.floats(manifest.points[name]);
    const [low, high] = [quantile(values, 0.01), quantile(values, 0.99)];
    const scale = { title, low, high, unit: "nats", about, color: viridis };
    return { scale, value: (row) => values[row] };
  },
});

export const error = cost(
  "error",
  "reconstruction error",
  "Reconstruction error",
  "a perfect copy has 0",
);
export const kl = cost("kl", "KL divergence", "KL divergence", "of the posterior from the prior");

function quantile(values: Float32Array, share: number): number {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.round(share * (sorted.length - 1))];
}
