/** Points found by what is known of them. */
import { type Column, numberText, valueText } from "./columns";
import type { Explorer } from "./explorer";

export interface Found {
  row: number;
  /** Where it was found; null: it is the number of the picture. */
  column: Column | null;
}

const lowered = new WeakMap<readonly (string | null)[], (string | undefined)[]>();

/** All points of which something has the text in it, or is the number: numbers of pictures first, then by column. */
export function find(explorer: Explorer, query: string): Found[] {
  const text = query.trim().toLowerCase();
  if (!text) return [];
  const { indices, n, columns, facets } = explorer;
  const found = new Map<number, Found>();
  const add = (row: number, column: Column | null): void => {
    if (!found.has(row)) found.set(row, { row, column });
  };
  if (/^\d+$/.test(text)) {
    const row = indices.indexOf(Number(text));
    if (row >= 0) add(row, null);
  }
  const classes = facets.get("class");
  for (const column of [...columns, ...(classes ? [classes] : [])]) {
    const holds = matcher(column, text);
    for (let row = 0; row < n; row++) if (holds(row)) add(row, column);
  }
  return [...found.values()];
}

function matcher(column: Column, text: string): (row: number) => boolean {
  if (column.kind === "category") {
    const { codes, categories } = column;
    const holding = categories.map((name) => name.toLowerCase().includes(text));
    return (row) => holding[codes[row]] === true;
  }
  if ("texts" in column) {
    let texts = lowered.get(column.texts);
    if (!texts) lowered.set(column.texts, (texts = column.texts.map((t) => t?.toLowerCase())));
    const known = texts;
    return (row) => known[row]?.includes(text) === true;
  }
  if (column.kind === "date")
    return /^\d{4}/.test(text) ? (row) => valueText(column, row).startsWith(text) : () => false;
  const { values, isWhole } = column;
  const wanted = Number(text.replace("−", "-"));
  if (Number.isNaN(wanted)) return () => false;
  const named = numberText(wanted, false);
  const isNear = (value: number): boolean =>
    value === wanted || (!isWhole && numberText(value, false) === named);
  return (row) => isNear(values[row]);
}
