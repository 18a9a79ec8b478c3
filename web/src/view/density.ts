import { boundsOf } from "../maps/box";
import { type Grid, isolines } from "./isolines";

const CELLS_PER_SIGMA = 2;
const REACH = 3; // standard deviations after which the bell counts as zero
const MOST_CELLS = 600; // along one side

/** A grid and where it lies: the value of (column, row) belongs to (x + column × cell, y + row × cell). */
export interface DensityGrid extends Grid {
  x: number;
  y: number;
  cell: number;
}

/** Points per cell, smoothed by a Gaussian of `sigma` data units; the sum is their number. Null: no points. */
export function density(
  coordinates: Float32Array,
  sigma: number,
  rows?: ArrayLike<number>,
): DensityGrid | null {
  const box = boundsOf(coordinates, rows);
  if (!box) return null;
  const longest = Math.max(box.x1 - box.x0, box.y1 - box.y0);
  const cell = Math.max(sigma / CELLS_PER_SIGMA, longest / MOST_CELLS) || 1;
  const width = sigma / cell;
  // One more cell than the bell reaches keeps the rim at zero, which closes every line.
  const margin = Math.ceil(REACH * width) + 2;
  const columns = Math.ceil((box.x1 - box.x0) / cell) + 2 * margin + 1;
  const gridRows = Math.ceil((box.y1 - box.y0) / cell) + 2 * margin + 1;
  const x = box.x0 - margin * cell;
  const y = box.y0 - margin * cell;
  const values = new Float32Array(columns * gridRows);
  const n = rows ? rows.length : coordinates.length / 2;
  for (let i = 0; i < n; i++) {
    const row = rows ? rows[i] : i;
    const c = Math.round((coordinates[2 * row] - x) / cell);
    const r = Math.round((coordinates[2 * row + 1] - y) / cell);
    if (Number.isFinite(c + r)) values[r * columns + c]++;
  }
  return {
    values: blurred({ values, columns, rows: gridRows }, width),
    columns,
    rows: gridRows,
    x,
    y,
    cell,
  };
}

/** A Gaussian of `sigma` cells along both axes; the values' sum is kept but for what leaves the grid. */
export function blurred({ values, columns, rows }: Grid, sigma: number): Float32Array {
  const reach = Math.ceil(REACH * sigma);
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-(((i - reach) / sigma) ** 2) / 2),
  );
  const total = kernel.reduce((sum, value) => sum + value, 0);
  const pass = (
    input: Float32Array,
    length: number,
    step: number,
    lines: number,
    lineStep: number,
  ) => {
    const output = new Float32Array(input.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        const value = input[line * lineStep + i * step] / total;
        if (value === 0) continue; // most of a map is empty
        const from = Math.max(-reach, -i);
        const to = Math.min(reach, length - 1 - i);
        for (let k = from; k <= to; k++)
          output[line * lineStep + (i + k) * step] += value * kernel[k + reach];
      }
    }
    return output;
  };
  return pass(pass(values, columns, 1, rows, columns), rows, columns, columns, 1);
}

/** The level above which `share` of the whole sum lies. */
export function levelHolding(values: Float32Array, share: number): number {
  const sorted = values.filter((value) => value > 0).sort();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  let held = 0;
  for (let i = sorted.length - 1; i >= 0; i--) {
    held += sorted[i];
    if (held >= share * total) return sorted[i];
  }
  return 0;
}

/** Per share: closed lines (data coordinates) around the densest places that hold it of all points. */
export function contourLines(grid: DensityGrid, shares: readonly number[]): Float32Array[][] {
  return shares.map((share) => {
    const level = levelHolding(grid.values, share);
    if (level <= 0) return [];
    const lines = isolines(grid, level);
    for (const line of lines) {
      for (let i = 0; i < line.length; i += 2) {
        line[i] = grid.x + line[i] * grid.cell;
        line[i + 1] = grid.y + line[i + 1] * grid.cell;
      }
    }
    return lines;
  });
}
