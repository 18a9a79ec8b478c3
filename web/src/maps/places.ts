/** The points of a map, found by place. */
import Flatbush from "flatbush";
import { isInside } from "../view/polygon";

/** Points looked at for the typical distance of neighbours. */
const N_ASKED = 1000;

/** An index over coordinates (n, 2), built when first asked. */
export class Places {
  private index: Flatbush | null = null;

  constructor(readonly coordinates: Float32Array) {}

  /** Rows of the `k` points nearest to (x, y), the nearest first. */
  nearest(x: number, y: number, k: number, radius = Infinity): number[] {
    return this.tree().neighbors(x, y, k, radius);
  }

  distance(row: number, x: number, y: number): number {
    return Math.hypot(this.coordinates[2 * row] - x, this.coordinates[2 * row + 1] - y);
  }

  /** Rows inside the polygon (k, 2), in their order. */
  inside(polygon: Float32Array): number[] {
    const xs = polygon.filter((_, i) => i % 2 === 0);
    const ys = polygon.filter((_, i) => i % 2 === 1);
    if (!xs.length) return [];
    const { coordinates } = this;
    return this.tree()
      .search(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys))
      .filter((row) => isInside(polygon, coordinates[2 * row], coordinates[2 * row + 1]))
      .sort((a, b) => a - b);
  }

  /** Median distance of a point to its nearest other one that is not on top of it; 1 if none. */
  typicalGap(): number {
    const n = this.coordinates.length / 2;
    const step = Math.max(1, Math.floor(n / N_ASKED));
    const gaps: number[] = [];
    for (let row = 0; row < n; row += step) {
      const [x, y] = this.coordinates.subarray(2 * row, 2 * row + 2);
      const isOther = (other: number): boolean => this.distance(other, x, y) > 0;
      const [other] = this.tree().neighbors(x, y, 1, Infinity, isOther);
      if (other !== undefined) gaps.push(this.distance(other, x, y));
    }
    gaps.sort((a, b) => a - b);
    return gaps.length ? gaps[gaps.length >> 1] : 1;
  }

  private tree(): Flatbush {
    if (this.index) return this.index;
    const { coordinates } = this;
    const index = new Flatbush(coordinates.length / 2, 16, Float32Array);
    for (let i = 0; i < coordinates.length; i += 2) index.add(coordinates[i], coordinates[i + 1]);
    index.finish();
    this.index = index;
    return index;
  }
}
