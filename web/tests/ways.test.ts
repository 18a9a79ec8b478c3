import { afterEach, describe, expect, it, vi } from "vitest";
import { GraphMaker, MOST_NODES, shortestWay } from "../src/maps/neighbour_graph";
import { readShelf, shelfText } from "../src/output/text";
import { chooseRow, setNeuron, undo } from "../src/state/actions";
import {
  addAnchor,
  changePath,
  drawPath,
  dropAnchor,
  moveAnchor,
  prepareGraph,
  setAnchors,
  setPathEnd,
} from "../src/state/actions_path";
import { dropKept, keep, keepMore, renameKept } from "../src/state/actions_shelf";
import { addressOf, applyAddress, readAddress, writeAddress } from "../src/state/address";
import { pathBetween, shareOut } from "../src/state/path";
import { largestStep, wayBetween } from "../src/state/ways";
import { smallExplorer } from "./app_explorer";
import { randomNumbers } from "./helpers/scenes";

afterEach(() => vi.useRealTimers());

function graphOf(mu: Float32Array, d: number) {
  const maker = new GraphMaker(mu, d);
  maker.link(0, maker.size);
  return maker.made();
}

/** `n` points along half a circle of radius 1. */
const arc = (n: number): Float32Array =>
  Float32Array.from({ length: 2 * n }, (_, i) => {
    const angle = (Math.PI * (i >> 1)) / (n - 1);
    return i % 2 ? Math.sin(angle) : Math.cos(angle);
  });

describe("the neighbour graph", () => {
  it("leads along the data where the straight line leaves it", () => {
    const way = shortestWay(graphOf(arc(200), 2), Float32Array.of(1, 0), Float32Array.of(-1, 0))!;
    for (const [x, y] of way) expect(Math.hypot(x, y)).toBeCloseTo(1, 5);
    expect(way.length).toBeGreaterThan(15);
    expect(way.length).toBeLessThan(45);
  });

  it("finds what looking at all ways finds", () => {
    const random = randomNumbers(3);
    const mu = Float32Array.from({ length: 60 * 2 }, random);
    const graph = graphOf(mu, 2);
    const m = 60;
    const lengths = Array.from({ length: m }, () => new Float64Array(m).fill(Infinity));
    for (let i = 0; i < m; i++) {
      lengths[i][i] = 0;
      for (let link = graph.starts[i]; link < graph.starts[i + 1]; link++)
        lengths[i][graph.ends[link]] = graph.lengths[link];
    }
    for (let k = 0; k < m; k++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++)
          lengths[i][j] = Math.min(lengths[i][j], lengths[i][k] + lengths[k][j]);
    for (const [from, to] of [
      [0, 59],
      [7, 31],
      [12, 12],
    ]) {
      const way = shortestWay(
        graph,
        mu.subarray(2 * from, 2 * from + 2),
        mu.subarray(2 * to, 2 * to + 2),
      )!;
      let sum = 0;
      for (let i = 1; i < way.length; i++)
        sum += Math.hypot(way[i][0] - way[i - 1][0], way[i][1] - way[i - 1][1]);
      expect(sum).toBeCloseTo(lengths[from][to], 5);
    }
  });

  it("says that no chain joins parts that stand alone", () => {
    const two = Float32Array.from({ length: 60 }, (_, i) => (i < 30 ? i : 1000 + i));
    expect(shortestWay(graphOf(two, 1), Float32Array.of(2), Float32Array.of(1040))).toBe(null);
  });

  it("takes every so manieth of too many points", () => {
    const maker = new GraphMaker(new Float32Array(2 * MOST_NODES + 1).fill(1), 1);
    expect(maker.size).toBeLessThanOrEqual(MOST_NODES);
    expect(maker.size).toBeGreaterThan(MOST_NODES / 2);
  });
});

describe("a path by way of anchors", () => {
  const [a, b, c] = [Float32Array.of(0, 0), Float32Array.of(3, 0), Float32Array.of(3, 1)];

  it("stops at each, with steps as even as they can be", () => {
    const { vectors, n, anchors } = pathBetween("line", [a, b, c], 5);
    expect([...vectors]).toEqual([0, 0, 1, 0, 2, 0, 3, 0, 3, 1]);
    expect([n, anchors.length]).toEqual([5, 3]);
    expect(pathBetween("line", [a, b, c], 2).n).toBe(3);
    expect(shareOut(9, [1, 1, 1])).toEqual([3, 3, 3]);
    expect(shareOut(5, [0, 0])).toEqual([4, 1]);
  });

  it("is led, reordered and shortened, each of which can be undone", async () => {
    const explorer = await smallExplorer();
    const at = () =>
      explorer.path.value!.anchors.map((z) => {
        for (let row = 0; row < 30; row++)
          if (z.every((value, i) => value === explorer.mu[3 * row + i])) return row;
        return -1;
      });
    chooseRow(explorer, 1);
    setPathEnd(explorer, true);
    chooseRow(explorer, 2);
    setPathEnd(explorer, false);
    chooseRow(explorer, 3);
    addAnchor(explorer);
    expect(at()).toEqual([1, 3, 2]);
    moveAnchor(explorer, 0, 2);
    expect(at()).toEqual([3, 2, 1]);
    moveAnchor(explorer, 0, 9);
    dropAnchor(explorer, 1);
    expect(at()).toEqual([3, 1]);
    dropAnchor(explorer, 0); // two are left in any case
    expect(at()).toEqual([3, 1]);
    undo(explorer);
    expect(at()).toEqual([3, 2, 1]);
    undo(explorer);
    expect(at()).toEqual([1, 3, 2]);
  });

  it("has the corners of a clicked line, and the ends of a stroke", async () => {
    const explorer = await smallExplorer();
    drawPath(explorer, Float32Array.of(0, 0, 1, 1, 0, 1), 5);
    expect(explorer.path.value!.anchors).toHaveLength(3);
    changePath(explorer, { along: "line" });
    expect(explorer.path.value!.anchors).toHaveLength(3);
    const stroke = Float32Array.from({ length: 40 }, (_, i) => i / 40);
    drawPath(explorer, stroke, 5);
    expect(explorer.path.value!.anchors).toHaveLength(2);
  });

  it("comes back from a link with its anchors", async () => {
    const one = await smallExplorer();
    const [x, y, z] = [0, 5, 9].map((row) => one.mu.slice(3 * row, 3 * row + 3));
    setAnchors(one, [x, y, z], 7);
    const two = await smallExplorer();
    applyAddress(two, readAddress(`#${writeAddress(addressOf(one))}`, 3), false);
    expect(two.path.value).toMatchObject({ along: "line", n: 7 });
    two.path.value!.anchors.forEach((anchor, i) =>
      anchor.forEach((value, k) => expect(value).toBeCloseTo([x, y, z][i][k], 3)),
    );
  });

  it("goes through the data once neighbours are known, and says so until then", async () => {
    const explorer = await smallExplorer(100, 2);
    const [from, to] = [0, 50].map((row) => explorer.mu.slice(2 * row, 2 * row + 2));
    expect(wayBetween(explorer, "data", [from, to], 6)).toContain("looked for");
    setAnchors(explorer, [from, to], 6);
    changePath(explorer, { along: "data" });
    expect(explorer.path.value!.along).toBe("line");
    expect(explorer.notice.value).toContain("straight");
    prepareGraph(explorer);
    await vi.waitFor(() => expect(explorer.graph.value).not.toBe(null));
    changePath(explorer, { along: "data" });
    const { along, n, vectors } = explorer.path.value!;
    expect([along, n]).toEqual(["data", 6]);
    expect([...vectors.subarray(0, 2), ...vectors.subarray(10)]).toEqual([...from, ...to]);
  });

  it("has a largest step", () => {
    expect(largestStep(Float32Array.of(0, 0, 0.5, 0.5, 0.5, 1, 0.5, 1), 4)).toEqual({
      at: 0,
      size: 0.5,
    });
  });
});

describe("the shelf", () => {
  it("gives names that no two share, and is saved and read back", async () => {
    const explorer = await smallExplorer();
    const names = () => explorer.kept.value.map(({ name }) => name);
    keep(explorer);
    setNeuron(explorer, 0, 1.23456789);
    keep(explorer);
    renameKept(explorer, "kept 1", "start");
    renameKept(explorer, "kept 2", "start");
    renameKept(explorer, "start", "  ");
    expect(names()).toEqual(["start", "start 2"]);
    const text = shelfText(explorer.kept.value);
    dropKept(explorer, "start");
    expect(names()).toEqual(["start 2"]);
    keepMore(explorer, readShelf(text, 3)!);
    expect(names()).toEqual(["start 2", "start", "start 2 2"]);
    expect(explorer.kept.value[2].z).toEqual(explorer.kept.value[0].z);
    keep(explorer);
    expect(names().at(-1)).toBe("kept 4");
  });

  it.each(["", "[]", "{}", '{"a": [1, 2]}', '{"a": [1, 2, "3"]}', '{" ": [1, 2, 3]}', "null"])(
    "takes no other file: %s",
    (text) => {
      expect(readShelf(text, 3)).toBe(null);
    },
  );
});
