// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { drawnFrom } from "../src/maps/spread";
import { readIndices, tableText } from "../src/output/csv";
import { redo, setColor, setFilter, undo } from "../src/state/actions";
import {
  clearSelection,
  dropSelection,
  giveSelections,
  keepSelection,
  pick,
  renameSelection,
  select,
  selectRest,
  setJoin,
} from "../src/state/actions_selection";
import { columnDifferences, isClear, momentsOf, numberDifference } from "../src/state/compare";
import type { Explorer } from "../src/state/explorer";
import { GateError, rowsOfGate } from "../src/state/gate";
import { joined, nextName, selectionColumn } from "../src/state/selections";
import { pointSets, rowsOfSet } from "../src/state/sets";
import { sortedRows, tableColumns } from "../src/state/table";
import { smallExplorer } from "./app_explorer";
import { columnsExplorer, N } from "./helpers/columns";
import { colorOf } from "./helpers/paint";

const names = ({ selections }: Explorer): string[] => selections.value.map(({ name }) => name);
const all = Array.from({ length: N }, (_, row) => row);

describe("selections", () => {
  it.each([
    ["new", [2, 9], [2, 9]],
    ["add", [9, 2], [2, 3, 5, 9]],
    ["subtract", [5, 9], [2, 3]],
    ["intersect", [5, 9, 2], [2, 5]],
  ] as const)("%s", (join, rows, expected) => {
    expect(joined([2, 3, 5], rows, join)).toEqual(expected);
  });

  it("grow and shrink as the signs say, by whatever tool, and are undone", async () => {
    const explorer = await smallExplorer();
    pick(explorer, [5, 1, 99, -1, 0.5]);
    expect(explorer.selection.value).toEqual([1, 5]);
    setJoin(explorer, "add");
    pick(explorer, [2]);
    setJoin(explorer, "subtract");
    pick(explorer, [1]);
    expect(explorer.selection.value).toEqual([2, 5]);
    undo(explorer);
    expect(explorer.selection.value).toEqual([1, 2, 5]);
    redo(explorer);
    clearSelection(explorer);
    undo(explorer);
    expect(explorer.selection.value).toEqual([2, 5]);
  });

  it("are kept under names and colours that no two share", async () => {
    const explorer = await smallExplorer();
    keepSelection(explorer);
    expect(names(explorer)).toEqual([]);
    select(explorer, [3, 1, 3]);
    keepSelection(explorer);
    keepSelection(explorer, "A", [4]);
    expect(explorer.selections.value).toEqual([
      { name: "A", rows: [1, 3], hue: 0 },
      { name: "A 2", rows: [4], hue: 1 },
    ]);
    renameSelection(explorer, "A 2", " A ");
    renameSelection(explorer, "A", "  ");
    expect(names(explorer)).toEqual(["A", "A 2"]);
    renameSelection(explorer, "A", "good");
    expect(names(explorer)).toEqual(["good", "A 2"]);
    expect(nextName(explorer.selections.value)).toBe("A");
    dropSelection(explorer, "good");
    keepSelection(explorer, "B", [2]);
    expect(explorer.selections.value.map(({ hue }) => hue)).toEqual([1, 0]);
    undo(explorer);
    undo(explorer);
    expect(names(explorer)).toEqual(["good", "A 2"]);
  });

  it("colour the map as long as there are any", async () => {
    const explorer = await smallExplorer();
    setColor(explorer, "selections");
    expect(explorer.color.value).toBe("class");
    keepSelection(explorer, "A", [0, 1]);
    keepSelection(explorer, "B", [1, 2]);
    setColor(explorer, "selections");
    const painted = (row: number) => colorOf(explorer, row);
    expect(painted(1)).toEqual(painted(0));
    expect(painted(2)).not.toEqual(painted(0));
    dropSelection(explorer, "A");
    expect(painted(1)).toEqual(painted(2));
    dropSelection(explorer, "B");
    expect(explorer.color.value).toBe("class");
  });

  it("are a category, the first that holds a point being its value", () => {
    const kept = [
      { name: "A", rows: [0, 2], hue: 0 },
      { name: "B", rows: [2, 3], hue: 1 },
    ];
    const { codes, missing, categories } = selectionColumn(kept, 5);
    expect([[...codes], missing, categories]).toEqual([[0, -1, 0, 1, -1], 2, ["A", "B"]]);
  });

  it("come from Python, and colours of names that stay, stay", async () => {
    const explorer = await smallExplorer();
    keepSelection(explorer, "A", [0]);
    keepSelection(explorer, "B", [1]);
    giveSelections(explorer, { B: [2, 2, 99], C: [3], empty: [] });
    expect(explorer.selections.value).toEqual([
      { name: "B", rows: [2], hue: 1 },
      { name: "C", rows: [3], hue: 2 },
    ]);
  });

  it("come back from the file they were saved to", async () => {
    const explorer = await columnsExplorer();
    const rows = [3, 30, 41];
    expect(readIndices(tableText(explorer, rows))).toEqual(
      rows.map((row) => explorer.indices[row]),
    );
    expect(readIndices("3\n7\r\n")).toEqual([3, 7]);
    expect(readIndices('\uFEFF"index",a\n4,"x, y"\n')).toEqual([4]);
    for (const none of ["", "index\n", "row\n1", "index\n1.5", "index\n-1"])
      expect(readIndices(none)).toBe(null);
  });
});

describe("a gate", () => {
  const cases: [gate: string, expected: (row: number) => boolean][] = [
    ["cells > 3", (row) => row % 7 > 3],
    ["cells>=3 and cells != 5", (row) => row % 7 >= 3 && row % 7 !== 5],
    [
      "cells = 1 or cells = 2 and area < 2",
      (row) => row % 7 === 1 || (row % 7 === 2 && row % 10 > 0 && row < 20),
    ],
    [
      "(cells = 1 or cells = 2) and area < 2",
      (row) => [1, 2].includes(row % 7) && row % 10 > 0 && row < 20,
    ],
    ["not (cells in (1, 2, 3))", (row) => ![1, 2, 3].includes(row % 7)],
    ["area = missing", (row) => row % 10 === 0],
    ["AREA != Missing and Cells = 0", (row) => row % 10 !== 0 && row % 7 === 0],
    ["area != 0.1", (row) => row % 10 !== 0 && row !== 1],
    ["file_name ~ /1 and file_name ~ .PNG", (row) => String(row).startsWith("1")],
    ['file_name = "a/7.png"', (row) => row === 7],
    ["day >= 2024-02-01", (row) => row >= 31],
    ["day < 2024-01-03 12:00", (row) => row <= 2],
    ["class = odd", (row) => row % 2 === 1],
    ["index <= 0", (row) => row === 0],
  ];
  it.each(cases)("%s", async (gate, expected) => {
    const explorer = await columnsExplorer();
    expect(rowsOfGate(explorer, gate)).toEqual(all.filter(expected));
  });

  it("knows neurons and values in quotes", async () => {
    const explorer = await columnsExplorer();
    const { mu, dim } = explorer;
    expect(rowsOfGate(explorer, "z1 > 0")).toEqual(all.filter((row) => mu[row * dim + 1] > 0));
    const treated = rowsOfGate(explorer, "treatment = 'b, B'");
    expect(treated.length).toBeGreaterThan(0);
    expect(rowsOfGate(explorer, "`treatment` = 'B, b'")).toEqual(treated);
    expect(rowsOfGate(explorer, "treatment in ('B, b', A) and treatment != A")).toEqual(treated);
  });

  it.each([
    ["", "Type a condition"],
    ["area", "Expected a comparison such as = or > after “area”"],
    ["area >", "Expected a value before the end"],
    ["> 3", "Expected a column before “>”"],
    ["area > 3 cells < 2", "“3 cells” is none"],
    ["cells in (3) area < 2", "Expected “and” or “or” before “area”"],
    ["area > 3)", "Expected “and” or “or” before “)”"],
    ["(area > 3", "Expected “)” before the end"],
    ["weight > 3", "There is no column “weight”; there are file_name, area"],
    ["area > tall", "“area” is compared with a number; “tall” is none"],
    ["area ~ 3", "have no text in them"],
    ["day > soon", "a date such as 2024-03-05"],
    ["treatment > A", "has no order"],
    ["treatment = C", "“treatment” has no value “C”; it has A, B, b"],
    ["file_name > a", "compare it with =, != or ~"],
    ["area > missing", "goes with = and != only"],
    ["area in 3", "Expected “(” after “in”"],
    ['file_name = "a', 'There is a " without its other half'],
  ])("says what is wrong with “%s”", async (gate, sentence) => {
    const explorer = await columnsExplorer();
    expect(() => rowsOfGate(explorer, gate)).toThrow(GateError);
    expect(() => rowsOfGate(explorer, gate)).toThrow(sentence);
  });
});

describe("A against B", () => {
  it("measures d′ as Python does, with Bonett’s interval", () => {
    const [a, b] = [
      [1, 2, 3, 4],
      [3, 5, 7],
    ];
    const { effect, low, high } = numberDifference(
      ...(["x", "x", "number"] as const),
      momentsOf([0, 1, 2, 3], (row) => a[row]),
      momentsOf([0, 1, 2], (row) => b[row]),
    );
    // Means 2.5 and 5, variances 5/3 and 4.
    const s2 = (5 / 3 + 4) / 2;
    expect(effect).toBeCloseTo(-2.5 / Math.sqrt(s2), 12);
    const variance =
      (effect ** 2 * ((5 / 3) ** 2 / 3 + 16 / 2)) / (8 * s2 ** 2) + 5 / 3 / 3 / s2 + 4 / 2 / s2;
    expect((high - low) / 2).toBeCloseTo(1.959964 * Math.sqrt(variance), 9);
  });

  it("holds the truth in about 95 of 100 samples", () => {
    let state = 1;
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const draw = (n: number, mean: number, sd: number) => {
      const values = Array.from({ length: n }, () => mean + sd * normal());
      return momentsOf([...values.keys()], (row) => values[row]);
    };
    const truth = 1 / Math.sqrt((1 + 4) / 2);
    const runs = Array.from({ length: 1000 }, () =>
      numberDifference("x", "x", "number", draw(60, 1, 1), draw(25, 0, 2)),
    );
    const held = runs.filter(({ low, high }) => low <= truth && truth <= high).length;
    expect(held).toBeGreaterThan(925);
    expect(held).toBeLessThan(975);
  });

  it("takes what does not vary for equal, and cannot tell one picture from others", () => {
    const same = momentsOf([0, 1, 2], () => 0.1);
    expect(numberDifference("x", "x", "number", same, same).effect).toBe(0);
    const one = momentsOf([0], () => 3);
    const found = numberDifference("x", "x", "number", one, same);
    expect([found.effect, isClear(found)]).toEqual([Number.NaN, false]);
  });

  it("ranks columns: what was selected by differs most, shares as Cohen’s h", async () => {
    const explorer = await columnsExplorer();
    const a = rowsOfGate(explorer, "treatment = A");
    const b = rowsOfGate(explorer, "treatment ~ B");
    const found = columnDifferences(explorer, a, b);
    expect(found.slice(0, 2).map(({ title }) => title)).toEqual([
      "treatment = A",
      "treatment = B, b",
    ]);
    expect(found[0].effect).toBeCloseTo(Math.PI, 12);
    expect([found[0].a, found[0].b, isClear(found[0])]).toEqual([1, 0, true]);
    const sizes = found.map(({ effect }) => Math.abs(effect)).filter((size) => !Number.isNaN(size));
    expect(sizes).toEqual([...sizes].sort((x, y) => y - x));
  });

  it("knows sets by name, and what the rest is the rest of", async () => {
    const explorer = await columnsExplorer();
    keepSelection(explorer, "mine", [4, 5]);
    setFilter(explorer, "cells", { low: 4, high: 7 });
    const shown = all.filter((row) => row % 7 >= 4);
    select(explorer, [1, 4, 5]);
    expect(pointSets(explorer).map(({ key }) => key)).toEqual([
      ...["selected", "rest", "kept mine", "class 0", "class 1"],
    ]);
    expect(rowsOfSet(explorer, "selected", "rest")).toEqual([4, 5]);
    expect(rowsOfSet(explorer, "rest", "kept mine")).toEqual(
      shown.filter((row) => ![4, 5].includes(row)),
    );
    expect(rowsOfSet(explorer, "rest", "rest")).toEqual(shown);
    expect(rowsOfSet(explorer, "class 1", "rest")).toEqual(shown.filter((row) => row % 2));
    expect(rowsOfSet(explorer, "kept gone", "rest")).toEqual([]);
    selectRest(explorer);
    expect(explorer.selection.value).toEqual(shown.filter((row) => ![4, 5].includes(row)));
  });
});

describe("the table", () => {
  it("sorts by any column, what is missing last, equal ones as they were", async () => {
    const explorer = await columnsExplorer();
    const columns = tableColumns(explorer, explorer.mu.slice(0, explorer.dim));
    const by = (name: string, isDescending: boolean) => [
      ...sortedRows(
        [0, 10, 7, 14, 8, 1],
        columns.find((each) => each.name === name)!,
        isDescending,
      ),
    ];
    expect(by("cells", false)).toEqual([0, 7, 14, 8, 1, 10]);
    expect(by("cells", true)).toEqual([10, 8, 1, 0, 7, 14]);
    expect(by("area", false)).toEqual([1, 7, 8, 14, 0, 10]);
    expect(by("area", true)).toEqual([14, 8, 7, 1, 0, 10]);
    expect(by("file_name", false)).toEqual([0, 1, 10, 14, 7, 8]);
    expect(by("distance", false)[0]).toBe(0);
    expect(columns.map(({ name }) => name).slice(0, 5)).toEqual([
      ...["index", "class", "distance", "error", "kl"],
    ]);
  });
});

it("draws from a posterior the same vectors under the same numbers", () => {
  const [mu, variances] = [Float32Array.of(1, -2), Float32Array.of(4, 0.25)];
  expect(drawnFrom(mu, variances, 3)).toEqual(drawnFrom(mu, variances, 3));
  const drawn = Array.from({ length: 2000 }, (_, i) => drawnFrom(mu, variances, i));
  for (const [c, sd] of [2, 0.5].entries()) {
    const { mean, variance } = momentsOf([...drawn.keys()], (i) => drawn[i][c]);
    expect(Math.abs(mean - mu[c])).toBeLessThan(0.1 * sd);
    expect(Math.abs(Math.sqrt(variance) / sd - 1)).toBeLessThan(0.05);
  }
});
