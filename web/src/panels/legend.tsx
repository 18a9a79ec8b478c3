import { useMemo, useState } from "preact/hooks";
import { hideOnly, onlyClass, toggleClass } from "../state/actions";
import { useCell } from "../state/cell";
import { type Scale as ColorScale, classColors, css, gradient, UNKNOWN } from "../state/colors";
import { count, number } from "../state/origin";
import { usePage } from "./context";

/** What the colours of the map mean. */
export function Legend() {
  const { explorer } = usePage();
  const { scale } = useCell(explorer.coloring);
  return (
    <div class="zs-legend" data-testid="legend">
      {scale ? <Scale scale={scale} /> : <Classes />}
      <Shown />
    </div>
  );
}

/** How much of the data is hidden, whatever the colours mean; a link may have hidden it. */
function Shown() {
  const { explorer } = usePage();
  const mask = useCell(explorer.visible);
  if (!mask) return null;
  const nShown = mask.reduce((sum, isShown) => sum + isShown, 0);
  return (
    <p class="zs-shown" data-testid="shown">
      {count(nShown)} of {count(explorer.n)} shown ·{" "}
      <button type="button" class="zs-link" onClick={() => hideOnly(explorer, [])}>
        show all
      </button>
    </p>
  );
}

const MOST_SHOWN = 100;
const SEARCH_FROM = 25;

function Classes() {
  const { explorer } = usePage();
  const { manifest, labels } = explorer;
  const isDark = useCell(explorer.isDark);
  const hidden = useCell(explorer.hidden);
  const isAnyHidden = useCell(explorer.visible) !== null;
  const [search, setSearch] = useState("");
  const colors = useMemo(() => classColors(manifest.classNames.length, isDark), [isDark]);
  const counts = useMemo(() => countLabels(labels!), []);
  const all = [...counts.keys()].sort((a, b) => a - b);
  const nameOf = (label: number) => manifest.classNames[label] ?? "unknown";
  const found = all.filter((label) => nameOf(label).toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      {all.length > SEARCH_FROM && (
        <input
          type="search"
          class="zs-search"
          placeholder={`Find one of ${count(all.length)} classes`}
          aria-label="Find a class"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <div
        class="zs-chips"
        role="group"
        aria-label="Classes shown"
        tabIndex={all.length > SEARCH_FROM ? 0 : -1}
      >
        {found.slice(0, MOST_SHOWN).map((label) => (
          <button
            key={label}
            type="button"
            class="zs-chip"
            aria-pressed={!hidden.has(label)}
            title={`${nameOf(label)}: ${count(counts.get(label)!)}. Click: on or off. Double click, or Shift: only this.`}
            onClick={(event) => {
              if (event.shiftKey) onlyClass(explorer, label, all);
              else if (event.detail < 2) toggleClass(explorer, label);
            }}
            onDblClick={(event) => {
              if (event.shiftKey) return;
              toggleClass(explorer, label); // the first click of the two
              onlyClass(explorer, label, all);
            }}
          >
            <span class="zs-dot" style={{ background: css(colors[label] ?? UNKNOWN) }} />
            {nameOf(label)}
          </button>
        ))}
        {found.length > MOST_SHOWN && (
          <span class="zs-muted">and {count(found.length - MOST_SHOWN)} more</span>
        )}
        {found.length === 0 && <span class="zs-muted">No class has this in its name.</span>}
      </div>
      {!isAnyHidden && all.length > 1 && (
        <button type="button" class="zs-link" onClick={() => hideOnly(explorer, all)}>
          None
        </button>
      )}
    </>
  );
}

function countLabels(labels: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

function Scale({ scale }: { scale: ColorScale }) {
  const { title, low, high, unit, color, about } = scale;
  const decimals = high - low > 20 ? 0 : 2;
  return (
    <div class="zs-scale">
      <span>{title}</span>
      <span class="zs-number">{number(low, decimals)}</span>
      <span
        class="zs-gradient"
        style={{ background: gradient(color) }}
        role="img"
        aria-label="Colour scale"
      />
      <span class="zs-number">
        {number(high, decimals)} {unit}
      </span>
      <span class="zs-muted">{about}</span>
    </div>
  );
}
