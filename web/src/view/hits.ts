import { toData } from "./camera";
import type { Pointer } from "./gestures";
import type { MapState } from "./map_state";
import { pointStyle } from "./point_style";
import type { ThumbnailChoice } from "./thumbnails";
import type { Hit } from "./view";

const HIT_PX = 6; // beyond the dot's rim

export const NOWHERE: Hit = {
  x: Number.NaN,
  y: Number.NaN,
  row: -1,
  clientX: Number.NaN,
  clientY: Number.NaN,
};

/** What is under the pointer: a thumbnail, else the nearest dot, else nothing (-1), as while points travel or are indexed. */
export function hitAt(state: MapState, thumbnails: ThumbnailChoice | null, pointer: Pointer): Hit {
  const [x, y] = toData(state.view, state.size, pointer.px, pointer.py);
  const pictured = thumbnails ? thumbnailAt(state, thumbnails, x, y) : -1;
  const radius = (pointStyle(state.spacing).diameter / 2 + HIT_PX) * state.view.scale;
  const isUnknown = state.progress < 1 || !state.places.isQuick;
  const row =
    pictured >= 0 || isUnknown
      ? pictured
      : (state.places.nearest(x, y, 1, radius, state.mask)[0] ?? -1);
  return { x, y, row, clientX: pointer.clientX, clientY: pointer.clientY };
}

/** The uppermost thumbnail over a place, or -1. */
function thumbnailAt(
  { coordinates, view }: MapState,
  { rows, side }: ThumbnailChoice,
  x: number,
  y: number,
): number {
  const half = (side / 2) * view.scale;
  const isOver = (row: number) =>
    Math.max(Math.abs(coordinates[2 * row] - x), Math.abs(coordinates[2 * row + 1] - y)) <= half;
  return rows.findLast(isOver) ?? -1;
}
