import { useState } from "preact/hooks";
import { hideOnly, onlyValues, showAll, toggleValues } from "../state/actions";
import { useCell } from "../state/cell";
import { type Scale as ColorScale, css, gradient, type Shade, UNKNOWN } from "../state/colors";
import type { CategoryColumn } from "../state/columns";
import { hiddenOf } from "../state/filters";
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

/** How much of the data is hidden, whatever the colours mean; a link may have hidden it. */
export function Shown() {
  const { explorer } = usePage();
  useCell(explorer.filters);
  if (!explorer.visible.value) return null;
  return (
    <p class="zs-shown" data-testid="shown">
      {count(explorer.nShown.value)} of {count(explorer.n)} shown ·{" "}
      <button type="button" class="zs-link" onClick={() => showAll(explorer)}>
        show all
      </button>
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
  const isAnyHidden = explorer.visible.value !== null;
  const all = shades.flatMap(({ codes }) => codes);
  const many = column.name === "class" ? "classes" : "values";
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
            toggle={() => toggleValues(explorer, column.name, shade.codes)}
            only={() => onlyValues(explorer, column.name, shade.codes, all)}
          />
        ))}
        {found.length > MOST_SHOWN && (
          <span class="zs-muted">and {count(found.length - MOST_SHOWN)} more</span>
        )}
        {found.length === 0 && <span class="zs-muted">None has this in its name.</span>}
      </div>
      {!isAnyHidden && all.length > 1 && (
        <button type="button" class="zs-link" onClick={() => hideOnly(explorer, column.name, all)}>
          None
        </button>
      )}
    </>
  );
}

interface ChipProps {
  shade: Shade;
  isShown: boolean;
  toggle(): void;
  only(): void;
}

function Chip({ shade: { name, codes, count: n, rgb }, isShown, toggle, only }: ChipProps) {
  return (
    <button
      type="button"
      class="zs-chip"
      aria-pressed={isShown}
      title={`${name}: ${count(n)}. Click: on or off. Double click, or Shift: only this.`}
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
      {codes[0] < 0 && <span class="zs-muted">{count(n)}</span>}
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
