import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { downloadRows } from "../output/csv";
import { showRow } from "../state/actions";
import { pick } from "../state/actions_selection";
import { useCell } from "../state/cell";
import { type Current, count } from "../state/origin";
import { shownRows } from "../state/selections";
import { sortedRows, type TableColumn, tableColumns } from "../state/table";
import { usePage, useRested } from "./context";
import { Picture } from "./picture";

const ROW_PX = 40;
const HEAD_PX = 34;
/** Rows drawn beyond what is seen. */
const SPARE = 4;

interface Order {
  name: string;
  isDescending: boolean;
}

/** All that is shown on the map, a row each: sorted by any column, ticked to select, clicked to go there. */
export function TablePanel() {
  const { explorer } = usePage();
  const filters = useCell(explorer.filters);
  const selection = useCell(explorer.selection);
  const [isSelectionOnly, setSelectionOnly] = useState(false);
  const [from, setFrom] = useState(explorer.current.value);
  const [order, setOrder] = useState<Order>({ name: "index", isDescending: false });
  const columns = useMemo(() => tableColumns(explorer, from.z), [from]);
  const sorted = useMemo(() => {
    const rows = shownRows(explorer.visible.value, explorer.n);
    const column = columns.find(({ name }) => name === order.name)!;
    return sortedRows(rows, column, order.isDescending);
  }, [columns, filters, order]);
  const selected = useMemo(() => new Set(selection), [selection]);
  const isOnly = isSelectionOnly && selection.length > 0;
  const rows = useMemo(
    () => (isOnly ? sorted.filter((row) => selected.has(row)) : sorted),
    [sorted, isOnly, isOnly && selected],
  );
  const sortBy = ({ name, isNumber }: TableColumn) => {
    const startsDown = isNumber && name !== "index" && name !== "distance";
    setOrder({ name, isDescending: order.name === name ? !order.isDescending : startsDown });
  };
  return (
    <>
      <div class="zs-buttons">
        <span class="zs-muted">{count(rows.length)} rows</span>
        <label class="zs-check">
          <input
            type="checkbox"
            checked={isOnly}
            disabled={!selection.length}
            onChange={({ currentTarget }) => setSelectionOnly(currentTarget.checked)}
          />
          selected only
        </label>
        <FromHere from={from} set={setFrom} />
        <button
          type="button"
          disabled={!rows.length}
          title="These rows, in the order of the pictures, with their vectors"
          onClick={() =>
            downloadRows(
              explorer,
              [...rows].sort((a, b) => a - b),
              "table",
            )
          }
        >
          Save CSV
        </button>
      </div>
      <Grid rows={rows} columns={columns} order={order} selected={selected} sortBy={sortBy} />
    </>
  );
}

/** Distances stay as they are while one walks, or a sorted table would run away under the hand. */
function FromHere({ from, set }: { from: Current; set(from: Current): void }) {
  const { explorer } = usePage();
  const current = useRested(explorer.current);
  return (
    <button
      type="button"
      disabled={current === from}
      title="Measure the distances, in the latent space, from the current vector"
      onClick={() => set(current)}
    >
      Distance from here
    </button>
  );
}

interface GridProps {
  rows: Int32Array;
  columns: readonly TableColumn[];
  order: Order;
  selected: ReadonlySet<number>;
  sortBy(column: TableColumn): void;
}

function Grid({ rows, columns, order, selected, sortBy }: GridProps) {
  const { explorer, id } = usePage();
  const { origin } = useRested(explorer.current);
  const current = origin.kind === "row" ? origin.row : -1;
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  // Keys come faster than the page is drawn: they go on from here, not from what was drawn last.
  const held = useRef(0);
  const hold = (i: number) => {
    held.current = i;
    setActive(i);
  };
  const anchor = useRef(-1);
  /** The row last gone to from this table, whose hand may be elsewhere by now. */
  const own = useRef(-1);
  const go = (row: number) => {
    own.current = row;
    showRow(explorer, row);
  };
  const [seen, setSeen] = useState({ first: 0, n: 12 });
  const at = Math.min(active, rows.length - 1);

  const look = () => {
    const { scrollTop, clientHeight } = scroller.current!;
    const first = Math.max(Math.floor(scrollTop / ROW_PX) - SPARE, 0);
    const n = Math.ceil(clientHeight / ROW_PX) + 2 * SPARE;
    setSeen((old) => (old.first === first && old.n === n ? old : { first, n }));
  };
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);
  /** Scrolls no farther than it must. */
  const reveal = (i: number) => {
    const box = scroller.current!;
    const room = box.clientHeight - HEAD_PX - ROW_PX;
    box.scrollTop = Math.min(Math.max(box.scrollTop, i * ROW_PX - room), i * ROW_PX);
    look();
  };
  const place = useMemo(() => rows.indexOf(current), [rows, current]);
  // Where one has gone; not whenever the order changes.
  useEffect(() => {
    if (current === own.current) return;
    own.current = -1;
    if (place < 0) return;
    hold(place);
    reveal(place);
  }, [current]);
  useEffect(() => {
    scroller.current!.scrollTop = 0;
  }, [order]);

  const toggle = (i: number, isRange: boolean) => {
    const [low, high] =
      isRange && anchor.current >= 0 ? [anchor.current, i].sort((x, y) => x - y) : [i, i];
    const some = Array.from(rows.subarray(low, high + 1));
    const isOff = !isRange && explorer.selection.value.includes(rows[i]);
    pick(explorer, some, isOff ? "subtract" : "add");
    anchor.current = i;
    hold(i);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = rows.length - 1;
    const here = Math.min(held.current, last);
    const page = Math.max(Math.floor(scroller.current!.clientHeight / ROW_PX) - 2, 1);
    const moves: Record<string, number> = {
      ...{ ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page },
      ...{ Home: 0, End: last },
    };
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) {
      const next = Math.min(Math.max(moves[event.key], 0), last);
      hold(next);
      reveal(next);
    } else if (event.key === "Enter" && here >= 0) go(rows[here]);
    else if (event.key === " " && here >= 0) toggle(here, event.shiftKey);
    else return;
    event.preventDefault();
  };
  const nAll = useMemo(
    () => rows.reduce((sum, row) => sum + (selected.has(row) ? 1 : 0), 0),
    [rows, selected],
  );
  const shares = columns.map(widthOf);
  const widths = `24px 40px ${shares.map((share) => `minmax(0, ${share}fr)`).join(" ")}`;
  const least = shares.reduce((sum, share) => sum + share + 8, 90);
  const shown = Array.from(rows.subarray(seen.first, seen.first + seen.n));
  return (
    <div
      ref={scroller}
      class="zs-table"
      role="grid"
      aria-label="Pictures shown. Up and down move, Enter goes there, Space selects."
      aria-rowcount={rows.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={at >= 0 ? id(`row-${rows[at]}`) : ""}
      tabIndex={0}
      data-testid="table"
      style={{ "--zs-widths": widths, "--zs-least": `${least}px` }}
      onScroll={look}
      onKeyDown={onKeyDown}
    >
      <div class="zs-table-head" role="row" aria-rowindex={1}>
        <span role="columnheader">
          <input
            type="checkbox"
            aria-label="Select all rows"
            checked={rows.length > 0 && nAll === rows.length}
            onChange={({ currentTarget }) =>
              pick(explorer, [...rows], currentTarget.checked ? "add" : "subtract")
            }
          />
        </span>
        <span role="columnheader">
          <span class="zs-hidden-text">picture</span>
        </span>
        {columns.map((column) => {
          const isBy = order.name === column.name;
          return (
            <span
              key={column.name}
              role="columnheader"
              class={column.isNumber ? "zs-right" : ""}
              aria-sort={!isBy ? "none" : order.isDescending ? "descending" : "ascending"}
            >
              <button
                type="button"
                title={`Sort by ${column.title}`}
                onClick={() => sortBy(column)}
              >
                {column.title}
                <span aria-hidden="true">{isBy ? (order.isDescending ? " ↓" : " ↑") : ""}</span>
              </button>
            </span>
          );
        })}
      </div>
      <div class="zs-table-body" role="rowgroup" style={{ height: `${ROW_PX * rows.length}px` }}>
        {shown.map((row, k) => {
          const i = seen.first + k;
          return (
            <Row
              key={row}
              row={row}
              at={i}
              columns={columns}
              isSelected={selected.has(row)}
              isActive={i === at}
              isCurrent={row === current}
              go={() => {
                hold(i);
                anchor.current = i;
                go(row);
              }}
              toggle={(isRange) => toggle(i, isRange)}
            />
          );
        })}
      </div>
      {rows.length === 0 && <p class="zs-hint">Nothing is shown; the filters hide it all.</p>}
    </div>
  );
}

interface RowProps {
  row: number;
  at: number;
  columns: readonly TableColumn[];
  isSelected: boolean;
  isActive: boolean;
  isCurrent: boolean;
  go(): void;
  toggle(isRange: boolean): void;
}

function Row({ row, at, columns, isSelected, isActive, isCurrent, go, toggle }: RowProps) {
  const { explorer, thumbnails, id } = usePage();
  const pixels = useMemo(() => thumbnails.pixels(row), [row]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid hears the keys
    <div
      id={id(`row-${row}`)}
      class="zs-row"
      role="row"
      aria-rowindex={at + 2}
      aria-selected={isSelected}
      aria-current={isCurrent}
      data-active={isActive}
      style={{ top: `${at * ROW_PX}px` }}
      onClick={(event) => {
        if (event.target instanceof HTMLInputElement) return;
        if (event.shiftKey || event.ctrlKey || event.metaKey) toggle(event.shiftKey);
        else go();
      }}
    >
      <span role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select picture ${count(explorer.indices[row])}`}
          checked={isSelected}
          onClick={(event) => toggle(event.shiftKey)}
        />
      </span>
      <span role="gridcell">
        <Picture pixels={pixels} look={thumbnails.look} label="" />
      </span>
      {columns.map((column) => {
        const text = column.textOf(row);
        return (
          <span
            key={column.name}
            role="gridcell"
            class={column.isNumber ? "zs-right" : ""}
            title={text}
          >
            {text || <span class="zs-muted">missing</span>}
          </span>
        );
      })}
    </div>
  );
}

/** CSS pixels, as long as there is no room for more. */
const widthOf = ({ name, isNumber }: TableColumn): number =>
  name === "index" ? 58 : name === "class" ? 64 : isNumber ? 80 : 150;
