import { useLayoutEffect, useRef } from "preact/hooks";
import { type Look, toImage } from "../state/thumbnails";

/** Shows pixels (c, h, w) in [0, 1] from `offset` on, one canvas pixel each; CSS makes it large. */
export function paint(
  canvas: HTMLCanvasElement,
  pixels: Float32Array,
  offset: number,
  look: Look,
): void {
  const [, height, width] = look;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d")?.putImageData(toImage(pixels, offset, look), 0, 0);
}

interface Props {
  pixels: Float32Array;
  offset?: number;
  look: Look;
  /** What it shows, for those who cannot see it; empty where the text beside says it. */
  label: string;
}

/** A still picture. */
export function Picture({ pixels, offset = 0, look, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => paint(canvas.current!, pixels, offset, look), [pixels, offset, look]);
  return <canvas ref={canvas} class="zs-picture" {...named(label)} />;
}

/** The attributes that make a canvas a picture with a name, or hide it where it needs none. */
export const named = (label: string) =>
  label ? ({ role: "img", "aria-label": label } as const) : ({ "aria-hidden": true } as const);
