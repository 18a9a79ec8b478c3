/** Very many small dots as a picture: what lies on a pixel is added up, and looks as if one dot lay over the other. */
/** Dots on a pixel beyond which one more is not seen. */
const MOST_COUNTED = 255;

/** Which of the points are added, `to` not included. */
export interface Stretch {
  from: number;
  to: number;
}

/** Points, best those side by side that are so on the map: memory is slow where one jumps about in it. */
export interface Dots {
  coordinates: Float32Array; // (n, 2)
  /** The colour of each in `palette`, RGBA 0…255. */
  codes: Uint8Array | Uint16Array;
  palette: Uint8Array;
  /** 1 where a point is shown; null: all are. */
  mask: Uint8Array | null;
  diameter: number; // pixels
  opacity: number;
  /** How many dots each stands for, where they are a sample. */
  weight?: number;
}

/** Pixel (x, y) of a place: (place × scale + offset), for each axis. */
export interface Onto {
  scaleX: number;
  offsetX: number;
  scaleY: number;
  offsetY: number;
}

export class Raster {
  image = new ImageData(1, 1);
  private pixels = new Uint32Array(1);
  /** Of each pixel: red, green and blue of all that lies there, and how many. */
  private sums = new Uint32Array(4);

  /** Empties it. */
  start(width: number, height: number): void {
    if (this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.sums = new Uint32Array(4 * width * height);
    } else this.pixels.fill(0);
  }

  /** Lays dots over what is there. */
  add(dots: Dots, onto: Onto, stretches: readonly Stretch[]): void {
    // A dot is a square, as those are that are drawn one by one and as small.
    const side = Math.max(1, Math.round(dots.diameter));
    this.sums.fill(0);
    for (const stretch of stretches) this.count(dots, onto, side, stretch);
    const area = ((dots.weight ?? 1) * dots.diameter ** 2) / side ** 2;
    this.blend(
      Float64Array.from(
        { length: MOST_COUNTED + 1 },
        (_, n) => 1 - (1 - dots.opacity) ** (n * area),
      ),
    );
  }

  private count(
    { coordinates, codes, palette, mask }: Dots,
    { scaleX, offsetX, scaleY, offsetY }: Onto,
    side: number,
    { from, to }: Stretch,
  ): void {
    const { sums } = this;
    const { width, height } = this.image;
    const shiftX = offsetX - (side - 1) / 2;
    const shiftY = offsetY - (side - 1) / 2;
    const mostX = width - side + 1;
    const mostY = height - side + 1;
    for (let i = from; i < to; i++) {
      if (mask !== null && mask[i] === 0) continue;
      const x = coordinates[2 * i] * scaleX + shiftX;
      const y = coordinates[2 * i + 1] * scaleY + shiftY;
      // Also leaves out what has no place.
      if (!(x >= 0 && x < mostX && y >= 0 && y < mostY)) continue;
      const at = 4 * ((y | 0) * width + (x | 0));
      const color = 4 * codes[i];
      const r = palette[color];
      const g = palette[color + 1];
      const b = palette[color + 2];
      for (let dy = 0; dy < side; dy++)
        for (let dx = 0; dx < side; dx++) {
          const pixel = at + 4 * (dy * width + dx);
          sums[pixel] += r;
          sums[pixel + 1] += g;
          sums[pixel + 2] += b;
          sums[pixel + 3]++;
        }
    }
  }

  /** @param alphas how much so many dots cover */
  private blend(alphas: Float64Array): void {
    const { sums, pixels } = this;
    for (let i = 0; i < pixels.length; i++) {
      const n = sums[4 * i + 3];
      if (n === 0) continue;
      const alpha = alphas[Math.min(n, MOST_COUNTED)];
      const under = pixels[i];
      const rest = ((under >>> 24) / 255) * (1 - alpha);
      const all = alpha + rest;
      const [own, below] = [alpha / (n * all), rest / all];
      const r = sums[4 * i] * own + (under & 255) * below;
      const g = sums[4 * i + 1] * own + ((under >>> 8) & 255) * below;
      const b = sums[4 * i + 2] * own + ((under >>> 16) & 255) * below;
      pixels[i] = ((255 * all + 0.5) << 24) | ((b + 0.5) << 16) | ((g + 0.5) << 8) | (r + 0.5);
    }
  }
}
