// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { Places } from "../src/maps/places";
import { roundBelow } from "../src/output/figure";
import { svgPen } from "../src/output/pens";
import { measureLabels, placeLabels } from "../src/view/labels";
import { MapState } from "../src/view/map_state";
import type { Label, LabelGroup, ViewBox } from "../src/view/view";
import { randomNumbers } from "./view_random";

const SIZE = { width: 600, height: 400 };
const ALL: ViewBox = { x: 0, y: 0, scale: 0.02 };
const NAMES = { names: true, examples: false };
const widthOf = (text: string): number => 8 * text.length + 20;

/** Clouds of 200 points each around these places. */
function clouds(centres: [number, number][], spread = 0.3) {
  const draw = randomNumbers(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const n = 200 * centres.length;
  const coordinates = Float32Array.from(
    { length: 2 * n },
    (_, i) => centres[Math.floor(i / 400)][i % 2] + spread * normal(),
  );
  const state = new MapState(n);
  state.places = new Places(coordinates);
  state.size = SIZE;
  return state;
}

const group = (text: string, from: number, to: number): LabelGroup => ({
  ...{ text, color: "#123456", rows: Int32Array.from({ length: to - from }, (_, i) => from + i) },
});

const apart = (labels: readonly Label[]): boolean =>
  labels.every((a, i) =>
    labels
      .slice(i + 1)
      .every(
        (b) =>
          Math.abs(a.x - b.x) >= (a.width + b.width) / 2 ||
          Math.abs(a.y - b.y) >= (a.height + b.height) / 2,
      ),
  );

describe("names on the map", () => {
  it("stand where their points are densest", () => {
    const state = clouds([
      [-3, 1],
      [3, -1],
    ]);
    const measured = measureLabels(state, [group("left", 0, 200), group("right", 200, 400)]);
    const labels = placeLabels(measured, ALL, SIZE, NAMES, widthOf);
    expect(labels.map(({ text }) => text).sort()).toEqual(["left", "right"]);
    for (const { text, x, y } of labels) {
      const sign = text === "left" ? -1 : 1;
      expect(Math.abs(x - (300 + (sign * 3) / 0.02))).toBeLessThan(15);
      expect(Math.abs(y - (200 + (sign * 1) / 0.02))).toBeLessThan(15);
    }
  });

  it("name both halves of what lies in two places, and nothing over anything", () => {
    const state = clouds([
      [-3, 0],
      [3, 0],
      [3.1, 0],
      [-3.1, 0.05],
    ]);
    const measured = measureLabels(state, [
      group("wide", 0, 400),
      group("b", 400, 600),
      group("c", 600, 800),
    ]);
    const labels = placeLabels(measured, ALL, SIZE, NAMES, widthOf);
    expect(labels.map(({ text }) => text).sort()).toEqual(["b", "c", "wide", "wide"]);
    expect(apart(labels)).toBe(true);
  });

  it("follow into what is seen, and go where hardly anything is", () => {
    const state = clouds([
      [0, 0],
      [4, 0],
    ]);
    const measured = measureLabels(state, [group("near", 0, 200), group("far", 200, 400)]);
    const beside: ViewBox = { x: 1.1, y: 0, scale: 0.0025 }; // 0.35 … 1.85
    const [label, ...others] = placeLabels(measured, beside, SIZE, NAMES, widthOf);
    expect([label.text, others]).toEqual(["near", []]);
    expect(label.x).toBeLessThan(80);
    const empty: ViewBox = { x: 2, y: 3, scale: 0.001 };
    expect(placeLabels(measured, empty, SIZE, NAMES, widthOf)).toEqual([]);
  });

  it("leave out what is hidden, and show the picture in the middle of each", () => {
    const state = clouds([
      [-3, 0],
      [3, 0],
    ]);
    state.mask = Uint8Array.from({ length: 400 }, (_, row) => +(row < 200));
    const groups = [group("left", 0, 200), group("right", 200, 400)];
    const labels = placeLabels(
      measureLabels(state, groups),
      ALL,
      SIZE,
      { names: true, examples: true },
      widthOf,
    );
    expect(labels).toHaveLength(1);
    const { row } = labels[0];
    const [x, y] = state.coordinates.subarray(2 * row);
    expect(Math.hypot(x + 3, y)).toBeLessThan(0.3);
  });

  it("are none where all points are one", () => {
    const state = new MapState(3);
    state.places = new Places(new Float32Array(6).fill(1));
    expect(measureLabels(state, [group("one", 0, 3)])).toEqual([]);
  });
});

describe("a figure", () => {
  it.each([
    [7.3, 5],
    [5, 5],
    [0.19, 0.1],
    [34, 20],
  ])("has a bar of a round length: %s → %s", (most, length) => {
    expect(roundBelow(most)).toBeCloseTo(length, 12);
  });

  it("writes names as text, whatever is in them", async () => {
    const pen = svgPen(100, 50);
    pen.circle(1.23456, 2, 3, "rgb(1 2 3)", 0.5);
    pen.text(10, 20, `<img src=x onerror="alert(1)"> & co`, { fill: "#000" });
    const svg = await (await pen.file()).text();
    const read = new DOMParser().parseFromString(svg, "image/svg+xml");
    expect(svg).not.toContain("<img");
    expect(read.querySelector("text")?.textContent).toContain(
      '<img src=x onerror="alert(1)"> & co',
    );
    expect(svg).toContain('<circle cx="1.23" cy="2" r="3" fill="rgb(1 2 3)" fill-opacity="0.5"/>');
  });
});
