import { useMemo, useState } from "preact/hooks";
import { showRow } from "../state/actions";
import { pick } from "../state/actions_selection";
import { className, count } from "../state/origin";
import { type Found, find } from "../state/search";
import { usePage } from "./context";
import { Picture } from "./picture";
import { fileOf, shortened } from "./values";

const MOST_LISTED = 12;

/** Pictures found by number, file name, value or text. */
export function Search() {
  const { explorer } = usePage();
  const [query, setQuery] = useState("");
  const found = useMemo(() => find(explorer, query), [query]);
  return (
    <section aria-label="Search" class="zs-find">
      <input
        type="search"
        class="zs-search"
        placeholder="Number, file name, value or text"
        aria-label="Find pictures"
        data-search
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && found.length) showRow(explorer, found[0].row);
        }}
      />
      <p class="zs-hint" role="status">
        {query.trim() && (found.length ? `${count(found.length)} found` : "Nothing found.")}
        {found.length > 1 && (
          <>
            {" · "}
            <button
              type="button"
              class="zs-link"
              onClick={() =>
                pick(
                  explorer,
                  found.map(({ row }) => row),
                )
              }
            >
              select them
            </button>
          </>
        )}
      </p>
      {found.length > 0 && (
        <ul class="zs-found">
          {found.slice(0, MOST_LISTED).map((each) => (
            <Hit key={each.row} found={each} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Hit({ found: { row, column } }: { found: Found }) {
  const { explorer, thumbnails } = usePage();
  const { columns, labels, manifest, indices } = explorer;
  const file = fileOf(columns, row);
  const name = file || `Picture ${count(indices[row])}`;
  const label = labels && column?.name !== "class" ? `“${className(manifest, labels[row])}”` : "";
  const why =
    column && column.kind !== "file"
      ? `${column.title}: ${shortened(column, row, 60)}`
      : column
        ? label
        : `no. ${count(indices[row])}`;
  const pixels = useMemo(() => thumbnails.pixels(row), [row]);
  return (
    <li>
      <button type="button" onClick={() => showRow(explorer, row)}>
        <Picture pixels={pixels} look={thumbnails.look} label="" />
        <span>
          <span class="zs-end">{name}</span>
          <span class="zs-muted">{why}</span>
        </span>
      </button>
    </li>
  );
}
