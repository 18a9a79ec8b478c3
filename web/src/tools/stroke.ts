const STEP_PX = 2.5;

/** What is drawn free hand: (x0, y0, x1, y1 …) in data coordinates, without what is too near to be seen. */
export class Stroke {
  readonly points: number[] = [];

  /** @param scale data units per pixel of the screen */
  add(x: number, y: number, scale: number): void {
    const last = this.points.length - 2;
    const nearest = STEP_PX * scale;
    if (last >= 0 && Math.hypot(x - this.points[last], y - this.points[last + 1]) < nearest) return;
    this.points.push(x, y);
  }
}
