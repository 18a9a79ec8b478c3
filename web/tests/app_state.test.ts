import { describe, expect, it, vi } from "vitest";
import {
  chooseRow,
  flip,
  onlyValues,
  randomZ,
  redo,
  resetZ,
  seeSketch,
  setColor,
  setCurrent,
  setMap,
  setNeuron,
  settle,
  sketch,
  toggleValues,
  undo,
  walkTo,
} from "../src/state/actions";
import {
  changePath,
  clearPath,
  drawPath,
  followVectors,
  setPathEnd,
} from "../src/state/actions_path";
import { chooseMean, selectInside } from "../src/state/actions_selection";
import { keep } from "../src/state/actions_shelf";
import { cell, derived, watch } from "../src/state/cell";
import { change } from "../src/state/change";
import { contourGroups, hasColor } from "../src/state/coloring";
import type { Coloring } from "../src/state/colors";
import { hasMap, pairName, pairOf } from "../src/state/explorer";
import { hiddenOf } from "../src/state/filters";
import { createHistory } from "../src/state/history";
import { number, describe as say } from "../src/state/origin";
import { judge, onMapScale, trustOfPlace, trustOfVector } from "../src/state/trust";
import { smallExplorer } from "./app_explorer";
import { colorOf } from "./helpers/paint";

describe("a cell", () => {
  it("tells of changes, and of nothing else", () => {
    const heard: number[] = [];
    const source = cell(1);
    const stop = source.subscribe(() => heard.push(source.value));
    source.set(1);
    source.set(2);
    stop();
    source.set(3);
    expect(heard).toEqual([2]);
  });

  it("may be unsubscribed from while it tells", () => {
    const source = cell(0);
    const heard: string[] = [];
    const stop = source.subscribe(() => {
      heard.push("first");
      stop();
    });
    watch([source], () => heard.push("second"));
    source.set(1);
    source.set(2);
    expect(heard).toEqual(["first", "second", "second"]);
  });
});

describe("what follows from cells", () => {
  it("is worked out when looked at, once for the same values", () => {
    const [a, b] = [cell(1), cell(10)];
    const work = vi.fn(() => a.value + b.value);
    const sum = derived([a, b], work);
    const heard: number[] = [];
    expect(work).not.toHaveBeenCalled();
    expect([sum.value, sum.value]).toEqual([11, 11]);
    expect(work).toHaveBeenCalledTimes(1);
    const stop = sum.subscribe(() => heard.push(sum.value));
    b.set(20);
    stop();
    a.set(2);
    a.set(1);
    expect(sum.value).toBe(21);
    expect(heard).toEqual([21]);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it("may follow from what follows", () => {
    const a = cell(1);
    const double = derived([a], () => 2 * a.value);
    const text = derived([a, double], () => `${a.value} ${double.value}`);
    const heard: string[] = [];
    text.subscribe(() => heard.push(text.value));
    a.set(3);
    expect(new Set(heard)).toEqual(new Set(["3 6"]));
  });
});

describe("history", () => {
  it("goes back and forth, and forgets what was undone when something new is done", () => {
    const history = createHistory("a");
    history.push("b");
    history.push("c");
    expect([history.undo(), history.undo(), history.undo()]).toEqual(["b", "a", null]);
    expect(history.redo()).toBe("b");
    history.push("d");
    expect(history.canRedo.value).toBe(false);
    expect(history.redo()).toBe(null);
    expect(history.undo()).toBe("b");
  });

  it("keeps a limited number of steps", () => {
    const history = createHistory<number>(0, Object.is, 3);
    for (let i = 1; i <= 10; i++) history.push(i);
    const seen = [];
    for (let state = history.undo(); state !== null; state = history.undo()) seen.push(state);
    expect(seen).toEqual([9, 8, 7]);
  });
});

describe("undo", () => {
  it("brings back a path, the shelf and the drawing", async () => {
    const explorer = await smallExplorer();
    const { path, kept, sketch: drawing } = explorer;
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 5);
    const drawn = path.value;
    changePath(explorer, { n: 3 });
    clearPath(explorer);
    undo(explorer);
    expect(path.value!.n).toBe(3);
    undo(explorer);
    expect(path.value).toBe(drawn);
    keep(explorer);
    undo(explorer);
    expect(kept.value).toEqual([]);
    redo(explorer);
    expect(kept.value).toHaveLength(1);
    const strokes = [[[1, 1]]] as [number, number][][];
    sketch(explorer, strokes);
    setCurrent(explorer, Float32Array.of(1, 2, 3), { kind: "drawn", variances: null }, false);
    seeSketch(explorer, { pixels: new Float32Array(16), told: 0 });
    settle(explorer);
    sketch(explorer, []);
    expect(drawing.value.strokes).toEqual([]);
    undo(explorer);
    expect(drawing.value.strokes).toBe(strokes);
    expect(drawing.value.seen).not.toBe(null);
    expect([...explorer.current.value.z]).toEqual([1, 2, 3]);
    undo(explorer);
    expect(drawing.value.strokes).toEqual([]);
    expect(explorer.current.value.origin.kind).toBe("row");
  });
});

describe("the current vector", () => {
  it("is decoded at once", async () => {
    const explorer = await smallExplorer();
    setNeuron(explorer, 1, 5);
    const sum = explorer.current.value.z.reduce((total, value) => total + value, 0);
    expect(explorer.picture.value![0]).toBeCloseTo(sum, 5);
  });

  it("leaves the vector before it alone", async () => {
    const explorer = await smallExplorer();
    const before = explorer.current.value.z;
    const copy = [...before];
    setNeuron(explorer, 0, 9);
    expect([...before]).toEqual(copy);
    expect(explorer.current.value.z[0]).toBe(9);
  });

  it("is undone to where a drag began, not to its steps", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 3);
    const { z } = explorer.current.value;
    for (const value of [0.1, 0.2, 0.3]) setNeuron(explorer, 0, value, false);
    settle(explorer);
    undo(explorer);
    expect(explorer.current.value.z).toEqual(z);
    redo(explorer);
    expect(explorer.current.value.z[0]).toBeCloseTo(0.3);
  });

  it("is undone to whatever was shown when something else was done", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 3);
    setNeuron(explorer, 0, 7, false); // playing, or typing
    resetZ(explorer);
    undo(explorer);
    expect(explorer.current.value.z[0]).toBe(7);
    setNeuron(explorer, 0, 8, false);
    undo(explorer);
    expect(explorer.current.value.z[0]).toBe(7);
    undo(explorer);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 3 });
  });

  it("is what it was before the first stroke once the last is taken away", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 3);
    sketch(explorer, [[[1, 1]]]);
    setCurrent(explorer, Float32Array.of(1, 2, 3), { kind: "drawn", variances: null });
    seeSketch(explorer, { pixels: new Float32Array(16), told: 0 });
    sketch(explorer, []);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 3 });
    expect(explorer.sketch.value.seen).toBe(null);
    sketch(explorer, [[[1, 1]]]);
    chooseRow(explorer, 5); // gone elsewhere meanwhile
    sketch(explorer, []);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 5 });
  });

  it("takes no value that is not a number", async () => {
    const explorer = await smallExplorer();
    const before = explorer.current.value;
    setNeuron(explorer, 0, Number.NaN);
    expect(explorer.current.value).toBe(before);
  });

  it("comes from the prior or the origin on request", async () => {
    const explorer = await smallExplorer(30, 64);
    randomZ(explorer);
    const { z } = explorer.current.value;
    expect(z.every(Number.isFinite)).toBe(true);
    expect(Math.sqrt(z.reduce((sum, value) => sum + value * value, 0))).toBeGreaterThan(4);
    resetZ(explorer);
    expect(explorer.current.value.z.every((value) => value === 0)).toBe(true);
  });

  it("is the mean of the selection on request", async () => {
    const explorer = await smallExplorer(4, 2);
    change(explorer, "selection", [0, 3]);
    chooseMean(explorer);
    const { mu } = explorer;
    expect(explorer.current.value.z[1]).toBeCloseTo((mu[1] + mu[7]) / 2, 6);
  });

  it("can be kept", async () => {
    const explorer = await smallExplorer();
    keep(explorer);
    keep(explorer);
    expect(explorer.kept.value.map(({ name }) => name)).toEqual(["kept 1", "kept 2"]);
  });
});

describe("its place on the map", () => {
  it("is the point itself for a picture of the data", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 7);
    const { coordinates } = explorer.latentMap().places;
    expect(explorer.place.value).toMatchObject({
      x: coordinates[14],
      y: coordinates[15],
      trust: { level: "among" },
    });
  });

  it("is where one pointed, with the way back's own distances", async () => {
    const explorer = await smallExplorer();
    walkTo(explorer, 1e4, 1e4);
    expect(explorer.place.value).toMatchObject({
      x: 1e4,
      y: 1e4,
      trust: { level: "far", value: 0 },
    });
  });

  it("is found anew on another map", async () => {
    const explorer = await smallExplorer();
    walkTo(explorer, 1e4, 1e4);
    setMap(explorer, "z0,z1");
    const [z0, z1] = explorer.current.value.z;
    expect(explorer.place.value.x).toBeCloseTo(z0, 5);
    expect(explorer.place.value.y).toBeCloseTo(z1, 5);
  });
});

describe("trust", () => {
  it("falls with distance and never rises", () => {
    const values = [0, 1, 3, 5, 9, 12, 100].map((distance) => judge(distance, 0).value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(values[0]).toBe(1);
    expect(values.at(-1)).toBe(0);
  });

  it("tells a torn map from a far place", () => {
    expect(judge(1, 100).level).toBe("torn");
    expect(judge(100, 100).level).toBe("far");
    expect(judge(5, 0).level).toBe("between");
    expect(judge(Number.NaN, 0).level).toBe("unknown");
  });

  it("says what was measured, and where", () => {
    const spacing = { median: 2, wide: 3 };
    expect(trustOfVector(2.4, spacing).sentence).toBe(
      "Close to the data: 1.2 × the usual distance.",
    );
    expect(trustOfVector(4, spacing).sentence).toBe(
      "Away from the data: 2.0 × the usual distance.",
    );
    expect(trustOfVector(60, spacing).sentence).toBe("Far from the data: 30 × the usual distance.");
    expect(trustOfVector(2.4, spacing).why).toContain("nearest picture of the data lies 2.40 away");
    expect(trustOfPlace(0.1, 0.2, 0.5).sentence).toBe(
      "Close to the data on the map: 0.2 × the usual distance.",
    );
    // What misleads is said, not the distance, which is small.
    expect(trustOfPlace(0.1, 5, 0.5).sentence).toBe(
      "The map misleads here: the vector belongs elsewhere, 10 × the usual distance away.",
    );
  });

  it("claims nothing where there is no usual distance", async () => {
    const explorer = await smallExplorer(1, 2);
    setNeuron(explorer, 0, 50);
    const { level, sentence } = explorer.place.value.trust;
    expect([level, sentence.slice(0, 26)]).toEqual(["unknown", "There is no usual distance"]);
  });

  it("is measured at every stop of a path", async () => {
    const explorer = await smallExplorer();
    const [first, last] = [explorer.mu.slice(0, 3), Float32Array.of(50, 50, 50)];
    followVectors(explorer, Float32Array.of(...first, ...last), 2);
    changePath(explorer, { n: 5 });
    const stops = explorer.stopTrust.value;
    expect(stops.map((stop) => stop.level)).toEqual(["among", "far", "far", "far", "far"]);
    expect(stops[0].ratio).toBe(0);
    expect(stops[4].ratio).toBeGreaterThan(stops[3].ratio);
  });
});

describe("distances in the latent space", () => {
  it("are judged by what is usual among so many neurons", async () => {
    for (const d of [2, 10, 64]) {
      const explorer = await smallExplorer(400, d);
      const spacing = explorer.latentSpacing();
      expect(onMapScale(spacing.median, spacing)).toBeCloseTo(1, 9);
      expect(onMapScale(spacing.wide, spacing)).toBeCloseTo(3, 9);
      expect(onMapScale(0, spacing)).toBe(0);
      for (let c = 0; c < d; c++) setNeuron(explorer, c, 30);
      expect(explorer.place.value.trust.level).toBe("far");
    }
  });
});

describe("maps", () => {
  it("are named by two neurons, which must be there and differ", async () => {
    expect(pairOf(pairName(3, 1), 4)).toEqual([3, 1]);
    for (const name of ["z1,z1", "z0,z4", "z0", "tsne", "z0,z1,z2", "z-1,z0"])
      expect(pairOf(name, 4)).toBe(null);
    const { manifest } = await smallExplorer();
    expect(hasMap(manifest, "tsne")).toBe(true);
    expect(hasMap(manifest, "nonsense")).toBe(false);
  });

  it("keep path and selection when they change", async () => {
    const explorer = await smallExplorer();
    change(explorer, "selection", [1, 2]);
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 5);
    const [path, trail] = [explorer.path.value!, explorer.trail.value!];
    setMap(explorer, "z1,z2");
    expect(explorer.selection.value).toEqual([1, 2]);
    expect(explorer.path.value).toBe(path);
    expect(explorer.trail.value!.stops[0]).toBeCloseTo(path.vectors[1], 5);
    setMap(explorer, "tsne");
    expect(explorer.trail.value).toEqual(trail);
    expect([...trail.line]).toEqual([0, 0, 1, 1]);
  });
});

describe("a path", () => {
  it("has as many stops as asked, within reason", async () => {
    const explorer = await smallExplorer();
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 5);
    for (const [asked, got] of [
      [8, 8],
      [1, 2],
      [1000, 60],
      [Number.NaN, 60],
    ]) {
      changePath(explorer, { n: asked });
      expect(explorer.path.value!.n).toBe(got);
      expect(explorer.path.value!.vectors.length).toBe(3 * got);
    }
  });

  it("is the one that was drawn, after other ways and other numbers on another map", async () => {
    const explorer = await smallExplorer();
    drawPath(explorer, Float32Array.of(0, 0, 1, 1, 0, 1), 5);
    const { vectors } = explorer.path.value!;
    changePath(explorer, { along: "slerp" });
    setMap(explorer, "z1,z2");
    changePath(explorer, { n: 9 });
    changePath(explorer, { along: "map" });
    changePath(explorer, { n: 5 });
    expect(explorer.path.value!.vectors).toEqual(vectors);
  });

  it("through given vectors passes through them, in any number of stops", async () => {
    const explorer = await smallExplorer(30, 1);
    followVectors(explorer, Float32Array.of(0, 3, 1), 3);
    changePath(explorer, { n: 2 });
    expect([...explorer.path.value!.vectors]).toEqual([0, 1]);
    changePath(explorer, { n: 5 });
    expect([...explorer.path.value!.vectors]).toEqual([0, 1.5, 3, 2, 1]);
    changePath(explorer, { along: "map" }); // none was drawn
    expect(explorer.path.value!.along).toBe("given");
  });

  it("goes straight between the ends that were chosen", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 2);
    setPathEnd(explorer, true, 5);
    chooseRow(explorer, 9);
    setPathEnd(explorer, false, 5);
    const { vectors, n } = explorer.path.value!;
    const { mu } = explorer;
    expect(n).toBe(5);
    for (let c = 0; c < 3; c++) {
      expect(vectors[c]).toBeCloseTo(mu[6 + c], 5);
      expect(vectors[6 + c]).toBeCloseTo((mu[6 + c] + mu[27 + c]) / 2, 5);
      expect(vectors[12 + c]).toBeCloseTo(mu[27 + c], 5);
    }
  });

  it("is straight where there is no great circle, and says so until something else is done", async () => {
    const explorer = await smallExplorer(30, 1);
    change(explorer, "current", { z: Float32Array.of(1), origin: { kind: "given" } });
    setPathEnd(explorer, true, 4);
    change(explorer, "current", { z: Float32Array.of(-1), origin: { kind: "given" } });
    setPathEnd(explorer, false, 4);
    changePath(explorer, { along: "slerp" });
    expect(explorer.path.value!.along).toBe("line");
    expect(explorer.notice.value).toContain("great circle");
    chooseRow(explorer, 3);
    expect(explorer.notice.value).toBe("");
  });

  it("may turn by half a circle when its end is moved", async () => {
    const explorer = await smallExplorer(30, 2);
    const go = (...z: number[]) =>
      change(explorer, "current", { z: Float32Array.from(z), origin: { kind: "given" } });
    go(1, 0);
    setPathEnd(explorer, true, 4);
    go(0, 1);
    setPathEnd(explorer, false, 4);
    changePath(explorer, { along: "slerp" });
    expect(explorer.path.value!.along).toBe("slerp");
    go(-1, 0);
    setPathEnd(explorer, false, 4);
    expect(explorer.path.value!.along).toBe("line");
    expect(explorer.notice.value).toContain("opposite");
  });
});

describe("classes", () => {
  it("are switched off and on, or shown alone", async () => {
    const explorer = await smallExplorer();
    toggleValues(explorer, "class", [0]);
    const mask = explorer.visible.value!;
    expect([...mask]).toEqual([...explorer.labels!].map((label) => Number(label !== 0)));
    onlyValues(explorer, "class", [0], [0, 1]);
    expect([...hiddenOf(explorer.filters.value, "class")]).toEqual([1]);
    onlyValues(explorer, "class", [0], [0, 1]);
    expect(explorer.visible.value).toBe(null);
  });

  it("that are off cannot be caught by the lasso", async () => {
    const explorer = await smallExplorer();
    const all = Float32Array.of(-1e3, -1e3, 1e3, -1e3, 1e3, 1e3, -1e3, 1e3);
    selectInside(explorer, all);
    expect(explorer.selection.value.length).toBe(30);
    toggleValues(explorer, "class", [1]);
    selectInside(explorer, all);
    expect(explorer.selection.value.every((row) => explorer.labels![row] === 0)).toBe(true);
  });

  it("have a colour each, and a contour each", async () => {
    const explorer = await smallExplorer();
    const of = (row: number) => colorOf(explorer, row).join();
    const seen = new Set(
      Array.from({ length: 30 }, (_, row) => `${explorer.labels![row]}:${of(row)}`),
    );
    expect(seen.size).toBe(2);
    expect(contourGroups(explorer).reduce((sum, { rows }) => sum + rows.length, 0)).toBe(30);
  });

  it("can give way to a number", async () => {
    const explorer = await smallExplorer();
    for (const color of ["kl", "error", "z2"]) {
      expect(hasColor(explorer, color)).toBe(true);
      change(explorer, "color", color);
      const { scale } = explorer.coloring.value;
      expect(explorer.paint.value.codes.length).toBe(30);
      expect(scale!.high).toBeGreaterThanOrEqual(scale!.low);
    }
    for (const color of ["z3", "z", "", "__proto__"]) expect(hasColor(explorer, color)).toBe(false);
  });
});

describe("a legend", () => {
  it("is there without a colour for any point", async () => {
    const small = await smallExplorer();
    let nRead = 0;
    const read = (mu: Float32Array, key: PropertyKey) => {
      nRead++;
      return Reflect.get(mu, key);
    };
    const mu = new Proxy(small.mu, { get: read });
    const explorer = Object.defineProperty(small, "mu", { value: mu });
    setColor(explorer, "z1");
    expect(explorer.coloring.value.scale).toMatchObject({ unit: "", about: "grey is 0" });
    expect(nRead).toBe(0);
    const painted = explorer.paint.value;
    expect(nRead).toBe(30);
    flip(explorer, "hasContours");
    expect(explorer.paint.value).toBe(painted);
    flip(explorer, "isDark");
    expect(explorer.paint.value).not.toBe(painted);
  });

  it("spans what the points have, and clamps what lies beyond", async () => {
    const explorer = await smallExplorer(200);
    setColor(explorer, "kl");
    const { scale, value } = explorer.coloring.value as Extract<Coloring, { value: unknown }>;
    const rows = Array.from({ length: 200 }, (_, row) => row);
    const lowest = rows.reduce((a, b) => (value(b) < value(a) ? b : a));
    expect(scale.low).toBeGreaterThanOrEqual(value(lowest));
    expect(colorOf(explorer, lowest)).toEqual(scale.color(0));
  });
});

describe("words", () => {
  it("write numbers as people do", () => {
    expect([number(-1.5), number(-0.001), number(2, 0)]).toEqual(["−1.50", "0.00", "2"]);
  });

  it("say where the current picture is from", async () => {
    const { manifest } = await smallExplorer();
    const tell = (row: number) =>
      say(
        { kind: "row", row },
        manifest,
        () => 1,
        (at) => 1000 + at,
      );
    expect(tell(5)).toBe("Picture 1 005 of the data, “odd”");
    expect(
      say(
        { kind: "row", row: 5 },
        manifest,
        () => -1,
        (at) => at,
      ),
    ).toBe("Picture 5 of the data");
  });
});
