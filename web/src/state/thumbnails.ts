import type { Manifest } from "../scene/manifest";
import type { Scene } from "../scene/source";
import { createPages, GivenUp } from "./pages";

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

/** The originals, unpacked one at a time, when they are looked at; those of a large scene are read then, too. */
export interface Thumbnails {
  /** Smaller than the model's pictures where those are many and large. */
  readonly look: Look;
  /** What a caption adds where they are smaller; else empty. */
  readonly note: string;
  /** Whether they have to be read first, so that many take long. */
  readonly isPaged: boolean;
  /** (c, h, w) in [0, 1]. Fails if it cannot be read, which is said where one reads it. */
  pixels(row: number): Float32Array | Promise<Float32Array>;
  /** As it is drawn; opaque. Null: it is on its way, and `onArrival` tells when it may be there. */
  image(row: number): ImageData | null;
  /** Returns the unsubscriber. */
  onArrival(listener: () => void): () => void;
}

/** @param failed hears once why pictures cannot be read */
export function createThumbnails(
  scene: Scene,
  failed: (error: unknown) => void = () => undefined,
): Thumbnails {
  const name = scene.manifest.points.thumbnails;
  const block = scene.manifest.blocks[name];
  const shape = block.shape.slice(1) as [number, number, number];
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const [, wholeHeight, wholeWidth] = scene.manifest.imageShape;
  const isWhole = height === wholeHeight && width === wholeWidth;
  const look = lookOf(scene.manifest, shape);
  const unpacked =
    block.dtype === "u4"
      ? (bytes: Uint8Array, at: number) =>
          Float32Array.from({ length: size }, (_, i) => {
            const both = bytes[(at * size + i) >> 1];
            return ((at * size + i) & 1 ? both >> 4 : both & 15) / 15;
          })
      : (bytes: Uint8Array, at: number) =>
          Float32Array.from({ length: size }, (_, i) => bytes[at * size + i] / 255);
  const note = isWhole ? "" : `, made smaller: ${width} × ${height}`;
  if (!block.pages) {
    const bytes = scene.raw(name);
    const pixels = (row: number): Float32Array => unpacked(bytes, row);
    const image = (row: number): ImageData => toImage(pixels(row), 0, look);
    return { look, note, isPaged: false, pixels, image, onArrival: () => () => undefined };
  }

  const { slots } = scene.manifest.points;
  const slotOf = slots ? scene.ints(slots) : null;
  const pages = createPages(scene, name);
  const listeners = new Set<() => void>();
  const broken = new Set<number>();
  const of = (row: number): { at: number; page: number } => {
    const slot = slotOf ? slotOf[row] : row;
    return { at: slot % pages.rows, page: Math.floor(slot / pages.rows) };
  };
  const fail = (page: number, error: unknown): void => {
    if (error instanceof GivenUp) return;
    if (!broken.size) failed(error);
    broken.add(page);
  };
  const pixels = (row: number): Float32Array | Promise<Float32Array> => {
    const { at, page } = of(row);
    const bytes = pages.get(page);
    if (!(bytes instanceof Promise)) return unpacked(bytes, at);
    bytes.catch((error: unknown) => fail(page, error));
    return bytes.then((some) => unpacked(some, at));
  };
  /** Pages whose arrival the map is told of. */
  const awaited = new Set<number>();
  return {
    ...{ look, note, isPaged: true, pixels },
    image(row) {
      const { at, page } = of(row);
      if (broken.has(page)) return null; // or the map would ask for it for ever
      const bytes = pages.get(page);
      if (!(bytes instanceof Promise)) return toImage(unpacked(bytes, at), 0, look);
      if (!awaited.has(page)) {
        awaited.add(page);
        const tell = (): void => {
          awaited.delete(page);
          for (const listener of listeners) listener();
        };
        bytes.then(tell, (error: unknown) => {
          awaited.delete(page);
          fail(page, error);
        });
      }
      return null;
    },
    onArrival(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
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
