/** How the points are coloured, for the map and for its legend, and which are shown. */

import type { LabelGroup, Paint } from "../view/view";
import { classes } from "./color_modes/classes";
import type { ColorMode } from "./color_modes/color_mode";
import { columns } from "./color_modes/columns";
import { error, kl } from "./color_modes/costs";
import { neurons } from "./color_modes/neurons";
import { selections } from "./color_modes/selections";
import { type Coloring, css, type Rgb, type Scale, UNKNOWN } from "./colors";
import type { CategoryColumn } from "./columns";
import type { Explorer } from "./explorer";
import { hiddenOf } from "./filters";

/** In the order of the list a person chooses from. */
const COLOR_MODES: readonly ColorMode[] = [classes, columns, selections, error, kl, neurons];

/** What the points can be coloured by. */
export const colorChoices = (explorer: Explorer): { name: string; title: string }[] =>
  COLOR_MODES.flatMap((mode) => mode.choices(explorer));

const modeOf = (explorer: Explorer, color: string): ColorMode | undefined =>
  COLOR_MODES.find((mode) => mode.choices(explorer).some(({ name }) => name === color));

export const hasColor = (explorer: Explorer, color: string): boolean =>
  modeOf(explorer, color) !== undefined;

export const coloringOf = (explorer: Explorer): Coloring =>
  // Of selections that are gone: all grey, until there is another colour.
  (modeOf(explorer, explorer.color.value) ?? selections).create(explorer, explorer.color.value);

/** The colour of every point. */
export function paintPoints({ n, coloring }: Explorer): Paint {
  const of = coloring.value;
  return of.scale ? paintScale(n, of) : paintShades(n, of);
}

/** What has no value comes after the colours of the scale. */
const N_SCALE = 255;

function paintScale(n: number, { scale, value }: Extract<Coloring, { scale: Scale }>): Paint {
  const { low, high, color } = scale;
  const codes = new Uint8Array(n);
  for (let row = 0; row < n; row++) {
    const t = (value(row) - low) / (high - low || 1);
    codes[row] = Number.isNaN(t) ? N_SCALE : Math.min(Math.max(t * N_SCALE, 0), N_SCALE - 1);
  }
  const colors = Array.from({ length: N_SCALE }, (_, i) => color(i / (N_SCALE - 1)));
  return { codes, palette: paletteOf([...colors, UNKNOWN]) };
}

/** More colours than that would have no number. */
const MOST_SHADES = 65_535;

function paintShades(n: number, { column, shades }: Extract<Coloring, { scale: null }>): Paint {
  const k = column.categories.length;
  const nShades = Math.min(shades.length, MOST_SHADES);
  const shadeOf = new Uint16Array(k + 1).fill(nShades);
  shades.slice(0, nShades).forEach(({ codes }, i) => {
    for (const code of codes) shadeOf[code >= 0 && code < k ? code : k] = i;
  });
  const codes = nShades < 256 ? new Uint8Array(n) : new Uint16Array(n);
  for (let row = 0; row < n; row++) {
    const code = column.codes[row];
    codes[row] = shadeOf[code >= 0 && code < k ? code : k];
  }
  return {
    codes,
    palette: paletteOf([...shades.slice(0, nShades).map(({ rgb }) => rgb), UNKNOWN]),
  };
}

const paletteOf = (colors: readonly Rgb[]): Uint8Array =>
  Uint8Array.from(colors.flatMap((rgb) => [...rgb, 255]));

/** More outlines than that nobody tells apart. */
const MOST_OUTLINED = 60;

/** What is coloured alike and not hidden: name, colour and rows of each. */
export interface Group {
  name: string;
  rgb: Rgb;
  rows: Int32Array;
  isKnown: boolean;
}

/** By the colours of the map, or by class where those are along a scale; null: there is nothing to tell apart. */
export function shownGroups(explorer: Explorer): { groups: Group[]; isColored: boolean } | null {
  const { facets, filters } = explorer;
  const coloring = explorer.coloring.value;
  const isColored = !coloring.scale;
  const by = !isColored && facets.has("class") ? classes.create(explorer, "class") : coloring;
  if (by.scale || by.shades.length > MOST_OUTLINED) return null;
  const { column, shades } = by;
  const hidden = hiddenOf(filters.value, column.name);
  const rows = rowsByCode(column);
  const groups = shades.map(({ name, codes, rgb }) => ({
    name,
    rgb,
    isKnown: codes[0] >= 0,
    rows: together(
      codes.filter((code) => !hidden.has(code)).flatMap((code) => rows.get(code) ?? []),
    ),
  }));
  return { groups, isColored };
}

const grouped = new WeakMap<Int32Array, Map<number, Int32Array>>();

/** The rows of every value, -1 standing for the missing ones. Worked out once. */
function rowsByCode({ codes, categories }: CategoryColumn): Map<number, Int32Array> {
  const known = grouped.get(codes);
  if (known) return known;
  const k = categories.length;
  const counts = new Uint32Array(k + 1);
  const of = (row: number): number => (codes[row] >= 0 && codes[row] < k ? codes[row] : k);
  for (let row = 0; row < codes.length; row++) counts[of(row)]++;
  const lists = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let row = 0; row < codes.length; row++) {
    const code = of(row);
    lists[code][counts[code]++] = row;
  }
  const made = new Map(lists.map((rows, code) => [code < k ? code : -1, rows]));
  grouped.set(codes, made);
  return made;
}

function together(parts: readonly Int32Array[]): Int32Array {
  if (parts.length === 1) return parts[0];
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Rows of what is coloured alike and shown, for contours; of all points where nothing is told apart. */
export function contourGroups(
  explorer: Explorer,
): { rows: Int32Array; rgba: [number, number, number, number] }[] {
  const shown = shownGroups(explorer);
  if (!shown) {
    const grey: [number, number, number, number] = explorer.isDark.value
      ? [200, 206, 214, 255]
      : [70, 78, 88, 255];
    return [{ rows: Int32Array.from({ length: explorer.n }, (_, i) => i), rgba: grey }];
  }
  return shown.groups
    .map(({ rows, rgb }) => ({ rows, rgba: [...rgb, 255] as [number, number, number, number] }))
    .filter(({ rows }) => rows.length > 2);
}

/** Names for the map. */
export function labelGroups(explorer: Explorer): LabelGroup[] {
  const shown = shownGroups(explorer);
  if (!shown || shown.groups.length < 2) return [];
  // What is not known is no kind of its own.
  const known = shown.groups.filter(({ isKnown }) => isKnown);
  return known.map(({ name, rows, rgb }) => ({
    ...{ text: name, rows, color: shown.isColored ? css(rgb) : null },
  }));
}
