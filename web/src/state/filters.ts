/** What of the data is shown: by the values of columns, each of which hides some. */
import type { FilterSpec } from "../scene/source";
import { binsOf } from "./bins";
import type { Cell } from "./cell";
import type { CategoryColumn, Facet, NumberColumn } from "./columns";
import { dateOf, dateText } from "./dates";

/** low <= x < high is shown, and nothing that is missing. */
export interface Range {
  readonly low: number; // -Infinity: no bound
  readonly high: number;
}

/** Codes of values that are not shown, -1 standing for the missing ones. */
export interface Hidden {
  readonly hidden: ReadonlySet<number>;
}

export type Filter = Range | Hidden;
/** By the name of a column; one that hides nothing is not there. */
export type Filters = ReadonlyMap<string, Filter>;

export const NONE: ReadonlySet<number> = new Set();

export const hiddenOf = (filters: Filters, name: string): ReadonlySet<number> => {
  const filter = filters.get(name);
  return filter && "hidden" in filter ? filter.hidden : NONE;
};

/** The filters with another one of a column; null or one that hides nothing: without. */
export function withFilter(filters: Filters, name: string, filter: Filter | null): Filters {
  const changed = new Map(filters);
  changed.delete(name);
  if (filter && !isOpen(filter)) changed.set(name, filter);
  return changed;
}

const isOpen = (filter: Filter): boolean =>
  "hidden" in filter
    ? filter.hidden.size === 0
    : filter.low === -Infinity && filter.high === Infinity;

/** Of the explorer, what filters need. */
interface Filtered {
  readonly n: number;
  readonly facets: ReadonlyMap<string, Facet>;
  readonly filters: Cell<Filters>;
  readonly failures: Cell<Uint16Array | null>;
}

/** 1 for every point that the filter hides. Worked out once. */
const failures = new WeakMap<Filter, Uint8Array>();

function failing(column: Facet, filter: Filter): Uint8Array {
  let fails = failures.get(filter);
  if (!fails) failures.set(filter, (fails = failingNow(column, filter)));
  return fails;
}

function failingNow(column: Facet, filter: Filter): Uint8Array {
  if (column.kind === "category") {
    const { codes, categories } = column;
    const { hidden } = filter as Hidden;
    const k = categories.length;
    const isHidden = Uint8Array.from({ length: k + 1 }, (_, i) => +hidden.has(i < k ? i : -1));
    const fails = new Uint8Array(codes.length);
    for (let row = 0; row < fails.length; row++) {
      const code = codes[row];
      fails[row] = isHidden[code >= 0 && code < k ? code : k];
    }
    return fails;
  }
  const { values } = column;
  const { low, high } = filter as Range;
  const fails = new Uint8Array(values.length);
  // What is missing compares as false.
  for (let row = 0; row < fails.length; row++)
    fails[row] = values[row] >= low && values[row] < high ? 0 : 1;
  return fails;
}

/** By how many filters every point is hidden; null: none hides any. */
export function failuresOf({ filters, facets, n }: Omit<Filtered, "failures">): Uint16Array | null {
  let sum: Uint16Array | null = null;
  for (const [name, filter] of filters.value) {
    const column = facets.get(name);
    if (!column) continue;
    const fails = failing(column, filter);
    if (!sum) sum = Uint16Array.from(fails);
    else for (let row = 0; row < n; row++) sum[row] += fails[row];
  }
  return sum;
}

/** Which points are shown; null: all. */
export function visiblePoints({ failures }: Filtered): Uint8Array | null {
  const sum = failures.value;
  if (!sum) return null;
  let isAll = true;
  const mask = new Uint8Array(sum.length);
  for (let row = 0; row < mask.length; row++) {
    if (sum[row] === 0) mask[row] = 1;
    else isAll = false;
  }
  return isAll ? null : mask; // a link may name classes that there are none of
}

/** Rows that no filter hides, and rows that one alone does. Worked out once, so that no column looks at the others. */
const lists = new WeakMap<Uint16Array, { passing: Uint32Array; nearly: Uint32Array }>();

function listsOf(sum: Uint16Array): { passing: Uint32Array; nearly: Uint32Array } {
  const known = lists.get(sum);
  if (known) return known;
  const [passing, nearly] = [new Uint32Array(sum.length), new Uint32Array(sum.length)];
  let [nPassing, nNearly] = [0, 0];
  for (let row = 0; row < sum.length; row++) {
    // Without a branch, which would be foretold wrongly: what is written too much is overwritten.
    const k = sum[row];
    passing[nPassing] = row;
    nearly[nNearly] = row;
    nPassing += k === 0 ? 1 : 0;
    nNearly += k === 1 ? 1 : 0;
  }
  const made = { passing: passing.subarray(0, nPassing), nearly: nearly.subarray(0, nNearly) };
  lists.set(sum, made);
  return made;
}

/**
 * How many points of each bin of a column pass the filters of all others: what its histogram shows beside its own
 * brush (a cross-filter).
 */
export function tally({ failures, filters }: Filtered, column: Facet): Uint32Array {
  const bins = binsOf(column);
  const sum = failures.value;
  if (!sum) return bins.counts;
  const counts = new Uint32Array(bins.n + 1);
  const { of } = bins;
  const { passing, nearly } = listsOf(sum);
  for (let i = 0; i < passing.length; i++) counts[of[passing[i]]]++;
  const own = filters.value.get(column.name);
  if (!own) return counts;
  const fails = failing(column, own);
  for (let i = 0; i < nearly.length; i++) counts[of[nearly[i]]] += fails[nearly[i]];
  return counts;
}

// -- as links and Python have them

export function writeFilters({ filters, facets }: Filtered): FilterSpec {
  const spec: FilterSpec = {};
  for (const [name, filter] of filters.value) {
    const column = facets.get(name)!;
    if ("hidden" in filter) spec[name] = writeHidden(column as CategoryColumn, filter.hidden);
    else spec[name] = [filter.low, filter.high].map((bound) => writeBound(column, bound));
  }
  return spec;
}

const writeBound = ({ kind }: Facet, bound: number): string | number | null => {
  if (!Number.isFinite(bound)) return null;
  return kind === "date" ? dateText(bound, "millisecond").replace(" ", "T") : bound;
};

/** The shorter of what is shown and what is not. */
function writeHidden({ categories, codes }: CategoryColumn, hidden: ReadonlySet<number>) {
  const nameOf = (code: number): string | null => categories[code] ?? null;
  const k = categories.length;
  const isPresent = new Uint8Array(k + 1);
  for (const code of codes) isPresent[code >= 0 && code < k ? code : k] = 1;
  const present = Array.from(isPresent.keys()).filter((code) => isPresent[code]);
  const shown = present.map((code) => (code < k ? code : -1)).filter((code) => !hidden.has(code));
  if (shown.length <= hidden.size) return shown.map(nameOf);
  return { not: [...hidden].map(nameOf) };
}

/** The filters of a scene's columns; what is none, or of no column, is left out. */
export function readFilters(facets: ReadonlyMap<string, Facet>, spec: unknown): Filters {
  let filters: Filters = new Map();
  if (typeof spec !== "object" || spec === null) return filters;
  for (const [name, wanted] of Object.entries(spec)) {
    const column = facets.get(name);
    if (!column) continue;
    const filter =
      column.kind === "category" ? readHidden(column, wanted) : readRange(column, wanted);
    filters = withFilter(filters, name, filter);
  }
  return filters;
}

function readHidden({ categories }: CategoryColumn, wanted: unknown): Hidden | null {
  const isNot = typeof wanted === "object" && wanted !== null && "not" in wanted;
  const names: unknown = isNot ? wanted.not : wanted;
  if (!Array.isArray(names)) return null;
  const codes = new Map<unknown, number>(categories.map((name, code) => [name, code]));
  codes.set(null, -1);
  const named = new Set(names.map((name) => codes.get(name)).filter((code) => code !== undefined));
  const all = [...codes.values()];
  return { hidden: new Set(isNot ? named : all.filter((code) => !named.has(code))) };
}

function readRange({ kind }: NumberColumn, wanted: unknown): Range | null {
  if (!Array.isArray(wanted) || wanted.length !== 2) return null;
  const [low, high] = wanted.map((bound, i) => {
    if (bound === null) return i ? Infinity : -Infinity;
    return kind === "date" ? dateOf(String(bound)) : bound;
  });
  return typeof low === "number" && typeof high === "number" && low < high ? { low, high } : null;
}
