/** Every point in one of a few bins of a column: what histograms and bars count. */
import { ticks } from "../view/ticks";
import { type CategoryColumn, type Facet, type NumberColumn, rangeOf } from "./columns";
import { dateEdges } from "./dates";

const WANTED = 36;
/** Of categories; the least frequent beyond share one, as in `zscape.data.coloring`. */
export const MOST_GROUPS = 20;

/** Values of a category that are shown, coloured and counted as one. */
export interface Group {
  name: string;
  /** Those of `CategoryColumn.codes`. */
  codes: readonly number[];
  /** "value", or what is grey: "others" that share a group, "missing" where there is no value. */
  kind: "value" | "others" | "missing";
  count: number;
}

export interface Bins {
  n: number;
  /** The bin of every point; `n` where it has none. */
  of: Uint8Array | Uint16Array;
  counts: Uint32Array;
}

export interface NumberBins extends Bins {
  /** n + 1 of them; the outer bins hold what lies beyond, too. */
  edges: readonly number[];
  /** Whether something does. */
  isCutLow: boolean;
  isCutHigh: boolean;
}

export interface CategoryBins extends Bins {
  groups: readonly Group[];
}

const known = new WeakMap<Facet, NumberBins | CategoryBins>();

export function binsOf(column: NumberColumn): NumberBins;
export function binsOf(column: CategoryColumn): CategoryBins;
export function binsOf(column: Facet): Bins;
export function binsOf(column: Facet): Bins {
  let bins = known.get(column);
  if (!bins) known.set(column, (bins = column.kind === "category" ? grouped(column) : cut(column)));
  return bins;
}

function cut(column: NumberColumn): NumberBins {
  const { values, kind, isWhole } = column;
  const [low, high] = rangeOf(column);
  const edges =
    kind === "date" ? dateEdges(low, high, WANTED).edges : roundEdges(low, high, isWhole);
  const n = edges.length - 1;
  const of = new Uint8Array(values.length).fill(n);
  const counts = new Uint32Array(n + 1);
  const step = (edges[n] - edges[0]) / n;
  let [isCutLow, isCutHigh] = [false, false];
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (Number.isNaN(value)) continue;
    if (value < edges[0]) isCutLow = true;
    if (value >= edges[n]) isCutHigh = true;
    let bin = Math.min(Math.max(Math.floor((value - edges[0]) / step), 0), n - 1);
    // Rounding may miss by one; months differ in length.
    while (bin > 0 && value < edges[bin]) bin--;
    while (bin < n - 1 && value >= edges[bin + 1]) bin++;
    of[row] = bin;
    counts[bin]++;
  }
  counts[n] = column.missing;
  return { n, of, counts, edges, isCutLow, isCutHigh };
}

/** 1, 2 or 5 times a power of ten apart. */
function roundEdges(low: number, high: number, isWhole: boolean): number[] {
  const half = Math.abs(low) / 10 || 0.5;
  if (isWhole && high - low < WANTED)
    return Array.from({ length: high - low + 2 }, (_, i) => low + i);
  if (!(high > low)) return [low - half, low + half];
  const { values, step } = ticks(low, high, WANTED);
  const edges = [...values];
  if (edges[0] > low) edges.unshift(edges[0] - step);
  // The last value lies in a bin too: bins end before their upper edge.
  if (edges.at(-1)! <= high) edges.push(edges.at(-1)! + step);
  return edges.map((edge) => Number(edge.toPrecision(12)));
}

/** The values of a category that points have, in their order, each a group unless there are more than `most`. */
export function groupsOf({ codes, categories }: CategoryColumn, most = Infinity): Group[] {
  const nValues = categories.length;
  const all = new Uint32Array(nValues + 1);
  for (const code of codes) all[code >= 0 && code < nValues ? code : nValues]++;
  const used = Array.from({ length: nValues }, (_, code) => code).filter((code) => all[code] > 0);
  const byCount = [...used].sort((a, b) => all[b] - all[a] || a - b);
  const own = used.length > most ? byCount.slice(0, most - 1) : byCount;
  const rest = byCount.slice(own.length);
  own.sort((a, b) => a - b);
  const groups: Group[] = own.map((code) => ({
    name: categories[code],
    codes: [code],
    kind: "value",
    count: all[code],
  }));
  if (rest.length) {
    const count = rest.reduce((sum, code) => sum + all[code], 0);
    groups.push({ name: `others (${rest.length})`, codes: rest, kind: "others", count });
  }
  if (all[nValues]) {
    groups.push({ name: "missing", codes: [-1], kind: "missing", count: all[nValues] });
  }
  return groups;
}

function grouped(column: CategoryColumn): CategoryBins {
  const { codes, categories } = column;
  const nValues = categories.length;
  const groups = groupsOf(column, MOST_GROUPS);
  const groupOf = new Uint8Array(nValues + 1);
  groups.forEach((group, i) => {
    for (const code of group.codes) groupOf[code < 0 ? nValues : code] = i;
  });
  const of = Uint8Array.from(
    codes,
    (code) => groupOf[code >= 0 && code < nValues ? code : nValues],
  );
  const counts = Uint32Array.from([...groups.map(({ count }) => count), 0]);
  return { n: groups.length, of, counts, groups };
}
