/** From stored bytes to checked ones: length, checksum, codec, size. */
import type { Block } from "./manifest";
import { type Part, SceneError } from "./source";

const BITS: Record<Block["dtype"], number> = {
  f64: 64,
  f32: 32,
  f16: 16,
  i32: 32,
  i8: 8,
  u8: 8,
  u4: 4,
};

export const DTYPES = Object.keys(BITS);

/** How many numbers a block holds. */
export function count(block: Block): number {
  return block.shape.reduce((product, side) => product * side, 1);
}

/** How many bytes they take after the codec; an odd "u4" is rounded up. */
export function unpackedLength(block: Block): number {
  return Math.ceil((count(block) * BITS[block.dtype]) / 8);
}

/** One of its pages as a block of its own, and where that lies in it. */
export function pageOf(block: Block, at: number): { block: Block; part: Part } {
  const { rows, ends, crc32 } = block.pages!;
  const part = { from: at ? ends[at - 1] : 0, to: ends[at] };
  const n = Math.min(rows, block.shape[0] - at * rows);
  const { dtype, codec } = block;
  const own = { shape: [n, ...block.shape.slice(1)], length: part.to - part.from };
  return { block: { dtype, codec, ...own, crc32: crc32[at] }, part };
}

/**
 * The bytes behind a block, after the codec.
 *
 * @throws SceneError if they are not what the manifest says.
 */
export async function unpack(name: string, block: Block, stored: Uint8Array): Promise<Uint8Array> {
  if (stored.length !== block.length) {
    throw new SceneError(
      `The block “${name}” is damaged: it must have ${block.length} bytes; it has ${stored.length}.`,
    );
  }
  if (crc32(stored) !== block.crc32) {
    throw new SceneError(`The block “${name}” is damaged: its checksum (CRC-32) does not match.`);
  }
  const length = unpackedLength(block);
  const bytes = block.codec === "raw" ? stored : await gunzip(name, stored, length);
  if (bytes.length !== length) {
    throw new SceneError(
      `The block “${name}” is damaged: its shape needs ${length} bytes; it holds ${bytes.length}.`,
    );
  }
  return block.codec === "planes" ? joinPlanes(bytes, BITS[block.dtype] / 8) : bytes;
}

/** All first bytes, all second ones, … → the bytes of one value side by side. */
function joinPlanes(planes: Uint8Array, width: number): Uint8Array {
  const bytes = new Uint8Array(planes.length);
  const n = planes.length / width;
  for (let plane = 0, from = 0; plane < width; plane++) {
    for (let to = plane; from < (plane + 1) * n; from++, to += width) bytes[to] = planes[from];
  }
  return bytes;
}

/** At most `length` bytes are kept, whatever a hostile stream would swell to. */
async function gunzip(name: string, stored: Uint8Array, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  try {
    const { readable, writable } = new DecompressionStream("gzip");
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    // What goes wrong on the way in comes out of the reader too.
    for (const written of [writer.write(stored as Uint8Array<ArrayBuffer>), writer.close()])
      written.catch(() => {});
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > length) {
        await reader.cancel();
        throw new RangeError(`more than ${length} bytes come out of it`);
      }
      bytes.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    const reason = error instanceof Error && error.message ? error.message : "unknown error";
    throw new SceneError(`The block “${name}” cannot be unpacked (gzip): ${reason}.`);
  }
  return bytes.subarray(0, filled);
}

const TABLES = crcTables();

function crcTables(): Int32Array[] {
  const tables = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[0][byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let t = 1; t < 4; t++) {
      const before = tables[t - 1][byte];
      tables[t][byte] = (before >>> 8) ^ tables[0][before & 255];
    }
  }
  return tables;
}

/** CRC-32 as zlib has it, four bytes at a step. */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = TABLES;
  const whole = bytes.length & ~3;
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t3[crc & 255] ^ t2[(crc >>> 8) & 255] ^ t1[(crc >>> 16) & 255] ^ t0[crc >>> 24];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}
