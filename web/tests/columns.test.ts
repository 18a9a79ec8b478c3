// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { tableText } from "../src/output/csv";
import { loadScene } from "../src/scene/load_scene";
import {
  redo,
  setColor,
  setFilter,
  setFilters,
  showAll,
  toggleValues,
  undo,
} from "../src/state/actions";
import { addressOf, applyAddress, readAddress, writeAddress } from "../src/state/address";
import { binsOf, groupsOf } from "../src/state/bins";
import { dateTicks } from "../src/state/color_modes/columns";
import { OTHERS, UNKNOWN } from "../src/state/colors";
import type { CategoryColumn, NumberColumn } from "../src/state/columns";
import { numberText, valueText } from "../src/state/columns";
import { createExplorer } from "../src/state/create_explorer";
import { dateEdges, dateText, unitOf } from "../src/state/dates";
import type { Explorer } from "../src/state/explorer";
import { readFilters, tally, writeFilters } from "../src/state/filters";
import { find } from "../src/state/search";
import { columnsExplorer, DAY, FIRST, N, parts } from "./helpers/columns";
import { colorOf } from "./helpers/paint";
import { addBlock, memorySource, type Parts, smallScene } from "./helpers/scenes";

const shown = (explorer: Explorer): number[] =>
  Array.from({ length: explorer.n }, (_, row) => row).filter(
    (row) => explorer.visible.value?.[row] ?? true,
  );

describe("the columns of a scene", () => {
  it("are read as they are written", async () => {
    const { columns } = await columnsExplorer();
    expect(columns.map((column) => valueText(column, 1))).toEqual([
      "a/1.png",
      "0.1",
      "1",
      "A",
      "p1",
      "2024-01-02",
      'Say "1"',
    ]);
    expect(columns.map((column) => valueText(column, 0))).toEqual([
      "a/0.png",
      "",
      "0",
      "",
      "p0",
      "2024-01-01",
      "",
    ]);
  });

  it.each([
    [
      "another length",
      (made: Parts) => addBlock(made, "c1", "f64", [3], new Float64Array(3)),
      /columns\[1\]\.values, block “c1”, must have shape \(60\)/,
    ],
    [
      "a name that comes twice",
      (made: Parts) => (made.manifest.columns![1].name = "cells"),
      /columns\[2\]\.name must be a name that no other column has/,
    ],
    [
      "a kind that is none",
      (made: Parts) => ((made.manifest.columns![1] as { kind: string }).kind = "x"),
      /columns\[1\]\.kind must be one of category/,
    ],
    [
      "texts that are none",
      (made: Parts) => addBlock(made, "c6", "u8", [4], new TextEncoder().encode("[1]x")),
      /“c6” is damaged: it is no list of 60 texts/,
    ],
    [
      "too few texts",
      (made: Parts) => addBlock(made, "c6", "u8", [5], new TextEncoder().encode('["a"]')),
      /“c6” is damaged: it is no list of 60 texts/,
    ],
  ])("are refused with %s", async (_, damage, sentence) => {
    const made = parts();
    damage(made);
    const open = async () =>
      createExplorer(await loadScene(memorySource(made.manifest, made.bytes)), {
        isDark: false,
        tools: ["walk"],
        tabs: ["neurons"],
      });
    await expect(open()).rejects.toThrow(sentence);
  });

  it("are not there in older scenes, and nothing asks for them", async () => {
    const { manifest, bytes } = smallScene();
    const scene = await loadScene(memorySource(manifest, bytes));
    const explorer = createExplorer(scene, { isDark: false, tools: ["walk"], tabs: ["neurons"] });
    expect(explorer.columns).toEqual([]);
    expect([...explorer.facets.keys()]).toEqual(["class", "error", "kl"]);
  });
});

describe("bins", () => {
  it("are round, hold every value once and count the missing apart", async () => {
    const column = (await columnsExplorer()).facets.get("area") as NumberColumn;
    const { edges, of, counts, n } = binsOf(column);
    expect(edges[1] - edges[0]).toBeCloseTo(0.2, 9);
    expect([...counts].reduce((a, b) => a + b)).toBe(N);
    expect(counts[n]).toBe(6);
    column.values.forEach((value, row) => {
      if (Number.isNaN(value)) return expect(of[row]).toBe(n);
      expect(value).toBeGreaterThanOrEqual(edges[of[row]]);
      expect(value).toBeLessThan(edges[of[row] + 1]);
    });
  });

  it("of a few whole numbers are one each", async () => {
    const { edges, n } = binsOf((await columnsExplorer()).facets.get("cells") as NumberColumn);
    expect([n, ...edges]).toEqual([7, 0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("of many categories keep the most frequent, in their order, and share one for the rest", async () => {
    const { groups, of } = binsOf((await columnsExplorer()).facets.get("plate") as CategoryColumn);
    expect(groups).toHaveLength(20);
    expect(groups.slice(0, 5).map(({ name, count }) => [name, count])).toEqual(
      ["p0", "p1", "p2", "p3", "p4"].map((name) => [name, 8]),
    );
    expect(groups[19]).toMatchObject({ name: "others (6)", kind: "others", count: 6 });
    expect(of[24]).toBe(19);
  });

  it("count missing categories as a group of their own", async () => {
    const groups = groupsOf((await columnsExplorer()).facets.get("treatment") as CategoryColumn);
    expect(groups.map(({ name, count }) => [name, count])).toEqual([
      ["A", 20],
      ["B, b", 20],
      ["missing", 20],
    ]);
  });
});

describe("dates", () => {
  it.each([
    [0, 10 * DAY, 5, "day", "1970-01-01"],
    [FIRST, FIRST + 400 * DAY, 4, "month", "2024-01"],
    [FIRST, FIRST + 4000 * DAY, 4, "year", "2020"],
    [FIRST, FIRST + 3_600_000, 4, "minute", "2024-01-01 00:00"],
    [FIRST, FIRST + 20, 10, "millisecond", "2024-01-01 00:00:00.000"],
    [-4000 * DAY, 0, 4, "year", "1955"],
  ])("from %d to %d by %d are cut at round ones", (low, high, wanted, unit, first) => {
    const found = dateEdges(low, high, wanted);
    expect([found.unit, dateText(found.edges[0], found.unit)]).toEqual([unit, first]);
    expect(found.edges[0]).toBeLessThanOrEqual(low);
    expect(found.edges.at(-1)!).toBeGreaterThan(high);
    expect(found.edges).toEqual([...found.edges].sort((a, b) => a - b));
  });

  it("are told to what they need", () => {
    expect(unitOf([FIRST, FIRST + DAY])).toBe("day");
    expect(unitOf([FIRST + 60_000])).toBe("minute");
    expect(unitOf([Number.NaN, FIRST + 1000])).toBe("second");
    expect(unitOf([FIRST + 1])).toBe("millisecond");
    expect(dateText(Number.NaN, "day")).toBe("");
  });
});

it("numbers have the digits that one reads", () => {
  expect([0.0816497, -12345.678, 1e-9, 12].map((value) => numberText(value, false))).toEqual([
    "0.08165",
    "−12350",
    "1e-9",
    "12",
  ]);
  expect(numberText(123456, true)).toBe("123456");
});

describe("filters", () => {
  it("show what all of them let through, and nothing that is missing from a range", async () => {
    const explorer = await columnsExplorer();
    setFilter(explorer, "area", { low: 2, high: 3 });
    expect(shown(explorer)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29]);
    toggleValues(explorer, "treatment", [-1]);
    expect(shown(explorer)).toEqual([22, 23, 25, 26, 28, 29]);
    expect(explorer.nShown.value).toBe(6);
    showAll(explorer);
    expect(explorer.visible.value).toBe(null);
  });

  it("leave a column what the others let through: its own brush does not count", async () => {
    const explorer = await columnsExplorer();
    const [area, cells] = ["area", "cells"].map((name) => explorer.facets.get(name)!);
    const before = [...tally(explorer, area)];
    setFilter(explorer, "area", { low: 2, high: 3 });
    expect([...tally(explorer, area)]).toEqual(before);
    const rows = [21, 22, 23, 24, 25, 26, 27, 28, 29];
    const wanted = Array.from({ length: 8 }, (_, k) => rows.filter((row) => row % 7 === k).length);
    expect([...tally(explorer, cells)]).toEqual(wanted);
    setFilter(explorer, "cells", { low: 0, high: 1 });
    expect([...tally(explorer, cells)]).toEqual(wanted);
    const left = tally(explorer, area).reduce((sum, k) => sum + k, 0);
    expect(left).toBe(Array.from({ length: N }, (_, row) => row % 7).filter((k) => k === 0).length);
  });

  it("are the same in words as row by row, whatever they are", async () => {
    const explorer = await columnsExplorer();
    setFilters(
      explorer,
      readFilters(explorer.facets, {
        day: ["2024-01-05", null],
        plate: { not: ["p1"] },
        class: ["odd"],
      }),
    );
    const wanted = Array.from({ length: N }, (_, row) => row).filter(
      (row) => row >= 4 && (row < 25 ? row : row % 5) !== 1 && row % 2 === 1,
    );
    expect(shown(explorer)).toEqual(wanted);
  });

  it("are undone, as colours are", async () => {
    const explorer = await columnsExplorer();
    setColor(explorer, "area");
    setFilter(explorer, "area", { low: 1, high: 2 }, false);
    setFilter(explorer, "area", { low: 1, high: 3 });
    undo(explorer);
    undo(explorer);
    expect([explorer.color.value, explorer.visible.value]).toEqual(["area", null]);
    undo(explorer);
    expect(explorer.color.value).toBe("class");
    for (let i = 0; i < 3; i++) redo(explorer);
    expect(shown(explorer)).toHaveLength(18);
  });

  it("come back from a link, with the colour", async () => {
    const one = await columnsExplorer();
    setColor(one, "day");
    setFilter(one, "area", { low: 2, high: Infinity });
    setFilter(one, "day", { low: FIRST, high: FIRST + 50 * DAY });
    toggleValues(one, "treatment", [0, -1]);
    toggleValues(one, "class", [1]);
    const two = await columnsExplorer();
    applyAddress(two, readAddress(`#${writeAddress(addressOf(one))}`, 3));
    expect(two.color.value).toBe("day");
    expect(shown(two)).toEqual(shown(one));
    expect(writeFilters(two)).toEqual({
      area: [2, null],
      day: ["2024-01-01T00:00:00.000", "2024-02-20T00:00:00.000"],
      treatment: ["B, b"],
      class: ["even"],
    });
  });

  it.each([
    "[]",
    "1",
    "{",
    '{"x":[1,2]}',
    '{"area":[2,1]}',
    '{"area":"a"}',
    '{"treatment":3}',
    '{"__proto__":[1,2]}',
    '{"area":[null,null]}',
  ])("that are none do nothing: %s", async (text) => {
    const explorer = await columnsExplorer();
    applyAddress(explorer, readAddress(`#filter=${encodeURIComponent(text)}`, 3));
    expect(explorer.visible.value).toBe(null);
  });
});

describe("colours", () => {
  it("of what is missing and of what shares a group are grey", async () => {
    const explorer = await columnsExplorer();
    const rgb = (row: number) => colorOf(explorer, row);
    setColor(explorer, "area");
    expect(rgb(0)).toEqual([...UNKNOWN]);
    expect(rgb(1)).not.toEqual([...UNKNOWN]);
    expect(explorer.coloring.value.scale).toMatchObject({ missing: 6, low: 0.1, high: 5.9 });
    setColor(explorer, "treatment");
    expect(rgb(0)).toEqual([...UNKNOWN]);
    setColor(explorer, "plate");
    expect(rgb(24)).toEqual([...OTHERS]);
  });

  it("are not of texts", async () => {
    const explorer = await columnsExplorer();
    setColor(explorer, "note");
    expect(explorer.color.value).toBe("class");
  });

  it("of dates have dates below them", async () => {
    const explorer = await columnsExplorer();
    setColor(explorer, "day");
    expect(explorer.coloring.value.scale!.ticks!.map(({ text }) => text)).toEqual([
      "2024-01",
      "2024-02",
    ]);
  });
});

it("a scale of dates has two at least, and few enough to be read", () => {
  for (let days = 2; days < 4000; days += days < 400 ? 1 : 97)
    for (const begun of [0, 1, 11, 27]) {
      const low = FIRST + begun * DAY;
      const found = dateTicks(low, low + days * DAY);
      expect(found.length, `${days} days`).toBeGreaterThan(1);
      const room = found[0].text.length < 10 ? 6 : 4;
      expect(found.length, `${days} days`).toBeLessThanOrEqual(room);
      expect(new Set(found.map(({ text }) => text)).size).toBe(found.length);
    }
  const march = Date.parse("2026-03-01");
  expect(dateTicks(march, march + 26 * DAY).map(({ text }) => text)).toEqual([
    "2026-03-02",
    "2026-03-16",
  ]);
});

describe("search", () => {
  it.each([
    ["7", [7, 17, 27, 37, 47, 57]],
    ["a/12", [12]],
    ['say "5"', [5]],
    ["2.1", [21]],
    ["2024-02-0", [31, 32, 33, 34, 35, 36, 37, 38, 39]],
    ["p24", [24]],
    ["nowhere", []],
    ["  ", []],
  ])("%s", async (query, rows) => {
    const found = find(await columnsExplorer(), query).map(({ row }) => row);
    expect(found.filter((row) => rows.includes(row as never))).toHaveLength(rows.length);
    if (query !== "7") expect(found).toEqual(rows);
    else expect(found[0]).toBe(7);
  });
});

it("a table of points has all that is known of them, in full", async () => {
  const explorer = await columnsExplorer();
  const [head, first, second] = tableText(explorer, [1, 0]).split("\r\n");
  expect(head).toBe("index,class,file_name,area,cells,treatment,plate,day,note,z0,z1,z2");
  expect(first).toMatch(/^1,odd,a\/1\.png,0\.1,1,A,p1,2024-01-02,"Say ""1""",-?\d/);
  expect(second).toMatch(/^0,even,a\/0\.png,,0,,p0,2024-01-01,,-?\d/);
});
