import type { Current } from "./origin";

/** Of the pad, its pixels. */
export type Point = readonly [x: number, y: number];
export type Stroke = Point[];

/** What is drawn on the pad, and what came of it. */
export interface Sketch {
  strokes: readonly Stroke[];
  /** What the encoder was given, (c, h, w), and told that it is; null before it was. */
  seen: { pixels: Float32Array; told: number } | null;
  /** The vector before the first stroke: what is left when the last is taken away. */
  before: Current | null;
}

export const BLANK: Sketch = { strokes: [], seen: null, before: null };
