/** A film strip as one picture: numbered pictures in rows, with their coordinates. */

import { number } from "../state/origin";
import { type Look, toImage } from "../state/thumbnails";
import type { Frame } from "./quantize";

const SIDE = 132;
const GAP = 14;
const TOP = 34;
const PER_ROW = 6;
const INK = "#1f2328";

export function drawStrip(
  pixels: Float32Array,
  n: number,
  look: Look,
  places: Float32Array,
): HTMLCanvasElement {
  const [, height, width] = look;
  const tall = Math.round((SIDE * height) / width);
  const columns = Math.min(n, PER_ROW);
  const rows = Math.ceil(n / columns);
  const sharp = 2;
  const canvas = document.createElement("canvas");
  canvas.width = sharp * (GAP + columns * (SIDE + GAP));
  canvas.height = sharp * (GAP + rows * (TOP + tall + GAP));
  const context = canvas.getContext("2d")!;
  context.scale(sharp, sharp);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.textBaseline = "middle";
  for (let i = 0; i < n; i++) {
    const x = GAP + (i % columns) * (SIDE + GAP);
    const y = GAP + Math.floor(i / columns) * (TOP + tall + GAP);
    drawNumber(context, x + 12, y + 14, i + 1);
    context.fillStyle = INK;
    context.font = "13px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText(
      `${number(places[2 * i], 1)}, ${number(places[2 * i + 1], 1)}`,
      x + 32,
      y + 14,
    );
    context.drawImage(
      toCanvas(toImage(pixels, i * (pixels.length / n), look)),
      x,
      y + TOP,
      SIDE,
      tall,
    );
  }
  return canvas;
}

function drawNumber(context: CanvasRenderingContext2D, x: number, y: number, value: number): void {
  context.beginPath();
  context.arc(x, y, 11, 0, 2 * Math.PI);
  context.strokeStyle = INK;
  context.lineWidth = 1.2;
  context.stroke();
  context.fillStyle = INK;
  context.textAlign = "center";
  context.font = "600 12px system-ui, sans-serif";
  context.fillText(String(value), x, y + 0.5);
}

export function toCanvas(image: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** Pictures (n, c, h, w) as frames, each pixel a square so that they can be seen. */
export function toFrames(pixels: Float32Array, n: number, look: Look): Frame[] {
  const [, height, width] = look;
  const zoom = Math.max(1, Math.round(224 / Math.max(height, width)));
  return Array.from({ length: n }, (_, i) => {
    const { data } = toImage(pixels, i * (pixels.length / n), look);
    const large = new Uint32Array(width * zoom * height * zoom);
    const small = new Uint32Array(data.buffer);
    for (let y = 0, at = 0; y < height * zoom; y++) {
      const row = Math.floor(y / zoom) * width;
      for (let x = 0; x < width * zoom; x++) large[at++] = small[row + Math.floor(x / zoom)];
    }
    return {
      width: width * zoom,
      height: height * zoom,
      data: new Uint8ClampedArray(large.buffer),
    };
  });
}
