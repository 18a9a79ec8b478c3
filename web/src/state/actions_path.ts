/** What a person can do with paths, as functions of the explorer. */
import { GraphMaker } from "../maps/neighbour_graph";
import { asStep, wayBack } from "./actions";
import { change } from "./change";
import type { Explorer } from "./explorer";
import {
  type Along,
  type Between,
  FIRST_STOPS,
  isBetween,
  MAX_ANCHORS,
  MAX_STOPS,
  type Path,
  pathAgain,
  pathBetween,
  pathOnMap,
  pathThrough,
} from "./path";
import { createSlices } from "./slices";
import { wayBetween } from "./ways";

const setPath = (explorer: Explorer, path: Path | null, isSettled = true): void =>
  asStep(explorer, () => change(explorer, "path", path), isSettled);

export const clearPath = (explorer: Explorer, isSettled = true): void =>
  setPath(explorer, null, isSettled);

export function drawPath(
  explorer: Explorer,
  route: Float32Array,
  n = explorer.path.value?.n ?? FIRST_STOPS,
): void {
  if (route.length < 4) return;
  setPath(explorer, pathOnMap(explorer.latentMap(), wayBack(explorer), route, n));
}

/** Another number of stops, or another way: as it was drawn or given, or between its anchors. */
export function changePath(explorer: Explorer, wanted: { n?: number; along?: Along }): void {
  const path = explorer.path.value;
  if (!path) return;
  const asked = wanted.n ?? path.n;
  const n = Number.isFinite(asked) ? Math.min(Math.max(Math.round(asked), 2), MAX_STOPS) : path.n;
  const along = wanted.along ?? path.along;
  const { source } = path;
  change(explorer, "notice", "");
  setPath(explorer, pathAlong());

  function pathAlong(): Path {
    if (isBetween(along)) return { ...between(explorer, along, path!.anchors, n), source };
    if (source?.along !== along) return path!;
    if (source.along === "given") return pathAgain(source, n, path!.anchors);
    return pathOnMap(explorer.latentMap(source.map), source.way, source.route, n);
  }
}

/** That way, or a straight one with a word about it. */
function between(
  explorer: Explorer,
  along: Between,
  anchors: readonly Float32Array[],
  n: number,
): Path {
  const way = wayBetween(explorer, along, anchors, n);
  if (typeof way !== "string") return way;
  change(explorer, "notice", `${way} So the way is straight.`);
  return pathBetween("line", anchors, n);
}

/** The path through these anchors, in their order; the way and the number of stops stay. */
export function setAnchors(explorer: Explorer, anchors: readonly Float32Array[], n?: number): void {
  const { value } = explorer.path;
  if (anchors.length < 2 || anchors.length > MAX_ANCHORS) return;
  const along = value && isBetween(value.along) ? value.along : "line";
  change(explorer, "notice", "");
  setPath(explorer, between(explorer, along, anchors, n ?? value?.n ?? FIRST_STOPS));
}

/** Starts or ends the path at the current vector: the way to draw one without a mouse. */
export function setPathEnd(explorer: Explorer, isStart: boolean, n?: number): void {
  const here = explorer.current.value.z;
  const anchors = [...(explorer.path.value?.anchors ?? [here, here])];
  anchors[isStart ? 0 : anchors.length - 1] = here;
  setAnchors(explorer, anchors, n);
}

/** Leads the path by way of the current vector before it ends. */
export function addAnchor(explorer: Explorer): void {
  const { anchors } = explorer.path.value ?? { anchors: [] };
  setAnchors(explorer, anchors.toSpliced(-1, 0, explorer.current.value.z));
}

export function moveAnchor(explorer: Explorer, from: number, to: number): void {
  const { anchors = [] } = explorer.path.value ?? {};
  if (from === to || !(from in anchors) || !(to in anchors)) return;
  const others = anchors.filter((_, i) => i !== from);
  setAnchors(explorer, others.toSpliced(to, 0, anchors[from]!));
}

export function dropAnchor(explorer: Explorer, which: number): void {
  const { anchors = [] } = explorer.path.value ?? {};
  setAnchors(
    explorer,
    anchors.filter((_, i) => i !== which),
  );
}

/** The straight path from one vector to another. */
export const walkBetween = (explorer: Explorer, ...ends: [Float32Array, Float32Array]): void =>
  setPath(explorer, pathBetween("line", ends, FIRST_STOPS));

/** The path through given vectors (n, latentDim), which may be those of a way between anchors. */
export function followVectors(
  explorer: Explorer,
  vectors: Float32Array,
  n: number,
  along?: Exclude<Along, "map">,
  isSettled = true,
  anchors?: readonly Float32Array[],
): void {
  setPath(explorer, pathThrough(vectors, n, along, anchors), isSettled);
}

const asked = new WeakSet<Explorer>();

/** Finds out who is near whom, once, while nothing else is to be done. */
export function prepareGraph(explorer: Explorer): void {
  if (asked.has(explorer)) return;
  asked.add(explorer);
  const maker = new GraphMaker(explorer.mu, explorer.dim);
  let nDone = 0;
  const slices = createSlices(
    () => maker.size,
    (first, n) => {
      maker.link(first, n);
      nDone += n;
      if (nDone < maker.size) return;
      change(explorer, "graph", maker.made());
      slices.stop();
    },
    4,
  );
  slices.restart();
}
