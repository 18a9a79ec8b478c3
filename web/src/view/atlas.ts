import type { Picture } from "./view";

const LARGEST_TEXTURE = 4096;

/** `width` × `height`, halved until `n` slots of it go into one texture. */
export function slotSize(width: number, height: number, n: number): [number, number] {
  const fits = (side: number) => Math.floor(LARGEST_TEXTURE / side);
  while (fits(width) * fits(height) < n && width * height > 1) {
    width = Math.ceil(width / 2);
    height = Math.ceil(height / 2);
  }
  return [width, height];
}

/**
 * One texture cut into slots of equal size, filled as pictures are asked for; when it is full, the
 * picture not asked for longest gives way.
 */
export class Atlas {
  readonly width: number;
  readonly height: number;
  private readonly columns: number;
  private readonly texture: WebGLTexture;
  /** key → slot, the longest unused first. */
  private readonly slots = new Map<number, number>();
  readonly capacity: number;

  /** `slotWidth` × `slotHeight` texels each, at least `wanted` of them if a texture can hold that many. */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    readonly slotWidth: number,
    readonly slotHeight: number,
    wanted: number,
  ) {
    const largest = Math.min(
      LARGEST_TEXTURE,
      gl.getParameter(gl.MAX_TEXTURE_SIZE) || LARGEST_TEXTURE,
    );
    const square = Math.ceil(Math.sqrt((wanted * slotHeight) / slotWidth));
    this.columns = Math.max(1, Math.min(Math.floor(largest / slotWidth), square));
    const rows = Math.max(
      1,
      Math.min(Math.floor(largest / slotHeight), Math.ceil(wanted / this.columns)),
    );
    this.capacity = this.columns * rows;
    this.width = this.columns * slotWidth;
    this.height = rows * slotHeight;
    this.texture = gl.createTexture();
    this.bind();
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, this.width, this.height);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  bind(): void {
    this.gl.bindTexture(this.gl.TEXTURE_2D, this.texture);
  }

  /** Corner of the picture in texels, or null: not in the atlas. Counts as a use. */
  find(key: number): [number, number] | null {
    const slot = this.slots.get(key);
    if (slot === undefined) return null;
    this.slots.delete(key);
    this.slots.set(key, slot);
    return this.corner(slot);
  }

  put(key: number, picture: Picture): [number, number] {
    const { gl } = this;
    let slot = this.slots.size;
    if (slot >= this.capacity) {
      const [oldest, freed] = this.slots.entries().next().value as [number, number];
      this.slots.delete(oldest);
      slot = freed;
    }
    this.slots.set(key, slot);
    const [x, y] = this.corner(slot);
    this.bind();
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, gl.RGBA, gl.UNSIGNED_BYTE, this.inSlotSize(picture));
    return [x, y];
  }

  clear(): void {
    this.slots.clear();
  }

  delete(): void {
    this.gl.deleteTexture(this.texture);
  }

  private corner(slot: number): [number, number] {
    return [
      (slot % this.columns) * this.slotWidth,
      Math.floor(slot / this.columns) * this.slotHeight,
    ];
  }

  private inSlotSize(picture: Picture): Picture {
    if (picture.width === this.slotWidth && picture.height === this.slotHeight) return picture;
    const scaled = canvasOf(this.slotWidth, this.slotHeight);
    const context = scaled.getContext("2d") as CanvasRenderingContext2D;
    context.imageSmoothingQuality = "high";
    context.drawImage(asDrawable(picture), 0, 0, this.slotWidth, this.slotHeight);
    return scaled;
  }
}

/** What a canvas can draw scaled. */
export type Drawable = ImageBitmap | HTMLCanvasElement;

export function asDrawable(picture: Picture): Drawable {
  if (!(picture instanceof ImageData)) return picture;
  const canvas = canvasOf(picture.width, picture.height);
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  return canvas;
}

function canvasOf(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
