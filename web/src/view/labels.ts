/** Names on the map where what they name is densest, none over another, at any zoom. */
import { type Size, toScreen } from "./camera";
import { type DensityGrid, density } from "./density";
import type { MapState } from "./map_state";
import type { Label, LabelGroup, ViewBox } from "./view";

interface Peak {
  x: number;
  y: number;
  height: number;
  /** The point of the group nearest to it. */
  row: number;
}

interface Measured extends LabelGroup {
  grid: DensityGrid;
  peaks: Peak[];
  top: number;
}

const EXTENT_SIGMAS = 45;
const NEIGHBOUR_SIGMAS = 2.5;
/** Of a group's highest peak, what another one must have to be named too, and how far off it must be. */
const SECOND = 0.6;
const APART_SIGMAS = 9;
const MOST_PEAKS = 3;
/** Of the highest peak, what is worth a name where no peak is in sight. */
const WORTH = 0.1;
const RIM = 26;
const GAP = 3;
export const TEXT_HEIGHT = 20;
export const EXAMPLE_SIDE = 40;

/** What is worked out once for groups of points that stay where they are. */
export function measureLabels(state: MapState, groups: readonly LabelGroup[]): Measured[] {
  const { bounds, spacing } = state.places;
  const extent = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0);
  if (!(extent > 0)) return [];
  const sigma = Math.max(extent / EXTENT_SIGMAS, NEIGHBOUR_SIGMAS * spacing);
  const measured = groups.flatMap((group): Measured[] => {
    const rows = state.mask ? group.rows.filter((row) => state.mask?.[row]) : group.rows;
    const grid = rows.length ? density(state.coordinates, sigma, rows) : null;
    if (!grid) return [];
    const peaks = peaksOf(grid, APART_SIGMAS * sigma).map((peak) => ({
      ...peak,
      row: nearestOf(state.coordinates, rows, peak.x, peak.y),
    }));
    return peaks.length ? [{ ...group, rows, grid, peaks, top: peaks[0].height }] : [];
  });
  // Where there is no room for all, the larger groups have theirs.
  return measured.sort((a, b) => b.rows.length - a.rows.length);
}

/** Local maxima, the highest first, and none close to a higher one. */
function peaksOf(grid: DensityGrid, apart: number): Omit<Peak, "row">[] {
  const { values, columns, rows } = grid;
  const found: Omit<Peak, "row">[] = [];
  const top = values.reduce((most, value) => Math.max(most, value), 0);
  for (let r = 1; r < rows - 1; r++) {
    for (let c = 1; c < columns - 1; c++) {
      const at = r * columns + c;
      const height = values[at];
      if (height < SECOND * top || height <= 0) continue;
      const around = [at - 1, at - columns - 1, at - columns, at - columns + 1];
      const after = [at + 1, at + columns - 1, at + columns, at + columns + 1];
      // One of two equal neighbours is the peak, not both.
      if (around.some((i) => values[i] >= height) || after.some((i) => values[i] > height))
        continue;
      found.push({ x: grid.x + c * grid.cell, y: grid.y + r * grid.cell, height });
    }
  }
  found.sort((a, b) => b.height - a.height);
  const kept: typeof found = [];
  for (const peak of found)
    if (kept.every(({ x, y }) => Math.hypot(x - peak.x, y - peak.y) > apart)) kept.push(peak);
  return kept.slice(0, MOST_PEAKS);
}

function nearestOf(
  coordinates: Float32Array,
  rows: ArrayLike<number>,
  x: number,
  y: number,
): number {
  let [best, least] = [-1, Number.POSITIVE_INFINITY];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    const far = (coordinates[2 * row] - x) ** 2 + (coordinates[2 * row + 1] - y) ** 2;
    if (far < least) [best, least] = [row, far];
  }
  return best;
}

/** Which names stand where in this view. @param widthOf a text, CSS pixels */
export function placeLabels(
  measured: readonly Measured[],
  view: ViewBox,
  size: Size,
  what: { names: boolean; examples: boolean },
  widthOf: (text: string) => number,
): Label[] {
  const placed: Label[] = [];
  const height = (what.names ? TEXT_HEIGHT : 0) + (what.examples ? EXAMPLE_SIDE : 0);
  const put = ({ text, color }: Measured, peak: Peak): void => {
    const width = Math.max(what.names ? widthOf(text) : 0, what.examples ? EXAMPLE_SIDE : 0);
    const [x, middle] = toScreen(view, size, peak.x, peak.y);
    for (const step of [0, -1, 1]) {
      const y = middle + step * (height + GAP);
      const row = what.examples ? peak.row : -1;
      const label = { text: what.names ? text : "", color, x, y, width, height, row };
      if (placed.some((other) => overlap(label, other))) continue;
      placed.push(label);
      return;
    }
  };
  const isSeen = ({ x, y }: { x: number; y: number }): boolean => {
    const [px, py] = toScreen(view, size, x, y);
    return px > RIM && py > RIM && px < size.width - RIM && py < size.height - RIM;
  };
  // First every group once, then second peaks where there is room.
  const inSight = measured.map((group) => {
    const peaks = group.peaks.filter(isSeen);
    const other = peaks.length ? null : densestSeen(group, view, size);
    return other ? [other] : peaks;
  });
  measured.forEach((group, i) => inSight[i][0] && put(group, inSight[i][0]));
  measured.forEach((group, i) => inSight[i].slice(1).forEach((peak) => put(group, peak)));
  return placed;
}

const overlap = (a: Label, b: Label): boolean =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 + GAP &&
  Math.abs(a.y - b.y) < (a.height + b.height) / 2 + GAP;

/** Where in the view the group is densest, or null where it hardly is. */
function densestSeen({ grid, top, peaks }: Measured, view: ViewBox, size: Size): Peak | null {
  const { values, columns, rows, x, y, cell } = grid;
  const half = [(size.width / 2 - RIM) * view.scale, (size.height / 2 - RIM) * view.scale];
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  const c0 = clamp(Math.ceil((view.x - half[0] - x) / cell), columns);
  const c1 = clamp(Math.floor((view.x + half[0] - x) / cell), columns - 1);
  const r0 = clamp(Math.ceil((view.y - half[1] - y) / cell), rows);
  const r1 = clamp(Math.floor((view.y + half[1] - y) / cell), rows - 1);
  let best: Peak | null = null;
  for (let r = r0; r <= r1; r++)
    for (let c = c0; c <= c1; c++) {
      const height = values[r * columns + c];
      if (height > (best?.height ?? WORTH * top))
        best = { x: x + c * cell, y: y + r * cell, height, row: peaks[0].row };
    }
  return best;
}
