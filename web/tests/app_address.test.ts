// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Shared, SharedState } from "../src/scene/source";
import {
  chooseRow,
  flip,
  openTab,
  setColor,
  setMap,
  setNeuron,
  sketch,
  takeTool,
  toggleValues,
  undo,
} from "../src/state/actions";
import { drawPath } from "../src/state/actions_path";
import { compareSets, keepSelection, pick } from "../src/state/actions_selection";
import { keep } from "../src/state/actions_shelf";
import {
  addressOf,
  applyAddress,
  followAddress,
  readAddress,
  writeAddress,
} from "../src/state/address";
import { change } from "../src/state/change";
import { followShared } from "../src/state/shared";
import { packRows, unpackRows } from "../src/state/short_text";
import { smallExplorer } from "./app_explorer";

afterEach(() => vi.useRealTimers());

describe("the address", () => {
  it("restores what it was written from", async () => {
    const one = await smallExplorer();
    setMap(one, "z0,z2");
    change(one, "view", { x: 1.5, y: -2, scale: 0.01 });
    change(one, "color", "z1");
    takeTool(one, "lasso");
    change(one, "way", "nearest");
    openTab(one, "path");
    toggleValues(one, "class", [1]);
    setNeuron(one, 0, -1.2346);
    drawPath(one, Float32Array.of(0, 0, 1, 1, 2, 0), 4);
    const two = await smallExplorer();
    applyAddress(two, readAddress(`#${writeAddress(addressOf(one))}`, 3));
    for (const key of ["map", "color", "tool", "way", "tab", "view", "filters"] as const) {
      expect(two[key].value).toEqual(one[key].value);
    }
    two.current.value.z.forEach((value, i) => expect(value).toBeCloseTo(one.current.value.z[i], 3));
    expect(two.path.value!.n).toBe(4);
    two.path.value!.vectors.forEach((value, i) =>
      expect(value).toBeCloseTo(one.path.value!.vectors[i], 3),
    );
  });

  it("has selections, the shelf, the drawing and what is switched on", async () => {
    const one = await smallExplorer();
    pick(one, [3, 17, 29]);
    keepSelection(one, "no ~ end! of = signs & 100 %");
    pick(one, [4]);
    compareSets(one, "class 1", "kept no ~ end! of = signs & 100 %");
    keep(one);
    setNeuron(one, 0, 1.25);
    keep(one);
    sketch(one, [
      [
        [1, 2],
        [3, 4.4],
      ],
      [[5, 6]],
    ]);
    flip(one, "hasContours");
    flip(one, "hasThumbnails");
    setColor(one, "selections");
    const two = await smallExplorer();
    applyAddress(two, readAddress(`#${writeAddress(addressOf(one))}`, 3), false);
    for (const key of ["selection", "selections", "versus", "color"] as const)
      expect(two[key].value).toEqual(one[key].value);
    expect(two.kept.value.map(({ name }) => name)).toEqual(["kept 1", "kept 2"]);
    expect(two.kept.value[1].z[0]).toBe(1.25);
    expect(two.sketch.value.strokes).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [[5, 6]],
    ]);
    expect([two.hasContours.value, two.hasThumbnails.value]).toEqual([true, false]);
    expect(two.history.canUndo.value).toBe(false);
  });

  it("shows nothing that it does not say, keeps what is a person's own, and can be undone", async () => {
    const explorer = await smallExplorer();
    chooseRow(explorer, 5);
    pick(explorer, [1, 2]);
    keep(explorer);
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 3);
    setMap(explorer, "z0,z1");
    applyAddress(explorer, readAddress("#color=z1", 3));
    expect(explorer.map.value).toBe("tsne");
    expect([explorer.path.value, explorer.selection.value]).toEqual([null, []]);
    expect(explorer.kept.value).toHaveLength(1);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 5 });
    undo(explorer);
    expect(explorer.path.value!.n).toBe(3);
    expect(explorer.selection.value).toEqual([1, 2]);
  });

  it.each([
    [[]],
    [[0]],
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [[7, 300, 199_999]],
    [Array.from({ length: 4000 }, (_, i) => 2 * i + (i % 2))],
  ])("writes rows in few letters", (rows) => {
    const text = packRows(rows);
    expect(unpackRows(text)).toEqual(rows);
    expect(text).toMatch(/^[\w-]+$/);
    expect(text.length).toBeLessThan(4 + Math.min(6 * rows.length, (rows.at(-1) ?? 0) / 4));
  });

  it("names a picture of the data by its row, so that it stays one", async () => {
    const explorer = await smallExplorer();
    applyAddress(explorer, readAddress("#row=4", 3));
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 4 });
  });

  it.each([
    "",
    "#",
    "#z=1~2",
    "#z=1~2~x",
    "#z=1~2~Infinity",
    "#view=1~2",
    "#view=1~2~-3",
    "#row=-1",
    "#row=1.5",
    "#row=1e9",
    "#mode=fly",
    "#tab=__proto__",
    "#map=nonsense",
    "#color=z99",
    "#path=map!1~2~3",
    "#path=up!1~2~3!1~2~3",
    "#hide=a",
    "#%E0%A4%A",
    "#way=<script>",
    "#selected=g%",
    "#selected=x",
    "#selections=A~g%!",
    "#versus=a",
    "#kept=a~1~2!b",
    "#drawing=x",
  ])("changes nothing for %j", async (hash) => {
    const explorer = await smallExplorer();
    const before = addressOf(explorer);
    applyAddress(explorer, readAddress(hash, 3));
    expect(addressOf(explorer)).toEqual(before);
  });

  it("is short", () => {
    expect(writeAddress({ z: [0.123456789, -0, 1e-9, -2] })).toBe("z=0.1235~0~0~-2");
    expect(writeAddress({})).toBe("");
  });

  it("follows the explorer, and the explorer follows it", async () => {
    vi.useFakeTimers();
    const explorer = await smallExplorer();
    const end = followAddress(explorer);
    change(explorer, "color", "z2");
    vi.advanceTimersByTime(1000);
    expect(location.hash).toContain("color=z2");
    location.hash = "#color=kl";
    dispatchEvent(new Event("hashchange"));
    expect(explorer.color.value).toBe("kl");
    end();
    change(explorer, "color", "error");
    vi.advanceTimersByTime(1000);
    expect(location.hash).not.toContain("error");
  });
});

/** Traits without a kernel. */
function traits(
  values: Partial<Shared>,
): SharedState & { values: Partial<Shared>; change(key: keyof Shared): void } {
  const listeners = new Set<(key: keyof Shared) => void>();
  return {
    values,
    get: (key) => values[key] as never,
    set: (changes) => void Object.assign(values, changes),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    change: (key) => listeners.forEach((listener) => listener(key)),
  };
}

describe("traits", () => {
  it("hear what is done in the page", async () => {
    vi.useFakeTimers();
    const explorer = await smallExplorer();
    const shared = traits({});
    followShared(explorer, shared);
    setNeuron(explorer, 0, 0.5);
    change(explorer, "selection", [3, 4]);
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 3);
    vi.advanceTimersByTime(200);
    expect(shared.values.z![0]).toBe(0.5);
    expect(shared.values.selection).toEqual([3, 4]);
    keepSelection(explorer, "mine");
    vi.advanceTimersByTime(200);
    expect(shared.values.selections).toEqual({ mine: [3, 4] });
    expect(shared.values.path!.map((stop) => stop.length)).toEqual([3, 3, 3]);
    change(explorer, "path", null);
    vi.advanceTimersByTime(200);
    expect(shared.values.path).toEqual([]);
  });

  it("are heard in the page, once, and without an echo", async () => {
    vi.useFakeTimers();
    const explorer = await smallExplorer();
    const selections = { mine: [5, 4, 99], none: "?" as never };
    const shared = traits({ map: "z0,z1", color: "z2", z: [1, 2, 3], selections });
    followShared(explorer, shared);
    expect(explorer.selections.value).toEqual([{ name: "mine", rows: [4, 5], hue: 0 }]);
    expect([explorer.map.value, explorer.color.value, [...explorer.current.value.z]]).toEqual([
      "z0,z1",
      "z2",
      [1, 2, 3],
    ]);
    vi.advanceTimersByTime(200);
    const set = vi.spyOn(shared, "set");
    shared.values.z = [4, 5, 6];
    shared.change("z");
    vi.advanceTimersByTime(200);
    expect([...explorer.current.value.z]).toEqual([4, 5, 6]);
    expect(set).not.toHaveBeenCalled();
  });

  it("are not overwritten by what the page was about to say", async () => {
    vi.useFakeTimers();
    const explorer = await smallExplorer();
    const shared = traits({});
    followShared(explorer, shared);
    vi.advanceTimersByTime(200);
    setNeuron(explorer, 0, 0.5);
    setColor(explorer, "z1");
    shared.values.z = [4, 5, 6];
    shared.change("z");
    vi.advanceTimersByTime(200);
    expect(shared.values).toMatchObject({ z: [4, 5, 6], color: "z1" });
    expect([...explorer.current.value.z]).toEqual([4, 5, 6]);
  });

  it("that make no sense change nothing", async () => {
    const explorer = await smallExplorer();
    const before = addressOf(explorer);
    const shared = traits({
      map: "no",
      color: "no",
      z: [1, 2],
      selection: [-1, 99, 1.5],
      path: [[1], [2]],
    });
    followShared(explorer, shared)();
    expect(addressOf(explorer)).toEqual(before);
    expect(explorer.selection.value).toEqual([]);
  });
});
