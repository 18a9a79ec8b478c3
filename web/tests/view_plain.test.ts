// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Places } from "../src/maps/places";
import { createGround } from "../src/view/ground";
import { MapState } from "../src/view/map_state";
import { type Drawn, recorder } from "./helpers/canvas";

let drawn: Drawn[] = [];

beforeEach(() => {
  drawn = [];
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(((kind: string) =>
    kind === "2d" ? recorder(drawn) : null) as never);
});
afterEach(() => vi.restoreAllMocks());

/** Four points and one without a place, one pixel a unit, in a map of 100 by 100. */
function state(): MapState {
  const made = new MapState(5);
  made.places = new Places(Float32Array.of(0, 0, 30, 0, 0, 30, 400, 0, Number.NaN, 0));
  made.size = { width: 100, height: 100 };
  const palette = Uint8Array.from({ length: 20 }, (_, i) => (i % 4 === 3 ? 255 : 10 * (i >> 2)));
  made.paint = { codes: Uint8Array.of(0, 1, 2, 3, 4), palette };
  return made;
}

const draw = (of: MapState) => {
  const ground = createGround(document.createElement("canvas"), of);
  ground.draw(Infinity, false);
  return drawn.filter(({ kind }) => kind === "arc");
};

it("without WebGL 2 every point that is in sight is drawn, in its colour", () => {
  const dots = draw(state());
  const seen = dots.map(({ at, color }) => [...at.slice(0, 2).map(Math.round), color]);
  expect(seen.sort()).toEqual(
    [
      [50, 50, "rgb(0 0 0)"],
      [80, 50, "rgb(10 10 10)"],
      [50, 20, "rgb(20 20 20)"],
    ].sort(),
  );
});

it("without WebGL 2 hidden points are left out, and selected ones stand out", () => {
  const made = state();
  made.mask = Uint8Array.of(1, 1, 0, 1, 1);
  made.setSelection([1, 2]);
  const dots = draw(made);
  const of = (x: number) => dots.filter(({ at }) => Math.round(at[0]) === x);
  expect(of(50)).toHaveLength(1);
  expect(of(80)).toHaveLength(2);
  expect(of(80)[1].opacity).toBeGreaterThan(3 * of(50)[0].opacity);
});

it("without WebGL 2 points travel from map to map", () => {
  const made = state();
  made.origins = new Float32Array(10);
  made.progress = 0.5;
  expect(draw(made).map(({ at }) => at.slice(0, 2).map(Math.round))).toContainEqual([65, 50]);
});
