import { useMemo, useState } from "preact/hooks";
import { nearestInLatent } from "../maps/nearest";
import { pick } from "../state/actions_selection";
import { className, count, number } from "../state/origin";
import { usePage, useRested } from "./context";
import { Select } from "./select";
import { summary } from "./selection_bar";
import { Thumbs } from "./thumbs";

const COUNTS = [10, 20, 50, 100, 500];
/** Pictures shown of them. */
const MOST_SHOWN = 100;

/** The pictures of the data whose vectors are nearest to the current one, whatever it is of. */
export function Nearest() {
  const { explorer } = usePage();
  const { mu, dim, n, labels, manifest, latentSpacing } = explorer;
  const current = useRested(explorer.current);
  const [k, setK] = useState(COUNTS[0]);
  const found = useMemo(() => {
    const { origin, z } = current;
    const isRow = origin.kind === "row";
    const { rows, distances } = nearestInLatent(mu, dim, z, Math.min(k + +isRow, n));
    // A picture is not its own neighbour.
    const keep = Array.from(rows.keys()).filter((i) => !isRow || rows[i] !== origin.row);
    return { rows: keep.map((i) => rows[i]), distances: keep.map((i) => distances[i]) };
  }, [current, k]);
  const { median } = latentSpacing();
  const farthest = found.distances.at(-1) ?? 0;
  const distanceOf = new Map(found.rows.map((row, i) => [row, found.distances[i]]));
  return (
    <section aria-label="Nearest pictures" data-testid="nearest">
      <div class="zs-section-head">
        <h2>Nearest in the data</h2>
        <Select label="How many" value={String(k)} onChange={(text) => setK(Number(text))}>
          {COUNTS.filter((each, i) => i === 0 || each < n).map((each) => (
            <option key={each} value={String(each)}>
              {each}
            </option>
          ))}
        </Select>
      </div>
      <p class="zs-hint">
        {summary(found.rows, labels, (label) => className(manifest, label))}
        {found.rows.length > 0 && (
          <>
            {labels ? ". " : ""}The last of them lies {number(farthest)} away
            {median > 0 && `, ${number(farthest / median, 1)} × the usual distance`} ·{" "}
            <button type="button" class="zs-link" onClick={() => pick(explorer, found.rows)}>
              select them
            </button>
          </>
        )}
      </p>
      <Thumbs
        rows={found.rows.slice(0, MOST_SHOWN)}
        note={(row) => `${number(distanceOf.get(row) ?? 0)} away`}
      />
      {found.rows.length > MOST_SHOWN && (
        <p class="zs-hint">and {count(found.rows.length - MOST_SHOWN)} more</p>
      )}
    </section>
  );
}
