/** Points by where they lie, so that those of a view are found without looking at the others. */
import type { Box } from "./box";

/** Along the longer side. */
const SIDE = 64;

/** Columns and rows of cells, the last ones included. */
export interface CellRange {
  c0: number;
  c1: number;
  r0: number;
  r1: number;
}

export class Cells {
  /** Rows of points, cell by cell; in a cell as they were in `order`. What has no place is left out. */
  readonly items: Uint32Array;
  private readonly starts: Uint32Array;
  private readonly columns: number;
  private readonly rows: number;
  private readonly size: number;

  /** @param order all rows, as they are drawn */
  constructor(
    coordinates: Float32Array,
    private readonly bounds: Box,
    order: Uint32Array,
  ) {
    const [width, height] = [bounds.x1 - bounds.x0, bounds.y1 - bounds.y0];
    this.size = Math.max(width, height) / SIDE || 1;
    this.columns = Math.min(SIDE, Math.floor(width / this.size) + 1);
    this.rows = Math.min(SIDE, Math.floor(height / this.size) + 1);
    const n = order.length;
    const nCells = this.columns * this.rows;
    const of = new Uint16Array(n);
    const starts = new Uint32Array(nCells + 2);
    for (let row = 0; row < n; row++) {
      const cell = this.cellOf(coordinates[2 * row], coordinates[2 * row + 1], nCells);
      of[row] = cell;
      starts[cell + 1]++;
    }
    for (let cell = 0; cell <= nCells; cell++) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    const items = new Uint32Array(n);
    for (let i = 0; i < n; i++) items[next[of[order[i]]]++] = order[i];
    this.starts = starts;
    this.items = items.subarray(0, starts[nCells]);
  }

  /** The cells that a box touches. */
  range({ x0, y0, x1, y1 }: Box): CellRange {
    const { bounds, size, columns, rows } = this;
    const at = (place: number, low: number): number => Math.floor((place - low) / size);
    return {
      c0: Math.max(0, at(x0, bounds.x0)),
      c1: Math.min(columns - 1, at(x1, bounds.x0)),
      r0: Math.max(0, at(y0, bounds.y0)),
      r1: Math.min(rows - 1, at(y1, bounds.y0)),
    };
  }

  /** How many points lie in them. */
  count(range: CellRange): number {
    let sum = 0;
    this.each(range, (from, to) => (sum += to - from));
    return sum;
  }

  /** Of each that is not empty, the stretch of `items` that lies in it, `to` not included. */
  each({ c0, c1, r0, r1 }: CellRange, use: (from: number, to: number) => void): void {
    const { starts, columns } = this;
    for (let r = r0; r <= r1; r++)
      for (let cell = r * columns + c0; cell <= r * columns + c1; cell++)
        if (starts[cell + 1] > starts[cell]) use(starts[cell], starts[cell + 1]);
  }

  private cellOf(x: number, y: number, none: number): number {
    const { bounds, size, columns, rows } = this;
    // The upper rim belongs to the last cell.
    const c = Math.min(columns - 1, Math.floor((x - bounds.x0) / size));
    const r = Math.min(rows - 1, Math.floor((y - bounds.y0) / size));
    return c >= 0 && r >= 0 ? r * columns + c : none;
  }
}
