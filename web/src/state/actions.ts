/** What a person can do, as functions of the explorer. */
import { nearestInLatent } from "../maps/nearest";
import { spreadOnMap } from "../maps/spread";
import { hasGreatCircle } from "../maps/walks";
import { type Explorer, hasMap, type Tab } from "./explorer";
import type { Current, Origin } from "./origin";
import { type Along, MAX_STOPS, pathBetween, pathEnds, pathOnMap, pathThrough } from "./path";
import { onMapScale } from "./spacing";
import { judge } from "./trust";

/** Typical distances; beyond, the halo would cover the map and say no more. */
const WIDEST_HALO = 30;

/** Takes another vector. `isSettled`: undo comes back to it (not while dragging). */
export function setCurrent(
  explorer: Explorer,
  z: Float32Array,
  origin: Origin,
  isSettled = true,
): void {
  const current: Current = { z, origin };
  explorer.notice.set(""); // it was about what came before
  explorer.current.set(current);
  explorer.decode(current);
  if (isSettled) explorer.history.push(current);
}

/** Remembers where a drag has ended. */
export const settle = (explorer: Explorer): void => explorer.history.push(explorer.current.value);

export function goTo(explorer: Explorer, current: Current | null): void {
  if (!current) return;
  explorer.current.set(current);
  explorer.decode(current);
}

export const undo = (explorer: Explorer): void => goTo(explorer, explorer.history.undo());
export const redo = (explorer: Explorer): void => goTo(explorer, explorer.history.redo());

export function chooseRow(explorer: Explorer, row: number, isSettled = true): void {
  const { mu, dim } = explorer;
  setCurrent(explorer, mu.slice(row * dim, (row + 1) * dim), { kind: "row", row }, isSettled);
}

/** The way back that is applied on the map now. */
export function wayBack(explorer: Explorer): string {
  const { inverses } = explorer.latentMap();
  return inverses.includes(explorer.way.value) ? explorer.way.value : inverses[0]!;
}

export function walkTo(explorer: Explorer, x: number, y: number, isSettled = true): void {
  const back = explorer.latentMap().inverse(x, y, wayBack(explorer));
  const { distance, roundTrip } = back;
  const origin: Origin = { kind: "place", map: explorer.map.value, x, y, distance, roundTrip };
  setCurrent(explorer, back.z, origin, isSettled);
}

export function setNeuron(
  explorer: Explorer,
  neuron: number,
  value: number,
  isSettled = true,
): void {
  if (!Number.isFinite(value)) return;
  const z = explorer.current.value.z.slice();
  z[neuron] = value;
  setCurrent(explorer, z, { kind: "neuron", neuron }, isSettled);
}

export const resetZ = (explorer: Explorer): void =>
  setCurrent(explorer, new Float32Array(explorer.dim), {
    kind: "sum",
    text: "The origin: all neurons 0",
  });

/** From the prior N(0, I), by Box and Muller. */
export function randomZ(explorer: Explorer): void {
  const z = Float32Array.from(
    { length: explorer.dim },
    () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
  );
  setCurrent(explorer, z, { kind: "random" });
}

export function prototypeOf(explorer: Explorer, index: number): Float32Array {
  const vectors = explorer.scene.floats(explorer.manifest.prototypes!.vectors);
  return vectors.slice(index * explorer.dim, (index + 1) * explorer.dim);
}

export const choosePrototype = (explorer: Explorer, index: number): void =>
  setCurrent(explorer, prototypeOf(explorer, index), { kind: "class", index });

export function keep(explorer: Explorer): void {
  const kept = explorer.kept.value;
  explorer.kept.set([...kept, { name: `kept ${kept.length + 1}`, z: explorer.current.value.z }]);
}

/** Where the current vector lies on the map, and how far to trust its picture. */
export function locate(explorer: Explorer): void {
  const { z, origin } = explorer.current.value;
  const map = explorer.latentMap();
  if (origin.kind === "place" && origin.map === map.name) {
    const trust = judge(origin.distance / map.unit, origin.roundTrip / map.unit);
    const halo = Math.max(origin.distance, origin.roundTrip);
    explorer.place.set({ x: origin.x, y: origin.y, halo, trust });
    return;
  }
  if (origin.kind === "row") {
    const [x, y] = map.coordinates.subarray(2 * origin.row);
    explorer.place.set({ x, y, halo: 0, trust: judge(0, 0) });
    return;
  }
  // The map would put any vector among the data; the latent space itself knows better.
  const nearest = nearestInLatent(explorer.mu, explorer.dim, z, 1).distances[0]!;
  const distance = onMapScale(nearest, explorer.latentSpacing());
  const trust = judge(distance, 0);
  const [x, y] = map.transform(z, 1);
  const place = { x, y, halo: map.unit * Math.min(distance, WIDEST_HALO), trust };
  explorer.place.set(
    origin.kind === "drawn" && origin.variances
      ? { ...place, spread: spreadOnMap(map, z, origin.variances) }
      : place,
  );
}

export function setMap(explorer: Explorer, name: string): void {
  if (!hasMap(explorer.manifest, name) || name === explorer.map.value) return;
  explorer.map.set(name);
  const path = explorer.path.value;
  if (path)
    explorer.path.set({ ...pathThrough(explorer.latentMap(), path.vectors, path.n, path.along) });
}

export function toggleClass(explorer: Explorer, label: number): void {
  const hidden = new Set(explorer.hidden.value);
  if (!hidden.delete(label)) hidden.add(label);
  explorer.hidden.set(hidden);
}

/** Shows this class alone; if it is alone already, all. */
export function onlyClass(explorer: Explorer, label: number, all: readonly number[]): void {
  const others = all.filter((each) => each !== label);
  const isAlone =
    others.length > 0 &&
    others.every((each) => explorer.hidden.value.has(each)) &&
    !explorer.hidden.value.has(label);
  explorer.hidden.set(new Set(isAlone ? [] : others));
}

export function chooseMean(explorer: Explorer): void {
  const { selection, mu, dim } = explorer;
  const rows = selection.value;
  const z = new Float32Array(dim);
  for (const row of rows) for (let c = 0; c < dim; c++) z[c]! += mu[row * dim + c]! / rows.length;
  setCurrent(explorer, z, { kind: "mean" });
}

/** Selects what lies inside and is shown. */
export function selectInside(explorer: Explorer, polygon: Float32Array): void {
  const { hidden, labels } = explorer;
  const rows = explorer.latentMap().inside(polygon);
  explorer.selection.set(labels ? rows.filter((row) => !hidden.value.has(labels[row]!)) : rows);
}

export function drawPath(explorer: Explorer, route: Float32Array, n: number): void {
  if (route.length < 4) return;
  explorer.path.set(pathOnMap(explorer.latentMap(), wayBack(explorer), route, n));
}

/** Another number of stops, or another way between the same ends. */
export function changePath(explorer: Explorer, change: { n?: number; along?: Along }): void {
  const path = explorer.path.value;
  if (!path) return;
  const n = Math.min(Math.max(Math.round(change.n ?? path.n) || 2, 2), MAX_STOPS);
  const along = change.along ?? path.along;
  const map = explorer.latentMap();
  explorer.notice.set("");
  if (along === "map") return explorer.path.set(pathOnMap(map, wayBack(explorer), path.route, n));
  const ends = pathEnds(path);
  explorer.path.set({
    ...pathBetween(map, possible(explorer, along, ends), ...ends, n),
    route: path.route,
  });
}

/** Straight, with a word about it, where there is no way around. */
function possible(
  explorer: Explorer,
  along: "line" | "slerp",
  ends: [Float32Array, Float32Array],
): "line" | "slerp" {
  if (along === "line" || hasGreatCircle(...ends)) return along;
  explorer.notice.set(
    "The two ends lie in opposite directions: no great circle is the shortest, so the way is straight.",
  );
  return "line";
}

/** Starts or ends the path at the current vector: the way to draw one without a mouse. */
export function setPathEnd(explorer: Explorer, isStart: boolean, n: number): void {
  const path = explorer.path.value;
  const here = explorer.current.value.z;
  const [first, last] = path ? pathEnds(path) : [here, here];
  const along = path && path.along !== "map" ? path.along : "line";
  const ends: [Float32Array, Float32Array] = isStart ? [here, last] : [first, here];
  explorer.notice.set("");
  explorer.path.set(
    pathBetween(explorer.latentMap(), possible(explorer, along, ends), ...ends, path?.n ?? n),
  );
}

export function openTab(explorer: Explorer, tab: Tab): void {
  explorer.tab.set(tab);
}
