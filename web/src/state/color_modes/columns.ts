import { tickLabel, ticks } from "../../view/ticks";
import { binsOf } from "../bins";
import { type Coloring, classColors, OTHERS, type Tick, UNKNOWN, viridis } from "../colors";
import { type CategoryColumn, type NumberColumn, numberText, rangeOf } from "../columns";
import { dateEdges, dateText } from "../dates";
import type { Explorer } from "../explorer";
import type { ColorMode } from "./color_mode";

/** What else is known of the points; text and file names have no colours. */
export const columns: ColorMode = {
  choices: ({ columns, facets }) =>
    columns.filter(({ name }) => facets.has(name)).map(({ name, title }) => ({ name, title })),
  create(explorer, name) {
    const column = explorer.facets.get(name)!;
    return column.kind === "category" ? inGroups(explorer, column) : alongScale(column);
  },
};

function inGroups({ isDark }: Explorer, column: CategoryColumn): Coloring {
  const { groups } = binsOf(column);
  const nValues = groups.filter(({ kind }) => kind === "value").length;
  const colors = classColors(nValues, isDark.value);
  const shades = groups.map((group, i) => ({
    ...group,
    rgb: group.kind === "value" ? colors[i] : group.kind === "others" ? OTHERS : UNKNOWN,
  }));
  return { scale: null, column, shades };
}

const WANTED_NUMBERS = 4;
const WANTED_DATES = 3;
const MOST_DATES = 12;

function alongScale(column: NumberColumn): Coloring {
  const { values, missing, title } = column;
  const [low, high] = rangeOf(column);
  const scale = {
    title,
    low,
    high,
    unit: "",
    about: "",
    color: viridis,
    ticks: ticksOf(column, low, high),
    missing,
  };
  return { scale, value: (row) => values[row] };
}

/** Round values along a scale; where all are the same, that one. */
function ticksOf({ kind, unit, isWhole }: NumberColumn, low: number, high: number): Tick[] {
  const isDate = kind === "date";
  if (!(high > low))
    return [{ at: low, text: isDate ? dateText(low, unit) : numberText(low, isWhole) }];
  if (isDate) return dateTicks(low, high);
  const { values, digits } = ticks(low, high, WANTED_NUMBERS);
  const isLong = Math.max(Math.abs(low), Math.abs(high)) >= 1e6 || digits > 4;
  return values.map((at) => ({
    at,
    text: isLong ? numberText(at, false) : tickLabel(at, digits),
  }));
}

/** Some round dates between two: two at least, as one alone says nothing of the others. */
export function dateTicks(low: number, high: number): Tick[] {
  for (let wanted = WANTED_DATES; ; wanted++) {
    const { edges, unit } = dateEdges(low, high, wanted);
    const inside = edges.filter((edge) => edge >= low && edge <= high);
    if (inside.length > 1 || wanted === MOST_DATES)
      return inside.map((at) => ({ at, text: dateText(at, unit) }));
  }
}
