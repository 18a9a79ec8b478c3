import type { Places } from "../maps/places";
import { ease } from "./camera";
import { contourSets } from "./contour_sets";
import { attachGestures, type GestureHandlers, type Pointer } from "./gestures";
import { createGround, type Ground } from "./ground";
import { hitAt, NOWHERE } from "./hits";
import { attachKeyboard } from "./keyboard";
import { measureLabels, placeLabels } from "./labels";
import { MapState } from "./map_state";
import { mayMove, Navigation } from "./navigation";
import { type ContourSet, LABEL_FONT, LABEL_ROOM, Overlay } from "./overlay";
import { Detail, dotsOf, pointStyle } from "./point_style";
import { DARK, LIGHT } from "./theme";
import type {
  ContourGroup,
  Dot,
  Label,
  LabelGroup,
  MapTool,
  MapView,
  MapViewOptions,
  Marker,
  Paint,
  Still,
  Tile,
  Trails,
  ViewBox,
} from "./view";

const JOURNEY_MS = 600; // points from map to map
const AT_REST_MS = 160; // without a change of view: then all points are drawn
const DOUBLE_CLICK_ZOOM = 2;
/** Until there is another. */
const NO_TOOL: MapTool = { cursor: "grab", isPanning: true, click: () => undefined };

/**
 * A map of `options.n` points that fills `el` and follows its size.
 */
export function createMapView(el: HTMLElement, options: MapViewOptions): MapView {
  return new DrawnMap(el, options);
}

class DrawnMap implements MapView {
  private readonly state: MapState;
  private readonly ground: Ground;
  private readonly root = document.createElement("div");
  private readonly top = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly detail: Detail;
  private readonly navigation: Navigation;
  private readonly undo: (() => void)[] = [];

  private tool = NO_TOOL;
  private marker: Marker | null = null;
  private path: { points: Float32Array; stops: Float32Array } | null = null;
  private axes: { x: string; y: string } | null = null;
  private labels: { groups: readonly LabelGroup[]; names: boolean; examples: boolean } | null =
    null;
  private measured: ReturnType<typeof measureLabels> | null = null;
  private readonly examples = new Map<number, HTMLCanvasElement>();
  private contours: { groups: ContourGroup[] | undefined; sets: ContourSet[] | null } | null = null;
  private hovered = -1;
  private ringed = -1;
  private trails: Trails | null = null;
  /** Where the pointer rests, if it is over the map and not pressed. */
  private pointer: Pointer | null = null;
  private isByKey = false;

  private journeyStart = 0;
  private request = 0;
  private isGroundStale = true;
  private drawnMost = 0; // points, in the frame that is on the screen
  private lastTick = 0;
  private restTimer = 0;
  private labelTimer = 0;
  private toldView = "";
  private isDestroyed = false;

  constructor(
    el: HTMLElement,
    private readonly options: MapViewOptions,
  ) {
    const bottom = document.createElement("canvas");
    this.state = new MapState(options.n);
    this.ground = createGround(bottom, this.state, options.thumbnail);
    this.context = this.top.getContext("2d") as CanvasRenderingContext2D;
    this.detail = new Detail(options.n);
    this.navigation = new Navigation(this.state, () => this.invalidate());
    this.root.style.cssText = "position:relative;width:100%;height:100%;overflow:hidden";
    bottom.style.cssText = "position:absolute;inset:0;width:100%;height:100%";
    this.top.style.cssText = `${bottom.style.cssText};outline-offset:-2px;${NO_BROWSER_GESTURES}`;
    this.top.tabIndex = 0;
    this.top.setAttribute("role", "application");
    this.top.setAttribute("aria-roledescription", "map");
    this.top.setAttribute("aria-label", options.label ?? `Map of ${options.n} points. ${KEYS}`);
    this.root.append(bottom, this.top);
    el.append(this.root);
    this.setTool(NO_TOOL);
    this.listen(bottom);
    this.resize();
  }

  setPoints(places: Places, animate = false, keepsView = false): void {
    const { state } = this;
    if (places.n !== state.n)
      throw new RangeError(`The map holds ${state.n} points; got ${places.n} places.`);
    const isTravelling = animate && mayMove() && state.size.width > 0;
    // Taken on the screen, because the two maps have nothing else in common.
    state.origins = isTravelling ? state.clipPositions() : null;
    state.progress = isTravelling ? 0 : 1;
    this.journeyStart = performance.now();
    state.places = places;
    this.ground.changed("positions", "origins");
    if (this.contours) this.contours.sets = null;
    this.measured = null;
    this.tool.cancel?.();
    if (keepsView) this.navigation.keepView();
    else this.navigation.showAll();
    this.invalidate();
  }

  setColors(paint: Paint): void {
    this.state.paint = paint;
    this.ground.changed("colors");
    this.invalidate();
  }

  setVisible(mask: Uint8Array | null): void {
    this.state.mask = mask;
    if (this.contours) this.contours.sets = null;
    this.remeasure();
    this.ground.changed("chosen");
    this.invalidate();
  }

  setSelection(rows: ArrayLike<number>): void {
    this.state.setSelection(rows);
    this.ground.changed("chosen");
    this.invalidate();
  }

  setThumbnails(on: boolean): void {
    this.state.hasThumbnails = on;
    this.invalidate();
  }

  setTool(tool: MapTool): void {
    this.tool.cancel?.();
    this.tool = tool;
    this.top.style.cursor = tool.cursor;
    this.invalidate(false);
  }

  setRing(row: number): void {
    this.ringed = row;
    this.invalidate(false);
  }

  setTrails(trails: Trails | null): void {
    this.trails = trails;
    this.invalidate(false);
  }

  setMarker(marker: Marker | null): void {
    this.marker = marker;
    this.invalidate(false);
  }

  setPath(points: Float32Array | null, stops: Float32Array = new Float32Array()): void {
    this.path = points ? { points, stops } : null;
    this.invalidate(false);
  }

  setContours(on: boolean, groups?: ContourGroup[]): void {
    this.contours = on ? { groups, sets: null } : null;
    this.invalidate();
  }

  setTiles(tiles: Tile[] | null): void {
    this.state.tiles = tiles ?? [];
    this.ground.changed("tiles");
    this.invalidate();
  }

  setAxes(axes: { x: string; y: string } | null): void {
    this.axes = axes;
    if (this.navigation.hasAxes !== (axes !== null)) {
      this.navigation.hasAxes = axes !== null;
      this.navigation.keepFitted();
    }
    this.invalidate(false);
  }

  setLabels(groups: readonly LabelGroup[], what: { names: boolean; examples: boolean }): void {
    this.labels = what.names || what.examples ? { groups, ...what } : null;
    this.remeasure();
    this.invalidate(false);
  }

  /** Once the hand rests: while one brushes, names stay where they are. */
  private remeasure(): void {
    clearTimeout(this.labelTimer);
    this.labelTimer = window.setTimeout(() => {
      this.measured = null;
      this.invalidate(false);
    }, AT_REST_MS);
  }

  setRim(right: number): void {
    if (this.navigation.rim === right) return;
    this.navigation.rim = right;
    this.navigation.keepFitted();
  }

  setDark(dark: boolean): void {
    this.state.theme = dark ? DARK : LIGHT;
    this.invalidate();
  }

  refresh(): void {
    this.invalidate();
  }

  fit(rows?: ArrayLike<number>): void {
    this.navigation.fit(rows);
  }

  getView(): ViewBox {
    return { ...this.navigation.target };
  }

  setView(view: ViewBox, animate = false): void {
    this.navigation.go(view, animate);
  }

  still(): Still {
    const { state, context } = this;
    this.isGroundStale = true; // the canvas is only sure to hold its picture right after drawing
    this.render(Infinity);
    const ground = copied(this.ground.canvas);
    const labels = this.placedLabels();
    this.renderOverlay([]);
    const marks = copied(this.top);
    this.renderOverlay(labels);
    const isPlain = !this.ground.thumbnails?.rows.length && !state.tiles.length;
    return {
      ...{ ground, marks, labels, size: state.size, theme: state.theme, context },
      ...{ view: state.view, dots: isPlain ? dotsInSight(state, this.contours !== null) : null },
      example: (row) => this.exampleOf(row),
    };
  }

  async frame(): Promise<void> {
    this.tick(performance.now());
    this.ground.finish();
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }

  destroy(): void {
    this.isDestroyed = true;
    cancelAnimationFrame(this.request);
    clearTimeout(this.restTimer);
    clearTimeout(this.labelTimer);
    for (const undo of this.undo) undo();
    this.ground.destroy();
    this.root.remove();
  }

  // -- frames

  private invalidate(isGroundStale = true): void {
    this.isGroundStale ||= isGroundStale;
    if (!this.request && !this.isDestroyed)
      this.request = requestAnimationFrame((now) => this.tick(now));
  }

  private tick(now: number): void {
    cancelAnimationFrame(this.request);
    this.request = 0;
    if (this.isDestroyed) return;
    if (Math.min(3, window.devicePixelRatio) !== this.state.pixelRatio) this.resize();
    this.advance(now);
    const isMoving = performance.now() - this.navigation.movedAt < AT_REST_MS;
    const interval = now - this.lastTick;
    if (isMoving && interval < 1000) this.detail.record(interval);
    this.lastTick = now;
    const most = isMoving && this.detail.most < this.state.n ? this.detail.most : Infinity;
    this.render(most);
    if (most < Infinity) {
      clearTimeout(this.restTimer);
      this.restTimer = window.setTimeout(() => this.invalidate(false), AT_REST_MS);
    }
    this.tellView();
  }

  private advance(now: number): void {
    const { state } = this;
    this.navigation.advance(now);
    if (state.progress === 1) return;
    const share = Math.min(1, Math.max(0, (now - this.journeyStart) / JOURNEY_MS));
    state.progress = share < 1 ? ease(share) : 1;
    if (share === 1) {
      state.origins = null;
      this.ground.changed("origins");
    }
    this.navigation.movedAt = performance.now();
    this.invalidate();
  }

  private render(most: number): void {
    const { state, contours } = this;
    if (contours && !contours.sets && state.progress === 1)
      contours.sets = contourSets(state, contours.groups);
    if (this.isGroundStale || most > this.drawnMost) {
      this.isGroundStale = false;
      this.drawnMost = most;
      if (this.ground.draw(most, contours !== null)) this.invalidate();
      this.look(); // the map may have moved under a pointer that rests
    }
    this.renderOverlay();
  }

  private renderOverlay(labels = this.placedLabels()): void {
    const { state, context } = this;
    const hovered = this.hovered >= 0 ? this.hovered : this.ringed;
    const { width, height } = state.size;
    context.setTransform(state.pixelRatio, 0, 0, state.pixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!width || !height) return;
    const pictured = hovered >= 0 && this.ground.thumbnails?.rows.includes(hovered);
    const radius = pictured
      ? (this.ground.thumbnails?.side ?? 0) / 2 + 1
      : Math.max(5, pointStyle(state.spacing).diameter / 2 + 2.5);
    const [x, y] = [state.coordinates[2 * hovered], state.coordinates[2 * hovered + 1]];
    new Overlay(context, state.view, state.size, state.theme).draw({
      contours: state.progress === 1 ? (this.contours?.sets ?? []) : [],
      path: this.path,
      trails: state.progress === 1 ? this.trails : null,
      outline: this.tool.outline ?? null,
      marker: this.marker,
      ring: hovered >= 0 ? { x, y, radius, isSquare: pictured === true } : null,
      axes: this.axes,
      labels,
      example: (row) => this.exampleOf(row),
      reticle: this.isByKey && document.activeElement === this.top,
    });
  }

  private placedLabels(): Label[] {
    const { state, labels, context } = this;
    if (!labels || state.progress < 1) return [];
    this.measured ??= measureLabels(state, labels.groups);
    context.font = LABEL_FONT;
    const widthOf = (text: string): number => context.measureText(text).width + LABEL_ROOM;
    return placeLabels(this.measured, state.view, state.size, labels, widthOf);
  }

  private exampleOf(row: number): HTMLCanvasElement | null {
    if (row < 0) return null;
    const known = this.examples.get(row);
    const picture = known ? null : this.options.thumbnail?.(row);
    if (!picture) return known ?? null;
    const canvas = document.createElement("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    const context = canvas.getContext("2d");
    if (picture instanceof ImageData) context?.putImageData(picture, 0, 0);
    else context?.drawImage(picture, 0, 0);
    this.examples.set(row, canvas);
    return canvas;
  }

  private tellView(): void {
    const { x, y, scale } = this.state.view;
    const told = `${x},${y},${scale}`;
    if (told === this.toldView) return;
    this.toldView = told;
    this.options.onView?.({ x, y, scale });
  }

  private resize(): void {
    const { state } = this;
    const width = this.root.clientWidth;
    const height = this.root.clientHeight;
    state.pixelRatio = Math.min(3, window.devicePixelRatio || 1);
    state.size = { width, height };
    for (const canvas of [this.ground.canvas, this.top]) {
      canvas.width = Math.max(1, Math.round(width * state.pixelRatio));
      canvas.height = Math.max(1, Math.round(height * state.pixelRatio));
    }
    this.navigation.keepFitted();
    this.isGroundStale = true;
  }

  // -- pointers and keys

  private listen(bottom: HTMLCanvasElement): void {
    const observer = new ResizeObserver(() => {
      this.resize();
      // At once: a canvas that was given a new size is empty.
      this.tick(performance.now());
    });
    observer.observe(this.root);
    this.undo.push(() => observer.disconnect());
    const on = (target: EventTarget, name: string, listener: (event: Event) => void) => {
      target.addEventListener(name, listener);
      this.undo.push(() => target.removeEventListener(name, listener));
    };
    on(bottom, "webglcontextlost", (event) => event.preventDefault()); // or it would not come back
    on(bottom, "webglcontextrestored", () => {
      this.ground.restore();
      this.invalidate();
    });
    on(this.top, "focus", () => this.byKey(this.top.matches(":focus-visible")));
    on(this.top, "blur", () => this.byKey(false));
    on(this.top, "pointerdown", () => this.byKey(false));
    this.undo.push(attachGestures(this.top, this.gestures()));
    this.undo.push(
      attachKeyboard(this.top, {
        pan: (dx, dy) => {
          this.navigation.panBy(dx, dy);
          this.tool.hover?.(hitAt(this.state, this.ground.thumbnails, this.centre()));
        },
        zoom: (factor) => this.navigation.zoomBy(...this.middle(), factor, true),
        fit: () => this.fit(),
        act: (shift) => this.press(shift),
        escape: () => {
          const isGivenUp = this.tool.cancel?.() === true;
          if (isGivenUp) this.invalidate(false);
          return isGivenUp;
        },
      }),
    );
    on(this.top, "keydown", () => this.byKey(true));
  }

  private byKey(isByKey: boolean): void {
    if (this.isByKey === isByKey) return;
    this.isByKey = isByKey;
    this.invalidate(false);
  }

  private gestures(): GestureHandlers {
    return {
      isPanning: () => this.tool.isPanning === true,
      pan: (dx, dy) => this.navigation.panBy(dx, dy),
      zoom: (px, py, factor) => this.navigation.zoomBy(px, py, factor),
      hover: (pointer) => this.hover(pointer),
      click: (pointer) => this.click(pointer),
      doubleClick: (pointer) => {
        if (this.tool.isDrawing) return this.click(pointer);
        const factor = pointer.shift ? 1 / DOUBLE_CLICK_ZOOM : DOUBLE_CLICK_ZOOM;
        this.navigation.zoomBy(pointer.px, pointer.py, factor, true);
      },
      dragStart: (pointer) => this.drag(pointer, "start"),
      dragMove: (pointer) => this.drag(pointer, "move"),
      dragEnd: (pointer) => this.drag(pointer, "end"),
      dragCancel: () => {
        this.tool.cancel?.();
        this.invalidate(false);
      },
      phase: (phase) => {
        this.top.style.cursor = phase === "pan" ? "grabbing" : this.tool.cursor;
      },
    };
  }

  private drag(pointer: Pointer, phase: "start" | "move" | "end"): void {
    this.tool.drag?.(
      hitAt(this.state, this.ground.thumbnails, pointer),
      phase,
      this.state.view.scale,
    );
    this.invalidate(false);
  }

  private click(pointer: Pointer): void {
    this.tool.click(hitAt(this.state, this.ground.thumbnails, pointer), pointer.shift);
    this.invalidate(false);
  }

  /** Enter: what a click in the centre would do, or what the tool does without a pointer. */
  private press(shift: boolean): void {
    const hit = hitAt(this.state, this.ground.thumbnails, this.centre());
    if (this.tool.press) this.tool.press(hit, shift);
    else this.tool.click(hit, shift);
    this.invalidate(false);
  }

  private hover(pointer: Pointer | null): void {
    this.pointer = pointer;
    if (this.look()) this.invalidate(false);
  }

  /** Tells what lies under the pointer now. Whether the overlay has to be drawn anew for it. */
  private look(): boolean {
    const { pointer, hovered } = this;
    const hit = pointer ? hitAt(this.state, this.ground.thumbnails, pointer) : NOWHERE;
    const isFollowed = pointer !== null && this.tool.hover?.(hit) === true;
    this.hovered = hit.row;
    this.options.onHover?.(hit);
    return isFollowed || hit.row !== hovered;
  }

  private centre(): Pointer {
    const rect = this.top.getBoundingClientRect();
    const [px, py] = this.middle();
    return { px, py, clientX: rect.left + px, clientY: rect.top + py, shift: false };
  }

  private middle(): [number, number] {
    return [this.state.size.width / 2, this.state.size.height / 2];
  }
}

function copied(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  copy.getContext("2d")?.drawImage(canvas, 0, 0);
  return copy;
}

/** More dots than that make a drawing that no program opens gladly. */
const MOST_DOTS = 20_000;

/** The dots of the frame one by one, those selected last; null where they are too many. */
function dotsInSight(state: MapState, hasContours: boolean): Dot[] | null {
  const { diameter, opacity, dim } = dotsOf(state, hasContours);
  const { size } = state;
  if (state.crowd()) return null;
  const places = state.screenPositions();
  const dot = (row: number, d: number, alpha: number): Dot => ({
    ...{ x: places[2 * row], y: places[2 * row + 1], radius: d / 2, opacity: alpha },
    color: `rgb(${state.colorOf(row).join(" ")})`,
  });
  const isSeen = ({ x, y, radius: r }: Dot): boolean =>
    x > -r && y > -r && x < size.width + r && y < size.height + r;
  const dots = [
    ...Array.from(state.inSight(), (row) => dot(row, diameter, opacity * dim)),
    ...Array.from(state.shownSelection(), (row) => dot(row, diameter + 1, Math.max(0.9, opacity))),
  ].filter(isSeen);
  return dots.length <= MOST_DOTS ? dots : null;
}

const NO_BROWSER_GESTURES =
  "touch-action:none;user-select:none;-webkit-user-select:none;-webkit-touch-callout:none";
const KEYS =
  "Arrow keys move it, plus and minus zoom, 0 shows all, Enter picks what is in the centre.";
