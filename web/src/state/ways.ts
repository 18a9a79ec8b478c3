/** Ways between the same anchors, and what can be said of each. */
import { shortestWay } from "../maps/neighbour_graph";
import { hasGreatCircle } from "../maps/walks";
import type { Explorer } from "./explorer";
import { type Along, type Between, type Path, pathBetween } from "./path";

/** What the ways are called. */
export const WAY_TITLES: Record<Along, string> = {
  map: "as drawn",
  given: "as given",
  line: "straight",
  slerp: "great circle",
  data: "through the data",
};

/** Those that go between anchors, wherever these come from. */
export const BETWEEN: readonly Between[] = ["line", "slerp", "data"];

/** The way through these anchors, or a sentence why there is none. */
export function wayBetween(
  explorer: Explorer,
  along: Between,
  anchors: readonly Float32Array[],
  n: number,
): Path | string {
  const legs = anchors.slice(1).map((end, i) => [anchors[i]!, end] as const);
  if (along === "line") return pathBetween(along, anchors, n);
  if (along === "slerp")
    return legs.every(([a, b]) => hasGreatCircle(a, b))
      ? pathBetween(along, anchors, n)
      : "Two ends lie in opposite directions: no great circle is the shortest.";
  const graph = explorer.graph.value;
  if (!graph) return "Neighbours are being looked for …";
  const stations = legs.map(([a, b]) => shortestWay(graph, a, b));
  return stations.every((each) => each !== null)
    ? pathBetween(along, anchors, n, stations)
    : "No chain of neighbours joins the ends: they lie in parts of the data that stand alone.";
}

/** Between which two of n pictures most changes, and by how much: root mean square of the difference, 0 to 1. */
export function largestStep(pixels: Float32Array, n: number): { at: number; size: number } {
  const size = pixels.length / n;
  let most = { at: 0, size: 0 };
  for (let at = 0; at + 1 < n; at++) {
    let sum = 0;
    for (let i = at * size; i < (at + 1) * size; i++) sum += (pixels[i + size]! - pixels[i]!) ** 2;
    const step = Math.sqrt(sum / size);
    if (step > most.size) most = { at, size: step };
  }
  return most;
}
