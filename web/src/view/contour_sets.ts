import { contourLines, density } from "./density";
import type { MapState } from "./map_state";
import type { ContourSet } from "./overlay";
import type { ContourGroup } from "./view";

const FEWEST = 8; // points that make a shape
const ALL_SHARES = [0.98, 0.9, 0.75, 0.5, 0.25];
const GROUP_SHARES = [0.9, 0.5];
const EXTENT_SIGMAS = 80;
const NEIGHBOUR_SIGMAS = 2.5;

/** Density contours of what is shown: of each group in its colour, or of all points. */
export function contourSets(state: MapState, groups: ContourGroup[] | undefined): ContourSet[] {
  const { bounds, spacing } = state.places;
  const extent = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0);
  // As fine as the points are dense, but no rougher than the eye takes in at a glance.
  const sigma = Math.max(extent / EXTENT_SIGMAS, NEIGHBOUR_SIGMAS * spacing);
  if (!(extent > 0)) return [];
  if (!groups) return one(state, sigma, state.shownOrder(), ALL_SHARES, null);
  return groups.flatMap(({ rows, rgba }) => {
    const shown = state.mask ? rows.filter((row) => state.mask?.[row]) : rows;
    const hex = `#${[...rgba]
      .slice(0, 3)
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("")}`;
    return one(state, sigma, shown, GROUP_SHARES, hex);
  });
}

function one(
  state: MapState,
  sigma: number,
  rows: ArrayLike<number>,
  shares: number[],
  color: string | null,
): ContourSet[] {
  const grid = rows.length >= FEWEST ? density(state.coordinates, sigma, rows) : null;
  if (!grid) return [];
  const paths = contourLines(grid, shares).map((lines) => {
    const path = new Path2D();
    for (const line of lines) {
      path.moveTo(line[0], line[1]);
      for (let i = 2; i < line.length; i += 2) path.lineTo(line[i], line[i + 1]);
      path.closePath();
    }
    return path;
  });
  return [{ paths, color }];
}
