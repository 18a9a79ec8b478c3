import type { Scene } from "../scene/source";

/** The originals, unpacked one at a time, when they are looked at. */
export interface Thumbnails {
  /** Channels, height, width; smaller than the model's pictures where those are many and large. */
  readonly shape: readonly [number, number, number];
  /** What a caption adds where they are smaller; else empty. */
  readonly note: string;
  /** (c, h, w) in [0, 1]. */
  pixels(row: number): Float32Array;
  /** White on black, or RGB; opaque. */
  image(row: number): ImageData;
}

export function createThumbnails(scene: Scene): Thumbnails {
  const name = scene.manifest.points.thumbnails;
  const block = scene.manifest.blocks[name];
  const shape = block.shape.slice(1) as [number, number, number];
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const [, wholeHeight, wholeWidth] = scene.manifest.imageShape;
  const isWhole = height === wholeHeight && width === wholeWidth;
  const bytes = scene.raw(name);
  const pixels =
    block.dtype === "u4"
      ? (row: number) =>
          Float32Array.from({ length: size }, (_, i) => {
            const at = row * size + i;
            const both = bytes[at >> 1];
            return (at & 1 ? both >> 4 : both & 15) / 15;
          })
      : (row: number) => Float32Array.from({ length: size }, (_, i) => bytes[row * size + i] / 255);
  return {
    shape,
    note: isWhole ? "" : `, made smaller: ${width} × ${height}`,
    pixels,
    image: (row) => toImage(pixels(row), 0, shape),
  };
}

/** Pixels (c, h, w) in [0, 1], from `offset` on, as something that can be drawn. */
export function toImage(
  pixels: Float32Array,
  offset: number,
  [channels, height, width]: readonly [number, number, number],
): ImageData {
  const image = new ImageData(width, height);
  const plane = height * width;
  const { data } = image; // clamps and rounds by itself
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      data[4 * i + c] = 255 * pixels[offset + (channels === 3 ? c * plane : 0) + i];
    }
    data[4 * i + 3] = 255;
  }
  return image;
}
