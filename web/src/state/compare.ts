/** How two sets of points differ: by neuron, and by what else is known of them. */
import type { CategoryColumn } from "./columns";
import type { Explorer } from "./explorer";

/** One thing in which they may differ. Positive: A has more of it. */
export interface Difference {
  /** "z3", "area", "treatment = B" */
  title: string;
  /** What colours the map by it. */
  color: string;
  kind: "neuron" | "number" | "date" | "share";
  /** d′, or of a share Cohen's h, which is on the same scale; NaN where it cannot be told. */
  effect: number;
  /** Where it lies in 95 of 100 such samples. */
  low: number;
  high: number;
  /** Mean, or share, in each. */
  a: number;
  b: number;
}

const Z_95 = 1.959964;
/** Values of a category that are compared. */
const MOST_VALUES = 20;

interface Moments {
  n: number;
  mean: number;
  variance: number;
}

/** Neurons, the one that differs most first. */
export function neuronDifferences(
  explorer: Explorer,
  a: readonly number[],
  b: readonly number[],
): Difference[] {
  const { mu, dim, manifest } = explorer;
  return ranked(
    manifest.neurons.map(({ name }, i) => {
      const valueAt = (row: number): number => mu[row * dim + i];
      return numberDifference(
        name,
        `z${i}`,
        "neuron",
        momentsOf(a, valueAt),
        momentsOf(b, valueAt),
      );
    }),
  );
}

/** Columns and what pictures cost; of a category every value. */
export function columnDifferences(
  explorer: Explorer,
  a: readonly number[],
  b: readonly number[],
): Difference[] {
  const found = [...explorer.facets.values()].flatMap((column) => {
    const { name, title } = column;
    if (column.kind === "category") return shareDifferences(column, a, b);
    const { kind } = column;
    const valueAt = (row: number): number => column.values[row];
    return [numberDifference(title, name, kind, momentsOf(a, valueAt), momentsOf(b, valueAt))];
  });
  return ranked(found);
}

/** d′ as `zscape.neurons` has it, with the interval of Bonett 2008 (two variances that may differ). */
export function numberDifference(
  title: string,
  color: string,
  kind: "neuron" | "number" | "date",
  a: Moments,
  b: Moments,
): Difference {
  const difference = a.mean - b.mean;
  const spread = (a.variance + b.variance) / 2;
  const isRounding = Math.abs(difference) <= 1e-6 * (Math.abs(a.mean) + Math.abs(b.mean));
  const effect = isRounding ? 0 : difference / Math.sqrt(spread);
  const inEach = ({ n, variance }: Moments): number =>
    (effect ** 2 * variance ** 2) / (8 * spread ** 2 * (n - 1)) + variance / (spread * (n - 1));
  const half = Z_95 * Math.sqrt(inEach(a) + inEach(b));
  return {
    ...{ title, color, kind, effect, a: a.mean, b: b.mean },
    ...{ low: effect - half, high: effect + half },
  };
}

/** Of the values that are there. */
export function momentsOf(rows: readonly number[], valueAt: (row: number) => number): Moments {
  let [n, mean, squares] = [0, 0, 0];
  for (const row of rows) {
    const value = valueAt(row);
    if (Number.isNaN(value)) continue;
    // Welford 1962
    const gap = value - mean;
    mean += gap / ++n;
    squares += gap * (value - mean);
  }
  return { n, mean: n ? mean : Number.NaN, variance: n > 1 ? squares / (n - 1) : Number.NaN };
}

/** Cohen's h of every value (Cohen 1988, ch. 6), those missing left out. */
function shareDifferences(
  column: CategoryColumn,
  a: readonly number[],
  b: readonly number[],
): Difference[] {
  const { name, title, categories } = column;
  const [inA, inB] = [countsOf(column, a), countsOf(column, b)];
  if (!inA.n || !inB.n) return [];
  const half = Z_95 * Math.sqrt(1 / inA.n + 1 / inB.n);
  const angle = (share: number): number => 2 * Math.asin(Math.sqrt(share));
  return [...new Set([...inA.counts.keys(), ...inB.counts.keys()])]
    .sort((x, y) => total(y) - total(x))
    .slice(0, MOST_VALUES)
    .map((code) => {
      const [shareA, shareB] = [
        (inA.counts.get(code) ?? 0) / inA.n,
        (inB.counts.get(code) ?? 0) / inB.n,
      ];
      const effect = angle(shareA) - angle(shareB);
      return {
        ...{ title: `${title} = ${categories[code]}`, color: name, kind: "share" as const, effect },
        ...{ low: effect - half, high: effect + half, a: shareA, b: shareB },
      };
    });

  function total(code: number): number {
    return (inA.counts.get(code) ?? 0) + (inB.counts.get(code) ?? 0);
  }
}

function countsOf({ codes, categories }: CategoryColumn, rows: readonly number[]) {
  const counts = new Map<number, number>();
  let n = 0;
  for (const row of rows) {
    const code = codes[row];
    if (!(code in categories)) continue;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    n++;
  }
  return { counts, n };
}

/** By size; what cannot be told comes last. */
const ranked = (found: Difference[]): Difference[] =>
  found.sort((x, y) => size(y) - size(x) || x.title.localeCompare(y.title));
const size = ({ effect }: Difference): number => (Number.isNaN(effect) ? -1 : Math.abs(effect));

/** Whether chance alone explains a difference of this size seldom enough, by itself. */
export const isClear = ({ low, high }: Difference): boolean => low > 0 || high < 0;
