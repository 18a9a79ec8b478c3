/** In the coordinates of a map. */
export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Bounds of the finite points among `rows` (all without); null where there are none. */
export function boundsOf(coordinates: Float32Array, rows?: ArrayLike<number>): Box | null {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  const n = rows ? rows.length : coordinates.length / 2;
  for (let i = 0; i < n; i++) {
    const row = rows ? rows[i] : i;
    const x = coordinates[2 * row];
    const y = coordinates[2 * row + 1];
    if (!Number.isFinite(x + y)) continue;
    if (x < box.x0) box.x0 = x;
    if (x > box.x1) box.x1 = x;
    if (y < box.y0) box.y0 = y;
    if (y > box.y1) box.y1 = y;
  }
  return box.x0 <= box.x1 ? box : null;
}
