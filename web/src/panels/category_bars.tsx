import { onlyValues, toggleValues } from "../state/actions";
import { binsOf } from "../state/bins";
import { useCell } from "../state/cell";
import { css } from "../state/colors";
import type { CategoryColumn } from "../state/columns";
import { hiddenOf, tally } from "../state/filters";
import { count } from "../state/origin";
import { usePage } from "./context";

/** The most frequent values of a category, a bar each; click: on or off, double click or Shift: only this. */
export function CategoryBars({ column }: { column: CategoryColumn }) {
  const { explorer } = usePage();
  const hidden = hiddenOf(useCell(explorer.filters), column.name);
  const coloring = useCell(explorer.coloring);
  const { groups } = binsOf(column);
  const passing = tally(explorer, column);
  const most = Math.max(...groups.map((group) => group.count));
  const all = groups.flatMap(({ codes }) => codes);
  const isColored = !coloring.scale && coloring.column === column;
  const shadeOf = (code: number): string | undefined => {
    if (!isColored || coloring.scale) return undefined;
    const shade = coloring.shades.find(({ codes }) => codes[0] === code);
    return shade && css(shade.rgb);
  };
  const width = (n: number): string => `${(100 * n) / most}%`;
  return (
    <ul class="zs-bars-list">
      {groups.map(({ name, codes, count: n }, i) => {
        const toggle = () => toggleValues(explorer, column.name, codes);
        const only = () => onlyValues(explorer, column.name, codes, all);
        return (
          <li key={codes[0]}>
            <button
              type="button"
              class="zs-bar"
              aria-pressed={!codes.every((code) => hidden.has(code))}
              title={`${name}: ${count(passing[i])} of ${count(n)}. Click: on or off. Double click, or Shift: only this.`}
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
              <span class="zs-bar-name">{name}</span>
              <span class="zs-bar-track" aria-hidden="true">
                <span class="zs-bar-all" style={{ width: width(n) }} />
                <span
                  class="zs-bar-passing"
                  style={{ width: width(passing[i]), background: shadeOf(codes[0]) }}
                />
              </span>
              <span class="zs-bar-count">{count(passing[i])}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
