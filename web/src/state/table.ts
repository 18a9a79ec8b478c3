/** The points as a table a person sorts. */
import { type Column, isMissing, valueText } from "./columns";
import type { Explorer } from "./explorer";
import { count } from "./origin";

/** A column of it. */
export interface TableColumn {
  name: string;
  title: string;
  /** Right-aligned, the largest first when sorted for the first time. */
  isNumber: boolean;
  /** As it is sorted: NaN and null come last, whichever way. */
  keyOf(row: number): number | string | null;
  textOf(row: number): string;
}

/** What is known of every point; `from`: the vector that distances are measured from. */
export function tableColumns(explorer: Explorer, from: Float32Array): TableColumn[] {
  const { columns, facets, indices, mu, dim } = explorer;
  const distance = (row: number): number => {
    let square = 0;
    for (let c = 0; c < dim; c++) square += (mu[row * dim + c] - from[c]) ** 2;
    return Math.sqrt(square);
  };
  const own = (name: string): Column[] => [facets.get(name)].filter((facet) => facet !== undefined);
  return [
    {
      ...{ name: "index", title: "no.", isNumber: true },
      keyOf: (row) => indices[row],
      textOf: (row) => count(indices[row]),
    },
    ...own("class").map(tableColumn),
    {
      ...{ name: "distance", title: "distance", isNumber: true },
      keyOf: distance,
      textOf: (row) => distance(row).toFixed(2),
    },
    ...own("error").map((column) => ({ ...tableColumn(column), title: "error" })),
    ...own("kl").map((column) => ({ ...tableColumn(column), title: "KL" })),
    ...columns.map(tableColumn),
  ];
}

function tableColumn(column: Column): TableColumn {
  const { name, title } = column;
  const textOf = (row: number): string => valueText(column, row);
  if ("texts" in column)
    return { name, title, isNumber: false, textOf, keyOf: (row) => column.texts[row] };
  // Values of a category in their own order, which may mean something.
  if (column.kind === "category")
    return {
      ...{ name, title, isNumber: false, textOf },
      keyOf: (row) => (isMissing(column, row) ? null : column.codes[row]),
    };
  return { name, title, isNumber: true, textOf, keyOf: (row) => column.values[row] };
}

/** The rows in the order of a column, equal ones as they were. */
export function sortedRows(
  rows: readonly number[],
  { keyOf }: TableColumn,
  isDescending: boolean,
): Int32Array {
  const keys = rows.map(keyOf);
  const isKnown = (key: number | string | null): boolean => key !== null && !Number.isNaN(key);
  const order = Int32Array.from(rows, (_, i) => i).filter((i) => isKnown(keys[i]));
  const sign = isDescending ? -1 : 1;
  const isSorted = !isDescending && order.every((i, k) => !k || keys[order[k - 1]]! <= keys[i]!);
  if (!isSorted)
    order.sort((i, j) => (keys[i]! < keys[j]! ? -sign : keys[i]! > keys[j]! ? sign : i - j));
  const last = Int32Array.from(rows, (_, i) => i).filter((i) => !isKnown(keys[i]));
  return Int32Array.from([...order, ...last], (i) => rows[i]);
}
