import { type Column, valueText } from "../state/columns";

/** At most so many characters: of a file its end, of anything else its beginning. */
export function shortened(column: Column, row: number, most: number): string {
  const text = valueText(column, row);
  if (text.length <= most) return text;
  return column.kind === "file" ? `…${text.slice(1 - most)}` : `${text.slice(0, most - 1)}…`;
}

/** The name of the file a point is from, if it is known. */
export function fileOf(columns: readonly Column[], row: number): string {
  const file = columns.find(({ kind }) => kind === "file");
  return file ? valueText(file, row) : "";
}

/** What is known of a point, all of it. */
export function Values({ columns, row }: { columns: readonly Column[]; row: number }) {
  return (
    <dl class="zs-values" data-testid="values">
      {columns.map((column) => {
        const text = valueText(column, row);
        return (
          <>
            <dt key={`${column.name} name`} title={column.title}>
              {column.title}
            </dt>
            <dd key={column.name} class={text ? "" : "zs-muted"}>
              {text || "missing"}
            </dd>
          </>
        );
      })}
    </dl>
  );
}
