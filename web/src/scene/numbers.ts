/** From checked bytes to floats and integers. */
import { count } from "./block_bytes";
import type { Block } from "./manifest";

/** The block's numbers: f16 and i8 widened, u4 and u8 to [0, 1], i32 rounded to what a float holds. */
export function toFloats(block: Block, bytes: Uint8Array): Float32Array {
  switch (block.dtype) {
    case "f32":
      return new Float32Array(aligned(bytes, 4), 0, count(block)).slice();
    case "f64":
      return Float32Array.from(toDoubles(block, bytes));
    case "f16":
      return fromHalves(new Uint16Array(aligned(bytes, 2), 0, count(block)));
    case "i32":
      return Float32Array.from(toInts(block, bytes));
    case "i8":
      return fromScaled(block, new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    case "u8":
      return Float32Array.from(bytes, (value) => value / 255);
    case "u4":
      return fromNibbles(count(block), bytes);
  }
}

/** In full precision; NaN where a number is missing. */
export function toDoubles(block: Block, bytes: Uint8Array): Float64Array {
  if (block.dtype === "f64") return new Float64Array(aligned(bytes, 8), 0, count(block)).slice();
  return Float64Array.from(toFloats(block, bytes));
}

export function toInts(block: Block, bytes: Uint8Array): Int32Array {
  if (block.dtype === "i32") return new Int32Array(aligned(bytes, 4), 0, count(block)).slice();
  return Int32Array.from(toFloats(block, bytes));
}

/** A typed array must start at a multiple of its element: copied only where it does not. */
function aligned(bytes: Uint8Array, element: number): ArrayBuffer {
  const fits = bytes.byteOffset === 0 && bytes.byteLength % element === 0;
  return (fits ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer;
}

let halves: Float32Array | null = null;

function fromHalves(values: Uint16Array): Float32Array {
  halves ??= halfTable();
  const floats = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) floats[i] = halves[values[i]];
  return floats;
}

/** Every half-precision number there is (IEEE 754 binary16). */
function halfTable(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 32768; bits++) {
    const exponent = bits >> 10;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 31) value = fraction ? NaN : Infinity;
    else if (exponent) value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    else value = fraction * 2 ** -24;
    table[bits] = value;
    table[bits + 32768] = -value;
  }
  return table;
}

function fromScaled(block: Block, values: Int8Array): Float32Array {
  const floats = new Float32Array(values.length);
  const rows = block.shape[0] ?? 1;
  const inner = rows ? values.length / rows : 0;
  for (let row = 0, i = 0; row < rows; row++) {
    const scale = block.scale?.[row] ?? 1;
    for (const end = i + inner; i < end; i++) floats[i] = values[i] * scale;
  }
  return floats;
}

function fromNibbles(n: number, bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(n);
  for (let i = 0; i < n; i++) floats[i] = ((bytes[i >> 1] >> ((i & 1) * 4)) & 15) / 15;
  return floats;
}
