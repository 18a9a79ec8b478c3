/** One picture: RGBA, as ImageData has it. */
export interface Frame {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** 256 colours for all frames, (768) bytes, and every pixel as the number of one. */
export interface Quantized {
  palette: Uint8Array;
  indexed: Uint8Array[];
}

const LEVELS = 32; // per channel, while counting

/** Greys are kept as they are; colours are cut at the median (Heckbert 1982, doi:10.1145/965145.801294). */
export function quantize(frames: readonly Frame[]): Quantized {
  const isGrey = frames.every(({ data }) => {
    for (let i = 0; i < data.length; i += 4)
      if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
    return true;
  });
  if (isGrey) {
    return {
      palette: Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)),
      indexed: frames.map(({ data }) =>
        Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]),
      ),
    };
  }
  const bins = countColors(frames);
  const boxes = cut([...bins.keys()], bins);
  const palette = new Uint8Array(768);
  const numberOf = new Map<number, number>();
  boxes.forEach((box, i) => {
    const sums = [0, 0, 0, 0];
    for (const key of box) {
      const { total, n } = bins.get(key)!;
      total.forEach((value, c) => (sums[c] += value));
      sums[3] += n;
      numberOf.set(key, i);
    }
    for (const c of [0, 1, 2]) palette[3 * i + c] = Math.round(sums[c] / sums[3]);
  });
  const indexed = frames.map(({ data }) =>
    Uint8Array.from({ length: data.length / 4 }, (_, i) => numberOf.get(keyOf(data, 4 * i))!),
  );
  return { palette, indexed };
}

interface Bin {
  n: number;
  total: [number, number, number];
}

const keyOf = (data: Uint8ClampedArray, at: number): number =>
  ((data[at] >> 3) * LEVELS + (data[at + 1] >> 3)) * LEVELS + (data[at + 2] >> 3);

function countColors(frames: readonly Frame[]): Map<number, Bin> {
  const bins = new Map<number, Bin>();
  for (const { data } of frames) {
    for (let i = 0; i < data.length; i += 4) {
      const key = keyOf(data, i);
      let bin = bins.get(key);
      if (!bin) bins.set(key, (bin = { n: 0, total: [0, 0, 0] }));
      bin.n++;
      for (const c of [0, 1, 2]) bin.total[c] += data[i + c];
    }
  }
  return bins;
}

const channelOf = (key: number, c: number): number => Math.floor(key / LEVELS ** (2 - c)) % LEVELS;

function cut(keys: number[], bins: Map<number, Bin>): number[][] {
  const boxes = [keys];
  while (boxes.length < 256) {
    const spans = boxes.map((box) => widest(box));
    const at = spans.reduce((best, { span }, i) => (span > spans[best].span ? i : best), 0);
    const { span, channel } = spans[at];
    if (span === 0) break;
    const box = boxes[at].sort((a, b) => channelOf(a, channel) - channelOf(b, channel));
    const half = box.reduce((sum, key) => sum + bins.get(key)!.n, 0) / 2;
    let seen = 0;
    let middle = box.findIndex((key) => (seen += bins.get(key)!.n) >= half);
    middle = Math.min(Math.max(middle, 1), box.length - 1);
    boxes.splice(at, 1, box.slice(0, middle), box.slice(middle));
  }
  return boxes;
}

function widest(box: number[]): { span: number; channel: number } {
  return [0, 1, 2]
    .map((channel) => {
      const values = box.map((key) => channelOf(key, channel));
      return { channel, span: Math.max(...values) - Math.min(...values) };
    })
    .reduce((best, each) => (each.span > best.span ? each : best));
}
