/** What a person can do with sets of points, as functions of the explorer. */
import { asStep, openTab, setColor, setCurrent } from "./actions";
import { change } from "./change";
import { type Explorer, firstColor } from "./explorer";
import {
  freeHue,
  freeName,
  type Join,
  joined,
  nextName,
  type Selection,
  shownRows,
} from "./selections";

/** These rows alone, as Python has set them; what the map does not hold is left out. */
export const select = (explorer: Explorer, rows: readonly number[]): void =>
  change(explorer, "selection", joined([], known(explorer, rows), "new"));

const known = ({ n }: Explorer, rows: readonly number[]): number[] =>
  rows.filter((row) => Number.isInteger(row) && row >= 0 && row < n);

/** As a person selects: what was selected before makes way, grows or shrinks. */
export function pick(
  explorer: Explorer,
  rows: readonly number[],
  join: Join = explorer.join.value,
): void {
  asStep(explorer, () =>
    change(explorer, "selection", joined(explorer.selection.value, known(explorer, rows), join)),
  );
}

export const setJoin = (explorer: Explorer, join: Join): void => change(explorer, "join", join);

/** Picks what lies inside and is shown. */
export function selectInside(explorer: Explorer, polygon: Float32Array): void {
  const mask = explorer.visible.value;
  const rows = explorer.latentMap().places.inside(polygon);
  pick(explorer, mask ? rows.filter((row) => mask[row]) : rows);
}

export const selectShown = (explorer: Explorer): void =>
  pick(explorer, shownRows(explorer.visible.value, explorer.n));

/** What is shown and not selected. */
export function selectRest(explorer: Explorer): void {
  const shown = shownRows(explorer.visible.value, explorer.n);
  pick(explorer, joined(shown, explorer.selection.value, "subtract"), "new");
}

export function clearSelection(explorer: Explorer): void {
  if (explorer.selection.value.length) pick(explorer, [], "new");
}

/** To the mean vector of what is selected and shown. */
export function chooseMean(explorer: Explorer): void {
  const rows = explorer.chosen.value;
  if (rows.length) setCurrent(explorer, meanOf(explorer, rows), { kind: "mean" });
}

/** Of the vectors of these rows. */
export function meanOf({ mu, dim }: Explorer, rows: readonly number[]): Float32Array {
  const sums = new Float64Array(dim);
  for (const row of rows) for (let c = 0; c < dim; c++) sums[c] += mu[row * dim + c];
  return Float32Array.from(sums, (sum) => sum / rows.length);
}

/** Keeps rows under a name, in a colour of their own. Without: those selected, under the next letter. */
export function keepSelection(
  explorer: Explorer,
  name = nextName(explorer.selections.value),
  rows: readonly number[] = explorer.selection.value,
): void {
  const { selections } = explorer;
  const of = joined([], known(explorer, rows), "new");
  if (!of.length) return;
  const own = { name: freeName(selections.value, name), hue: freeHue(selections.value), rows: of };
  setSelections(explorer, [...selections.value, own]);
}

export const setSelections = (
  explorer: Explorer,
  selections: readonly Selection[],
  isSettled = true,
): void => asStep(explorer, () => change(explorer, "selections", selections), isSettled);

/** Which two sets are A and B. */
export const setVersus = (explorer: Explorer, a: string, b: string): void =>
  change(explorer, "versus", [a, b]);

/** Puts A against B. */
export function compareSets(explorer: Explorer, a: string, b: string): void {
  setVersus(explorer, a, b);
  openTab(explorer, "select");
}

/** Another name; one that is taken gets a number, an empty one changes nothing. */
export function renameSelection(explorer: Explorer, old: string, wanted: string): void {
  const { value } = explorer.selections;
  const name = wanted.trim();
  if (!name || name === old) return;
  const others = value.filter((each) => each.name !== old);
  const renamed = value.map((each) =>
    each.name === old ? { ...each, name: freeName(others, name) } : each,
  );
  setSelections(explorer, renamed);
}

/** Lets go of one that is kept. */
export function dropSelection(explorer: Explorer, name: string): void {
  const left = explorer.selections.value.filter((each) => each.name !== name);
  if (!left.length && explorer.color.value === "selections")
    setColor(explorer, firstColor(explorer), false);
  setSelections(explorer, left);
}

/** Those Python has set: rows by name. Colours of names that stay, stay. */
export function giveSelections(
  explorer: Explorer,
  wanted: Record<string, readonly number[]>,
  isSettled = true,
): void {
  const before = explorer.selections.value;
  let made: Selection[] = [];
  for (const [name, rows] of Object.entries(wanted)) {
    if (!Array.isArray(rows)) continue;
    const hue = before.find((each) => each.name === name)?.hue;
    const of = joined([], known(explorer, rows), "new");
    if (of.length) made = [...made, { name, rows: of, hue: hue ?? freeHue([...before, ...made]) }];
  }
  setSelections(explorer, made, isSettled);
}
