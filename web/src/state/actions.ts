/** What a person can do, as functions of the explorer. */
import type { WayName } from "../scene/manifest";
import type { ViewBox } from "../view/view";
import { change } from "./change";
import { hasColor } from "./coloring";
import type { Decoder } from "./decoder";
import {
  type Explorer,
  hasMap,
  type Layout,
  type Moment,
  momentOf,
  type Spread,
  type State,
} from "./explorer";
import { type Filter, type Filters, hiddenOf, withFilter } from "./filters";
import type { Current, Origin } from "./origin";
import { BLANK, type Sketch, type Stroke } from "./sketch";

/** Takes another vector. `isSettled`: undo comes back to it (not while dragging). */
export function setCurrent(
  explorer: Explorer,
  z: Float32Array,
  origin: Origin,
  isSettled = true,
): void {
  const current: Current = { z, origin };
  if (isSettled) settle(explorer); // where play was, or a value that was just typed
  change(explorer, "notice", ""); // it was about what came before
  change(explorer, "current", current);
  explorer.decode(current);
  if (isSettled) settle(explorer);
}

/** Remembers where one is: the end of a drag. */
export const settle = (explorer: Explorer): void => explorer.history.push(momentOf(explorer));

/** Does what one undo takes back; `isStep`: or what none does, as while dragging. */
export function asStep(explorer: Explorer, work: () => void, isStep = true): void {
  if (isStep) settle(explorer);
  work();
  if (isStep) settle(explorer);
}

/** As `setCurrent`, but nothing that one would undo. */
export function goTo(explorer: Explorer, current: Current | null): void {
  if (!current) return;
  change(explorer, "current", current);
  explorer.decode(current);
}

export function undo(explorer: Explorer): void {
  settle(explorer);
  restore(explorer, explorer.history.undo());
}
export const redo = (explorer: Explorer): void => restore(explorer, explorer.history.redo());

function restore(explorer: Explorer, moment: Moment | null): void {
  // Of another member it may have other neurons.
  if (moment?.current.z.length !== explorer.dim) return;
  change(explorer, "filters", moment.filters);
  change(explorer, "selections", moment.selections); // before the colour, which may be theirs
  change(explorer, "color", moment.color);
  change(explorer, "selection", moment.selection);
  change(explorer, "path", moment.path);
  change(explorer, "kept", moment.kept);
  change(explorer, "sketch", moment.sketch);
  change(explorer, "story", moment.story);
  choose(explorer, moment.told);
  if (moment.current !== explorer.current.value) goTo(explorer, moment.current);
}

/** To a picture of the data, with the map following if it lies outside of what is shown. */
export function showRow(explorer: Explorer, row: number): void {
  chooseRow(explorer, row);
  const { x, y } = explorer.place.value;
  const { view, mapSize } = explorer;
  if (!view.value) return;
  const { scale } = view.value;
  const isInside =
    Math.abs(x - view.value.x) < 0.48 * mapSize.value.width * scale &&
    Math.abs(y - view.value.y) < 0.48 * mapSize.value.height * scale;
  if (!isInside) lookAt(explorer, { x, y, scale });
}

export function chooseRow(explorer: Explorer, row: number, isSettled = true): void {
  const { mu, dim } = explorer;
  setCurrent(explorer, mu.slice(row * dim, (row + 1) * dim), { kind: "row", row }, isSettled);
}

/** The way back that is applied on the map now. */
export function wayBack(explorer: Explorer): WayName {
  const { inverses } = explorer.latentMap();
  return inverses.find((each) => each === explorer.way.value) ?? inverses[0]!;
}

export function walkTo(explorer: Explorer, x: number, y: number, isSettled = true): void {
  const back = explorer.latentMap().inverse(x, y, wayBack(explorer));
  const { distance, roundTrip } = back;
  const origin: Origin = { kind: "place", map: explorer.map.value, x, y, distance, roundTrip };
  setCurrent(explorer, back.z, origin, isSettled);
}

/** To the picture that was hit, if one was, else to the place. */
export function goToPlace(
  explorer: Explorer,
  { row, x, y }: { row: number; x: number; y: number },
): void {
  if (row >= 0) chooseRow(explorer, row);
  else walkTo(explorer, x, y);
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

export function setMap(explorer: Explorer, name: string): void {
  if (!hasMap(explorer.manifest, name) || name === explorer.map.value) return;
  change(explorer, "map", name);
}

/** Sets the filter of a column; null: none. `isSettled`: undo comes back to it (not while brushing). */
export function setFilter(
  explorer: Explorer,
  column: string,
  filter: Filter | null,
  isSettled = true,
): void {
  setFilters(explorer, withFilter(explorer.filters.value, column, filter), isSettled);
}

/** Sets the filters of all columns; of none, all is shown. */
export function setFilters(explorer: Explorer, filters: Filters, isSettled = true): void {
  asStep(explorer, () => change(explorer, "filters", filters), isSettled);
}

export const showAll = (explorer: Explorer): void => setFilters(explorer, new Map());

/** Hides these values of a category and shows all others. */
export const hideOnly = (explorer: Explorer, column: string, codes: Iterable<number>): void =>
  setFilter(explorer, column, { hidden: new Set(codes) });

/** Hides values of a category that are shown together, or shows them again. */
export function toggleValues(explorer: Explorer, column: string, codes: readonly number[]): void {
  const hidden = new Set(hiddenOf(explorer.filters.value, column));
  if (codes.every((code) => hidden.has(code))) for (const code of codes) hidden.delete(code);
  else for (const code of codes) hidden.add(code);
  hideOnly(explorer, column, hidden);
}

/** Shows these values of a category alone; if they are alone already, all. */
export function onlyValues(
  explorer: Explorer,
  column: string,
  codes: readonly number[],
  all: readonly number[],
): void {
  const hidden = hiddenOf(explorer.filters.value, column);
  const others = all.filter((each) => !codes.includes(each));
  const isAlone =
    others.length > 0 &&
    others.every((each) => hidden.has(each)) &&
    codes.every((code) => !hidden.has(code));
  hideOnly(explorer, column, isAlone ? [] : others);
}

/** Other strokes on the pad. Without any, the vector is what it was before the first. */
export function sketch(explorer: Explorer, strokes: readonly Stroke[]): void {
  const { sketch, current } = explorer;
  const before = sketch.value.before ?? current.value;
  settle(explorer);
  if (strokes.length) return change(explorer, "sketch", { ...sketch.value, strokes, before });
  change(explorer, "sketch", BLANK);
  if (current.value.origin.kind === "drawn") goTo(explorer, before);
  settle(explorer);
}

/** Strokes from a link: x0, y0, x1, y1 … each; the vector is its own. */
export const sketchAgain = (explorer: Explorer, strokes: readonly number[][]): void =>
  change(explorer, "sketch", {
    strokes: strokes.map((stroke) =>
      Array.from(
        { length: stroke.length >> 1 },
        (_, i) => [stroke[2 * i]!, stroke[2 * i + 1]!] as const,
      ),
    ),
    seen: null,
    before: explorer.current.value,
  });

/** What the encoder says of the current vector. */
export const seePosterior = (explorer: Explorer, spread: Spread): void =>
  change(explorer, "posterior", spread);

/** What came of the strokes on the pad. */
export const seeSketch = (explorer: Explorer, seen: Sketch["seen"]): void =>
  change(explorer, "sketch", { ...explorer.sketch.value, seen });

export function openTab(explorer: Explorer, tab: string): void {
  if (explorer.tabs.includes(tab)) change(explorer, "tab", tab);
}

export function takeTool(explorer: Explorer, tool: string): void {
  if (explorer.tools.includes(tool)) change(explorer, "tool", tool);
}

export const setWay = (explorer: Explorer, way: string): void => change(explorer, "way", way);

export function setColor(explorer: Explorer, color: string, isSettled = true): void {
  if (!hasColor(explorer, color)) return;
  asStep(explorer, () => change(explorer, "color", color), isSettled);
}

type Switch = { [K in keyof State]: State[K] extends boolean ? K : never }[keyof State];

/** Puts a switch on or off; over to the other side, if not said to which. */
export const flip = (explorer: Explorer, name: Switch, isOn = !explorer[name].value): void =>
  change(explorer, name, isOn);

/** Where the map shows, null: all of it; and on what size. */
export const lookAt = (explorer: Explorer, view: ViewBox | null): void =>
  change(explorer, "view", view);
export const resizeMap = (explorer: Explorer, size: State["mapSize"]): void =>
  change(explorer, "mapSize", size);

/** Which step of the story is open, from 0; none: −1. */
export const turnTo = (explorer: Explorer, step: number): void => change(explorer, "step", step);

export const setLayout = (explorer: Explorer, layout: Layout): void =>
  change(explorer, "layout", layout);

/** Says what the pointer is on: a row, or -1. */
export const pointAt = (explorer: Explorer, row: number): void =>
  change(explorer, "pointedAt", row);

/** A sentence for the person. */
export const say = (explorer: Explorer, sentence: string): void =>
  change(explorer, "notice", sentence);

/** From now on pictures come from this network. */
export function setDecoder(explorer: Explorer, decoder: Decoder): void {
  change(
    explorer,
    "decoder",
    explorer.manifest.condition ? decoder.choose(explorer.told.value) : decoder,
  );
  explorer.decode(explorer.current.value);
}

/** What everything is decoded as from now on, by a model that is told. */
export function setTold(explorer: Explorer, told: number, isSettled = true): void {
  if (!(told in (explorer.manifest.condition?.names ?? []))) return;
  asStep(explorer, () => choose(explorer, told), isSettled);
}

function choose(explorer: Explorer, told: number): void {
  if (told === explorer.told.value) return;
  change(explorer, "told", told);
  // The vector stays; what the encoder said was of another picture.
  change(explorer, "posterior", null);
  if (explorer.decoder.value) setDecoder(explorer, explorer.decoder.value);
}
