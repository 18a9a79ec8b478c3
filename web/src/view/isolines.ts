/** Values on a regular grid, row by row. */
export interface Grid {
  values: Float32Array;
  columns: number;
  rows: number;
}

// Edges of a cell: bottom, right, top, left.
const B = 0;
const R = 1;
const T = 2;
const L = 3;

// Segments by which corners are high (1: bottom left, 2: bottom right, 4: top right, 8: top left), each
// walked with the high side to its left.
const SEGMENTS: readonly (readonly number[])[] = [
  [],
  [B, L],
  [R, B],
  [R, L],
  [T, R],
  [B, L, T, R],
  [T, B],
  [T, L],
  [L, T],
  [B, T],
  [R, B, L, T],
  [R, T],
  [L, R],
  [B, R],
  [L, B],
  [],
];
const JOINED: Record<number, readonly number[]> = { 5: [B, R, T, L], 10: [L, B, R, T] };

/**
 * Lines of equal value: marching squares, points interpolated on the grid's edges, joined to closed
 * polygons (x0, y0, x1, y1 …) in units of cells. The grid's rim must lie below `level`.
 */
export function isolines(grid: Grid, level: number): Float32Array[] {
  const { values, columns } = grid;
  const next = segmentsAt(grid, level);
  const lines: Float32Array[] = [];
  for (const first of next.keys()) {
    if (!next.has(first)) continue;
    const line: number[] = [];
    let edge: number | undefined = first;
    while (edge !== undefined && next.has(edge)) {
      const corner = edge >> 1;
      const isVertical = edge & 1;
      const a = values[corner];
      const b = values[corner + (isVertical ? columns : 1)];
      const share = (level - a) / (b - a);
      line.push(
        (corner % columns) + (isVertical ? 0 : share),
        Math.floor(corner / columns) + (isVertical ? share : 0),
      );
      const following: number | undefined = next.get(edge);
      next.delete(edge);
      edge = following;
    }
    lines.push(Float32Array.from(line));
  }
  return lines;
}

/** Edge → the edge its segment leads to. An edge is 2 × its lower corner, plus 1 if it is vertical. */
function segmentsAt({ values, columns, rows }: Grid, level: number): Map<number, number> {
  const next = new Map<number, number>();
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const i = r * columns + c;
      const corners = [values[i], values[i + 1], values[i + columns + 1], values[i + columns]];
      let kind = 0;
      for (let k = 0; k < 4; k++) if (corners[k] >= level) kind |= 1 << k;
      if (kind === 0 || kind === 15) continue;
      const isSaddle = kind === 5 || kind === 10;
      const middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
      const segments = isSaddle && middle >= level ? JOINED[kind] : SEGMENTS[kind];
      const edges = [2 * i, 2 * (i + 1) + 1, 2 * (i + columns), 2 * i + 1];
      for (let k = 0; k < segments.length; k += 2)
        next.set(edges[segments[k]], edges[segments[k + 1]]);
    }
  }
  return next;
}
