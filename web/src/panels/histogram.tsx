import { useMemo, useRef } from "preact/hooks";
import { setFilter, settle } from "../state/actions";
import { binsOf, type NumberBins } from "../state/bins";
import { useCell } from "../state/cell";
import { gradient } from "../state/colors";
import { type NumberColumn, numberText } from "../state/columns";
import { dateText, unitOf } from "../state/dates";
import { type Range, tally } from "../state/filters";
import { usePage } from "./context";

/** Bins from `from` up to, and without, `to`. */
interface Brush {
  from: number;
  to: number;
}

const HEIGHT = 40;
/** What is there is seen, however little. */
const LEAST = 1.5;

/** How often each value comes; dragging over it shows a range of them alone. */
export function Histogram({ column }: { column: NumberColumn }) {
  const { explorer } = usePage();
  const filter = useCell(explorer.filters).get(column.name) as Range | undefined;
  const coloring = useCell(explorer.coloring);
  const bins = binsOf(column);
  const passing = tally(explorer, column);
  const all = useMemo(() => barsPath(bins.counts, bins), [bins]);
  const brush = brushOf(bins, filter);
  const set = (next: Brush, isSettled: boolean) =>
    setFilter(explorer, column.name, rangeOfBrush(bins, next), isSettled);
  const drag = useDrag(bins.n, brush, filter !== undefined, set, () => settle(explorer));
  const isColored = coloring.scale !== null && explorer.color.value === column.name;
  const { low, high } = coloring.scale ?? { low: 0, high: 1 };
  const [first, last] = [bins.edges[0], bins.edges[bins.n]];
  const share = (bin: number): string => `${(100 * bin) / bins.n}%`;
  const edge = (bin: number): string => edgeText(column, bins, bin);
  return (
    <div class="zs-histogram">
      <div class="zs-brushed" {...drag}>
        <svg viewBox={`0 0 ${bins.n} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="zs-all" d={all} />
          <path class="zs-passing" d={barsPath(passing, bins)} />
        </svg>
        {filter && (
          <>
            <span class="zs-veil" style={{ left: 0, width: share(brush.from) }} />
            <span class="zs-veil" style={{ left: share(brush.to), right: 0 }} />
            <span
              class="zs-brush"
              style={{ left: share(brush.from), width: share(brush.to - brush.from) }}
            />
          </>
        )}
      </div>
      <div class="zs-ends-of">
        {isColored && (
          <span
            class="zs-underline"
            style={{
              background: gradient((t) =>
                coloring.scale!.color((first + t * (last - first) - low) / (high - low || 1)),
              ),
            }}
          />
        )}
        <input
          type="range"
          min={0}
          max={bins.n}
          value={brush.from}
          aria-label={`${column.title} from`}
          aria-valuetext={edge(brush.from)}
          onInput={({ currentTarget: field }) =>
            set({ from: Math.min(field.valueAsNumber, brush.to - 1), to: brush.to }, false)
          }
          onChange={() => settle(explorer)}
        />
        <input
          type="range"
          min={0}
          max={bins.n}
          value={brush.to}
          aria-label={`${column.title} to`}
          aria-valuetext={edge(brush.to)}
          onInput={({ currentTarget: field }) =>
            set({ from: brush.from, to: Math.max(field.valueAsNumber, brush.from + 1) }, false)
          }
          onChange={() => settle(explorer)}
        />
      </div>
      <div class="zs-axis-x zs-ends" aria-hidden="true">
        <span>
          {bins.isCutLow && "< "}
          {edge(bins.isCutLow ? 1 : 0)}
        </span>
        <span>
          {bins.isCutHigh && "≥ "}
          {edge(bins.isCutHigh ? bins.n - 1 : bins.n)}
        </span>
      </div>
    </div>
  );
}

/** Presses, drags and clicks as brushes: a click takes the bar under it, on the only one all of them. */
function useDrag(
  n: number,
  brush: Brush,
  isBrushed: boolean,
  set: (brush: Brush, isSettled: boolean) => void,
  end: () => void,
) {
  const start = useRef<{ bin: number; brush: Brush | null; hasMoved: boolean } | null>(null);
  const binAt = (event: PointerEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const bin = Math.floor(((event.clientX - box.left) / box.width) * n);
    return Math.min(Math.max(bin, 0), n - 1);
  };
  return {
    onPointerDown(event: PointerEvent) {
      if (event.button) return;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      const bin = binAt(event);
      const isInside = isBrushed && bin >= brush.from && bin < brush.to;
      start.current = { bin, brush: isInside ? brush : null, hasMoved: false };
    },
    onPointerMove(event: PointerEvent) {
      const from = start.current;
      if (!from) return;
      const bin = binAt(event);
      if (bin === from.bin && !from.hasMoved) return;
      from.hasMoved = true;
      if (!from.brush) {
        set({ from: Math.min(bin, from.bin), to: Math.max(bin, from.bin) + 1 }, false);
        return;
      }
      const length = from.brush.to - from.brush.from;
      const left = Math.min(Math.max(from.brush.from + bin - from.bin, 0), n - length);
      set({ from: left, to: left + length }, false);
    },
    onPointerUp() {
      const from = start.current;
      start.current = null;
      if (!from) return;
      if (from.hasMoved) return end();
      const isAlone = isBrushed && brush.to - brush.from === 1 && brush.from === from.bin;
      set(isAlone ? { from: 0, to: n } : { from: from.bin, to: from.bin + 1 }, true);
    },
    onPointerCancel() {
      start.current = null;
      end();
    },
  };
}

/** The bins that a range touches. */
function brushOf({ edges, n }: NumberBins, filter: Range | undefined): Brush {
  if (!filter) return { from: 0, to: n };
  const { low, high } = filter;
  let from = 0;
  while (from < n - 1 && edges[from + 1] <= low) from++;
  let to = n;
  while (to > from + 1 && edges[to - 1] >= high) to--;
  return { from, to };
}

/** What lies beyond the outer bins is counted in them. */
const rangeOfBrush = ({ edges, n }: NumberBins, { from, to }: Brush): Range => ({
  low: from <= 0 ? -Infinity : edges[from],
  high: to >= n ? Infinity : edges[to],
});

function barsPath(counts: Uint32Array, { n, counts: all }: NumberBins): string {
  let most = 1;
  for (let bin = 0; bin < n; bin++) most = Math.max(most, all[bin]);
  let path = "";
  for (let bin = 0; bin < n; bin++) {
    if (!counts[bin]) continue;
    const tall = Math.max((HEIGHT * counts[bin]) / most, LEAST);
    path += `M${bin + 0.04} ${HEIGHT}v${(-tall).toFixed(2)}h.92v${tall.toFixed(2)}z`;
  }
  return path;
}

const text = ({ kind, isWhole }: NumberColumn, value: number, unit: ReturnType<typeof unitOf>) =>
  kind === "date" ? dateText(value, unit) : numberText(value, isWhole);

const edgeText = (column: NumberColumn, { edges }: NumberBins, bin: number): string =>
  text(column, edges[bin], unitOf(edges));

/** A range in words; of whole numbers with its last one. */
export function rangeText(column: NumberColumn, { low, high }: Range): string {
  const unit = unitOf([low, high].filter(Number.isFinite));
  const last = column.isWhole ? Math.ceil(high) - 1 : high;
  if (low === -Infinity)
    return column.isWhole
      ? `up to ${text(column, last, unit)}`
      : `below ${text(column, high, unit)}`;
  if (high === Infinity) return `from ${text(column, low, unit)}`;
  if (column.isWhole && Math.ceil(low) === last) return text(column, last, unit);
  return `${text(column, low, unit)} to ${text(column, last, unit)}`;
}
