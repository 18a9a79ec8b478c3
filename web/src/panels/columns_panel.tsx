import { useCell } from "../state/cell";
import { usePage } from "./context";
import { FacetRow } from "./facet";
import { Shown } from "./legend";
import { Search } from "./search";
import { fileOf, Values } from "./values";

/** What else is known of the pictures: found by it, read, counted and filtered. */
export function ColumnsPanel() {
  const { explorer } = usePage();
  return (
    <>
      <Search />
      <ThisPicture />
      <section aria-label="Filters">
        <div class="zs-section-head">
          <h2>Filters</h2>
          <Shown />
        </div>
        <p class="zs-hint">
          Drag over a histogram, click a bar: the map and all other columns follow. A name colours
          the map.
        </p>
        {[...explorer.facets.values()].map((column) => (
          <FacetRow key={column.name} column={column} />
        ))}
      </section>
    </>
  );
}

/** All values of the picture, or of the one in the data that is nearest. */
function ThisPicture() {
  const { explorer } = usePage();
  const { origin } = useCell(explorer.current);
  const { columns, nearest } = explorer;
  const { row } = nearest.value;
  const whose = origin.kind === "row" ? "This picture" : "The nearest picture";
  const file = fileOf(columns, row);
  return (
    <details class="zs-this">
      <summary>
        <strong>{whose}</strong> <span class="zs-muted">{file}</span>
      </summary>
      <Values columns={columns} row={row} />
    </details>
  );
}
