import { useMemo, useState } from "preact/hooks";
import { hideOnly, onlyValues, showAll, toggleValues } from "../state/actions";
import { pick, selectShown } from "../state/actions_selection";
import { useCell } from "../state/cell";
import { type Scale as ColorScale, css, gradient, type Shade, UNKNOWN } from "../state/colors";
import type { CategoryColumn } from "../state/columns";
import { type Filters, hiddenOf } from "../state/filters";
import { count, number } from "../state/origin";
import { usePage } from "./context";

/** What the colours of the map mean. */
export function Legend() {
  const { explorer } = usePage();
  const coloring = useCell(explorer.coloring);
  return (
    <div class="zs-legend" data-testid="legend">
      {coloring.scale ? (
        <Scale scale={coloring.scale} />
      ) : (
        <Categories key={coloring.column.name} column={coloring.column} shades={coloring.shades} />
      )}
      <Shown />
    </div>
  );
}

/** How much of the data is shown, whatever the colours mean; a link may have hidden some. */
export function Shown() {
  const { explorer } = usePage();
  useCell(explorer.filters);
  const n = explorer.nShown.value;
  return (
    <p class="zs-shown" data-testid="shown">
      {count(n)} of {count(explorer.n)} shown
      {n > 0 && (
        <>
          {" · "}
          <button
            type="button"
            class="zs-link"
            title="Select all that is shown"
            onClick={() => selectShown(explorer)}
          >
            select
          </button>
        </>
      )}
      {explorer.visible.value && (
        <>
          {" · "}
          <button type="button" class="zs-link" onClick={() => showAll(explorer)}>
            show all
          </button>
        </>
      )}
    </p>
  );
}

const MOST_SHOWN = 100;
const SEARCH_FROM = 25;

function Categories({ column, shades }: { column: CategoryColumn; shades: readonly Shade[] }) {
  const { explorer } = usePage();
  const filters = useCell(explorer.filters);
  const [search, setSearch] = useState("");
  const hidden = hiddenOf(filters, column.name);
  const isFiltered = explorer.facets.has(column.name);
  const counts = useMemo(
    () => (isFiltered ? countsOf(column, explorer.failures.value, filters) : null),
    [column, filters],
  );
  const all = shades.flatMap(({ codes }) => codes);
  const many = column.name === "class" ? "classes" : "values";
  const rowsOf = (codes: readonly number[]): number[] =>
    Array.from(column.codes.keys()).filter((row) => codes.includes(column.codes[row]));
  const found = shades.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      {shades.length > SEARCH_FROM && (
        <input
          type="search"
          class="zs-search"
          placeholder={`Find one of ${count(shades.length)} ${many}`}
          aria-label={column.name === "class" ? "Find a class" : "Find a value"}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <div
        class="zs-chips"
        role="group"
        aria-label={column.name === "class" ? "Classes shown" : `Shown of ${column.title}`}
        tabIndex={shades.length > SEARCH_FROM ? 0 : -1}
      >
        {found.slice(0, MOST_SHOWN).map((shade) => (
          <Chip
            key={shade.codes[0]}
            shade={shade}
            isShown={!shade.codes.every((code) => hidden.has(code))}
            n={
              counts
                ? shade.codes.reduce((sum, code) => sum + (counts.get(code) ?? 0), 0)
                : shade.count
            }
            does={
              isFiltered
                ? "Click: on or off. Double click, or Shift: only this."
                : "Click: select it."
            }
            toggle={() =>
              isFiltered
                ? toggleValues(explorer, column.name, shade.codes)
                : pick(explorer, rowsOf(shade.codes))
            }
            only={() => {
              if (isFiltered) onlyValues(explorer, column.name, shade.codes, all);
            }}
          />
        ))}
        {found.length > MOST_SHOWN && (
          <span class="zs-muted">and {count(found.length - MOST_SHOWN)} more</span>
        )}
        {found.length === 0 && <span class="zs-muted">None has this in its name.</span>}
      </div>
      {isFiltered && !all.every((code) => hidden.has(code)) && all.length > 1 && (
        <button type="button" class="zs-link" onClick={() => hideOnly(explorer, column.name, all)}>
          Hide all
        </button>
      )}
    </>
  );
}

/** Of every value, how many points the filters of other columns let through. */
function countsOf(
  { name, codes, categories }: CategoryColumn,
  failures: Uint16Array | null,
  filters: Filters,
): Map<number, number> {
  const hidden = hiddenOf(filters, name);
  const k = categories.length;
  const counts = new Uint32Array(k + 1);
  const allowed = Uint8Array.from({ length: k + 1 }, (_, i) => +hidden.has(i < k ? i : -1));
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] >= 0 && codes[row] < k ? codes[row] : k;
    if (!failures || failures[row] <= allowed[code]) counts[code]++;
  }
  return new Map(Array.from(counts, (count, i) => [i < k ? i : -1, count]));
}

interface ChipProps {
  shade: Shade;
  /** Points of it that nothing else hides. */
  n: number;
  isShown: boolean;
  does: string;
  toggle(): void;
  only(): void;
}

function Chip({ shade: { name, count: all, rgb }, n, isShown, does, toggle, only }: ChipProps) {
  return (
    <button
      type="button"
      class="zs-chip"
      aria-pressed={isShown}
      title={`${name}: ${n < all ? `${count(n)} of ` : ""}${count(all)}. ${does}`}
      onClick={(event) => {
        if (event.shiftKey) only();
        else if (event.detail < 2) toggle();
      }}
      onDblClick={(event) => {
        if (event.shiftKey) return;
        toggle(); // the first click of the two
        only();
      }}
    >
      <span class="zs-dot" style={{ background: css(rgb) }} />
      {name}
      {/* As wide as it can get, so that filters do not move the map. */}
      <span
        class="zs-muted"
        aria-hidden="true"
        style={{ minWidth: `${count(all).length}ch`, textAlign: "left" }}
      >
        {count(n)}
      </span>
    </button>
  );
}

function Scale({ scale }: { scale: ColorScale }) {
  const { title, low, high, unit, color, about, ticks, missing } = scale;
  const decimals = high - low > 20 ? 0 : 2;
  const bar = (
    <span
      class="zs-gradient"
      style={{ background: gradient(color) }}
      role="img"
      aria-label={
        ticks ? `Colour scale: ${ticks.map(({ text }) => text).join(", ")}` : "Colour scale"
      }
    />
  );
  if (!ticks)
    return (
      <div class="zs-scale">
        <span>{title}</span>
        <span class="zs-number">{number(low, decimals)}</span>
        {bar}
        <span class="zs-number">
          {number(high, decimals)} {unit}
        </span>
        <span class="zs-muted">{about}</span>
      </div>
    );
  return (
    <div class="zs-scale">
      <span class="zs-scale-title" title={title}>
        {title}
      </span>
      <span class="zs-ruler">
        {bar}
        {ticks.map(({ at, text }) => (
          <span
            key={at}
            class="zs-tick"
            aria-hidden="true"
            style={{ left: `${high > low ? (100 * (at - low)) / (high - low) : 50}%` }}
          >
            {text}
          </span>
        ))}
      </span>
      {missing! > 0 && (
        <span class="zs-muted zs-gap">
          <span class="zs-dot" style={{ background: css(UNKNOWN) }} />
          {count(missing!)} missing
        </span>
      )}
    </div>
  );
}
