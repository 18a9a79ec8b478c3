// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { Places } from "../src/maps/places";
import { MapState } from "../src/view/map_state";
import { Navigation } from "../src/view/navigation";

const CORNERS = Float32Array.of(-10, -5, 10, 5, 0, 0);

function begin(width = 600, height = 400) {
  const state = new MapState(3);
  state.places = new Places(CORNERS);
  state.size = { width, height };
  const onMove = vi.fn();
  const navigation = new Navigation(state, onMove);
  navigation.showAll();
  return { state, navigation, onMove };
}

describe("navigation", () => {
  it("shows all, and again at another size until somebody moves", () => {
    const { state, navigation } = begin();
    const scale = state.view.scale;
    expect(state.view).toMatchObject({ x: 0, y: 0 });
    state.size = { width: 1200, height: 800 };
    navigation.keepFitted();
    expect(state.view.scale).toBeLessThan(scale);
    navigation.panBy(30, 0);
    const moved = state.view;
    state.size = { width: 300, height: 200 };
    navigation.keepFitted();
    expect(state.view).toBe(moved);
    navigation.showAll();
    expect(state.view.x).toBe(0);
  });

  it("waits with the fit until there is a size", () => {
    const { state, navigation, onMove } = begin(0, 0);
    expect(onMove).not.toHaveBeenCalled();
    state.size = { width: 600, height: 400 };
    navigation.keepFitted();
    expect(20 / state.view.scale).toBeCloseTo(600 - 48);
  });

  it("leaves room for the axes", () => {
    const { state, navigation } = begin();
    navigation.hasAxes = true;
    navigation.keepFitted();
    expect(300 + (-10 - state.view.x) / state.view.scale).toBeCloseTo(46);
  });

  it("flies to some rows, and tells where it is going", () => {
    const { state, navigation } = begin();
    const from = state.view;
    navigation.fit([1, 2]);
    expect(state.view).toBe(from);
    expect(navigation.target).toMatchObject({ x: 5, y: 2.5 });
    const now = performance.now();
    navigation.advance(now + 100);
    expect(state.view.x).toBeGreaterThan(0);
    expect(state.view.x).toBeLessThan(5);
    navigation.advance(now + 10000);
    expect(state.view).toMatchObject({ x: 5, y: 2.5 });
    navigation.advance(now + 20000);
    expect(state.view).toEqual(navigation.target);
  });

  it("two zooms soon after each other add up", () => {
    const { state, navigation } = begin();
    const { scale } = state.view;
    navigation.zoomBy(300, 200, 2, true);
    navigation.zoomBy(300, 200, 2, true);
    navigation.advance(performance.now() + 10000);
    expect(state.view.scale).toBeCloseTo(scale / 4);
  });

  it("does not get lost: neither too far, nor too near, nor to no number", () => {
    const { state, navigation } = begin();
    const { scale } = state.view;
    navigation.zoomBy(0, 0, 1e-9);
    expect(state.view.scale).toBeCloseTo(4 * scale);
    navigation.go({ x: 0, y: 0, scale: 1e-30 }, false);
    expect(state.view.scale).toBeGreaterThan(1e-5);
    const before = state.view;
    navigation.go({ x: Number.NaN, y: 0, scale: 1 }, false);
    expect(state.view).toBe(before);
  });

  it("takes points from where they are on the screen, on their way too", () => {
    const { state } = begin();
    const clip = state.clipPositions();
    expect(clip[0]).toBeCloseTo((-10 / state.view.scale / 600) * 2);
    expect(clip[1]).toBeCloseTo((-5 / state.view.scale / 400) * 2);
    state.origins = new Float32Array(6);
    state.progress = 0.25;
    expect(state.clipPositions()[0]).toBeCloseTo(clip[0] / 4);
  });
});
