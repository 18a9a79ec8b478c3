/** Weights in the order the kernels read them. */

/** Columns that are computed together. */
export const PANEL = 8;

/**
 * A matrix B (k, n) whose entries are found in torch's weights at `rows[k] + columns[n]`. Packed, it
 * lies in ⌈n / PANEL⌉ panels of (k, PANEL), the last filled up with zeros.
 */
export interface Packing {
  rows: Int32Array;
  columns: Int32Array;
}

export function packedLength(k: number, n: number): number {
  return k * roundUp(n);
}

export function roundUp(n: number): number {
  return Math.ceil(n / PANEL) * PANEL;
}

export function pack(weights: Float32Array, { rows, columns }: Packing, to: Float32Array): void {
  const [k, n] = [rows.length, columns.length];
  let at = 0;
  for (let j = 0; j < n; j += PANEL) {
    const count = Math.min(PANEL, n - j);
    for (let i = 0; i < k; i++, at += PANEL) {
      for (let lane = 0; lane < count; lane++) {
        to[at + lane] = weights[rows[i] + columns[j + lane]];
      }
    }
  }
}

/** torch's (out, in) → B (in, out). */
export function linearPacking(out: number, inn: number): Packing {
  return { rows: steps(inn, 1), columns: steps(out, inn) };
}

/** torch's (out, in, kh, kw) → B (kh · kw · in, out). */
export function convPacking(out: number, inn: number, area: number): Packing {
  return { rows: interleaved(area, inn, area), columns: steps(out, inn * area) };
}

/** torch's (in, out, kh, kw) → B (in, kh · kw · out). */
export function convTransposePacking(inn: number, out: number, area: number): Packing {
  return { rows: steps(inn, out * area), columns: interleaved(area, out, area) };
}

function steps(count: number, step: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i * step);
}

/** Channels run fastest here and slowest there. */
function interleaved(area: number, channels: number, stride: number): Int32Array {
  const places = new Int32Array(area * channels);
  for (let pixel = 0, i = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < channels; channel++) places[i++] = channel * stride + pixel;
  }
  return places;
}
