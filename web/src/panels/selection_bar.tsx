import { tableText } from "../output/csv";
import { download, fileName } from "../output/files";
import { chooseMean, chooseRow, clearSelection } from "../state/actions";
import { useCell } from "../state/cell";
import { className, count } from "../state/origin";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { Picture } from "./picture";

const MOST_PICTURES = 12;
const MOST_CLASSES = 4;

/** What the lasso holds. */
export function SelectionBar({ fit }: { fit(rows: readonly number[]): void }) {
  const { explorer, thumbnails } = usePage();
  const selection = useCell(explorer.selection);
  const rows = useCell(explorer.chosen);
  if (!selection.length) return null;
  const nHidden = selection.length - rows.length;
  const shown = rows.slice(0, MOST_PICTURES);
  return (
    <div class="zs-selection" role="region" aria-label="Selection" data-testid="selection">
      <div class="zs-selection-text">
        <strong>{count(rows.length)} selected</strong>
        <span class="zs-muted">
          {summary(rows, explorer.labels, (label) => className(explorer.manifest, label))}
          {nHidden > 0 && ` · ${count(nHidden)} more hidden`}
        </span>
      </div>
      <div class="zs-selection-pictures">
        {shown.map((row) => (
          <button
            key={row}
            type="button"
            class="zs-thumb"
            aria-label={`Picture ${count(explorer.indices[row])}`}
            onClick={() => chooseRow(explorer, row)}
          >
            <Picture pixels={thumbnails.pixels(row)} look={thumbnails.look} label="" />
          </button>
        ))}
      </div>
      <div class="zs-buttons">
        <button type="button" disabled={!rows.length} onClick={() => chooseMean(explorer)}>
          Mean picture
        </button>
        <button type="button" disabled={!rows.length} onClick={() => fit(rows)}>
          Zoom to it
        </button>
        <button
          type="button"
          disabled={!rows.length}
          title="A row per picture: what is known of it, and its vector"
          onClick={() =>
            download(
              fileName(explorer.manifest.title, "selection.csv"),
              new Blob([tableText(explorer, rows)], { type: "text/csv" }),
            )
          }
        >
          Save CSV
        </button>
      </div>
      <IconButton
        icon="close"
        label="Let go of the selection"
        onClick={() => clearSelection(explorer)}
      />
    </div>
  );
}

/** "7 × 180, 9 × 33, 2 others". */
export function summary(
  rows: readonly number[],
  labels: Int32Array | null,
  name: (label: number) => string,
): string {
  if (!labels) return "";
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(labels[row], (counts.get(labels[row]) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const parts = sorted.slice(0, MOST_CLASSES).map(([label, n]) => `“${name(label)}” × ${count(n)}`);
  const rest = sorted.slice(MOST_CLASSES).reduce((sum, [, n]) => sum + n, 0);
  return [...parts, ...(rest ? [`${count(rest)} others`] : [])].join(", ");
}
