/** What becomes of a posterior on a map. */
import type { LatentMap } from "./inverse";

/** Vectors drawn for maps that are not linear; every one with its mirror image. */
const N_DRAWN = 32;

/**
 * Covariance [xx, xy, yy], in squared map units, of N(mu, diag(variances)) put on the map.
 *
 * Exact on linear maps. On others the neighbours place vectors drawn from it, always the same ones,
 * so that the ellipse moves with `mu` and does not flicker.
 */
export function spreadOnMap(
  map: LatentMap,
  mu: ArrayLike<number>,
  variances: ArrayLike<number>,
): [number, number, number] {
  const offsets = map.isLinear ? alongNeurons(variances) : drawn(variances);
  const d = mu.length;
  const m = offsets.length / d;
  const places = map.transform(
    offsets.map((offset, i) => mu[i % d] + offset),
    m,
  );
  const centre = map.isLinear ? map.transform(Float32Array.from(mu), 1) : middle(places);
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < m; i++) {
    const [x, y] = [places[2 * i] - centre[0], places[2 * i + 1] - centre[1]];
    sums[0] += x * x;
    sums[1] += x * y;
    sums[2] += y * y;
  }
  // Neurons' own shares of a linear map add up; draws are averaged.
  return map.isLinear ? sums : [sums[0] / m, sums[1] / m, sums[2] / m];
}

/** One standard deviation along each neuron by itself: (d, d). */
function alongNeurons(variances: ArrayLike<number>): Float32Array {
  const d = variances.length;
  const offsets = new Float32Array(d * d);
  for (let i = 0; i < d; i++) offsets[i * d + i] = Math.sqrt(variances[i]);
  return offsets;
}

function drawn(variances: ArrayLike<number>): Float32Array {
  const d = variances.length;
  const half = normals((N_DRAWN / 2) * d).map((value, i) => value * Math.sqrt(variances[i % d]));
  const offsets = new Float32Array(N_DRAWN * d);
  offsets.set(half);
  offsets.set(
    half.map((offset) => -offset),
    half.length,
  );
  return offsets;
}

/** One vector of N(mu, diag(variances)), the same at every call with this number. */
export function drawnFrom(mu: Float32Array, variances: Float32Array, number: number): Float32Array {
  const noise = normals(mu.length, Math.imul(number + 1, 0x85ebca6b) ^ SEED || SEED);
  return mu.map((value, i) => value + noise[i] * Math.sqrt(variances[i]));
}

const SEED = 0x9e3779b9;

/** Numbers from N(0, 1), the same ones at every call (xorshift, Box and Muller). */
function normals(count: number, seed = SEED): Float32Array {
  let state = seed;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  });
}

function middle(places: Float32Array): [number, number] {
  const m = places.length / 2;
  let [x, y] = [0, 0];
  for (let i = 0; i < m; i++) {
    x += places[2 * i] / m;
    y += places[2 * i + 1] / m;
  }
  return [x, y];
}
