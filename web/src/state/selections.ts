/** Sets of points that a person has chosen and may keep. */
import type { CategoryColumn } from "./columns";

/** One that is kept. */
export interface Selection {
  /** Differs from that of all others. */
  readonly name: string;
  /** Ascending. */
  readonly rows: readonly number[];
  /** Which colour of the palette it has, from 0. */
  readonly hue: number;
}

/** What becomes of the points selected so far when others are: the first takes their place. */
export const JOINS = ["new", "add", "subtract", "intersect"] as const;
export type Join = (typeof JOINS)[number];

/** Both, ascending and without repetition. */
export function joined(
  before: readonly number[],
  rows: readonly number[],
  how: Join,
): readonly number[] {
  if (how === "new") return ascending(new Set(rows));
  if (how === "add") return ascending(new Set([...before, ...rows]));
  const others = new Set(rows);
  return before.filter((row) => others.has(row) === (how === "intersect"));
}

const ascending = (rows: ReadonlySet<number>): number[] => [...rows].sort((a, b) => a - b);

/** `wanted`, or with a number behind it where another has that name. */
export function freeName(others: readonly { name: string }[], wanted: string): string {
  const taken = new Set(others.map(({ name }) => name));
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : `${wanted} ${i}`;
    if (!taken.has(name)) return name;
  }
}

/** "A", "B" …; beyond them "A 2". */
export function nextName(selections: readonly Selection[]): string {
  const taken = new Set(selections.map(({ name }) => name));
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
  return letters.find((letter) => !taken.has(letter)) ?? freeName(selections, "A");
}

/** The first colour that none has. */
export function freeHue(selections: readonly Selection[]): number {
  const taken = new Set(selections.map(({ hue }) => hue));
  for (let hue = 0; ; hue++) if (!taken.has(hue)) return hue;
}

/** The selections as a category of n points: the first that holds a point is its value. */
export function selectionColumn(selections: readonly Selection[], n: number): CategoryColumn {
  const codes = new Int32Array(n).fill(-1);
  for (let code = selections.length - 1; code >= 0; code--)
    for (const row of selections[code].rows) codes[row] = code;
  const missing = codes.reduce((sum, code) => sum + (code < 0 ? 1 : 0), 0);
  const categories = selections.map(({ name }) => name);
  return { name: "selections", title: "selections", kind: "category", codes, categories, missing };
}

/** As Python and the browser's memory have them: rows by name. */
export const writeSelections = (selections: readonly Selection[]): Record<string, number[]> =>
  Object.fromEntries(selections.map(({ name, rows }) => [name, [...rows]]));

/** The rows that no filter hides, ascending. @param mask null: all `n` */
export function shownRows(mask: Uint8Array | null, n: number): number[] {
  const rows = Array.from({ length: n }, (_, row) => row);
  return mask ? rows.filter((row) => mask[row]) : rows;
}
