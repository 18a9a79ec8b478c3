import { useLayoutEffect, useRef } from "preact/hooks";
import { redBlue } from "../state/colors";
import { whenReady } from "../state/decoder";
import type { Explorer } from "../state/explorer";
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

/** Paints now, or once the pixels are there, and leaves the canvas empty until then. Returns what forgets them. */
export function paintWhenReady(
  canvas: HTMLCanvasElement,
  pixels: Float32Array | Promise<Float32Array>,
  look: Look,
  offset = 0,
): () => void {
  let isWanted = true;
  if (pixels instanceof Promise) {
    const [, height, width] = look;
    canvas.width = width; // which empties it
    canvas.height = height;
  }
  whenReady(
    pixels,
    (ready) => isWanted && paint(canvas, ready, offset, look),
    () => undefined, // said elsewhere
  );
  return () => {
    isWanted = false;
  };
}

interface Props {
  /** Or a promise of them; until then nothing is shown. */
  pixels: Float32Array | Promise<Float32Array>;
  offset?: number;
  look: Look;
  /** What it shows, for those who cannot see it; empty where the text beside says it. */
  label: string;
}

/** A still picture. */
export function Picture({ pixels, offset = 0, look, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(
    () => paintWhenReady(canvas.current!, pixels, look, offset),
    [pixels, offset, look],
  );
  return <canvas ref={canvas} class="zs-picture" {...named(label)} />;
}

/** A difference of pictures: red where it is above 0, blue where it is below. */
export function SignedPicture({
  pixels,
  look,
  label,
}: Omit<Props, "offset" | "pixels"> & { pixels: Float32Array }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [channels, height, width] = look;
  useLayoutEffect(() => {
    const plane = height * width;
    const value = (i: number): number =>
      channels.reduce((sum, c) => sum + pixels[c * plane + i] / channels.length, 0);
    const all = Float32Array.from({ length: plane }, (_, i) => value(i));
    const limit = all.reduce((top, each) => Math.max(top, Math.abs(each)), 1e-3);
    const image = new ImageData(width, height);
    all.forEach((each, i) => {
      image.data.set([...redBlue((each / limit + 1) / 2), 255], 4 * i);
    });
    canvas.current!.getContext("2d")?.putImageData(image, 0, 0);
  }, [pixels, look]);
  return <canvas ref={canvas} class="zs-picture" width={width} height={height} {...named(label)} />;
}

/** The attributes that make a canvas a picture with a name, or hide it where it needs none. */
export const named = (label: string) =>
  label ? ({ role: "img", "aria-label": label } as const) : ({ "aria-hidden": true } as const);

/** " as class 7": what a model that is told takes a picture for; nothing of any other. */
export function asWhat({ manifest: { condition } }: Explorer, told: number): string {
  return condition ? ` as ${condition.title} ${condition.names[told]}` : "";
}
