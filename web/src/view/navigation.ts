import { boundsOf } from "../maps/box";
import { betweenViews, ease, fitted, type Margins, panned, zoomed } from "./camera";
import type { MapState } from "./map_state";
import type { ViewBox } from "./view";

const FLIGHT_MS = 350;
const MARGIN = 24;
const AXES_MARGIN = { left: 46, bottom: 36 };
const DEEPEST_SPACING = 400; // pixels between neighbours: closer there is nothing to see

/** Whether whoever looks has not asked for stillness. */
export function mayMove(): boolean {
  return !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Moves the camera of `state`, at once or in flight, and calls `onMove` whenever it has moved or is about to. */
export class Navigation {
  /** When the view changed last, of `performance.now()`. */
  movedAt = Number.NEGATIVE_INFINITY;
  /** Room at the rim for the axes' numbers. */
  hasAxes = false;
  /** CSS pixels on the right that something covers. */
  rim = 0;
  private isFitted = true; // the view shows all, and goes on doing so when the size changes
  private flight: { from: ViewBox; to: ViewBox; start: number } | null = null;

  constructor(
    private readonly state: MapState,
    private readonly onMove: () => void,
  ) {}

  /** Where the camera is, or is going. */
  get target(): ViewBox {
    return this.flight?.to ?? this.state.view;
  }

  fit(rows?: ArrayLike<number>): void {
    const to = this.fitted(rows);
    if (to) this.go(to, true);
    this.isFitted = rows === undefined;
  }

  /** Another map in the same frame: where all was shown, it still is, and nothing moves else. */
  keepView(): void {
    if (this.isFitted) this.keepFitted();
  }

  /** Shows all, now and at any later size. */
  showAll(): void {
    this.isFitted = true;
    this.keepFitted();
  }

  /** The size or the margins are others: what showed all does so again. */
  keepFitted(): void {
    const view = this.isFitted ? this.fitted() : null;
    if (!view) return;
    this.flight = null; // it was bound for what all was at the old size
    this.moveTo(view);
  }

  go(view: ViewBox, animate: boolean): void {
    const [low, high] = this.scaleLimits();
    const to = { x: view.x, y: view.y, scale: Math.min(high, Math.max(low, view.scale)) };
    if (!Number.isFinite(to.x + to.y + to.scale)) return;
    this.isFitted = false;
    const { state } = this;
    if (animate && mayMove() && state.size.width && state.progress === 1) {
      this.flight = { from: state.view, to, start: performance.now() };
      this.onMove();
    } else {
      this.flight = null;
      this.moveTo(to);
    }
  }

  zoomBy(px: number, py: number, factor: number, animate = false): void {
    this.go(zoomed(this.target, this.state.size, px, py, factor, this.scaleLimits()), animate);
  }

  panBy(dx: number, dy: number): void {
    this.go(panned(this.target, dx, dy), false);
  }

  /** One frame further, if in flight. */
  advance(now: number): void {
    const { flight } = this;
    if (!flight) return;
    const share = Math.min(1, Math.max(0, (now - flight.start) / FLIGHT_MS));
    if (share === 1) this.flight = null;
    this.moveTo(share === 1 ? flight.to : betweenViews(flight.from, flight.to, ease(share)));
  }

  private moveTo(view: ViewBox): void {
    this.state.view = view;
    this.movedAt = performance.now();
    this.onMove();
  }

  private fitted(rows?: ArrayLike<number>): ViewBox | null {
    const { size, places } = this.state;
    if (!size.width || !size.height) return null;
    const box = rows ? boundsOf(places.coordinates, rows) : places.frame;
    return box && fitted(box, size, this.margins());
  }

  private margins(): Margins {
    const { width, height } = this.state.size;
    const margin = Math.min(MARGIN, 0.06 * Math.min(width, height));
    const right = Math.max(margin, Math.min(this.rim, width / 4));
    const even = { left: margin, right, top: margin, bottom: margin };
    return this.hasAxes ? { ...even, ...AXES_MARGIN } : even;
  }

  private scaleLimits(): [number, number] {
    const all = this.fitted();
    if (!all) return [0, Number.POSITIVE_INFINITY];
    const deepest = Math.min(all.scale / 20, this.state.places.spacing / DEEPEST_SPACING);
    // Beyond, 32-bit floats cannot tell neighbouring pixels apart.
    return [Math.max(all.scale / 20000, deepest), 4 * all.scale];
  }
}
