import type { Places } from "../maps/places";
import type { Theme } from "./theme";

/** Anything a picture can come as. */
export type Picture = ImageBitmap | ImageData | HTMLCanvasElement;

/** A colour for every point: by its number in a palette of RGBA, 0…255 each. */
export interface Paint {
  codes: Uint8Array | Uint16Array;
  palette: Uint8Array;
}

/** What the app asks of the drawn map. Implemented by `map_view.ts`; knows nothing of models or Preact. */
export interface MapViewOptions {
  n: number;
  /** Spoken name of the map; has a default. */
  label?: string;
  /**
   * Thumbnails to show when zoomed in, all of one size; each is asked for when it is first seen. Null: not here yet,
   * and `refresh` tells when it may be.
   */
  thumbnail?: (row: number) => Picture | null;
  onHover?(hit: Hit): void; // also when nothing is near: row = -1
  onView?(view: ViewBox): void;
}

export interface Hit {
  x: number; // data coordinates
  y: number;
  row: number; // nearest data point within a few pixels, or -1
  clientX: number;
  clientY: number;
}

/** Centre in data coordinates and data units per CSS pixel. */
export interface ViewBox {
  x: number;
  y: number;
  scale: number;
}

/** A line that is being drawn, (x0, y0, x1, y1 …). */
export interface Outline {
  points: number[];
  isClosed: boolean;
}

/** What pointing at the map does. Wheel and pinch zoom with any tool. All places are data coordinates. */
export interface MapTool {
  /** A CSS cursor. */
  readonly cursor: string;
  /** Dragging moves the map, so that `drag` hears nothing. */
  readonly isPanning?: boolean;
  /** Clicks set corners: two quick ones are two, where with others they zoom. */
  readonly isDrawing?: boolean;
  readonly outline?: Outline | null;
  /** A click or a tap, or Enter for the centre of the map. */
  click(hit: Hit, shift: boolean): void;
  /** Enter, where it does something else than a click there. */
  press?(hit: Hit, shift: boolean): void;
  /** @param scale data units per CSS pixel */
  drag?(hit: Hit, phase: "start" | "move" | "end", scale: number): void;
  /** Whether the outline follows the pointer. */
  hover?(hit: Hit): boolean;
  /** The gesture is given up. Whether there was something to give up. */
  cancel?(): boolean;
}

export interface Marker {
  x: number;
  y: number;
  halo: number;
  trust: number;
  spread?: { cov: [number, number, number] };
}

/** Lines in data coordinates, (x0, y0, x1, y1) each, and a colour for each, RGBA 0…255. */
export interface Trails {
  lines: Float32Array;
  colors: Uint8Array;
}

/** Corners in data coordinates. */
export interface Tile {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  image: Picture;
}

export interface ContourGroup {
  rows: Int32Array;
  rgba: [number, number, number, number];
}

/** Points that go by one name. */
export interface LabelGroup {
  text: string;
  /** CSS; null where the points have another. */
  color: string | null;
  rows: Int32Array;
}

/** Where a name or a picture stands: its middle, CSS pixels. */
export interface Label {
  text: string;
  color: string | null;
  x: number;
  y: number;
  width: number;
  height: number;
  /** The row whose picture is shown above the text, or -1. */
  row: number;
}

/** CSS pixels. */
export interface Dot {
  x: number;
  y: number;
  radius: number;
  color: string;
  opacity: number;
}

/** The map as it is shown now. */
export interface Still {
  size: { width: number; height: number };
  view: ViewBox;
  theme: Theme;
  /** Points and what lies under them, and what is drawn above but for the labels: device pixels. */
  ground: HTMLCanvasElement;
  marks: HTMLCanvasElement;
  /** The points of the ground one by one, if it is nothing else and they are not too many. */
  dots: Dot[] | null;
  labels: readonly Label[];
  example(row: number): HTMLCanvasElement | null;
  /** To measure text with. */
  context: CanvasRenderingContext2D;
}

export interface MapView {
  /**
   * Another map of the n points. The view is fitted to it; `setView` after it keeps
   * another, and so does `keepsView`, where both maps have one frame. With `animate`, points travel from where they
   * are on the screen.
   */
  setPoints(places: Places, animate?: boolean, keepsView?: boolean): void;
  /** The colours of the points, and which are shown at all. */
  setColors(paint: Paint): void;
  setVisible(mask: Uint8Array | null): void;
  setSelection(rows: ArrayLike<number>): void;
  /** The point that is pointed at on another map of the same images, or -1. */
  setRing(row: number): void;
  /** From where points are on another map to where they are here. */
  setTrails(trails: Trails | null): void;
  setTool(tool: MapTool): void;
  /**
   * The current z: cross-hair with a halo of that radius in data units (0: none). Trust is 1 among the data, 0 far
   * from it, between them a guess. `spread`: covariance (xx, xy, yy) of the posterior, drawn as its 95 % ellipse.
   */
  setMarker(marker: Marker | null): void;
  /** Pictures instead of dots where there is room: on at first. */
  setThumbnails(on: boolean): void;
  /** A path through data coordinates, with numbered stops. */
  setPath(points: Float32Array | null, stops?: Float32Array): void;
  /** Density contours by class colour, on or off. */
  setContours(on: boolean, groups?: ContourGroup[]): void;
  /** Pictures laid under the points: one per tile of data coordinates (the manifold under a pair map). */
  setTiles(tiles: Tile[] | null): void;
  /** Axis names and ticks (pair maps, where coordinates mean something); null: none. */
  setAxes(axes: { x: string; y: string } | null): void;
  /** Names and most central pictures of groups, where they are densest. */
  setLabels(groups: readonly LabelGroup[], what: { names: boolean; examples: boolean }): void;
  /** CSS pixels on the right of the map that something covers: what is shown whole keeps out of them. */
  setRim(right: number): void;
  setDark(dark: boolean): void;
  /** Some thumbnails have come. */
  refresh(): void;
  fit(rows?: ArrayLike<number>): void;
  getView(): ViewBox;
  setView(view: ViewBox, animate?: boolean): void;
  /** What is shown, in its parts. */
  still(): Still;
  /** Draw now (tests and benchmarks); resolves after the frame. */
  frame(): Promise<void>;
  destroy(): void;
}

// createMapView(el: HTMLElement, options: MapViewOptions): MapView   (map_view.ts; its ground and ink: theme.ts)
