import { describe, expect, it } from "vitest";
import { boundsOf } from "../src/maps/box";
import {
  betweenViews,
  ease,
  fitted,
  panned,
  toData,
  toScreen,
  visibleBox,
  zoomed,
} from "../src/view/camera";

const size = { width: 800, height: 500 };
const view = { x: 3, y: -2, scale: 0.05 };

describe("camera", () => {
  it("leads from data to pixels and back, y up", () => {
    const [px, py] = toScreen(view, size, 5, 4);
    expect([px, py]).toEqual([440, 130]);
    const [x, y] = toData(view, size, px, py);
    expect(x).toBeCloseTo(5, 12);
    expect(y).toBeCloseTo(4, 12);
  });

  it("pans what was grabbed along with the pointer", () => {
    const [x, y] = toData(panned(view, 30, -12), size, 130, 88);
    const [x0, y0] = toData(view, size, 100, 100);
    expect(x).toBeCloseTo(x0, 12);
    expect(y).toBeCloseTo(y0, 12);
  });

  it.each([0.2, 1, 7])("zooms by %d about the pointer", (factor) => {
    const closer = zoomed(view, size, 123, 456, factor);
    expect(closer.scale).toBeCloseTo(view.scale / factor, 12);
    const [x, y] = toData(closer, size, 123, 456);
    const [x0, y0] = toData(view, size, 123, 456);
    expect(x).toBeCloseTo(x0, 12);
    expect(y).toBeCloseTo(y0, 12);
  });

  it("does not drift at the limits of the zoom", () => {
    const limits: [number, number] = [0.05, 1];
    expect(zoomed(view, size, 10, 20, 3, limits)).toEqual({
      x: expect.closeTo(3),
      y: expect.closeTo(-2),
      scale: 0.05,
    });
  });

  it("fits a box into the margins, touching the tighter pair", () => {
    const margins = { left: 50, right: 10, top: 20, bottom: 40 };
    const box = { x0: -1, x1: 3, y0: 10, y1: 11 };
    const fit = fitted(box, size, margins);
    expect(toScreen(fit, size, -1, 10.5)).toEqual([expect.closeTo(50), expect.closeTo(240)]);
    expect(toScreen(fit, size, 3, 10.5)[0]).toBeCloseTo(790);
  });

  it("shows a single point in the middle at some finite scale", () => {
    const none = { left: 0, right: 0, top: 0, bottom: 0 };
    const fit = fitted({ x0: 2, x1: 2, y0: 5, y1: 5 }, size, none);
    expect(fit).toMatchObject({ x: 2, y: 5 });
    expect(fit.scale).toBeGreaterThan(0);
  });

  it("keeps the fixed point of a zoom all the way", () => {
    const to = zoomed(view, size, 700, 90, 20);
    for (const t of [0, 0.3, 0.8, 1]) {
      const [px, py] = toScreen(betweenViews(view, to, t), size, ...toData(view, size, 700, 90));
      expect(px).toBeCloseTo(700, 8);
      expect(py).toBeCloseTo(90, 8);
    }
    const aside = { ...view, x: 9 };
    expect(betweenViews(view, aside, 0.5)).toEqual({ x: 6, y: -2, scale: view.scale });
  });

  it("eases from 0 to 1 symmetrically, never backwards", () => {
    expect([ease(0), ease(0.5), ease(1)]).toEqual([0, 0.5, 1]);
    for (let t = 0; t < 1; t += 0.1) {
      expect(ease(t + 0.1)).toBeGreaterThan(ease(t));
      expect(ease(t) + ease(1 - t)).toBeCloseTo(1, 12);
    }
  });

  it("sees as much as the canvas is wide, and bounds only what is finite", () => {
    const box = visibleBox(view, size, 10);
    expect(box.x1 - box.x0).toBeCloseTo(820 * view.scale);
    expect(box.y1 - box.y0).toBeCloseTo(520 * view.scale);
    const coordinates = Float32Array.of(1, 2, Number.NaN, 9, -3, 4, 5, -6);
    expect(boundsOf(coordinates)).toEqual({ x0: -3, x1: 5, y0: -6, y1: 4 });
    expect(boundsOf(coordinates, [0, 2])).toEqual({ x0: -3, x1: 1, y0: 2, y1: 4 });
    expect(boundsOf(new Float32Array())).toBeNull();
  });
});
