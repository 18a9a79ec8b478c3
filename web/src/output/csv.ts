/** Points as a table for other programs: what is known of each, and its vector, as `LatentTable.to_frame` has it. */
import { type Column, isMissing, valueText } from "../state/columns";
import type { Explorer } from "../state/explorer";

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
