import { describe, expect, it } from "vitest";
import { Places } from "../src/maps/places";
import { shuffled } from "../src/view/map_state";
import { thumbnailSide } from "../src/view/point_style";
import { chooseThumbnails } from "../src/view/thumbnails";
import { randomNumbers } from "./view_random";

const n = 3000;
const random = randomNumbers(1);
// Two clouds of very different density, and one place that is none.
const coordinates = Float32Array.from({ length: 2 * n }, (_, i) =>
  i % 4 < 2 ? 10 * random() : 0.3 * random() - 5,
);
coordinates[10] = Number.NaN;
const mask = Uint8Array.from({ length: n }, () => (random() < 0.5 ? 1 : 0));
const index = new Places(coordinates);

const distance = (row: number, x: number, y: number) =>
  Math.hypot(coordinates[2 * row] - x, coordinates[2 * row + 1] - y);
const allRows = Array.from({ length: n }, (_, row) => row);

describe("the index of a map", () => {
  it.each([null, mask])("finds the nearest as a look at all of them does", (shown) => {
    for (let i = 0; i < 300; i++) {
      const [x, y] = [16 * random() - 6, 16 * random() - 6];
      const radius = 0.05 + random();
      const near = allRows.filter((row) => (!shown || shown[row]) && distance(row, x, y) <= radius);
      const found = index.nearest(x, y, 1, radius, shown)[0] ?? -1;
      const best = Math.min(...near.map((row) => distance(row, x, y)));
      if (near.length) expect(distance(found, x, y)).toBeCloseTo(best, 6);
      else expect(found).toBe(-1);
    }
  });

  it("lists what is in a box, and says when it is too much", () => {
    for (let i = 0; i < 100; i++) {
      const box = { x0: 10 * random() - 5, y0: 10 * random() - 5, x1: 0, y1: 0 };
      box.x1 = box.x0 + 4 * random();
      box.y1 = box.y0 + 4 * random();
      const expected = allRows.filter((row) => {
        const [x, y] = [coordinates[2 * row], coordinates[2 * row + 1]];
        return mask[row] && x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
      });
      expect(index.inBox(box, n, mask)?.sort((a, b) => a - b)).toEqual(expected);
      expect(index.inBox(box, expected.length, mask)).toHaveLength(expected.length);
      if (expected.length) expect(index.inBox(box, expected.length - 1, mask)).toBeNull();
    }
  });

  it("measures the spacing of a uniform cloud, whatever its size", () => {
    for (const [count, side] of [
      [2000, 1],
      [20000, 50],
    ]) {
      const uniform = Float32Array.from({ length: 2 * count }, () => side * random());
      expect(new Places(uniform).spacing / (side / Math.sqrt(count))).toBeCloseTo(1, 1);
    }
  });

  it.each([
    ["no point", [], -1],
    ["one point", [2, 3], 0],
    ["points on one place", [2, 3, 2, 3, 2, 3], 0],
    ["points on a line", [1, 3, 2, 3, 9, 3], 1],
    ["nothing finite", [Number.NaN, 1, 2, Number.POSITIVE_INFINITY], -1],
  ])("bears %s", (_, values, expected) => {
    const small = new Places(Float32Array.from(values));
    expect(small.nearest(2, 3, 1, 0.5)[0] ?? -1).toBe(expected);
    expect(Number.isFinite(small.spacing)).toBe(true);
  });
});

describe("thumbnails", () => {
  const uniform = Float32Array.from({ length: 2 * n }, () => 10 * random());
  const cloud = new Places(uniform);
  const order = shuffled(n);
  const rank = new Uint32Array(n);
  order.forEach((row, place) => (rank[row] = place));
  const size = { width: 800, height: 600 };
  const choose = (scale: number, x = 5) =>
    chooseThumbnails(cloud, { x, y: 5, scale }, size, rank, null);

  it("come only when there is room, and hardly cover each other", () => {
    expect(choose(10 / 600)).toBeNull();
    const scale = cloud.spacing / 40;
    const choice = choose(scale);
    expect(choice?.side).toBe(thumbnailSide(40));
    const rows = choice?.rows ?? [];
    expect(rows.length).toBeGreaterThan(50);
    let closest = Number.POSITIVE_INFINITY;
    for (const a of rows) {
      for (const b of rows) {
        const [dx, dy] = [0, 1].map(
          (axis) => Math.abs(uniform[2 * a + axis] - uniform[2 * b + axis]) / scale,
        );
        if (a !== b) closest = Math.min(closest, Math.max(dx, dy));
      }
    }
    expect(closest).toBeGreaterThan(0.87 * (choice?.side ?? 0));
  });

  it("hold still while the map is panned", () => {
    const scale = cloud.spacing / 40;
    const before = new Set(choose(scale)?.rows);
    const after = choose(scale, 5 + 5 * scale)?.rows ?? [];
    expect(after.filter((row) => before.has(row)).length / after.length).toBeGreaterThan(0.9);
  });
});

describe("the order of drawing", () => {
  it("holds every row once and mixes them", () => {
    const order = shuffled(1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const mean = order.slice(0, 200).reduce((sum, row) => sum + row, 0) / 200;
    expect(Math.abs(mean - 499.5)).toBeLessThan(60); // three standard errors
  });
});
