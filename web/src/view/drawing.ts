import type { Mode } from "./view";

/** Growing list of data coordinates (x0, y0, x1, y1 …) that leaves out what is too near to be seen. */
class Stroke {
  readonly points: number[] = [];

  add(x: number, y: number, nearest: number): void {
    const last = this.points.length - 2;
    if (last >= 0 && Math.hypot(x - this.points[last], y - this.points[last + 1]) < nearest) return;
    this.points.push(x, y);
  }
}

export interface DrawingHandlers {
  lasso(polygon: Float32Array): void;
  path(points: Float32Array, phase: "move" | "end"): void;
}

const STEP_PX = 2.5;

/**
 * What is being drawn with the pointer. A lasso is dragged. A path is dragged free hand, or clicked: the
 * second click ends it, with shift held it goes on.
 */
export class Drawing {
  private stroke: Stroke | null = null;
  private clicks: number[] = [];
  private pointer: [number, number] | null = null;

  constructor(private readonly handlers: DrawingHandlers) {}

  /** What to show while drawing, data coordinates. */
  get outline(): { mode: "lasso" | "path"; points: number[] } | null {
    if (this.stroke) return { mode: this.mode, points: this.stroke.points };
    if (this.clicks.length)
      return { mode: "path", points: [...this.clicks, ...(this.pointer ?? [])] };
    return null;
  }

  private mode: "lasso" | "path" = "lasso";

  start(mode: Mode, x: number, y: number): void {
    this.clicks = [];
    this.mode = mode === "path" ? "path" : "lasso";
    this.stroke = new Stroke();
    this.stroke.add(x, y, 0);
  }

  move(x: number, y: number, scale: number): void {
    if (!this.stroke) return;
    const before = this.stroke.points.length;
    this.stroke.add(x, y, STEP_PX * scale);
    if (this.mode === "path" && this.stroke.points.length > before) {
      this.handlers.path(Float32Array.from(this.stroke.points), "move");
    }
  }

  end(): void {
    const points = this.stroke ? Float32Array.from(this.stroke.points) : null;
    this.stroke = null;
    if (!points) return;
    if (this.mode === "path") this.handlers.path(points, "end");
    else this.handlers.lasso(points.length >= 6 ? points : new Float32Array());
  }

  /** A click in "lasso" mode clears the selection; in "path" mode it sets the next corner. */
  click(mode: Mode, x: number, y: number, goOn: boolean): void {
    if (mode === "lasso") return this.handlers.lasso(new Float32Array());
    this.clicks.push(x, y);
    this.pointer = null;
    const isDone = this.clicks.length >= 4 && !goOn;
    this.handlers.path(Float32Array.from(this.clicks), isDone ? "end" : "move");
    if (isDone) this.clicks = [];
  }

  /** The rubber band from the last corner to the pointer. True: something to draw anew. */
  hover(x: number, y: number): boolean {
    if (!this.clicks.length) return false;
    this.pointer = [x, y];
    this.handlers.path(Float32Array.from([...this.clicks, x, y]), "move");
    return true;
  }

  /** True: there was something to give up. */
  cancel(): boolean {
    const wasDrawing = this.outline !== null;
    this.stroke = null;
    this.clicks = [];
    this.pointer = null;
    return wasDrawing;
  }
}
