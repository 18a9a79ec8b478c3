/** How the points are coloured, for the map and for its legend, and which are shown. */
import { classes } from "./color_modes/classes";
import type { ColorMode } from "./color_modes/color_mode";
import { error, kl } from "./color_modes/costs";
import { neurons } from "./color_modes/neurons";
import { type Coloring, classColors, type Rgb } from "./colors";
import type { Explorer } from "./explorer";

/** In the order of the list a person chooses from. */
const COLOR_MODES: readonly ColorMode[] = [classes, error, kl, neurons];

/** What the points can be coloured by. */
export const colorChoices = (explorer: Explorer): { name: string; title: string }[] =>
  COLOR_MODES.flatMap((mode) => mode.choices(explorer));

const modeOf = (explorer: Explorer, color: string): ColorMode | undefined =>
  COLOR_MODES.find((mode) => mode.choices(explorer).some(({ name }) => name === color));

export const hasColor = (explorer: Explorer, color: string): boolean =>
  modeOf(explorer, color) !== undefined;

export const coloringOf = (explorer: Explorer): Coloring =>
  modeOf(explorer, explorer.color.value)!.create(explorer, explorer.color.value);

/** RGBA of every point, (n, 4). */
export function paintPoints({ n, coloring }: Explorer): Uint8Array {
  const rgba = new Uint8Array(4 * n).fill(255);
  const colorOf = colorsOf(coloring.value);
  for (let row = 0; row < n; row++) {
    const [r, g, b] = colorOf(row);
    rgba[4 * row] = r;
    rgba[4 * row + 1] = g;
    rgba[4 * row + 2] = b;
  }
  return rgba;
}

function colorsOf(coloring: Coloring): (row: number) => Rgb {
  if (!coloring.scale) return coloring.color;
  const { scale, value } = coloring;
  const { low, high } = scale;
  // 256 colours, so that no point costs an interpolation.
  const table = Array.from({ length: 256 }, (_, i) => scale.color(i / 255));
  return (row) => {
    const t = (value(row) - low) / (high - low || 1);
    return table[Math.min(Math.max(t * 255, 0), 255) | 0];
  };
}

/** Which points are shown; null: all. */
export function visiblePoints({ labels, n, hidden }: Explorer): Uint8Array | null {
  if (!labels || hidden.value.size === 0) return null;
  const mask = Uint8Array.from({ length: n }, (_, row) => (hidden.value.has(labels[row]) ? 0 : 1));
  return mask.includes(0) ? mask : null; // a link may name classes that there are none of
}

/** Rows of every class that is shown, for contours; of all points where there are no classes. */
export function contourGroups(
  explorer: Explorer,
): { rows: Int32Array; rgba: [number, number, number, number] }[] {
  const { labels, n, manifest } = explorer;
  const isDark = explorer.isDark.value;
  if (!labels || manifest.classNames.length > 60) {
    const grey: [number, number, number, number] = isDark
      ? [200, 206, 214, 255]
      : [70, 78, 88, 255];
    return [{ rows: Int32Array.from({ length: n }, (_, i) => i), rgba: grey }];
  }
  const rows: number[][] = manifest.classNames.map(() => []);
  for (let row = 0; row < n; row++) rows[labels[row]!]?.push(row);
  return classColors(rows.length, isDark)
    .map((rgb, k) => ({
      rows: Int32Array.from(rows[k]!),
      rgba: [...rgb, 255] as [number, number, number, number],
      k,
    }))
    .filter(({ rows: some, k }) => some.length > 2 && !explorer.hidden.value.has(k));
}
