import { setColor, setFilter } from "../state/actions";
import { useCell } from "../state/cell";
import { hasColor } from "../state/coloring";
import type { Facet } from "../state/columns";
import { count } from "../state/origin";
import { CategoryBars } from "./category_bars";
import { usePage } from "./context";
import { Histogram, rangeText } from "./histogram";

/** One column: how often each value comes among what the other columns let through, and what of it is shown. */
export function FacetRow({ column }: { column: Facet }) {
  const { explorer } = usePage();
  const { name, title, missing, kind } = column;
  const color = useCell(explorer.color);
  const filter = useCell(explorer.filters).get(name);
  return (
    <div class="zs-facet" role="group" aria-label={title} data-testid={`facet-${name}`}>
      <div class="zs-facet-head">
        <button
          type="button"
          class="zs-neuron"
          aria-pressed={color === name}
          disabled={!hasColor(explorer, name)}
          title={`Colour the map by ${title}`}
          onClick={() => setColor(explorer, name)}
        >
          {title}
        </button>
        <span class="zs-muted">
          {filter && "low" in filter && kind !== "category"
            ? rangeText(column, filter)
            : kind !== "category" && missing > 0 && `${count(missing)} missing`}
        </span>
        {filter && (
          <button
            type="button"
            class="zs-link"
            aria-label={`Show all of ${title}`}
            onClick={() => setFilter(explorer, name, null)}
          >
            all
          </button>
        )}
      </div>
      {column.kind === "category" ? (
        <CategoryBars column={column} />
      ) : (
        <Histogram column={column} />
      )}
    </div>
  );
}
