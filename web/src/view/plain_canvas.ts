import { asDrawable, type Drawable } from "./atlas";
import { toScreen } from "./camera";
import { Crowd } from "./crowd";
import type { MapState } from "./map_state";
import { dotsOf, ROUND_FROM, TILE_OPACITY } from "./point_style";
import {
  CORNER_PX,
  FRAME_PX,
  MOST_SHOWN,
  PATIENCE_MS,
  type ThumbnailChoice,
  thumbnailsOf,
} from "./thumbnails";
import type { Picture } from "./view";

/** The lower canvas without a graphics card: the same picture, drawn point by point. */
export class PlainCanvas {
  thumbnails: ThumbnailChoice | null = null;
  private readonly context: CanvasRenderingContext2D;
  private readonly crowd = new Crowd();
  /** The longest unused first. */
  private readonly known = new Map<number, Drawable>();

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly state: MapState,
    private readonly thumbnail?: (row: number) => Picture | null,
  ) {
    this.context = canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
  }

  changed(): void {}

  restore(): void {}

  draw(most: number, hasContours: boolean): boolean {
    const { context, state } = this;
    if (!state.size.width || !state.size.height) return false;
    context.setTransform(state.pixelRatio, 0, 0, state.pixelRatio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = state.theme.background;
    context.fillRect(0, 0, state.size.width, state.size.height);
    this.drawTiles();
    const crowd = this.crowd.draw(state, hasContours, most);
    if (crowd) context.drawImage(asDrawable(crowd), 0, 0, state.size.width, state.size.height);
    else this.drawPoints(most, hasContours);
    return this.drawThumbnails();
  }

  private drawPoints(most: number, hasContours: boolean): void {
    const { state } = this;
    const { diameter, opacity, dim } = dotsOf(state, hasContours);
    const places = state.screenPositions();
    this.drawDots(state.inSight().subarray(0, Math.ceil(most)), places, diameter, opacity * dim);
    this.drawDots(state.shownSelection(), places, diameter + 1, Math.max(0.9, opacity));
  }

  finish(): void {
    this.context.getImageData(0, 0, 1, 1);
  }

  destroy(): void {
    this.known.clear();
  }

  private drawDots(
    rows: Uint32Array,
    places: Float32Array,
    diameter: number,
    opacity: number,
  ): void {
    const { context } = this;
    const { size, pixelRatio } = this.state;
    const isRound = diameter * pixelRatio >= ROUND_FROM;
    const radius = diameter / 2 + (isRound ? 0.5 / pixelRatio : 0); // as wide as the soft rim of the other
    context.globalAlpha = opacity;
    for (const row of rows) {
      const [x, y] = [places[2 * row], places[2 * row + 1]];
      // Also leaves out what has no place.
      if (!(x > -radius && x < size.width + radius && y > -radius && y < size.height + radius))
        continue;
      context.fillStyle = this.colorOf(row);
      if (isRound) {
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
      } else context.fillRect(x - radius, y - radius, diameter, diameter);
    }
  }

  private drawTiles(): void {
    const { context, state } = this;
    if (state.progress < 1) return;
    context.globalAlpha = TILE_OPACITY;
    for (const { x0, y0, x1, y1, image } of state.tiles) {
      const [left, top] = toScreen(state.view, state.size, Math.min(x0, x1), Math.max(y0, y1));
      const width = Math.abs(x1 - x0) / state.view.scale;
      const height = Math.abs(y1 - y0) / state.view.scale;
      context.drawImage(asDrawable(image), left, top, width, height);
    }
  }

  private drawThumbnails(): boolean {
    const { state, thumbnail } = this;
    this.thumbnails = null;
    const choice = thumbnail && thumbnailsOf(state);
    if (!choice) return false;
    const deadline = performance.now() + PATIENCE_MS;
    const shown: number[] = [];
    let isLate = false;
    for (const row of choice.rows) {
      let picture = this.known.get(row);
      if (!picture && performance.now() < deadline) {
        const made = thumbnail(row);
        picture = made ? asDrawable(made) : undefined;
      } else if (!picture) isLate = true;
      if (!picture) continue;
      this.known.delete(row);
      this.known.set(row, picture);
      shown.push(row);
      this.drawThumbnail(row, picture, choice.side);
    }
    const [oldest] = this.known.keys();
    if (this.known.size > 2 * MOST_SHOWN) this.known.delete(oldest);
    this.thumbnails = { rows: shown, side: choice.side };
    return isLate;
  }

  private drawThumbnail(row: number, picture: Drawable, side: number): void {
    const { context, state } = this;
    const { coordinates, view, size, isSelected } = state;
    const [x, y] = toScreen(view, size, coordinates[2 * row], coordinates[2 * row + 1]);
    const scale = side / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const [left, top] = [x - width / 2, y - height / 2];
    context.globalAlpha = isSelected && !isSelected[row] ? 90 / 255 : 1;
    context.fillStyle = this.colorOf(row);
    context.beginPath();
    context.roundRect(left, top, width, height, CORNER_PX);
    context.fill();
    const inner = [left + FRAME_PX, top + FRAME_PX, width - 2 * FRAME_PX, height - 2 * FRAME_PX];
    context.drawImage(picture, ...(inner as [number, number, number, number]));
  }

  private colorOf(row: number): string {
    return `rgb(${this.state.colorOf(row).join(" ")})`;
  }
}
