import { type Box, boundsOf } from "./camera";

const POINTS_PER_CELL = 2;

/** Points in a regular grid: who is near, in a box, how dense it is. What is not finite is in no cell. */
export class HitIndex {
  /** Median-like distance between neighbours where the points are, data units; 0 for fewer than two places. */
  readonly spacing: number;
  readonly bounds: Box;
  private readonly columns: number;
  private readonly rows: number;
  private readonly cell: number;
  private readonly start: Uint32Array; // of every cell, and the end of the last
  private readonly items: Uint32Array; // rows of points, cell by cell

  constructor(private readonly coordinates: Float32Array) {
    const n = coordinates.length / 2;
    this.bounds = boundsOf(coordinates) ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
    const width = this.bounds.x1 - this.bounds.x0;
    const height = this.bounds.y1 - this.bounds.y0;
    const longest = Math.max(width, height);
    const wanted = Math.max(1, n / POINTS_PER_CELL);
    // A thin cloud gets square cells too, but never more of them along it than points.
    this.cell = Math.max(Math.sqrt((width * height) / wanted), longest / wanted) || 1;
    this.columns = Math.floor(width / this.cell) + 1;
    this.rows = Math.floor(height / this.cell) + 1;
    this.start = new Uint32Array(this.columns * this.rows + 1);
    const cells = this.cellsOfPoints(n);
    for (const cell of cells) if (cell >= 0) this.start[cell + 1]++;
    let pairs = 0;
    for (let i = 1; i < this.start.length; i++) {
      pairs += this.start[i] * (this.start[i] - 1);
      this.start[i] += this.start[i - 1];
    }
    this.items = new Uint32Array(this.start[this.start.length - 1]);
    const next = this.start.slice();
    for (let row = 0; row < n; row++) if (cells[row] >= 0) this.items[next[cells[row]]++] = row;
    // Pairs that share a cell count the density a point sees around it, without bias for few points a cell.
    const density = pairs / (this.items.length * this.cell ** 2);
    this.spacing = density > 0 ? 1 / Math.sqrt(density) : longest || 1; // one point alone has no neighbours
  }

  /** The shown point nearest to (x, y) within `radius`, or -1. `mask`: 1 where shown. */
  nearest(x: number, y: number, radius: number, mask: Uint8Array | null = null): number {
    let best = -1;
    let bestSquare = radius * radius;
    this.visit({ x0: x - radius, y0: y - radius, x1: x + radius, y1: y + radius }, (row) => {
      if (mask && !mask[row]) return true;
      const dx = this.coordinates[2 * row] - x;
      const dy = this.coordinates[2 * row + 1] - y;
      const square = dx * dx + dy * dy;
      if (square < bestSquare || (square === bestSquare && best < 0)) {
        bestSquare = square;
        best = row;
      }
      return true;
    });
    return best;
  }

  /** Shown points in `box`; null if there are more than `limit`. */
  inBox(box: Box, limit: number, mask: Uint8Array | null = null): number[] | null {
    const found: number[] = [];
    const isWhole = this.visit(box, (row) => {
      if (mask && !mask[row]) return true;
      const x = this.coordinates[2 * row];
      const y = this.coordinates[2 * row + 1];
      if (x < box.x0 || x > box.x1 || y < box.y0 || y > box.y1) return true;
      found.push(row);
      return found.length <= limit;
    });
    return isWhole ? found : null;
  }

  /** Every point of the cells `box` touches, until `visitor` says false; whether it never did. */
  private visit(box: Box, visitor: (row: number) => boolean): boolean {
    const clamp = (value: number, last: number) => Math.min(last, Math.max(0, Math.floor(value)));
    if (box.x1 < this.bounds.x0 || box.x0 > this.bounds.x1) return true;
    if (box.y1 < this.bounds.y0 || box.y0 > this.bounds.y1) return true;
    const c0 = clamp((box.x0 - this.bounds.x0) / this.cell, this.columns - 1);
    const c1 = clamp((box.x1 - this.bounds.x0) / this.cell, this.columns - 1);
    const r0 = clamp((box.y0 - this.bounds.y0) / this.cell, this.rows - 1);
    const r1 = clamp((box.y1 - this.bounds.y0) / this.cell, this.rows - 1);
    for (let r = r0; r <= r1; r++) {
      const end = this.start[r * this.columns + c1 + 1];
      for (let i = this.start[r * this.columns + c0]; i < end; i++) {
        if (!visitor(this.items[i])) return false;
      }
    }
    return true;
  }

  private cellsOfPoints(n: number): Int32Array {
    const cells = new Int32Array(n);
    for (let row = 0; row < n; row++) {
      const x = this.coordinates[2 * row];
      const y = this.coordinates[2 * row + 1];
      if (!Number.isFinite(x + y)) {
        cells[row] = -1;
        continue;
      }
      // Rounding may put the outermost point one cell too far.
      const c = Math.min(this.columns - 1, Math.floor((x - this.bounds.x0) / this.cell));
      const r = Math.min(this.rows - 1, Math.floor((y - this.bounds.y0) / this.cell));
      cells[row] = r * this.columns + c;
    }
    return cells;
  }
}
