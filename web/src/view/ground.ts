import { GlCanvas } from "./gl_canvas";
import type { MapState, Part } from "./map_state";
import { PlainCanvas } from "./plain_canvas";
import type { ThumbnailChoice } from "./thumbnails";
import type { Picture } from "./view";

/** The lower canvas: tiles, dots and thumbnails, drawn from the state. */
export interface Ground {
  readonly canvas: HTMLCanvasElement;
  /** What the last frame showed as pictures. */
  readonly thumbnails: ThumbnailChoice | null;
  /** These parts of the state have changed. */
  changed(...parts: Part[]): void;
  /** @param most points, but for crowds. True: some thumbnails are still to come; draw again. */
  draw(most: number, hasContours: boolean): boolean;
  /** After a lost context came back. */
  restore(): void;
  /** Waits until all is drawn. */
  finish(): void;
  destroy(): void;
}

/** Drawn by the graphics card, or where the browser offers none of it (no WebGL 2), slower and by itself. */
export function createGround(
  canvas: HTMLCanvasElement,
  state: MapState,
  thumbnail?: (row: number) => Picture | null,
): Ground {
  const gl = canvas.getContext("webgl2", {
    antialias: false,
    alpha: false,
    depth: false,
    stencil: false,
  });
  return gl
    ? new GlCanvas(canvas, gl, state, thumbnail)
    : new PlainCanvas(canvas, state, thumbnail);
}
