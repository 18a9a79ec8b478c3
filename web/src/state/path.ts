import type { LatentMap } from "../maps/inverse";
import { line, slerp } from "../maps/walks";

/** "map": along the line as drawn; "given": through vectors as they came. The others go between the two ends. */
export type Along = "map" | "given" | "line" | "slerp";

/** A way through the latent space in `n` stops. */
export interface Path {
  along: Along;
  n: number;
  vectors: Float32Array; // (n, latentDim)
  /** What it was made of, if of more than its ends: other stops are taken from this. */
  source: Drawn | Given | null;
}

/** A line (k, 2) on the map of that name, and the way back from there. */
interface Drawn {
  along: "map";
  map: string;
  way: string;
  route: Float32Array;
}

interface Given {
  along: "given";
  n: number;
  vectors: Float32Array;
}

export const MAX_STOPS = 60;
/** Of a path that has just been drawn. */
export const FIRST_STOPS = 10;

/** `n` places evenly along a polyline (k, 2), both ends included. */
export function alongRoute(route: Float32Array, n: number): Float32Array {
  const k = route.length / 2;
  const lengths = new Float64Array(k); // from the start
  for (let i = 1; i < k; i++) {
    lengths[i] =
      lengths[i - 1]! +
      Math.hypot(route[2 * i]! - route[2 * i - 2]!, route[2 * i + 1]! - route[2 * i - 1]!);
  }
  const places = new Float32Array(2 * n);
  for (let stop = 0, i = 1; stop < n; stop++) {
    const at = n === 1 ? 0 : (lengths[k - 1]! * stop) / (n - 1);
    while (i < k - 1 && lengths[i]! < at) i++;
    const span = k === 1 ? 0 : lengths[i]! - lengths[i - 1]!;
    const f = span > 0 ? (at - lengths[i - 1]!) / span : 0;
    const from = k === 1 ? 0 : i - 1;
    const to = k === 1 ? 0 : i;
    for (const c of [0, 1]) {
      const [a, b] = [route[2 * from + c]!, route[2 * to + c]!];
      places[2 * stop + c] = a + f * (b - a);
    }
  }
  return places;
}

/** The path as drawn: every stop by the way back. */
export function pathOnMap(map: LatentMap, way: string, route: Float32Array, n: number): Path {
  const places = alongRoute(route, n);
  const stops = Array.from(
    { length: n },
    (_, i) => map.inverse(places[2 * i]!, places[2 * i + 1]!, way).z,
  );
  const source: Drawn = { along: "map", map: map.name, way, route };
  return { along: "map", n, vectors: joined(stops), source };
}

/** Straight or around, from `first` to `last` in the latent space. */
export function pathBetween(
  along: "line" | "slerp",
  first: Float32Array,
  last: Float32Array,
  n: number,
): Path {
  const vectors = along === "line" ? line(first, last, n) : slerp(first, last, n);
  return { along, n, vectors, source: null };
}

/** Through given vectors (n, latentDim), which may be those of a way between two ends. */
export function pathThrough(
  vectors: Float32Array,
  n: number,
  along: Exclude<Along, "map"> = "given",
): Path {
  return { along, n, vectors, source: along === "given" ? { along, n, vectors } : null };
}

/** The same way as given, in `n` stops: straight between the vectors. */
export function pathAgain(source: Given, n: number): Path {
  const stops = Array.from({ length: n }, (_, i) => vectorAt(source, i / Math.max(n - 1, 1)));
  return { along: "given", n, vectors: joined(stops), source };
}

/** Where a path lies on a map: its line (k, 2) and its stops (n, 2). Where it was drawn, it lies as drawn. */
export function trailOf(path: Path, map: LatentMap): { line: Float32Array; stops: Float32Array } {
  const { source, n } = path;
  if (path.along === "map" && source?.along === "map" && source.map === map.name)
    return { line: source.route, stops: alongRoute(source.route, n) };
  const stops = map.transform(path.vectors, n);
  return { line: stops, stops };
}

function joined(rows: Float32Array[]): Float32Array {
  const all = new Float32Array(rows.length * rows[0]!.length);
  rows.forEach((row, i) => all.set(row, i * row.length));
  return all;
}

/** The first and the last vector. */
export function pathEnds(path: Path): [Float32Array, Float32Array] {
  const dim = path.vectors.length / path.n;
  return [path.vectors.slice(0, dim), path.vectors.slice(-dim)];
}

/** The vector `t` of the way along, 0…1, straight between stops. */
export function vectorAt(path: Pick<Path, "n" | "vectors">, t: number): Float32Array {
  const dim = path.vectors.length / path.n;
  const at = Math.min(Math.max(t, 0), 1) * (path.n - 1);
  const i = Math.min(Math.floor(at), Math.max(path.n - 2, 0));
  const next = Math.min(i + 1, path.n - 1);
  return Float32Array.from({ length: dim }, (_, c) => {
    const [a, b] = [path.vectors[i * dim + c]!, path.vectors[next * dim + c]!];
    return a + (at - i) * (b - a);
  });
}

/** (n, d) as a list of lists. */
export const rowsOf = (vectors: Float32Array, n: number): number[][] =>
  Array.from({ length: n }, (_, i) => [
    ...vectors.subarray((i * vectors.length) / n, ((i + 1) * vectors.length) / n),
  ]);
