import { type CellRange, Cells } from "../maps/cells";
import { Places } from "../maps/places";
import { type Size, visibleBox } from "./camera";
import { CROWD, LARGEST, pointStyle, ROUND_FROM } from "./point_style";
import type { Stretch } from "./raster";
import { LIGHT, type Theme } from "./theme";
import type { Paint, Tile, ViewBox } from "./view";

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
export const PARTS = ["positions", "origins", "colors", "chosen", "tiles"] as const;
export type Part = (typeof PARTS)[number];

/** What is to be drawn: the one place both canvases read. Everything here survives a lost GPU context. */
export class MapState {
  paint: Paint;
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
  private known: { places: Places; cells: Cells } | null = null;
  private sight: {
    places: Places;
    mask: Uint8Array | null;
    key: string;
    rows: Uint32Array;
  } | null = null;

  constructor(readonly n: number) {
    this.places = new Places(new Float32Array(2 * n).fill(Number.NaN));
    this.paint = { codes: new Uint8Array(n), palette: Uint8Array.of(128, 128, 128, 255) };
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

  colorOf(row: number): Uint8Array {
    const { codes, palette } = this.paint;
    return palette.subarray(4 * codes[row], 4 * codes[row] + 3);
  }

  shownOrder(): Uint32Array {
    const { mask } = this;
    return mask ? this.order.filter((row) => mask[row]) : this.order;
  }

  /** What is drawn one by one: of many points those near the view. The same array as long as they are the same. */
  inSight(): Uint32Array {
    const { places, mask } = this;
    const range = this.range();
    const key = range ? `${range.c0},${range.c1},${range.r0},${range.r1}` : "";
    const known = this.sight;
    if (known?.places === places && known.mask === mask && known.key === key) return known.rows;
    const rows = range ? this.rowsIn(range) : this.shownOrder();
    this.sight = { places, mask, key, rows };
    return rows;
  }

  /** Which of `cells.items` are in view, where they are so many and so small that they are added up; else null. */
  crowd(): Stretch[] | null {
    const range = this.range();
    if (!range || pointStyle(this.spacing).diameter >= ROUND_FROM) return null;
    const cells = this.cells();
    const n = cells.count(range);
    if (n <= CROWD) return null;
    const stretches: Stretch[] = [];
    cells.each(range, (from, to) => stretches.push({ from, to }));
    return stretches;
  }

  /** The cells in view; null where the points are few, or travel. */
  private range(): CellRange | null {
    if (this.n <= CROWD || this.progress < 1) return null;
    return this.cells().range(visibleBox(this.view, this.size, LARGEST));
  }

  cells(): Cells {
    const { places } = this;
    if (this.known?.places !== places)
      this.known = { places, cells: new Cells(places.coordinates, places.bounds, this.order) };
    return this.known.cells;
  }

  /** In the order in which points are drawn, so that any beginning is a fair sample. */
  private rowsIn(range: CellRange): Uint32Array {
    const { mask, rank, order } = this;
    const cells = this.cells();
    const ranks = new Uint32Array(cells.count(range));
    let n = 0;
    cells.each(range, (from, to) => {
      for (let i = from; i < to; i++) {
        const row = cells.items[i];
        if (!mask || mask[row]) ranks[n++] = rank[row];
      }
    });
    return ranks
      .subarray(0, n)
      .sort()
      .map((each) => order[each]);
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
