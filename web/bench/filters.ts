/** How long one move of a brush takes: what is shown, and the bars of all other columns. */
import { binsOf } from "../src/state/bins";
import { cell, derived } from "../src/state/cell";
import type { CategoryColumn, Facet, NumberColumn } from "../src/state/columns";
import { type Filters, failuresOf, tally, visiblePoints, withFilter } from "../src/state/filters";

const N_NUMBERS = 8;
const N_CATEGORIES = 4;

/** Milliseconds of each of `moves` moves over `n` points, with two other columns filtered already. */
export function measure(n: number, moves = 100): number[] {
  const numbers = Array.from({ length: N_NUMBERS }, (_, i): NumberColumn => {
    const values = Float64Array.from({ length: n }, () => Math.random() + Math.random());
    const name = `number ${i}`;
    return { kind: "number", name, title: name, missing: 0, values, isWhole: false, unit: "day" };
  });
  const categories = Array.from({ length: N_CATEGORIES }, (_, i): CategoryColumn => {
    const names = Array.from({ length: 30 }, (_, k) => `value ${k}`);
    const codes = Int32Array.from({ length: n }, () => Math.floor(30 * Math.random()));
    const name = `category ${i}`;
    return { kind: "category", name, title: name, missing: 0, codes, categories: names };
  });
  const all: Facet[] = [...numbers, ...categories];
  const facets = new Map(all.map((facet) => [facet.name, facet]));
  const filters = cell<Filters>(
    new Map([
      [numbers[1].name, { low: 0.5, high: 1.5 }],
      [categories[0].name, { hidden: new Set([1, 2, 3]) }],
    ]),
  );
  const failures = derived([filters], () => failuresOf({ n, facets, filters }));
  const filtered = { n, facets, filters, failures };
  all.forEach((facet) => binsOf(facet));
  return Array.from({ length: moves }, (_, i) => {
    const start = performance.now();
    const low = i / moves;
    filters.set(withFilter(filters.value, numbers[0].name, { low, high: low + 0.7 }));
    visiblePoints(filtered);
    for (const facet of all) tally(filtered, facet);
    return performance.now() - start;
  });
}
