import { describe, expect, it } from "vitest";
import { isInside } from "../src/maps/polygon";
import { blurred, contourLines, density, levelHolding } from "../src/view/density";
import { isolines } from "../src/view/isolines";
import { randomNumbers } from "./view_random";

/** `f` of (column, row). */
function grid(columns: number, rows: number, f: (x: number, y: number) => number) {
  const values = Float32Array.from({ length: columns * rows }, (_, i) =>
    f(i % columns, Math.floor(i / columns)),
  );
  return { values, columns, rows };
}

function area(line: Float32Array): number {
  let twice = 0;
  for (let i = 0; i < line.length; i += 2) {
    const j = (i + 2) % line.length;
    twice += line[i] * line[j + 1] - line[j] * line[i + 1];
  }
  return twice / 2;
}

describe("isolines", () => {
  it("of a cone are circles", () => {
    const cone = grid(60, 50, (x, y) => 20 - Math.hypot(x - 30.3, y - 24.6));
    for (const radius of [3, 11.7, 18]) {
      const lines = isolines(cone, 20 - radius);
      expect(lines).toHaveLength(1);
      for (let i = 0; i < lines[0].length; i += 2) {
        expect(
          Math.abs(Math.hypot(lines[0][i] - 30.3, lines[0][i + 1] - 24.6) - radius),
        ).toBeLessThan(0.06);
      }
      // The high side is on the left: counter-clockwise around a hill.
      expect(area(lines[0]) / (Math.PI * radius ** 2)).toBeCloseTo(1, 1);
    }
  });

  it("of a ring are two, the inner one turned around", () => {
    const ring = grid(60, 60, (x, y) => -Math.abs(Math.hypot(x - 30, y - 30) - 15));
    const areas = isolines(ring, -5)
      .map(area)
      .sort((a, b) => a - b);
    expect(areas[0] / -(Math.PI * 10 ** 2)).toBeCloseTo(1, 1);
    expect(areas[1] / (Math.PI * 20 ** 2)).toBeCloseTo(1, 1);
  });

  it("close everywhere, saddles too", () => {
    const random = randomNumbers(3);
    const rough = grid(30, 30, (x, y) => (x * y * (x - 29) * (y - 29) === 0 ? 0 : random()));
    const lines = isolines(rough, 0.5);
    expect(lines.length).toBeGreaterThan(10);
    let steps = 0;
    for (const line of lines) {
      for (let i = 0; i < line.length; i += 2) {
        const j = (i + 2) % line.length;
        // Neighbours on the line share a cell.
        expect(
          Math.max(Math.abs(line[i] - line[j]), Math.abs(line[i + 1] - line[j + 1])),
        ).toBeLessThanOrEqual(1);
        steps++;
      }
    }
    const isHigh = (i: number) => rough.values[i] >= 0.5;
    const crossings = [...rough.values.keys()].filter(
      (i) => i % 30 < 29 && isHigh(i) !== isHigh(i + 1),
    ).length;
    expect(steps).toBeGreaterThan(crossings);
    for (let r = 1; r < 29; r++) {
      for (let c = 1; c < 29; c++) {
        const depth = lines.filter((line) => isInside(line, c, r)).length;
        expect(depth % 2 === 1).toBe(rough.values[r * 30 + c] >= 0.5);
      }
    }
  });

  it("are none where nothing is that high", () => {
    expect(
      isolines(
        grid(10, 10, () => 0),
        1,
      ),
    ).toEqual([]);
  });
});

describe("density", () => {
  it("of one point is the Gaussian", () => {
    const sigma = 2.5;
    const spike = grid(41, 41, (x, y) => (x === 20 && y === 20 ? 1 : 0));
    const bell = blurred(spike, sigma);
    for (const [x, y] of [
      [20, 20],
      [22, 17],
      [15, 20],
    ]) {
      const square = (x - 20) ** 2 + (y - 20) ** 2;
      expect(bell[y * 41 + x]).toBeCloseTo(
        Math.exp(-square / (2 * sigma ** 2)) / (2 * Math.PI * sigma ** 2),
        3,
      );
    }
    expect(bell.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  it("counts every finite point it was given", () => {
    const coordinates = Float32Array.of(0, 0, 1, 5, Number.NaN, 2, 3, 3);
    const total = (rows?: number[]) =>
      density(coordinates, 0.4, rows)?.values.reduce((sum, value) => sum + value, 0);
    expect(total()).toBeCloseTo(3, 4);
    expect(total([0, 2])).toBeCloseTo(1, 4);
    expect(density(coordinates, 0.4, [2])).toBeNull();
    expect(density(coordinates, 0.4, [])).toBeNull();
  });

  it("finds the level that holds a share", () => {
    const values = Float32Array.of(1, 4, 0, 3, 2);
    expect(levelHolding(values, 0.4)).toBe(4);
    expect(levelHolding(values, 0.7)).toBe(3);
    expect(levelHolding(values, 1)).toBe(1);
    expect(levelHolding(new Float32Array(3), 0.5)).toBe(0);
  });

  it("lines of a normal cloud hold the share of points they say", () => {
    const random = randomNumbers(5);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const n = 20000;
    const coordinates = Float32Array.from({ length: 2 * n }, (_, i) =>
      i % 2 ? 40 + 3 * normal() : -7 + 3 * normal(),
    );
    const cloud = density(coordinates, 0.3);
    const shares = [0.9, 0.5];
    const lines = cloud ? contourLines(cloud, shares) : [];
    shares.forEach((share, k) => {
      let held = 0;
      for (let i = 0; i < n; i++) {
        const depth = lines[k].filter((line) =>
          isInside(line, coordinates[2 * i], coordinates[2 * i + 1]),
        ).length;
        held += depth % 2;
      }
      expect(held / n).toBeCloseTo(share, 1);
      // The circle that holds a share p of a Gaussian has the radius σ √(−2 log(1 − p)).
      const widest = Math.max(...lines[k].map(area));
      expect(Math.sqrt(widest / Math.PI) / (3 * Math.sqrt(-2 * Math.log(1 - share)))).toBeCloseTo(
        1,
        1,
      );
    });
  });
});
