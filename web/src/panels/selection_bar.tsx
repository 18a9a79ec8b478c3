import { downloadRows } from "../output/csv";
import {
  chooseMean,
  clearSelection,
  compareSets,
  keepSelection,
  setJoin,
} from "../state/actions_selection";
import { useCell } from "../state/cell";
import { className, count } from "../state/origin";
import { JOINS, type Join } from "../state/selections";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { Thumbs } from "./thumbs";

const MOST_PICTURES = 12;
const MOST_CLASSES = 4;

/** What is selected, and what can be done with it. */
export function SelectionBar({ fit }: { fit(rows: readonly number[]): void }) {
  const { explorer } = usePage();
  const selection = useCell(explorer.selection);
  const rows = useCell(explorer.chosen);
  if (!selection.length) return null;
  const nHidden = selection.length - rows.length;
  return (
    <div class="zs-selection" role="region" aria-label="Selection" data-testid="selection">
      <div class="zs-selection-text">
        <strong>{count(rows.length)} selected</strong>
        <span class="zs-muted">
          {summary(rows, explorer.labels, (label) => className(explorer.manifest, label))}
          {nHidden > 0 && ` · ${count(nHidden)} more hidden`}
        </span>
      </div>
      <Thumbs rows={rows.slice(0, MOST_PICTURES)} class="zs-selection-pictures" />
      <div class="zs-buttons">
        <Joins />
        <button type="button" onClick={() => keepSelection(explorer)}>
          Keep it
        </button>
        <button
          type="button"
          disabled={!rows.length}
          title="How it differs from all else that is shown"
          onClick={() => compareSets(explorer, "selected", "rest")}
        >
          Against the rest
        </button>
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
          onClick={() => downloadRows(explorer, rows, "selection")}
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

const SIGNS: Record<Join, string> = { new: "=", add: "+", subtract: "−", intersect: "∩" };
const DOES: Record<Join, string> = {
  new: "What is selected next takes its place",
  add: "What is selected next is added",
  subtract: "What is selected next is taken away",
  intersect: "Of what is selected next, what is in both stays",
};

/** What becomes of the selection when more is selected, by whatever tool. */
export function Joins() {
  const { explorer } = usePage();
  const current = useCell(explorer.join);
  return (
    <div class="zs-segments zs-joins" role="group" aria-label="Selecting more">
      {JOINS.map((join) => (
        <button
          key={join}
          type="button"
          aria-pressed={join === current}
          aria-label={DOES[join]}
          title={DOES[join]}
          onClick={() => setJoin(explorer, join)}
        >
          {SIGNS[join]}
        </button>
      ))}
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
