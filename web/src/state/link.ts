/** Two explorers of the same images, side by side: what is pointed at, selected and looked at in one is so in both. */
import { areSameImages } from "../scene/members";
import type { Trails } from "../view/view";
import {
  chooseRow,
  flip,
  pointAt,
  prototypeOf,
  setColor,
  setCurrent,
  setFilters,
  takeTool,
} from "./actions";
import { showTrails } from "./actions_members";
import { giveSelections, select } from "./actions_selection";
import { type Cell, watch } from "./cell";
import { hasColor } from "./coloring";
import { whenReady } from "./decoder";
import type { Explorer } from "./explorer";
import { writeSelections } from "./selections";

const MADE = "What it makes of the picture by";
/** Longer lists of lines hide the map. */
const MOST_TRAILS = 2000;

/** Returns the end of it. */
export function link(one: Explorer, other: Explorer): () => void {
  let isFollowing = false;
  /** What follows from a change is no change of its own. */
  const follow = (cells: readonly Cell<unknown>[], work: () => void): (() => void) =>
    watch(cells, () => {
      if (isFollowing) return;
      isFollowing = true;
      try {
        work();
      } finally {
        isFollowing = false;
      }
    });
  const stops: (() => void)[] = [];
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    stops.push(watch([from.pointedAt], () => pointAt(to, from.pointedAt.value)));
    stops.push(follow([from.tool], () => takeTool(to, from.tool.value)));
    stops.push(follow([from.isDark], () => flip(to, "isDark", from.isDark.value)));
    if (!areSameImages(from.manifest, to.manifest)) continue;
    stops.push(
      follow([from.filters], () => setFilters(to, from.filters.value, false)),
      follow([from.selections], () => giveSelections(to, writeSelections(from.selections.value))),
      follow([from.selection], () => select(to, from.selection.value)),
      follow([from.color], () => {
        const { value } = from.color;
        // A neuron of one model is none of the other.
        if (!/^z\d/.test(value) && hasColor(to, value)) setColor(to, value, false);
      }),
      follow([from.current, from.picture], () => followCurrent(from, to)),
    );
  }
  if (areSameImages(one.manifest, other.manifest)) {
    stops.push(
      watch(
        [one.map, one.member, other.map, other.member, other.chosen, other.coloring, one.pointedAt],
        () => showTrails(other, trailsBetween(one, other)),
      ),
    );
    showTrails(other, trailsBetween(one, other));
    followCurrent(one, other);
  }
  return () => stops.forEach((stop) => stop());
}

/** A picture of the data is one of both; of a picture from elsewhere, what the other makes of it. */
function followCurrent(from: Explorer, to: Explorer): void {
  const { current, picture } = from;
  const { origin } = current.value;
  if (origin.kind === "row") {
    const there = to.current.value.origin;
    if (there.kind !== "row" || there.row !== origin.row) chooseRow(to, origin.row, false);
  } else if (origin.kind === "class") {
    setCurrent(to, prototypeOf(to, origin.index), origin, false);
  } else if (origin.kind === "sum" && origin.text.startsWith(MADE)) {
    return; // it came from there
  } else if (origin.kind !== "neuron" && picture.value && to.decoder.value?.canEncode) {
    const text = `${MADE} ${from.manifest.title}`;
    whenReady(
      to.decoder.value.encode(picture.value, 1),
      ({ mu }) => setCurrent(to, mu, { kind: "sum", text }, false),
      () => undefined,
    );
  }
}

/** From where the selected pictures are on one map to where they are on the other, if both are in one frame. */
function trailsBetween(one: Explorer, other: Explorer): Trails | null {
  if (one.map.value !== other.map.value || /^z\d/.test(one.map.value)) return null;
  const rows = other.chosen.value.slice(0, MOST_TRAILS);
  const pointed = Math.max(one.pointedAt.value, other.pointedAt.value);
  const all = pointed >= 0 ? [...rows, pointed] : rows;
  if (!all.length) return null;
  const [from, to] = [one.latentMap().places.coordinates, other.latentMap().places.coordinates];
  const { codes, palette } = other.paint.value;
  const lines = Float32Array.from(
    all.flatMap((row) => [from[2 * row], from[2 * row + 1], to[2 * row], to[2 * row + 1]]),
  );
  const colors = Uint8Array.from(
    all.flatMap((row) => [...palette.subarray(4 * codes[row], 4 * codes[row] + 4)]),
  );
  return { lines, colors };
}

/** How many of its nearest neighbours in one latent space a picture keeps in the other, [0, 1]; null: not measured. */
export function neighboursKept({ columns }: Explorer): number | null {
  const column = columns.find(({ name }) => name === "neighbours kept");
  if (!column || !("values" in column)) return null;
  let sum = 0;
  for (const value of column.values) sum += value;
  return sum / column.values.length;
}
