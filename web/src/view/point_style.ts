/** How large and how solid dots are, from how far apart they lie on the screen. */
export interface PointStyle {
  diameter: number; // CSS pixels
  opacity: number; // [0, 1]
}

const SMALLEST = 1.4;
export const LARGEST = 13;

/** `spacing`: CSS pixels between neighbours. Dense clouds get small, clear dots; sparse ones large, solid ones. */
export function pointStyle(spacing: number): PointStyle {
  // Grows slower than the zoom, so that clusters open up as one comes closer.
  const diameter = Math.min(LARGEST, Math.max(SMALLEST, 1.35 * spacing ** 0.62));
  const overlap = diameter / Math.max(spacing, 1e-6);
  const opacity = Math.min(0.9, Math.max(0.4, 1.05 - 0.28 * overlap));
  return { diameter, opacity };
}

/** Device pixels of diameter; nobody sees the corners of smaller ones. */
export const ROUND_FROM = 2.6;
/** Points in view from which those that small are added up, which a processor does sooner than drawing them. */
export const CROWD = 40_000;
/** Points are seen above tiles, their strokes and their ground alike. */
export const TILE_OPACITY = 0.5;
const DIM = 0.18; // points outside the selection
const UNDER_CONTOURS = 0.4;

/** The dots of a frame. `dim`: of those that are not selected, on top of the opacity. */
export function dotsOf(
  { spacing, isSelected }: { spacing: number; isSelected: Uint8Array | null },
  hasContours: boolean,
): PointStyle & { dim: number } {
  const { diameter, opacity } = pointStyle(spacing);
  const under = hasContours ? UNDER_CONTOURS : 1;
  return { diameter, opacity: opacity * under, dim: isSelected ? DIM : 1 };
}

/** Side of a thumbnail, CSS pixels, or 0: too dense for thumbnails. */
export function thumbnailSide(spacing: number): number {
  return spacing < 15 ? 0 : Math.min(64, 14 + 0.62 * spacing);
}

const MOVING_FRAME = 40; // ms: slower is felt as a stutter
const FEWEST = 20000;

/**
 * How many of the points are drawn while the map moves, from how long the last frames took: all of
 * them on a graphics card, a fair sample on a processor that draws by itself. At rest all are drawn.
 */
export class Detail {
  private count: number;

  constructor(private readonly n: number) {
    this.count = Math.min(n, 60000);
  }

  /** Milliseconds between two frames in a row while moving. */
  record(interval: number): void {
    if (interval > MOVING_FRAME) this.count *= 0.85;
    else if (interval < 0.6 * MOVING_FRAME) this.count *= 1.15;
    this.count = Math.min(this.n, Math.max(this.count, Math.min(this.n, FEWEST)));
  }

  get most(): number {
    return this.count;
  }
}
