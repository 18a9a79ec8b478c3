import { Places } from "../maps/places";
import type { Size } from "./camera";

import { LIGHT, type Theme } from "./theme";
import type { Tile, ViewBox } from "./view";

/** A fixed shuffle, so that no class lies above another and any beginning is a fair sample. */
export function shuffled(n: number): Uint32Array {
  const rows = new Uint32Array(n).map((_, i) => i);
  let seed = 0x2545f491;
  for (let i = n - 1; i > 0; i--) {
    // xorshift32 (Marsaglia 2003)
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const j = (seed >>> 0) % (i + 1);
    const row = rows[i];
    rows[i] = rows[j];
    rows[j] = row;
  }
  return rows;
}

/** What a canvas may have to hear of. */
export const PARTS = ["positions", "origins", "colors", "order", "chosen", "tiles"] as const;
export type Part = (typeof PARTS)[number];

/** What is to be drawn: the one place both canvases read. Everything here survives a lost GPU context. */
export class MapState {
  colors: Uint8Array;
  mask: Uint8Array | null = null;
  selection: Uint32Array = new Uint32Array();
  isSelected: Uint8Array | null = null;
  tiles: Tile[] = [];
  /** Whether pictures take the place of dots where there is room. */
  hasThumbnails = true;
  theme: Theme = LIGHT;
  view: ViewBox = { x: 0, y: 0, scale: 1 };
  size: Size = { width: 0, height: 0 };
  pixelRatio = 1;
  /** Clip space; where points come from while they travel. */
  origins: Float32Array | null = null;
  progress = 1;
  places: Places;
  readonly order: Uint32Array;
  /** Of every row: its place in `order`. */
  readonly rank: Uint32Array;

  constructor(readonly n: number) {
    this.places = new Places(new Float32Array(2 * n).fill(Number.NaN));
    this.colors = new Uint8Array(4 * n).fill(128);
    this.order = shuffled(n);
    this.rank = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.rank[this.order[i]] = i;
  }

  get coordinates(): Float32Array {
    return this.places.coordinates;
  }

  /** CSS pixels between neighbours at the present zoom. */
  get spacing(): number {
    return this.places.spacing / this.view.scale;
  }

  setSelection(rows: ArrayLike<number>): void {
    const valid = Array.from(rows).filter((row) => row >= 0 && row < this.n);
    this.isSelected = valid.length ? new Uint8Array(this.n) : null;
    for (const row of valid) if (this.isSelected) this.isSelected[row] = 1;
    this.selection = Uint32Array.from(valid);
  }

  shownOrder(): Uint32Array {
    const { mask } = this;
    return mask ? this.order.filter((row) => mask[row]) : this.order;
  }

  shownSelection(): Uint32Array {
    const { mask } = this;
    return mask ? this.selection.filter((row) => mask[row]) : this.selection;
  }

  /** Clip space of all points as they are drawn now, in the midst of a journey too. */
  clipPositions(): Float32Array {
    const { view, size, coordinates, origins, progress } = this;
    const clip = new Float32Array(2 * this.n);
    const perUnit = [2 / (view.scale * size.width), 2 / (view.scale * size.height)];
    for (let i = 0; i < clip.length; i += 2) {
      clip[i] = (coordinates[i] - view.x) * perUnit[0];
      clip[i + 1] = (coordinates[i + 1] - view.y) * perUnit[1];
      if (origins && progress < 1) {
        clip[i] = origins[i] + (clip[i] - origins[i]) * progress;
        clip[i + 1] = origins[i + 1] + (clip[i + 1] - origins[i + 1]) * progress;
      }
    }
    return clip;
  }

  /** The same in CSS pixels. */
  screenPositions(): Float32Array {
    const { width, height } = this.size;
    return this.clipPositions().map((at, i) =>
      i % 2 ? ((1 - at) * height) / 2 : ((1 + at) * width) / 2,
    );
  }
}
