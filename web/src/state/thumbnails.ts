import type { Manifest } from "../scene/manifest";
import type { Scene } from "../scene/source";

/** How pictures are drawn: which channels are red, green and blue; height and width in pixels. */
export type Look = readonly [
  channels: readonly [number, number, number],
  height: number,
  width: number,
];

/** Of the model's pictures, or of others with as many channels. */
export function lookOf(
  { imageShape, showChannels }: Pick<Manifest, "imageShape" | "showChannels">,
  [channels, height, width]: readonly [number, number, number] = imageShape,
): Look {
  return [showChannels ?? (channels < 3 ? [0, 0, 0] : [0, 1, 2]), height, width];
}

/** The originals, unpacked one at a time, when they are looked at. */
export interface Thumbnails {
  /** Smaller than the model's pictures where those are many and large. */
  readonly look: Look;
  /** What a caption adds where they are smaller; else empty. */
  readonly note: string;
  /** (c, h, w) in [0, 1]. */
  pixels(row: number): Float32Array;
  /** As it is drawn; opaque. */
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
  const look = lookOf(scene.manifest, shape);
  return {
    look,
    note: isWhole ? "" : `, made smaller: ${width} × ${height}`,
    pixels,
    image: (row) => toImage(pixels(row), 0, look),
  };
}

/** Pixels (c, h, w) in [0, 1], from `offset` on, as something that can be drawn. */
export function toImage(
  pixels: Float32Array,
  offset: number,
  [channels, height, width]: Look,
): ImageData {
  const image = new ImageData(width, height);
  const plane = height * width;
  const { data } = image; // clamps and rounds by itself
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      data[4 * i + c] = 255 * pixels[offset + channels[c] * plane + i];
    }
    data[4 * i + 3] = 255;
  }
  return image;
}
