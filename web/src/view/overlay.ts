import { type Size, toScreen } from "./camera";
import { ellipseOf } from "./ellipse";
import { EXAMPLE_SIDE, TEXT_HEIGHT } from "./labels";
import { type Theme, withAlpha } from "./theme";
import { tickLabel, ticks } from "./ticks";
import type { Label, Marker, Outline, Trails, ViewBox } from "./view";

export interface ContourSet {
  /** One path per line weight, outermost first, data coordinates. */
  paths: Path2D[];
  color: string | null; // null: the theme's ink
}

/** All that is drawn above the points, in data coordinates. */
export interface Marks {
  contours: ContourSet[];
  path: { points: ArrayLike<number>; stops: ArrayLike<number> } | null;
  trails: Trails | null;
  outline: Outline | null;
  marker: Marker | null;
  /** Hovered point and half the size of what is drawn there, CSS pixels. */
  ring: { x: number; y: number; radius: number; isSquare: boolean } | null;
  axes: { x: string; y: string } | null;
  labels: readonly Label[];
  example(row: number): HTMLCanvasElement | null;
  /** Cross in the centre: where Enter would click. */
  reticle: boolean;
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
export const LABEL_FONT = `600 12.5px ${FONT}`;
/** Beside the text of a label: its dot and the rim. */
export const LABEL_ROOM = 24;
const CONFIDENCE_95 = Math.sqrt(5.991); // of a Gaussian in two dimensions

/** Draws marks onto a 2-D canvas whose unit is the CSS pixel. */
export class Overlay {
  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly view: ViewBox,
    private readonly size: Size,
    private readonly theme: Theme,
  ) {}

  draw(marks: Marks): void {
    const { context } = this;
    context.lineJoin = "round";
    context.lineCap = "round";
    if (marks.axes) this.drawAxes(marks.axes);
    for (const contour of marks.contours) this.drawContour(contour);
    for (const label of marks.labels) this.drawLabel(label, marks.example(label.row));
    if (marks.trails) this.drawTrails(marks.trails);
    if (marks.ring) this.drawRing(marks.ring);
    if (marks.path) this.drawPath(marks.path.points, marks.path.stops);
    if (marks.outline) this.drawOutline(marks.outline);
    if (marks.marker) this.drawMarker(marks.marker);
    if (marks.reticle) this.drawReticle();
  }

  /** Thin where they come from, so that one sees which end is here. */
  private drawTrails({ lines, colors }: Trails): void {
    const { context, view, size } = this;
    const n = lines.length / 4;
    const opacity = Math.min(0.8, Math.max(0.12, 4 / Math.sqrt(n)));
    for (let i = 0; i < n; i++) {
      const [x0, y0] = toScreen(view, size, lines[4 * i], lines[4 * i + 1]);
      const [x1, y1] = toScreen(view, size, lines[4 * i + 2], lines[4 * i + 3]);
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (length < 1) continue;
      const [nx, ny] = [(1.6 * (y1 - y0)) / length, (1.6 * (x0 - x1)) / length];
      const [r, g, b] = colors.subarray(4 * i, 4 * i + 3);
      context.fillStyle = `rgba(${r}, ${g}, ${b}, ${opacity})`;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1 + nx, y1 + ny);
      context.lineTo(x1 - nx, y1 - ny);
      context.fill();
    }
  }

  private drawContour({ paths, color }: ContourSet): void {
    const { context, theme, view, size } = this;
    const matrix = new DOMMatrix([
      1 / view.scale,
      0,
      0,
      -1 / view.scale,
      size.width / 2 - view.x / view.scale,
      size.height / 2 + view.y / view.scale,
    ]);
    paths.forEach((path, i) => {
      const placed = new Path2D();
      placed.addPath(path, matrix);
      context.fillStyle = withAlpha(color ?? theme.ink, color ? 0.1 : 0.045);
      context.fill(placed, "evenodd");
      context.strokeStyle = color ?? theme.muted;
      context.lineWidth = 1 + 0.35 * i;
      context.stroke(placed);
    });
  }

  private drawPath(points: ArrayLike<number>, stops: ArrayLike<number>): void {
    const { context, theme } = this;
    if (points.length >= 2) {
      this.trace(points, false);
      this.strokeCased(() => context.stroke(), theme.ink, 2, 0.85);
    }
    const radius = 9;
    const n = stops.length / 2;
    let [lastX, lastY] = [Infinity, Infinity];
    const numbered: boolean[] = [];
    for (let i = 0; i < n; i++) {
      const [x, y] = toScreen(this.view, this.size, stops[2 * i], stops[2 * i + 1]);
      const [endX, endY] = toScreen(this.view, this.size, stops[2 * n - 2], stops[2 * n - 1]);
      const isFree = (otherX: number, otherY: number) =>
        Math.hypot(x - otherX, y - otherY) > 2 * radius + 1;
      // First and last always have their number; between, as many as there is room for.
      numbered[i] = i === 0 || i === n - 1 || (isFree(lastX, lastY) && isFree(endX, endY));
      if (numbered[i]) [lastX, lastY] = [x, y];
    }
    context.font = `600 10.5px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    // Small dots first, so that no number is covered.
    for (const isNumbered of [false, true]) {
      for (let i = 0; i < n; i++) {
        if (numbered[i] !== isNumbered) continue;
        const [x, y] = toScreen(this.view, this.size, stops[2 * i], stops[2 * i + 1]);
        this.disc(x, y, isNumbered ? radius : 3, theme.background, theme.ink, 1.5);
        if (!isNumbered) continue;
        context.fillStyle = theme.ink;
        context.fillText(String(i + 1), x, y + 0.5);
      }
    }
  }

  private drawOutline({ isClosed, points }: Outline): void {
    const { context, theme } = this;
    this.trace(points, isClosed);
    if (!isClosed) return this.strokeCased(() => context.stroke(), theme.ink, 2, 0.85);
    context.fillStyle = withAlpha(theme.accent, 0.1);
    context.fill("evenodd");
    this.strokeCased(
      () => {
        context.setLineDash([5, 5]);
        context.stroke();
        context.setLineDash([]);
      },
      theme.accent,
      1.5,
      0.7,
    );
  }

  private drawMarker(marker: Marker): void {
    const { context, theme, view } = this;
    const [x, y] = toScreen(view, this.size, marker.x, marker.y);
    if (marker.halo > 0) {
      const color =
        marker.trust >= 1 ? theme.trusted : marker.trust > 0 ? theme.doubtful : theme.distrusted;
      // Never smaller than the cross it surrounds.
      const radius = Math.max(16, marker.halo / view.scale);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = withAlpha(color, 0.08);
      context.fill();
      // The pattern says it too, for those who cannot tell the colours.
      const dash = marker.trust >= 1 ? [] : marker.trust > 0 ? [9, 6] : [2, 6];
      const dashed = () => {
        context.setLineDash(dash);
        context.stroke();
        context.setLineDash([]);
      };
      this.strokeCased(dashed, color, 1.75, 0.7);
    }
    if (marker.spread) this.drawEllipse(x, y, marker.spread.cov);
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      context.moveTo(x + 5 * dx, y + 5 * dy);
      context.lineTo(x + 13 * dx, y + 13 * dy);
    }
    this.strokeCased(() => context.stroke(), theme.ink, 2, 0.95, 2);
    this.disc(x, y, 3.25, theme.background, theme.ink, 2);
  }

  /** 95 of 100 draws from the Gaussian fall inside. */
  private drawEllipse(x: number, y: number, cov: [number, number, number]): void {
    const { context, theme, view } = this;
    const { major, minor, angle } = ellipseOf(cov);
    const pixels = CONFIDENCE_95 / view.scale;
    context.beginPath();
    context.ellipse(
      x,
      y,
      Math.max(1, major * pixels),
      Math.max(1, minor * pixels),
      -angle,
      0,
      2 * Math.PI,
    );
    context.fillStyle = withAlpha(theme.accent, 0.12);
    context.fill();
    this.strokeCased(() => context.stroke(), theme.accent, 1.5, 0.7);
  }

  private drawLabel(label: Label, example: HTMLCanvasElement | null): void {
    const { context, theme } = this;
    const { text, color, x, y, width, height } = label;
    let top = y - height / 2;
    if (example) {
      const side = EXAMPLE_SIDE - 4;
      const [tall, wide] = [
        Math.min(1, example.height / example.width),
        Math.min(1, example.width / example.height),
      ];
      const [left, upper] = [x - (side * wide) / 2, top + (side * (1 - tall)) / 2 + 1];
      context.imageSmoothingEnabled = false;
      context.drawImage(example, left, upper, side * wide, side * tall);
      context.beginPath();
      context.roundRect(left - 1, upper - 1, side * wide + 2, side * tall + 2, 3);
      this.strokeCased(() => context.stroke(), color ?? theme.ink, 2, 0.9);
      top += EXAMPLE_SIDE;
    }
    if (!text) return;
    const middle = top + TEXT_HEIGHT / 2;
    context.beginPath();
    context.roundRect(x - width / 2, top + 1, width, TEXT_HEIGHT - 2, 9);
    context.fillStyle = withAlpha(theme.background, 0.84);
    context.fill();
    context.font = LABEL_FONT;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillStyle = theme.ink;
    const start = x - width / 2 + (color ? 17 : 11);
    context.fillText(text, start, middle + 0.5);
    if (color) this.disc(x - width / 2 + 9, middle, 4, color, color, 0.5);
  }

  private drawRing({ x, y, radius, isSquare }: NonNullable<Marks["ring"]>): void {
    const { context, theme } = this;
    const [px, py] = toScreen(this.view, this.size, x, y);
    context.beginPath();
    if (isSquare) context.roundRect(px - radius, py - radius, 2 * radius, 2 * radius, 5);
    else context.arc(px, py, radius, 0, 2 * Math.PI);
    this.strokeCased(() => context.stroke(), theme.ink, 2, 0.9);
  }

  private drawReticle(): void {
    const { context, theme } = this;
    const x = this.size.width / 2;
    const y = this.size.height / 2;
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 9 * dx, y + 9 * dy);
    }
    this.strokeCased(() => context.stroke(), theme.accent, 1.5, 0.9);
  }

  private drawAxes(axes: { x: string; y: string }): void {
    const { context, theme, view, size } = this;
    const { width, height } = size;
    const wanted = (length: number) => Math.max(2, Math.round(length / 90));
    const halfX = (width / 2) * view.scale;
    const halfY = (height / 2) * view.scale;
    const alongX = ticks(view.x - halfX, view.x + halfX, wanted(width));
    const alongY = ticks(view.y - halfY, view.y + halfY, wanted(height));
    context.font = `11px ${FONT}`;
    context.lineWidth = 1;
    // Lines rather than ticks: a tick before a number reads as its minus sign.
    context.strokeStyle = withAlpha(theme.hairline, 0.55);
    context.textBaseline = "alphabetic";
    context.textAlign = "center";
    const nameX = context.measureText(axes.x).width + 36;
    for (const value of alongX.values) {
      const [x] = toScreen(view, size, value, 0);
      this.line(x, 0, x, height);
      if (x < 34 || x > width - nameX) continue; // corners belong to the names
      this.text(tickLabel(value, alongX.digits), x, height - 9);
    }
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (const value of alongY.values) {
      const [, y] = toScreen(view, size, 0, value);
      this.line(0, y, width, y);
      if (y < 34 || y > height - 26) continue;
      this.text(tickLabel(value, alongY.digits), 9, y);
    }
    context.font = `600 12px ${FONT}`;
    context.textBaseline = "alphabetic";
    this.text(axes.y, 9, 18, theme.ink);
    context.textAlign = "right";
    this.text(axes.x, width - 9, height - 9, theme.ink);
  }

  /** Text that stays readable over points. */
  private text(text: string, x: number, y: number, color = this.theme.muted): void {
    const { context, theme } = this;
    const { strokeStyle, lineWidth } = context;
    context.strokeStyle = withAlpha(theme.background, 0.85);
    context.lineWidth = 3;
    context.strokeText(text, x, y);
    context.fillStyle = color;
    context.fillText(text, x, y);
    context.strokeStyle = strokeStyle;
    context.lineWidth = lineWidth;
  }

  private line(x0: number, y0: number, x1: number, y1: number): void {
    this.context.beginPath();
    this.context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5); // on whole pixels: a hairline
    this.context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    this.context.stroke();
  }

  private disc(
    x: number,
    y: number,
    radius: number,
    fill: string,
    line: string,
    width: number,
  ): void {
    const { context } = this;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = line;
    context.lineWidth = width;
    context.stroke();
  }

  private trace(points: ArrayLike<number>, isClosed: boolean): void {
    const { context } = this;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = toScreen(this.view, this.size, points[i], points[i + 1]);
      context.lineTo(x, y);
    }
    if (isClosed) context.closePath();
  }

  /** A line with a rim in the colour of the background, which sets it off from the points. */
  private strokeCased(
    stroke: () => void,
    color: string,
    width: number,
    casing: number,
    rim = 1.25,
  ): void {
    const { context, theme } = this;
    context.strokeStyle = withAlpha(theme.background, casing);
    context.lineWidth = width + 2 * rim;
    stroke();
    context.strokeStyle = color;
    context.lineWidth = width;
    stroke();
  }
}
