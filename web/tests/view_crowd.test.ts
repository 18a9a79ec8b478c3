// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { Cells } from "../src/maps/cells";
import { Places } from "../src/maps/places";
import { Crowd } from "../src/view/crowd";
import { MapState, shuffled } from "../src/view/map_state";
import { CROWD, dotsOf } from "../src/view/point_style";
import { Raster } from "../src/view/raster";
import { randomNumbers } from "./helpers/scenes";

const PALETTE = Uint8Array.of(255, 0, 0, 255, 0, 0, 255, 255);
const ONTO = { scaleX: 1, offsetX: 0, scaleY: 1, offsetY: 0 };
const pixel = ({ image }: Raster, x: number, y: number) => [
  ...image.data.subarray(4 * (y * image.width + x), 4 * (y * image.width + x) + 4),
];

/** Points at places in pixels, of colours 0 and 1. */
function raster(places: number[][], opacity: number, diameter = 1, mask: number[] | null = null) {
  const made = new Raster();
  made.start(8, 6);
  const dots = {
    coordinates: Float32Array.from(places.flatMap((place) => place.slice(0, 2))),
    codes: Uint8Array.from(places, ([, , code]) => code),
    palette: PALETTE,
    mask: mask && Uint8Array.from(mask),
    ...{ diameter, opacity },
  };
  made.add(dots, ONTO, [{ from: 0, to: places.length }]);
  return { made, dots };
}

describe("dots that are added up", () => {
  it("cover as much as if one lay over the other, in their mean colour", () => {
    const { made } = raster([...Array(3).fill([2.5, 3.5, 0]), [2.2, 3.9, 1], [7.9, 0, 1]], 0.4);
    const alpha = Math.round(255 * (1 - 0.6 ** 4));
    expect(pixel(made, 2, 3)).toEqual([191, 0, 64, alpha]);
    expect(pixel(made, 7, 0)).toEqual([0, 0, 255, Math.round(255 * 0.4)]);
    expect(pixel(made, 3, 3)).toEqual([0, 0, 0, 0]);
  });

  it("leave out what is hidden, outside or nowhere", () => {
    const nowhere = [Number.NaN, 1, 0];
    const outside = [
      [-0.1, 2, 0],
      [8, 2, 0],
      [3, 6, 0],
    ];
    const { made } = raster([[1, 1, 0], nowhere, ...outside], 1, 1, [0, 1, 1, 1, 1]);
    expect(made.image.data.every((value) => value === 0)).toBe(true);
  });

  it("are squares of their size around their middle", () => {
    const { made } = raster([[4, 3, 0]], 0.5, 2);
    const inked = [3, 4].flatMap((x) => [2, 3].map((y) => pixel(made, x, y)[3]));
    expect(inked).toEqual([128, 128, 128, 128]);
    expect(made.image.data.filter((value, i) => i % 4 === 3 && value > 0)).toHaveLength(4);
  });

  it("that are chosen lie over the others", () => {
    const { made, dots } = raster([[2, 2, 0]], 0.5);
    made.add({ ...dots, codes: Uint8Array.of(1) }, ONTO, [{ from: 0, to: 1 }]);
    // Half of blue over half of red: red shines through by a third.
    expect(pixel(made, 2, 2)).toEqual([85, 0, 170, 192]);
    made.start(8, 6);
    expect(pixel(made, 2, 2)).toEqual([0, 0, 0, 0]);
  });
});

describe("cells", () => {
  const n = 5000;
  const random = randomNumbers(3);
  const coordinates = Float32Array.from({ length: 2 * n }, () => 10 * random());
  coordinates[8] = Number.NaN;
  const places = new Places(coordinates);
  const cells = new Cells(coordinates, places.bounds, shuffled(n));

  it("hold every point that has a place, once", () => {
    expect([...cells.items].sort((a, b) => a - b)).toEqual(
      Array.from({ length: n }, (_, row) => row).filter((row) => row !== 4),
    );
    expect(cells.count(cells.range(places.bounds))).toBe(n - 1);
  });

  it("find all points of a box, and few beside it", () => {
    for (const [x0, y0, x1, y1] of [
      [-5, -3, 4, 9],
      [0, 0, 0.5, 0.5],
      [-100, -100, 100, 100],
      [90, 90, 99, 99],
      [-99, 0, -90, 5],
    ]) {
      const found = new Set<number>();
      cells.each(cells.range({ x0, y0, x1, y1 }), (from, to) => {
        for (const row of cells.items.subarray(from, to)) found.add(row);
      });
      const inside = places.inBox({ x0, y0, x1, y1 }, Infinity)!;
      expect(inside.every((row) => found.has(row))).toBe(true);
      const size = (places.bounds.x1 - places.bounds.x0) / 60;
      const around = { x0: x0 - size, y0: y0 - size, x1: x1 + size, y1: y1 + size };
      expect(found.size).toBeLessThanOrEqual(places.inBox(around, Infinity)!.length);
    }
  });

  it("are there for points along a line, and for one alone", () => {
    const line = Float32Array.from({ length: 200 }, (_, i) => (i % 2 ? 3 : i));
    const along = new Cells(line, new Places(line).bounds, shuffled(100));
    expect(along.count(along.range({ x0: 0, y0: 3, x1: 198, y1: 3 }))).toBe(100);
    const one = Float32Array.of(7, 7);
    const alone = new Cells(one, new Places(one).bounds, shuffled(1));
    expect(alone.count(alone.range({ x0: 0, y0: 0, x1: 9, y1: 9 }))).toBe(1);
  });
});

describe("a map of many points", () => {
  const n = 2 * CROWD;
  const random = randomNumbers(5);
  const coordinates = Float32Array.from({ length: 2 * n }, () => 100 * random());

  function state(scale: number): MapState {
    const made = new MapState(n);
    made.places = new Places(coordinates);
    made.size = { width: 200, height: 150 };
    made.view = { x: 0, y: 0, scale };
    return made;
  }

  it("is crowded from afar, and not from near by", () => {
    const all = state(5).crowd()!;
    expect(all.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(n);
    expect(state(0.1).crowd()).toBeNull();
    const travelling = state(5);
    travelling.progress = 0.5;
    expect(travelling.crowd()).toBeNull();
    expect(travelling.inSight()).toHaveLength(n);
  });

  it("from near by has in sight what can be seen, in the order of drawing", () => {
    const made = state(0.1);
    const rows = made.inSight();
    expect(rows.length).toBeLessThan(n / 10);
    const seen = new Set(rows);
    const inView = made.places.inBox({ x0: -10, y0: -7.5, x1: 10, y1: 7.5 }, Infinity)!;
    expect(inView.length).toBeGreaterThan(100);
    expect(inView.every((row) => seen.has(row))).toBe(true);
    const ranks = Array.from(rows, (row) => made.rank[row]);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(made.inSight()).toBe(rows);
    made.mask = new Uint8Array(n);
    made.mask[inView[0]] = 1;
    expect([...made.inSight()]).toEqual([inView[0]]);
  });

  it("is drawn right way up, selected points brightest", () => {
    const made = state(5);
    made.paint = {
      codes: Uint8Array.from({ length: n }, (_, row) => +(coordinates[2 * row + 1] > 0)),
      palette: PALETTE,
    };
    const image = new Crowd().draw(made, false)!;
    const at = (x: number, y: number) => [
      ...image.data.subarray(4 * (y * image.width + x), 4 * (y * image.width + x) + 3),
    ];
    expect([image.width, image.height]).toEqual([200, 150]);
    expect(at(100, 70)).toEqual([0, 0, 255]); // blue lies above
    expect(at(100, 80)).toEqual([255, 0, 0]);
    const alpha = (x: number, y: number) => image.data[4 * (y * 200 + x) + 3];
    const before = alpha(100, 70);
    made.setSelection([coordinates.findIndex((_, i) => i % 2 === 0 && coordinates[i] < 0) / 2]);
    // A sample, while it moves, is as dense.
    const ink = (of: ImageData) => of.data.reduce((sum, v, i) => (i % 4 === 3 ? sum + v : sum), 0);
    made.setSelection([]);
    const whole = ink(image);
    const sample = new Crowd().draw(made, false, n / 20)!;
    expect(ink(sample)).not.toBe(whole);
    expect(Math.abs(ink(sample) / whole - 1)).toBeLessThan(0.25);
    made.setSelection([coordinates.findIndex((_, i) => i % 2 === 0 && coordinates[i] < 0) / 2]);
    const crowd = new Crowd();
    const dimmed = crowd.draw(made, false)!;
    expect(dotsOf(made, false).dim).toBeLessThan(1);
    expect(dimmed.data[4 * (70 * 200 + 100) + 3]).toBeLessThanOrEqual(before);
    // What changes is gathered anew.
    const inked = () =>
      crowd.draw(made, false)!.data.filter((value, i) => i % 4 === 3 && value > 0);
    const all = inked().length;
    made.mask = Uint8Array.from({ length: n }, (_, row) => +(coordinates[2 * row + 1] > 0));
    expect(inked().length).toBeLessThan(all);
    made.paint = { codes: new Uint8Array(n), palette: Uint8Array.of(0, 255, 0, 255) };
    const green = crowd.draw(made, false)!;
    expect([...green.data.subarray(4 * (70 * 200 + 100), 4 * (70 * 200 + 100) + 3)]).toEqual([
      0, 255, 0,
    ]);
    made.mask = null;
    made.places = new Places(coordinates.map((value) => value + 1e6));
    made.setSelection([]);
    expect(crowd.draw(made, false)).toBeNull();
  });
});
