import { classColors, css, gradient, type Rgb, redBlue, signed, UNKNOWN, viridis } from "./colors";
import type { Explorer } from "./explorer";

/** How the points are coloured, for the map and for its legend. */
export interface Coloring {
  rgba: Uint8Array; // (n, 4)
  /** Of a quantity; absent for classes. */
  scale?: Scale;
}

export interface Scale {
  low: number;
  high: number;
  gradient: string;
  unit: string;
  title: string;
  /** What the numbers mean, in a few words. */
  about: string;
}

/** The number of the neuron in a colour's name ("z3"), or null. */
export function neuronOf(color: string, dim: number): number | null {
  const match = /^z(\d{1,5})$/.exec(color);
  return match && Number(match[1]) < dim ? Number(match[1]) : null;
}

/** What the points can be coloured by. */
export const hasColor = (explorer: Explorer, color: string): boolean =>
  (color === "class" && explorer.labels !== null) ||
  color === "kl" ||
  color === "error" ||
  neuronOf(color, explorer.dim) !== null;

function quantile(values: Float32Array, share: number): number {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.round(share * (sorted.length - 1))]!;
}

function fill(n: number, colorOf: (row: number) => Rgb): Uint8Array {
  const rgba = new Uint8Array(4 * n);
  for (let row = 0; row < n; row++) {
    const [r, g, b] = colorOf(row);
    rgba[4 * row] = r;
    rgba[4 * row + 1] = g;
    rgba[4 * row + 2] = b;
    rgba[4 * row + 3] = 255;
  }
  return rgba;
}

/** 256 colours of a scale, so that no point costs an interpolation. */
const tabulate = (scale: (t: number) => Rgb): Rgb[] =>
  Array.from({ length: 256 }, (_, i) => scale(i / 255));

export function colorPoints(explorer: Explorer): Coloring {
  const { n, dim, labels, manifest, scene } = explorer;
  const isDark = explorer.isDark.value;
  const color = explorer.color.value;
  if (color === "class" && labels) {
    const colors = classColors(manifest.classNames.length, isDark);
    return { rgba: fill(n, (row) => colors[labels[row]!] ?? UNKNOWN) };
  }
  const neuron = neuronOf(color, dim);
  if (neuron !== null) {
    const { mu } = explorer;
    const { low, high, name } = manifest.neurons[neuron]!;
    const limit = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const scale = (t: number) => signed(t, isDark);
    const table = tabulate(scale);
    const at = (row: number) =>
      Math.min(Math.max(((mu[row * dim + neuron]! / limit + 1) / 2) * 255, 0), 255) | 0;
    return {
      rgba: fill(n, (row) => table[at(row)]!),
      scale: {
        low: -limit,
        high: limit,
        gradient: gradient(scale),
        unit: "",
        title: `Neuron ${name}`,
        about: "grey is 0",
      },
    };
  }
  const values = scene.floats(color === "kl" ? manifest.points.kl : manifest.points.error);
  const [low, high] = [quantile(values, 0.01), quantile(values, 0.99)];
  const table = tabulate(viridis);
  const at = (row: number) =>
    Math.min(Math.max(((values[row]! - low) / (high - low || 1)) * 255, 0), 255) | 0;
  const [title, about] =
    color === "kl"
      ? ["KL divergence", "of the posterior from the prior"]
      : ["Reconstruction error", "a perfect copy has 0"];
  return {
    rgba: fill(n, (row) => table[at(row)]!),
    scale: { low, high, gradient: gradient(viridis), unit: "nats", title, about },
  };
}

/** Which points are shown; null: all. */
export function visiblePoints(explorer: Explorer): Uint8Array | null {
  const { labels, n } = explorer;
  const hidden = explorer.hidden.value;
  if (!labels || hidden.size === 0) return null;
  return Uint8Array.from({ length: n }, (_, row) => (hidden.has(labels[row]!) ? 0 : 1));
}

/** Rows of every class that is shown, for contours; of all points where there are no classes. */
export function contourGroups(
  explorer: Explorer,
): { rows: Int32Array; rgba: [number, number, number, number] }[] {
  const { labels, n, manifest } = explorer;
  const isDark = explorer.isDark.value;
  if (!labels || manifest.classNames.length > 60) {
    const grey: [number, number, number, number] = isDark
      ? [200, 206, 214, 255]
      : [70, 78, 88, 255];
    return [{ rows: Int32Array.from({ length: n }, (_, i) => i), rgba: grey }];
  }
  const rows: number[][] = manifest.classNames.map(() => []);
  for (let row = 0; row < n; row++) rows[labels[row]!]?.push(row);
  return classColors(rows.length, isDark)
    .map((rgb, k) => ({
      rows: Int32Array.from(rows[k]!),
      rgba: [...rgb, 255] as [number, number, number, number],
      k,
    }))
    .filter(({ rows: some, k }) => some.length > 2 && !explorer.hidden.value.has(k));
}

/** The colour of a signed number in a table whose largest is `limit`. */
export const cellColor = (value: number, limit: number): Rgb =>
  redBlue((value / (limit || 1) + 1) / 2);

export { css };
