import { Atlas, slotSize } from "./atlas";
import { Crowd } from "./crowd";
import type { Projection } from "./gl";
import { type MapState, PARTS, type Part } from "./map_state";
import { PICTURE_FLOATS, PicturesLayer } from "./pictures_layer";
import { dotsOf, TILE_OPACITY } from "./point_style";
import { PointsLayer } from "./points_layer";
import { RasterLayer } from "./raster_layer";
import { rgbOf } from "./theme";
import {
  CORNER_PX,
  FRAME_PX,
  MOST_SHOWN,
  PATIENCE_MS,
  type ThumbnailChoice,
  thumbnailsOf,
} from "./thumbnails";
import type { Picture } from "./view";

const LARGEST_THUMBNAIL = 96; // texels

/** The lower canvas, drawn with WebGL 2. */
export class GlCanvas {
  /** What the last frame showed as pictures. */
  thumbnails: ThumbnailChoice | null = null;
  private points!: PointsLayer;
  private pictures!: PicturesLayer;
  private raster!: RasterLayer;
  private readonly crowd = new Crowd();
  /** The rows that the layer of points has. */
  private order: Uint32Array | null = null;
  private thumbnailAtlas: Atlas | null = null;
  private tileAtlas: Atlas | null = null;
  private tilePlaces = new Float32Array();
  private readonly stale = new Set<Part>();

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
    private readonly state: MapState,
    private readonly thumbnail?: (row: number) => Picture | null,
  ) {
    this.restore();
  }

  /** After a lost context came back: everything on the GPU is made anew. */
  restore(): void {
    this.points = new PointsLayer(this.gl);
    this.pictures = new PicturesLayer(this.gl);
    this.raster = new RasterLayer(this.gl);
    this.order = null;
    this.thumbnailAtlas = null;
    this.tileAtlas = null;
    for (const part of PARTS) this.stale.add(part);
    this.gl.enable(this.gl.BLEND);
    this.gl.blendFunc(this.gl.ONE, this.gl.ONE_MINUS_SRC_ALPHA);
  }

  /** The state's part has changed; it is uploaded before the next frame. */
  changed(...parts: Part[]): void {
    for (const part of parts) this.stale.add(part);
  }

  /** True: some thumbnails are still to come; draw again. */
  draw(most: number, hasContours: boolean): boolean {
    const { gl, state } = this;
    if (gl.isContextLost() || !state.size.width || !state.size.height) return false;
    this.upload();
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(...rgbOf(state.theme.background), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const projection = this.projection();
    this.drawTiles(projection);
    const crowd = this.crowd.draw(state, hasContours, most);
    if (crowd) this.raster.draw(crowd, crowd.width === width && crowd.height === height);
    else this.drawPoints(projection, most, hasContours);
    return this.drawThumbnails(projection);
  }

  /** Waits until the GPU is done. */
  finish(): void {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  destroy(): void {
    // Browsers allow few contexts at once and collect old ones late.
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private projection(): Projection {
    const { view, size } = this.state;
    return {
      centre: [view.x, view.y],
      perUnit: [2 / (view.scale * size.width), 2 / (view.scale * size.height)],
      viewport: [this.canvas.width, this.canvas.height],
    };
  }

  private drawPoints(projection: Projection, most: number, hasContours: boolean): void {
    const { state } = this;
    const rows = state.inSight();
    if (rows !== this.order) this.points.setOrder(rows);
    this.order = rows;
    const { diameter, opacity, dim } = dotsOf(state, hasContours);
    const { progress, pixelRatio } = state;
    const style = { diameter: diameter * pixelRatio, opacity, dim };
    this.points.draw({ projection, progress, ...style, most });
  }

  private upload(): void {
    const { state, points, stale } = this;
    if (stale.has("positions")) points.setPositions(state.coordinates);
    if (stale.has("origins")) points.setOrigins(state.origins);
    if (stale.has("colors")) points.setColors(state.paint);
    if (stale.has("chosen")) points.setChosen(state.shownSelection());
    if (stale.has("tiles")) this.uploadTiles();
    stale.clear();
  }

  private uploadTiles(): void {
    const { tiles } = this.state;
    this.tilePlaces = new Float32Array(PICTURE_FLOATS * tiles.length);
    if (!tiles.length) return;
    const largest = (side: "width" | "height") =>
      tiles.reduce((most, tile) => Math.max(most, tile.image[side]), 1);
    const [width, height] = slotSize(largest("width"), largest("height"), tiles.length);
    const atlas = this.tileAtlas;
    if (
      atlas &&
      atlas.slotWidth === width &&
      atlas.slotHeight === height &&
      atlas.capacity >= tiles.length
    ) {
      atlas.clear();
    } else {
      atlas?.delete();
      this.tileAtlas = new Atlas(this.gl, width, height, tiles.length);
    }
    tiles.forEach((tile, i) => {
      const corner = (this.tileAtlas as Atlas).put(i, tile.image);
      const half = [Math.abs(tile.x1 - tile.x0) / 2, Math.abs(tile.y1 - tile.y0) / 2];
      const place = [
        (tile.x0 + tile.x1) / 2,
        (tile.y0 + tile.y1) / 2,
        ...half,
        ...corner,
        width,
        height,
      ];
      this.tilePlaces.set(place, PICTURE_FLOATS * i);
    });
  }

  private drawTiles(projection: Projection): void {
    const { state } = this;
    if (!state.tiles.length || !this.tileAtlas || state.progress < 1) return;
    this.pictures.draw({
      projection,
      atlas: this.tileAtlas,
      places: this.tilePlaces,
      colors: new Uint8Array(4 * state.tiles.length).fill(255),
      halfPixels: [0, 0],
      frame: 0,
      corner: 0,
      opacity: TILE_OPACITY,
      paper: rgbOf(state.theme.background),
    });
  }

  private drawThumbnails(projection: Projection): boolean {
    const { state, thumbnail } = this;
    this.thumbnails = null;
    const choice = thumbnail && thumbnailsOf(state);
    if (!choice) return false;
    const deadline = performance.now() + PATIENCE_MS;
    const shown: number[] = [];
    const places: number[] = [];
    let isLate = false;
    for (const row of choice.rows) {
      let corner = this.thumbnailAtlas?.find(row) ?? null;
      if (!corner && performance.now() < deadline) {
        const picture = thumbnail(row);
        if (picture) corner = this.atlasFor(picture).put(row, picture);
      } else if (!corner) isLate = true;
      if (!corner) continue;
      const atlas = this.thumbnailAtlas as Atlas;
      shown.push(row);
      const at = [state.coordinates[2 * row], state.coordinates[2 * row + 1]];
      places.push(...at, 0, 0, ...corner, atlas.slotWidth, atlas.slotHeight);
    }
    this.thumbnails = { rows: shown, side: choice.side };
    const atlas = this.thumbnailAtlas;
    if (!atlas) return isLate;
    const half = (choice.side * state.pixelRatio) / 2 / Math.max(atlas.slotWidth, atlas.slotHeight);
    this.pictures.draw({
      projection,
      atlas,
      places: Float32Array.from(places),
      colors: this.frameColors(shown),
      halfPixels: [half * atlas.slotWidth, half * atlas.slotHeight],
      frame: FRAME_PX * state.pixelRatio,
      corner: CORNER_PX * state.pixelRatio,
      opacity: 1,
      paper: rgbOf(state.theme.background),
    });
    return isLate;
  }

  /** All pictures have the size of the first. */
  private atlasFor({ width, height }: Picture): Atlas {
    if (!this.thumbnailAtlas) {
      const shrink = Math.min(1, LARGEST_THUMBNAIL / Math.max(width, height));
      const slot = [width, height].map((side) => Math.max(1, Math.round(side * shrink)));
      // Room for a few screens, so that going back and forth uploads nothing.
      this.thumbnailAtlas = new Atlas(this.gl, slot[0], slot[1], 2 * MOST_SHOWN);
    }
    return this.thumbnailAtlas;
  }

  private frameColors(rows: number[]): Uint8Array {
    const { isSelected } = this.state;
    const frames = new Uint8Array(4 * rows.length);
    rows.forEach((row, i) => {
      frames.set(this.state.colorOf(row), 4 * i);
      frames[4 * i + 3] = isSelected && !isSelected[row] ? 90 : 255;
    });
    return frames;
  }
}
