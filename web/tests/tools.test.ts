import { describe, expect, it } from "vitest";
import { undo } from "../src/state/actions";
import type { Explorer } from "../src/state/explorer";
import { lasso } from "../src/tools/lasso";
import { path } from "../src/tools/path";
import type { Tool } from "../src/tools/tool";
import { TOOLS } from "../src/tools/tools";
import { walk } from "../src/tools/walk";
import { smallExplorer } from "./app_explorer";

const hit = (x: number, y: number, row = -1) => ({ x, y, row, clientX: 0, clientY: 0 });

async function take(tool: Tool) {
  const explorer = await smallExplorer();
  const made = tool.create(explorer);
  /** One pixel of the screen is one unit of the map. */
  const drag = (...points: [number, number][]) =>
    points.forEach(([x, y], i) => made.drag!(hit(x, y), i ? "move" : "start", 1));
  return { explorer, made, drag, drop: (x: number, y: number) => made.drag!(hit(x, y), "end", 1) };
}

const routeOf = (explorer: Explorer) => [...explorer.trail.value!.line];

describe("tools", () => {
  it("have names and keys of their own", () => {
    for (const key of ["name", "key", "title"] as const)
      expect(new Set(TOOLS.map((tool) => tool[key])).size).toBe(TOOLS.length);
  });
});

describe("walking", () => {
  it("goes to the picture that is hit, or to the place", async () => {
    const { explorer, made } = await take(walk);
    made.click(hit(0, 0, 7), false);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 7 });
    made.click(hit(2, 3), false);
    expect(explorer.current.value.origin).toMatchObject({ kind: "place", x: 2, y: 3 });
  });

  it("is undone as a whole, also where a second finger has ended it", async () => {
    for (const end of ["drop", "cancel"]) {
      const { explorer, made, drag, drop } = await take(walk);
      const before = explorer.current.value;
      drag([1, 1], [2, 2]);
      if (end === "drop") drop(3, 3);
      else expect(made.cancel!()).toBe(false);
      made.cancel!();
      undo(explorer);
      expect(explorer.current.value).toBe(before);
    }
  });
});

describe("the lasso", () => {
  it("selects what it is drawn around; a mere click lets go", async () => {
    const { explorer, made, drag, drop } = await take(lasso);
    drag([-1e3, -1e3], [1e3, -1e3], [1e3 + 0.1, -1e3], [1e3, 1e3]);
    expect(made.outline).toEqual({
      points: [-1e3, -1e3, 1e3, -1e3, 1e3, 1e3],
      isClosed: true,
    });
    drop(-1e3, 1e3);
    expect(made.outline).toBeNull();
    expect(explorer.selection.value).toHaveLength(30);
    made.click(hit(0, 0), false);
    expect(explorer.selection.value).toEqual([]);
  });

  it("that is given up selects nothing, also when the pointer goes on", async () => {
    const { explorer, made, drag, drop } = await take(lasso);
    drag([-1e3, -1e3], [1e3, -1e3], [1e3, 1e3]);
    expect(made.cancel!()).toBe(true);
    drop(-1e3, 1e3);
    expect(explorer.selection.value).toEqual([]);
    expect(made.cancel!()).toBe(false);
  });
});

describe("the path", () => {
  it("is made by two clicks, with a band to the pointer between", async () => {
    const { explorer, made } = await take(path);
    made.click(hit(1, 2), false);
    expect(made.hover!(hit(3, 3))).toBe(true);
    expect(made.outline).toEqual({ points: [1, 2, 3, 3], isClosed: false });
    made.click(hit(5, 6), false);
    expect(routeOf(explorer)).toEqual([1, 2, 5, 6]);
    expect(explorer.tab.value).toBe("path");
    expect(made.hover!(hit(9, 9))).toBe(false);
    expect(made.outline).toBeNull();
  });

  it("goes on to a third corner with shift, and can be given up", async () => {
    const { explorer, made } = await take(path);
    for (const [x, y] of [
      [0, 0],
      [1, 0],
    ])
      made.click(hit(x, y), true);
    made.click(hit(1, 1), false);
    expect(routeOf(explorer)).toEqual([0, 0, 1, 0, 1, 1]);
    made.click(hit(0, 0), false);
    expect(made.cancel!()).toBe(true);
    expect(made.outline).toBeNull();
    expect(made.cancel!()).toBe(false);
  });

  it("can be drawn free hand", async () => {
    const { explorer, drag, drop } = await take(path);
    drag([0, 0], [4, 0]);
    drop(4.5, 0);
    expect(routeOf(explorer)).toEqual([0, 0, 4, 0]);
  });
});
