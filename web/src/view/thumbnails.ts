import type { Places } from "../maps/places";
import { type Size, visibleBox } from "./camera";
import type { MapState } from "./map_state";
import { thumbnailSide } from "./point_style";
import type { ViewBox } from "./view";

const MOST_VISIBLE = 2500;
export const MOST_SHOWN = 600;
const MAY_OVERLAP = 0.12; // of a side

/** Of a thumbnail, CSS pixels. */
export const FRAME_PX = 2.5;
export const CORNER_PX = 3.5;
/** Spent on new ones in a frame; the others follow in the next. */
export const PATIENCE_MS = 5;

export interface ThumbnailChoice {
  rows: number[];
  side: number; // CSS pixels
}

/** What a frame shows as pictures, if any. */
export function thumbnailsOf(state: MapState): ThumbnailChoice | null {
  const { n, places, view, size, rank, mask } = state;
  if (!state.hasThumbnails || state.progress < 1 || !n || !places.isQuick) return null;
  const choice = chooseThumbnails(places, view, size, rank, mask);
  return choice?.rows.length ? choice : null;
}

/**
 * Which points are shown as pictures: those of lowest `rank` that do not cover one already chosen, and
 * none at all where points lie too densely. Depends on data and view only, so it holds still while panning.
 */
export function chooseThumbnails(
  places: Places,
  view: ViewBox,
  size: Size,
  rank: Uint32Array,
  mask: Uint8Array | null,
): ThumbnailChoice | null {
  const { coordinates } = places;
  const side = thumbnailSide(places.spacing / view.scale);
  if (!side) return null;
  // Those just outside count too, or a picture at the rim would come and go with its neighbour.
  const visible = places.inBox(visibleBox(view, size, 2 * side), MOST_VISIBLE, mask);
  if (!visible) return null;
  visible.sort((a, b) => rank[a] - rank[b]);
  const gap = side * (1 - MAY_OVERLAP) * view.scale;
  const taken = new Map<string, number[]>();
  const rows: number[] = [];
  for (const row of visible) {
    const x = coordinates[2 * row];
    const y = coordinates[2 * row + 1];
    const c = Math.floor(x / gap);
    const r = Math.floor(y / gap);
    if (isTaken(taken, coordinates, c, r, x, y, gap)) continue;
    const cell = `${c},${r}`;
    taken.set(cell, [...(taken.get(cell) ?? []), row]);
    rows.push(row);
    if (rows.length >= MOST_SHOWN) break;
  }
  return { rows, side };
}

function isTaken(
  taken: Map<string, number[]>,
  coordinates: Float32Array,
  c: number,
  r: number,
  x: number,
  y: number,
  gap: number,
): boolean {
  for (let dc = -1; dc <= 1; dc++) {
    for (let dr = -1; dr <= 1; dr++) {
      for (const other of taken.get(`${c + dc},${r + dr}`) ?? []) {
        const dx = Math.abs(coordinates[2 * other] - x);
        const dy = Math.abs(coordinates[2 * other + 1] - y);
        if (Math.max(dx, dy) < gap) return true;
      }
    }
  }
  return false;
}
