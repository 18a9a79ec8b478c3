import { chooseRow } from "../state/actions";
import { className, count } from "../state/origin";
import { usePage } from "./context";
import { Picture } from "./picture";

interface Props {
  rows: ArrayLike<number>;
  /** What the pointer is told of each. */
  note?(row: number): string;
  class?: string;
}

/** Pictures of the data as buttons that go there. */
export function Thumbs({ rows, note, class: kind = "zs-thumbs" }: Props) {
  const { explorer, thumbnails } = usePage();
  const { indices, labels, manifest } = explorer;
  return (
    <div class={kind}>
      {Array.from(rows, (row) => (
        <button
          key={row}
          type="button"
          class="zs-thumb"
          title={note?.(row) ?? ""}
          aria-label={`Picture ${count(indices[row])}${labels ? `, ${className(manifest, labels[row])}` : ""}`}
          onClick={() => chooseRow(explorer, row)}
        >
          <Picture pixels={thumbnails.pixels(row)} look={thumbnails.look} label="" />
        </button>
      ))}
    </div>
  );
}
