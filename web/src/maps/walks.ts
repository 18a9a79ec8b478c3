/** Ways through the latent space, as `zscape.latents.walks` has them: vectors, row by row. */

/** Closer than this to opposite, rounding alone would choose the great circle. */
const OPPOSITE = 1e-6;

/** `n` vectors from one to the other, both included; the first alone for n = 1. */
export function line(start: ArrayLike<number>, end: ArrayLike<number>, n: number): Float32Array {
  return along(start, end, n, (t) => [1 - t, t]);
}

/** Whether there is one shortest great circle between the two directions. */
export function hasGreatCircle(start: ArrayLike<number>, end: ArrayLike<number>): boolean {
  const [a, b] = [length(start), length(end)];
  return a === 0 || b === 0 || combined(start, 1 / a, end, 1 / b) >= OPPOSITE;
}

/**
 * `n` vectors evenly along the great circle: the direction turns at a constant rate while the length
 * goes evenly from one to the other. From or to the origin, which has no direction, it is the line.
 *
 * @throws RangeError if they point in opposite directions, see `hasGreatCircle`.
 */
export function slerp(start: ArrayLike<number>, end: ArrayLike<number>, n: number): Float32Array {
  const [a, b] = [length(start), length(end)];
  if (a === 0 || b === 0) return line(start, end, n);
  if (!hasGreatCircle(start, end)) {
    throw new RangeError(
      "The ends point in opposite directions, so no great circle between them is the shortest.",
    );
  }
  // Accurate for small and large angles alike, as the arc cosine is not.
  const angle =
    2 * Math.atan2(combined(start, 1 / a, end, -1 / b), combined(start, 1 / a, end, 1 / b));
  const turned = (s: number): number => (s * sinc(s * angle)) / sinc(angle);
  return along(start, end, n, (t) => {
    const size = (1 - t) * a + t * b;
    return [(size * turned(1 - t)) / a, (size * turned(t)) / b];
  });
}

/** Neurons × values: row i has neuron `neurons[i]` at each of the values, all others as in `z`. */
export function traversal(
  z: ArrayLike<number>,
  neurons: readonly number[],
  values: ArrayLike<number>,
): Float32Array {
  const d = z.length;
  const vectors = repeated(z, neurons.length * values.length);
  neurons.forEach((neuron, row) => {
    for (let i = 0; i < values.length; i++)
      vectors[(row * values.length + i) * d + neuron] = values[i];
  });
  return vectors;
}

/** A grid laid out as a plot over two neurons: row 0 has the largest y, column 0 the smallest x. */
export function manifold(
  z: ArrayLike<number>,
  [first, second]: readonly [number, number],
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
): Float32Array {
  const d = z.length;
  const across = Float64Array.from(xs).sort();
  const down = Float64Array.from(ys).sort().reverse();
  const vectors = repeated(z, across.length * down.length);
  for (let row = 0, at = 0; row < down.length; row++) {
    for (let column = 0; column < across.length; column++, at += d) {
      vectors[at + first] = across[column];
      vectors[at + second] = down[row];
    }
  }
  return vectors;
}

function along(
  start: ArrayLike<number>,
  end: ArrayLike<number>,
  n: number,
  shares: (t: number) => [number, number],
): Float32Array {
  const d = start.length;
  const vectors = new Float32Array(n * d);
  for (let row = 0; row < n; row++) {
    // Ends come out as they went in, to the last bit.
    const [a, b] = row === 0 ? [1, 0] : row === n - 1 ? [0, 1] : shares(row / (n - 1));
    for (let i = 0; i < d; i++) vectors[row * d + i] = a * start[i] + b * end[i];
  }
  return vectors;
}

function repeated(z: ArrayLike<number>, n: number): Float32Array {
  const vectors = new Float32Array(n * z.length);
  for (let row = 0; row < n; row++) vectors.set(z, row * z.length);
  return vectors;
}

function length(z: ArrayLike<number>): number {
  return Math.hypot(...Array.from(z));
}

/** Length of a·start + b·end. */
function combined(start: ArrayLike<number>, a: number, end: ArrayLike<number>, b: number): number {
  return length(Array.from(start, (value, i) => a * value + b * end[i]));
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x) / x;
}
