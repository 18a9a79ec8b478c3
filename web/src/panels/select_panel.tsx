import { useState } from "preact/hooks";
import { downloadRows, readIndices } from "../output/csv";
import { say, setColor } from "../state/actions";
import {
  clearSelection,
  compareSets,
  dropSelection,
  keepSelection,
  pick,
  renameSelection,
  selectRest,
  selectShown,
} from "../state/actions_selection";
import { useCell } from "../state/cell";
import { classColors, css } from "../state/colors";
import { GateError, gateFields, rowsOfGate } from "../state/gate";
import { count } from "../state/origin";
import { nextName, type Selection } from "../state/selections";
import { Compare } from "./compare";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { LoadFile } from "./load_file";
import { Joins } from "./selection_bar";

/** Sets of pictures: made, kept, joined and compared. */
export function SelectPanel() {
  return (
    <>
      <Gate />
      <Now />
      <Kept />
      <Compare />
    </>
  );
}

/** Selects by a typed condition. */
function Gate() {
  const { explorer } = usePage();
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<{ text: string; isWrong: boolean } | null>(null);
  const ask = (event: Event) => {
    event.preventDefault();
    try {
      const rows = rowsOfGate(explorer, text);
      pick(explorer, rows);
      setAnswer({ text: `True of ${count(rows.length)}.`, isWrong: false });
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      setAnswer({ text: error.message, isWrong: true });
    }
  };
  const names = [...gateFields(explorer).keys()];
  return (
    <section aria-label="Select by a condition">
      <h2>Select where …</h2>
      <form class="zs-gate" onSubmit={ask}>
        <input
          type="search"
          class="zs-search"
          placeholder={exampleOf(explorer.facets.has("class"), explorer.columns.length > 0)}
          aria-label="A condition"
          aria-invalid={answer?.isWrong === true}
          spellcheck={false}
          autocapitalize="off"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAnswer(null);
          }}
        />
        <button type="submit">Select</button>
      </form>
      <p class="zs-hint" role="status" data-testid="gate">
        {answer?.text}
      </p>
      <details class="zs-this">
        <summary class="zs-hint">What can be asked</summary>
        <p class="zs-hint">
          <code>= != &lt; &lt;= &gt; &gt;=</code>, <code>~</code> for a part of a text,{" "}
          <code>in (a, b)</code>, <code>missing</code>; joined by <code>and</code>, <code>or</code>,{" "}
          <code>not</code> and parentheses. Names with signs in them go in quotes. Of{" "}
          {names.join(", ")}.
        </p>
      </details>
    </section>
  );
}

const exampleOf = (hasClasses: boolean, hasColumns: boolean): string =>
  hasColumns || !hasClasses ? "error > 30 and not kl > 25" : "class in (3, 5) and error > 30";

/** What is selected now. */
function Now() {
  const { explorer } = usePage();
  const rows = useCell(explorer.chosen);
  const selection = useCell(explorer.selection);
  const selections = useCell(explorer.selections);
  const isAny = selection.length > 0;
  return (
    <section aria-label="Selected now">
      <div class="zs-section-head">
        <h2>{isAny ? `${count(rows.length)} selected` : "Nothing is selected"}</h2>
        <Joins />
      </div>
      {!isAny && (
        <p class="zs-hint">
          Draw around points with the lasso (O), tick rows of the table, type a condition, or take
          what filters and legend show.
        </p>
      )}
      <div class="zs-buttons">
        <button type="button" disabled={!isAny} onClick={() => keepSelection(explorer)}>
          Keep as “{nextName(selections)}”
        </button>
        <button type="button" onClick={() => selectShown(explorer)}>
          All shown
        </button>
        <button type="button" disabled={!isAny} onClick={() => selectRest(explorer)}>
          The rest instead
        </button>
        <button type="button" disabled={!isAny} onClick={() => clearSelection(explorer)}>
          None
        </button>
      </div>
    </section>
  );
}

function Kept() {
  const { explorer } = usePage();
  const selections = useCell(explorer.selections);
  const color = useCell(explorer.color);
  return (
    <section aria-label="Kept selections">
      <div class="zs-section-head">
        <h2>Kept</h2>
        {selections.length > 0 && color !== "selections" && (
          <button type="button" class="zs-link" onClick={() => setColor(explorer, "selections")}>
            colour the map by them
          </button>
        )}
      </div>
      {selections.length > 0 && (
        <ul class="zs-kept" data-testid="kept">
          {selections.map((each) => (
            <KeptRow key={each.name} selection={each} />
          ))}
        </ul>
      )}
      <LoadRows />
    </section>
  );
}

function KeptRow({ selection: { name, rows, hue } }: { selection: Selection }) {
  const { explorer } = usePage();
  const isDark = useCell(explorer.isDark);
  return (
    <li>
      <span class="zs-dot" style={{ background: css(classColors(hue + 1, isDark)[hue]) }} />
      <input
        class="zs-name"
        aria-label={`Name of selection ${name}`}
        value={name}
        onChange={({ currentTarget: field }) => {
          renameSelection(explorer, name, field.value);
          field.value = name; // where nothing came of it
        }}
      />
      <span class="zs-muted">{count(rows.length)}</span>
      <button
        type="button"
        aria-label={`Select ${name}`}
        title="As the signs above say: in place of what is selected, with it, without it, or what is in both"
        onClick={() => pick(explorer, rows)}
      >
        Select
      </button>
      <button
        type="button"
        aria-label={`${name} against the rest`}
        title="How it differs from all else that is shown"
        onClick={() => compareSets(explorer, `kept ${name}`, "rest")}
      >
        vs rest
      </button>
      <IconButton
        icon="save"
        label={`Save ${name} as CSV`}
        onClick={() => downloadRows(explorer, rows, name)}
      />
      <IconButton
        icon="close"
        label={`Delete ${name}`}
        onClick={() => dropSelection(explorer, name)}
      />
    </li>
  );
}

/** Back from a file. */
function LoadRows() {
  const { explorer } = usePage();
  const load = (text: string, file: string) => {
    const indices = readIndices(text);
    if (!indices) return say(explorer, `${file} has no column “index” of whole numbers.`);
    const rowOf = new Map(Array.from(explorer.indices, (index, row) => [index, row]));
    const rows = indices.map((index) => rowOf.get(index)).filter((row) => row !== undefined);
    const nOther = indices.length - rows.length;
    if (rows.length) keepSelection(explorer, file.replace(/\.\w+$/, ""), rows);
    say(
      explorer,
      nOther
        ? `${count(nOther)} of ${count(indices.length)} pictures in ${file} are not here.`
        : "",
    );
  };
  return (
    <p class="zs-hint">
      <LoadFile label="Load one from a CSV" accept=".csv,.txt,text/csv,text/plain" onText={load} />:
      a column <code>index</code> of picture numbers, as <em>Save</em> writes it.
    </p>
  );
}
