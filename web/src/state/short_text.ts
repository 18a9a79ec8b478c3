/** Numbers in few letters, as links have them: none of these needs a percent sign. */
import { fromBase64 } from "../scene/base64";

/** Few digits, and no "1e-7" or "-0". */
export const short = (value: number, digits = 4): string =>
  String(Number(value.toPrecision(digits)) || 0);

/** To four decimals. */
export const list = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => String(Number(value.toFixed(4)) || 0)).join("~");

/** What `list` has written; what is not a number becomes NaN. */
export const listed = (text: string): number[] => text.split("~").map(Number);

/** A name between the signs that links put between things. */
export const word = (name: string): string =>
  encodeURIComponent(name).replaceAll("~", "%7E").replaceAll("!", "%21");

const GAPS = "g";
const BITS = "b";

/** Rows, ascending: the gaps between them, or a bit for each of the first rows, whichever is shorter. */
export function packRows(rows: readonly number[]): string {
  const gaps: number[] = [];
  let before = -1;
  for (const row of rows) {
    let gap = row - before - 1;
    before = row;
    for (; gap > 127; gap >>>= 7) gaps.push((gap & 127) | 128);
    gaps.push(gap);
  }
  const nBits = (before >> 3) + 1;
  if (gaps.length <= nBits) return GAPS + toBase64(Uint8Array.from(gaps));
  const bits = new Uint8Array(nBits);
  for (const row of rows) bits[row >> 3] |= 1 << (row & 7);
  return BITS + toBase64(bits);
}

/** What `packRows` has written; undefined of any other text. */
export function unpackRows(text: string): number[] | undefined {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(text.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
  const rows: number[] = [];
  if (text[0] === BITS) {
    for (let row = 0; row < 8 * bytes.length; row++)
      if (bytes[row >> 3] & (1 << (row & 7))) rows.push(row);
    return rows;
  }
  if (text[0] !== GAPS) return undefined;
  let row = -1;
  let gap = 0;
  let shift = 0;
  for (const byte of bytes) {
    gap += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte & 128) continue;
    row += gap + 1;
    rows.push(row);
    gap = shift = 0;
  }
  return rows;
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
