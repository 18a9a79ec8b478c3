import type { LatentMap } from "../maps/inverse";
import { line, slerp } from "../maps/walks";

/** Between anchors: straight, along great circles, or from picture to picture of the data. */
export type Between = "line" | "slerp" | "data";
/** "map": along the line as drawn; "given": through vectors as they came. */
export type Along = "map" | "given" | Between;

export const isBetween = (along: Along): along is Between => along !== "map" && along !== "given";

/** A way through the latent space in `n` stops. */
export interface Path {
  along: Along;
  n: number;
  vectors: Float32Array; // (n, latentDim)
  /** What it goes by way of, both ends included. */
  anchors: readonly Float32Array[];
  /** What it was made of, if of more than its anchors: other stops are taken from this. */
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
export const MAX_ANCHORS = 12;
/** A line of more corners was drawn free hand: only its ends were meant. */
const MAX_CORNERS = 8;
/** Of a path that has just been drawn. */
export const FIRST_STOPS = 10;

/** `n` places evenly along a polyline (k, d), both ends included. */
export function alongRoute(route: Float32Array, n: number, d = 2): Float32Array {
  const k = route.length / d;
  const lengths = new Float64Array(k); // from the start
  for (let i = 1; i < k; i++) {
    let square = 0;
    for (let c = 0; c < d; c++) square += (route[i * d + c]! - route[(i - 1) * d + c]!) ** 2;
    lengths[i] = lengths[i - 1]! + Math.sqrt(square);
  }
  const places = new Float32Array(d * n);
  for (let stop = 0, i = 1; stop < n; stop++) {
    const at = n === 1 ? 0 : (lengths[k - 1]! * stop) / (n - 1);
    while (i < k - 1 && lengths[i]! < at) i++;
    const span = k === 1 ? 0 : lengths[i]! - lengths[i - 1]!;
    const f = span > 0 ? (at - lengths[i - 1]!) / span : 0;
    const from = k === 1 ? 0 : i - 1;
    const to = k === 1 ? 0 : i;
    for (let c = 0; c < d; c++) {
      const [a, b] = [route[d * from + c]!, route[d * to + c]!];
      places[d * stop + c] = a + f * (b - a);
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
  const corners = route.length / 2;
  const isClicked = corners > 2 && corners <= MAX_CORNERS;
  const anchors = isClicked
    ? Array.from(
        { length: corners },
        (_, i) => map.inverse(route[2 * i]!, route[2 * i + 1]!, way).z,
      )
    : [stops[0]!, stops[n - 1]!];
  return { along: "map", n, vectors: joinedVectors(stops), anchors, source };
}

/**
 * From anchor to anchor, each of which is a stop; at least as many stops as anchors.
 *
 * @param stations what each leg goes by way of, besides its ends
 */
export function pathBetween(
  along: Between,
  anchors: readonly Float32Array[],
  n: number,
  stations: readonly (readonly Float32Array[])[] = [],
): Path {
  const d = anchors[0]!.length;
  const legs = anchors
    .slice(1)
    .map((end, i) => joinedVectors([anchors[i]!, ...(stations[i] ?? []), end]));
  const steps = shareOut(
    n - 1,
    legs.map((leg) => lengthOf(leg, d)),
  );
  const parts = legs.map((leg, i) => {
    const [a, b] = [anchors[i]!, anchors[i + 1]!];
    const count = steps[i]! + 1;
    const part =
      along === "data" ? alongRoute(leg, count, d) : (along === "line" ? line : slerp)(a, b, count);
    return i === 0 ? part : part.subarray(d); // where the one before ended
  });
  const vectors = Float32Array.from(parts.flatMap((part) => [...part]));
  return { along, n: vectors.length / d, vectors, anchors, source: null };
}

/** So many steps for legs of these lengths, at least one each, so that the longest step is as short as can be. */
export function shareOut(total: number, lengths: readonly number[]): number[] {
  const steps = lengths.map(() => 1);
  for (let left = total - steps.length; left > 0; left--) {
    const sizes = lengths.map((length, i) => length / steps[i]!);
    steps[sizes.indexOf(Math.max(...sizes))]!++;
  }
  return steps;
}

function lengthOf(route: Float32Array, d: number): number {
  let length = 0;
  for (let at = d; at < route.length; at += d) {
    let square = 0;
    for (let c = 0; c < d; c++) square += (route[at + c]! - route[at - d + c]!) ** 2;
    length += Math.sqrt(square);
  }
  return length;
}

/** Through given vectors (n, latentDim), which may be those of a way between anchors. */
export function pathThrough(
  vectors: Float32Array,
  n: number,
  along: Exclude<Along, "map"> = "given",
  anchors: readonly Float32Array[] = endsOf(vectors, n),
): Path {
  const source = along === "given" ? { along, n, vectors } : null;
  return { along, n, vectors, anchors, source };
}

/** The same way as given, in `n` stops: straight between the vectors. */
export function pathAgain(source: Given, n: number, anchors: readonly Float32Array[]): Path {
  const stops = Array.from({ length: n }, (_, i) => vectorAt(source, i / Math.max(n - 1, 1)));
  return { along: "given", n, vectors: joinedVectors(stops), anchors, source };
}

/** Where a path lies on a map: its line (k, 2) and its stops (n, 2). Where it was drawn, it lies as drawn. */
export function trailOf(path: Path, map: LatentMap): { line: Float32Array; stops: Float32Array } {
  const { source, n } = path;
  if (path.along === "map" && source?.along === "map" && source.map === map.name)
    return { line: source.route, stops: alongRoute(source.route, n) };
  const stops = map.transform(path.vectors, n);
  return { line: stops, stops };
}

/** Vectors one after the other: (n, latentDim). */
export function joinedVectors(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows.length * (rows[0]?.length ?? 0));
  rows.forEach((row, i) => all.set(row, i * row.length));
  return all;
}

function endsOf(vectors: Float32Array, n: number): [Float32Array, Float32Array] {
  const dim = vectors.length / n;
  return [vectors.slice(0, dim), vectors.slice(-dim)];
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
