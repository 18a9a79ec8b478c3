/** The points of a map, found by place: the one index that the ways back, the drawn map and the lasso share. */
import Flatbush from "flatbush";
import { type Box, boundsOf } from "./box";
import { isInside } from "./polygon";

/** Points looked at for the typical distance of neighbours. */
const N_ASKED = 1000;
const POINTS_PER_CELL = 2;
/** Fewer points are indexed in a moment. */
export const MANY = 50_000;

/** Coordinates (n, 2) and an index over them, built when first asked. What is not finite has no place. */
export class Places {
  readonly bounds: Box;
  readonly frame: Box;
  private tree: Flatbush | null = null;
  private rows: Uint32Array | null = null; // of the tree's items; null: every row is one
  private knownSpacing: number | null = null;

  /** @param frame what is shown when all is; of maps that follow each other, that of all of them */
  constructor(
    readonly coordinates: Float32Array,
    frame: Box | null = null,
  ) {
    this.bounds = boundsOf(coordinates) ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
    this.frame = frame ?? this.bounds;
  }

  get n(): number {
    return this.coordinates.length / 2;
  }

  /** Builds the index before anyone asks. */
  prepare(): void {
    this.index();
  }

  /** Whether what lies where is known at once: the index is there, or made in a moment. */
  get isQuick(): boolean {
    return this.tree !== null || this.n < MANY;
  }

  /** Takes an index that was built elsewhere: the data of the tree of `indexOf`, and its rows. */
  adopt(data: ArrayBuffer, rows: Uint32Array | null): void {
    this.rows = rows;
    this.tree = Flatbush.from(data);
  }

  /**
   * Rows of the `k` points nearest to (x, y), the nearest first.
   *
   * @param mask 1 where a point counts; null: all do
   */
  nearest(
    x: number,
    y: number,
    k: number,
    radius = Infinity,
    mask: Uint8Array | null = null,
  ): number[] {
    const counts = mask ? (item: number) => mask[this.rowOf(item)] === 1 : undefined;
    return this.rowsOf(this.index()?.neighbors(x, y, k, radius, counts));
  }

  /** Rows in `box`, in no order; null if there are more than `limit`. */
  inBox({ x0, y0, x1, y1 }: Box, limit: number, mask: Uint8Array | null = null): number[] | null {
    let found = 0;
    const counts = (item: number) => (!mask || mask[this.rowOf(item)] === 1) && ++found <= limit;
    const items = this.index()?.search(x0, y0, x1, y1, counts);
    return found > limit ? null : this.rowsOf(items);
  }

  /** Rows inside the polygon (k, 2), in their order. */
  inside(polygon: Float32Array): number[] {
    const box = boundsOf(polygon);
    if (!box) return [];
    const { coordinates } = this;
    return this.inBox(box, Infinity)!
      .filter((row) => isInside(polygon, coordinates[2 * row], coordinates[2 * row + 1]))
      .sort((a, b) => a - b);
  }

  distance(row: number, x: number, y: number): number {
    return Math.hypot(this.coordinates[2 * row] - x, this.coordinates[2 * row + 1] - y);
  }

  /** Median distance of a point to its nearest other one that is not on top of it; 1 if none. */
  typicalGap(): number {
    const step = Math.max(1, Math.floor(this.n / N_ASKED));
    const gaps: number[] = [];
    for (let row = 0; row < this.n; row += step) {
      const [x, y] = this.coordinates.subarray(2 * row, 2 * row + 2);
      const isOther = (item: number): boolean => this.distance(this.rowOf(item), x, y) > 0;
      const [item] = this.index()?.neighbors(x, y, 1, Infinity, isOther) ?? [];
      if (item !== undefined) gaps.push(this.distance(this.rowOf(item), x, y));
    }
    gaps.sort((a, b) => a - b);
    return gaps.length ? gaps[gaps.length >> 1] : 1;
  }

  /** How far apart neighbours are where the points are, without asking any; 0 for fewer than two places. */
  get spacing(): number {
    return (this.knownSpacing ??= this.measureSpacing());
  }

  private measureSpacing(): number {
    const { coordinates, n, bounds } = this;
    const width = bounds.x1 - bounds.x0;
    const height = bounds.y1 - bounds.y0;
    const longest = Math.max(width, height);
    const wanted = Math.max(1, n / POINTS_PER_CELL);
    // A thin cloud gets square cells too, but never more of them along it than points.
    const cell = Math.max(Math.sqrt((width * height) / wanted), longest / wanted) || 1;
    const columns = Math.floor(width / cell) + 1;
    const counts = new Uint32Array(columns * (Math.floor(height / cell) + 1));
    let placed = 0;
    let pairs = 0;
    for (let row = 0; row < n; row++) {
      const c = Math.floor((coordinates[2 * row] - bounds.x0) / cell);
      const r = Math.floor((coordinates[2 * row + 1] - bounds.y0) / cell);
      if (!Number.isFinite(c + r)) continue;
      placed++;
      pairs += 2 * counts[r * columns + c]++;
    }
    // Pairs that share a cell count the density a point sees around it, without bias for few points a cell.
    const density = pairs / (placed * cell ** 2);
    return density > 0 ? 1 / Math.sqrt(density) : longest || 1; // one point alone has no neighbours
  }

  private rowOf(item: number): number {
    return this.rows ? this.rows[item] : item;
  }

  private rowsOf(items: number[] = []): number[] {
    return this.rows ? items.map((item) => this.rowOf(item)) : items;
  }

  /** Null where there is no place at all. */
  private index(): Flatbush | null {
    if (this.tree) return this.tree;
    const found = indexOf(this.coordinates);
    if (!found) return null;
    this.rows = found.rows;
    this.tree = found.tree;
    return this.tree;
  }
}

/** A tree over places (n, 2), and which rows its items are, null: all. Null where there is no place at all. */
export function indexOf(
  coordinates: Float32Array,
): { tree: Flatbush; rows: Uint32Array | null } | null {
  const n = coordinates.length / 2;
  const isPlaced = (row: number): boolean =>
    Number.isFinite(coordinates[2 * row] + coordinates[2 * row + 1]);
  const placed = new Uint32Array(n).map((_, row) => row).filter(isPlaced);
  if (!placed.length) return null;
  const tree = new Flatbush(placed.length, 16, Float32Array);
  for (const row of placed) tree.add(coordinates[2 * row], coordinates[2 * row + 1]);
  tree.finish();
  return { tree, rows: placed.length < n ? placed : null };
}
