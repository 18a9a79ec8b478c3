/** A drawing made to look like the pictures the model knows. */

/** MNIST's digits fill a box of 20 in pictures of 28. */
export const BOX = 20 / 28;

/**
 * The drawing as MNIST would have it: scaled, keeping its shape, until it just fits the inner box, and
 * moved so that its centre of mass is in the middle.
 *
 * @param ink (height, width) row by row, in [0, 1], 0 where nothing is drawn.
 * @returns (outHeight, outWidth) in [0, 1], every pixel the mean of what it covers; all 0 for no ink.
 *
 * LeCun, Cortes & Burges, "The MNIST database", on how the digits were normalised.
 */
export function centreDrawing(
  ink: Float32Array,
  width: number,
  height: number,
  outHeight: number,
  outWidth: number,
): Float32Array {
  const picture = new Float32Array(outHeight * outWidth);
  const found = measure(ink, width, height);
  if (!found) return picture;
  const scale = Math.min((BOX * outWidth) / found.width, (BOX * outHeight) / found.height);
  const columns = overlaps(width, outWidth, scale, found.x);
  const rows = overlaps(height, outHeight, scale, found.y);
  const lines = new Float32Array(outWidth);
  for (let y = 0; y < height; y++) {
    if (!rows[y].length) continue;
    lines.fill(0);
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x];
      if (value > 0) for (const [to, share] of columns[x]) lines[to] += share * value;
    }
    for (const [to, share] of rows[y]) {
      for (let x = 0; x < outWidth; x++) picture[to * outWidth + x] += share * lines[x];
    }
  }
  return picture.map((value) => Math.min(value, 1));
}

/** Sides of the box around the ink, and its centre of mass; null if there is none. */
function measure(ink: Float32Array, width: number, height: number) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x];
      if (!(value > 0)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      mass += value;
      massX += value * (x + 0.5);
      massY += value * (y + 0.5);
    }
  }
  if (mass === 0) return null;
  return { width: right - left + 1, height: bottom - top + 1, x: massX / mass, y: massY / mass };
}

/** Of every pixel of one side: the pixels it lands on, each with the share of it that is covered. */
function overlaps(
  side: number,
  outSide: number,
  scale: number,
  centre: number,
): [number, number][][] {
  return Array.from({ length: side }, (_, i) => {
    const from = (i - centre) * scale + outSide / 2;
    const end = from + scale;
    const found: [number, number][] = [];
    for (let to = Math.max(0, Math.floor(from)); to < Math.min(outSide, end); to++) {
      const share = Math.min(end, to + 1) - Math.max(from, to);
      if (share > 0) found.push([to, share]);
    }
    return found;
  });
}
