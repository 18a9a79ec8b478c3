/** Animated GIF, version 89a; see the specification of CompuServe, 1990. */
import { type Frame, quantize } from "./quantize";

/** @param delay between frames, milliseconds; GIF counts in hundredths of a second */
export function encodeGif(frames: readonly Frame[], delay: number): Uint8Array {
  const { width, height } = frames[0];
  const { palette, indexed } = quantize(frames);
  const out: number[] = [];
  const word = (value: number) => out.push(value & 255, value >> 8);
  const text = (value: string) => out.push(...[...value].map((c) => c.charCodeAt(0)));

  text("GIF89a");
  word(width);
  word(height);
  out.push(0xf7, 0, 0); // a global table of 256 colours
  out.push(...palette);
  out.push(0x21, 0xff, 11);
  text("NETSCAPE2.0");
  out.push(3, 1, 0, 0, 0); // repeat for ever
  for (const pixels of indexed) {
    out.push(0x21, 0xf9, 4, 0);
    word(Math.max(Math.round(delay / 10), 2));
    out.push(0, 0);
    out.push(0x2c, 0, 0, 0, 0);
    word(width);
    word(height);
    out.push(0, 8);
    const codes = compress(pixels);
    for (let i = 0; i < codes.length; i += 255) {
      const part = codes.subarray(i, i + 255);
      out.push(part.length);
      for (const byte of part) out.push(byte);
    }
    out.push(0);
  }
  out.push(0x3b);
  return Uint8Array.from(out);
}

const CLEAR = 256;
const END = 257;

/** LZW with 8-bit symbols and codes of 9 to 12 bits, the lowest bit first. */
export function compress(pixels: Uint8Array): Uint8Array {
  const out: number[] = [];
  let bits = 0;
  let nBits = 0;
  let size = 9;
  const emit = (code: number): void => {
    bits |= code << nBits;
    for (nBits += size; nBits >= 8; nBits -= 8) {
      out.push(bits & 255);
      bits >>>= 8;
    }
  };
  let codes = new Map<number, number>();
  let next = END + 1;
  emit(CLEAR);
  let prefix = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const key = (prefix << 8) | pixels[i];
    const known = codes.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    emit(prefix);
    prefix = pixels[i];
    if (next === 4096) {
      emit(CLEAR);
      codes = new Map();
      next = END + 1;
      size = 9;
      continue;
    }
    // The reader's table is one entry behind, so codes grow when the entry to be is too large.
    if (next === 1 << size) size++;
    codes.set(key, next++);
  }
  emit(prefix);
  emit(END);
  if (nBits > 0) out.push(bits & 255);
  return Uint8Array.from(out);
}
