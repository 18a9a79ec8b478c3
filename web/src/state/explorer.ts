import type { LatentMap } from "../maps/inverse";
import type { NeighbourGraph } from "../maps/neighbour_graph";
import type { Manifest, Story } from "../scene/manifest";
import type { Scene } from "../scene/source";
import type { Paint, Trails, ViewBox } from "../view/view";
import type { Cell } from "./cell";
import type { Coloring } from "./colors";
import type { Column, Facet } from "./columns";
import type { Decoder } from "./decoder";
import type { Filters } from "./filters";
import type { History } from "./history";
import type { Current } from "./origin";
import type { Path } from "./path";
import type { Join, Selection } from "./selections";
import type { Sketch } from "./sketch";
import type { Look } from "./thumbnails";
import type { Spacing, Trust } from "./trust";

/** Where the current vector lies on the shown map, and how far to trust its picture. */
export interface Place {
  x: number;
  y: number;
  halo: number; // map units
  trust: Trust;
  spread?: [number, number, number]; // covariance on the map: xx, xy, yy
}

/** The picture of the data whose vector is nearest to the current one. */
export interface Nearest {
  row: number;
  distance: number;
}

/** How sure the encoder is of a vector. */
export interface Spread {
  of: Current;
  variances: Float32Array; // (latentDim)
}

/** A vector someone wants to come back to. */
export interface Kept {
  name: string;
  z: Float32Array;
}

/** How much stands around the map: all; what a slide or page has room for; picture, map and story alone, large. */
export const LAYOUTS = ["full", "embed", "present"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What can be changed, each kept in a cell of the explorer. */
export interface State {
  /** Which member of the scene is shown: all below but the cells depends on it. */
  member: number;
  /** Whose network is asked for; see `followNetworks`. */
  wanted: number;
  /** The row that is pointed at, on this map or one beside it, or -1; and where points are on that one. */
  pointedAt: number;
  trails: Trails | null;
  decoder: Decoder | null;
  current: Current;
  /** Pixels (c, h, w) of the current vector; null until, or if never, decoded. */
  picture: Float32Array | null;
  map: string;
  way: string;
  color: string;
  /** What is decoded by a model that is told: a number in `manifest.condition.names`; 0 by others. */
  told: number;
  /** Names of what is chosen among `tools` and `tabs`. */
  tool: string;
  tab: string;
  filters: Filters;
  /** What is selected now, ascending; what becomes of it when more is; and what is kept. */
  selection: readonly number[];
  join: Join;
  selections: readonly Selection[];
  /** Which two sets are compared, by their keys in `state/sets.ts`. */
  versus: readonly [a: string, b: string];
  /** What the encoder says of the current vector's picture, if it was asked. */
  posterior: Spread | null;
  path: Path | null;
  /** Who is near whom among the data; null until somebody asked and it is known. */
  graph: NeighbourGraph | null;
  kept: readonly Kept[];
  sketch: Sketch;
  /** What is told or made, and which of its steps is open; −1: none. */
  story: Story | null;
  step: number;
  layout: Layout;
  isDark: boolean;
  hasContours: boolean;
  hasThumbnails: boolean;
  hasTiles: boolean;
  hasNames: boolean;
  hasExamples: boolean;
  hasPosterior: boolean;
  view: ViewBox | null;
  /** Of the map, CSS pixels. */
  mapSize: { width: number; height: number };
  /** A sentence for the person, or empty. */
  notice: string;
}

/** All that a person can lose, which undo therefore brings back. */
const REMEMBERED = [
  ...(["current", "color", "told", "filters", "selection"] as const),
  ...(["selections", "path", "kept", "sketch", "story"] as const),
] as const;

/** What undo comes back to. */
export type Moment = Pick<State, (typeof REMEMBERED)[number]>;

type Cells = { readonly [K in keyof State]: Cell<State[K]> };

export const momentOf = (cells: Pick<Cells, keyof Moment>): Moment =>
  Object.fromEntries(REMEMBERED.map((key) => [key, cells[key].value])) as unknown as Moment;

export const isSameMoment = (a: Moment, b: Moment): boolean =>
  REMEMBERED.every((key) => a[key] === b[key]);

/** All that the page knows. State changes through the functions of `actions.ts` alone. */
export interface Explorer extends Cells {
  readonly scene: Scene;
  readonly manifest: Manifest;
  /** Of what the model decodes. */
  readonly look: Look;
  readonly n: number;
  readonly dim: number;
  readonly mu: Float32Array; // (n, dim)
  readonly labels: Int32Array | null;
  readonly indices: Int32Array;
  /** What every picture of the data is, to a model that is told; null where that is not known. */
  readonly codes: Int32Array | null;
  /** Neurons, the one that says most about the pictures first. */
  readonly order: readonly number[];
  /** Names of the page's tools and tabs. */
  readonly tools: readonly string[];
  readonly tabs: readonly string[];
  readonly history: History<Moment>;
  /** What else is known of the points; and all that filters them and can be counted, the class and costs too, by name. */
  readonly columns: readonly Column[];
  readonly facets: ReadonlyMap<string, Facet>;

  /** What follows from the state: where the current vector lies, and the picture of the data next to it; */
  readonly place: Cell<Place>;
  readonly nearest: Cell<Nearest>;
  /** what the colours mean, and are; which points are shown: 1 or 0 each, null for all. */
  readonly coloring: Cell<Coloring>;
  readonly paint: Cell<Paint>;
  readonly visible: Cell<Uint8Array | null>;
  /** By how many filters each point is hidden, null: none hides any; and how many points are shown. */
  readonly failures: Cell<Uint16Array | null>;
  readonly nShown: Cell<number>;
  /** Of the selection, what is shown. */
  readonly chosen: Cell<readonly number[]>;
  /** How far to trust the stops of the path; and where it lies on the map: its line (k, 2), its stops (n, 2). */
  readonly stopTrust: Cell<Trust[]>;
  readonly trail: Cell<{ line: Float32Array; stops: Float32Array } | null>;

  /** The map of that name; without, the one that is shown. */
  latentMap(name?: string): LatentMap;
  decode(current: Current): void;
  /** How far apart pictures of the data lie in the latent space. */
  latentSpacing(): Spacing;
}

/** Names a map of any two neurons: "z0,z3". */
export const pairName = (first: number, second: number): string => `z${first},z${second}`;

/** The two neurons of a pair map, or null. */
export function pairOf(name: string, dim: number): [number, number] | null {
  const match = /^z(\d{1,5}),z(\d{1,5})$/.exec(name);
  if (!match) return null;
  const [first, second] = [Number(match[1]), Number(match[2])];
  return first < dim && second < dim && first !== second ? [first, second] : null;
}

/** The map that is shown first: t-SNE shows most, where there is one. */
export function firstMap(manifest: Manifest): string {
  const wanted = ["tsne", "umap"].map((method) =>
    manifest.maps.find((spec) => spec.method === method),
  );
  return (wanted.find(Boolean) ?? manifest.maps[0]!).name;
}

/** What colours the map first: the class, or else the neuron that says most. */
export const firstColor = ({ labels, order }: Pick<Explorer, "labels" | "order">): string =>
  labels ? "class" : `z${order[0]}`;

/** Whether the scene can show a map of this name. */
export const hasMap = (manifest: Manifest, name: string): boolean =>
  manifest.maps.some((spec) => spec.name === name) || pairOf(name, manifest.latentDim) !== null;
