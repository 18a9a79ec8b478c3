/** Points as a table for other programs: what is known of each, and its vector, as `LatentTable.to_frame` has it. */
import { type Column, isMissing, valueText } from "../state/columns";
import type { Explorer } from "../state/explorer";
import { download, fileName } from "./files";

/** Hands these points to the person as a file. */
export const downloadRows = (explorer: Explorer, rows: readonly number[], what: string): void =>
  download(
    fileName(explorer.manifest.title, `${what.replace(/[^\p{L}\p{N}.-]+/gu, "-")}.csv`),
    new Blob([tableText(explorer, rows)], { type: "text/csv" }),
  );

/** The numbers under `index` of such a table, or the lines of a plain list; null: there are none. */
export function readIndices(text: string): number[] | null {
  const [first, ...lines] = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const at = first.split(",").findIndex((name) => name.trim().replaceAll('"', "") === "index");
  // Commas in quotes come after: `index` is the first column of every table that is written here.
  const cells = at < 0 ? [first, ...lines] : lines.map((line) => line.split(",")[at] ?? "");
  const found = cells.map((cell) => cell.trim()).filter((cell) => cell !== "");
  const isList = found.length > 0 && found.every((cell) => /^\d+$/.test(cell));
  return isList ? found.map(Number) : null;
}

export function tableText(explorer: Explorer, rows: readonly number[]): string {
  const { facets, columns, indices, mu, dim, manifest } = explorer;
  const classes = facets.get("class");
  const known: Column[] = [...(classes ? [classes] : []), ...columns];
  const names = known.map(({ name }) => name);
  const neurons = manifest.neurons.map(({ name }) => name);
  const lines = rows.map((row) => [
    String(indices[row]),
    ...known.map((column) => exact(column, row)),
    ...Array.from(mu.subarray(row * dim, (row + 1) * dim), shortest),
  ]);
  return [["index", ...names, ...neurons], ...lines]
    .map((line) => `${line.map(quoted).join(",")}\r\n`)
    .join("");
}

/** In full, where a person is shown a few digits. */
function exact(column: Column, row: number): string {
  const isPlain = column.kind === "number" && !isMissing(column, row);
  return isPlain ? String(column.values[row]) : valueText(column, row);
}

/** Seven digits are what a 32-bit number holds. */
const shortest = (value: number): string => String(Number(value.toPrecision(7)));

/** RFC 4180 */
const quoted = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
